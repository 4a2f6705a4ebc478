/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_lag CHECKPOINT COUNT SECONDS: how long each change takes into the checkpoint.  Another
 * program ("regbench edits") sets the values "Lag 000000", "Lag 000001", ... of the first registered
 * key, each to the time at which it does.  This one looks at the file every millisecond, as another
 * node would, and goes on to the next when a value is there and its commit is done.
 * A value of an earlier run does not count.
 * Prints lag-median and lag-worst; fails if they do not all come within SECONDS.
 */
#include <string.h>
#include <unistd.h>

#include "bench_timing.h"
#include "checkpoint_record.h"

#define POLL_US 1000

/* Now, in microseconds since 1970. */
static uint64_t unix_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/* Is a commit under way?  Nothing counts before it is done. */
static bool commit_under_way(const char *path)
{
    struct tdbfile f;
    struct error err;
    bool is;

    if (tdbfile_open(&f, path, &err))
        die(&err);
    is = f.interrupted;
    tdbfile_close(&f);
    return is;
}

/* The time that the n-th value holds; false: it is not there yet. */
static bool look(const char *path, size_t n, struct pack *room, uint64_t *set_us)
{
    char text[32];
    uint16_t units[32];
    struct utf16 name = {.units = units}, none = {.units = units};
    struct tdbfile_record record;
    struct tdbfile f;
    struct error err;
    struct pack key;
    int result;

    name.len = snprintf(text, sizeof(text), "Lag %06zu", n);
    for (size_t i = 0; i < name.len; i++)
        units[i] = text[i];
    pack_init(&key);
    record_value_key(&key, 1, none, name);
    if (tdbfile_open(&f, path, &err))
        die(&err);
    pack_reset(room);
    result = tdbfile_find(&f, key.bytes, key.len, room, &record, &err);
    /* The data, which end the record, are the eight bytes of the time. */
    if (!result && record.data_len > sizeof(*set_us))
        memcpy(set_us, record.data + record.data_len - sizeof(*set_us), sizeof(*set_us));
    tdbfile_close(&f);
    pack_free(&key);
    /* In the middle of a commit a chain can look like anything: what counts is what stays. */
    return !result && !commit_under_way(path);
}

int main(int argc, char **argv)
{
    size_t count, seen = 0;
    struct pack room;
    uint64_t began = unix_now_us(), end;
    int64_t *lag;

    if (argc != 4) {
        fprintf(stderr, "usage: bench_lag CHECKPOINT COUNT SECONDS\n");
        return 100;
    }
    count = number_argument(argv[2]);
    end = began + number_argument(argv[3]) * 1000000;
    if (!(lag = calloc(count, sizeof(*lag))))
        return 111;
    pack_init(&room);
    while (seen < count && unix_now_us() < end) {
        uint64_t set_us = 0;

        if (look(argv[1], seen, &room, &set_us) && set_us >= began)
            lag[seen++] = (int64_t)(unix_now_us() - set_us) * 1000;
        else
            usleep(POLL_US);
    }
    pack_free(&room);
    if (seen < count) {
        fprintf(stderr, "%zu of %zu changes came into %s\n", seen, count, argv[1]);
        return 1;
    }
    print_median("lag-median", lag, count);
    printf("lag-worst %.3f\n", lag[count - 1] / 1e3);
    free(lag);
    return 0;
}
