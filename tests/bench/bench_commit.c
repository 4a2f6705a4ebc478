/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_commit DIR FEW MANY ROUNDS: what a commit costs, in checkpoints of FEW and of MANY values and
 * in bare TDB files of as many records of the same size, opened with the same options.  All are made
 * in DIR, and each round measures every one of them once, in turn, so that a slow moment of the disk
 * meets all alike:
 *     fdatasync                   of one changed block
 *     KIND-few-1  KIND-many-1     a transaction with one change, KIND being tdb or ours
 *     KIND-few-100 KIND-many-100  with 100 changes
 *     SUBJECT-plain-N             of ours: the same without history, in turn with the others
 * "ours" does what the monitor does for a change: history, sums and state with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <tdb.h>

#include "bench_timing.h"
#include "checkpoint.h"

#define PER_KEY 500
#define PER_TRANSACTION 50000 /* while they are made: what a transaction holds in memory is bounded */
#define CHAINS 64007          /* as many as a checkpoint has */
#define TDB_FLAGS (TDB_NOMMAP | TDB_INCOMPATIBLE_HASH | TDB_DISALLOW_NESTING)
#define CHANGES 100
#define DATA_BYTES 64

struct subject {
    const char *name;
    size_t records;
    struct checkpoint *ours;   /* one of these two */
    struct tdb_context *bare;
    int64_t *ns[2][2]; /* with one change and many, without history and with it */
};

static const size_t sizes[] = {1, CHANGES};

static uint64_t serial; /* no data is ever written twice: that would be no change */

/* An error of the system ends the program too. */
static _Noreturn void die_of(const char *what)
{
    struct error err;

    error_system(&err, errno, "%s", what);
    die(&err);
}

/* The n-th name in ASCII as UTF-16. */
static struct utf16 make_name(uint16_t *room, const char *format, size_t n)
{
    char text[32];
    struct utf16 s = {.units = room};

    s.len = snprintf(text, sizeof(text), format, n);
    for (size_t i = 0; i < s.len; i++)
        room[i] = text[i];
    return s;
}

/* Data that was never there before. */
static void make_data(uint8_t *data)
{
    memset(data, 'x', DATA_BYTES);
    memcpy(data, &serial, sizeof(serial));
    serial++;
}

/* Sets the n-th value of a checkpoint, in the open transaction. */
static void change_ours(struct checkpoint *c, size_t n, bool history)
{
    struct checkpoint_origin origin = {.time = serial, .who = "bench", .node = "bench"};
    uint16_t path[32], name[32];
    uint8_t data[DATA_BYTES];
    struct change change = {.kind = CHANGE_SET_VALUE, .key_id = 1, .type = 3, .data = data,
                            .size_bytes = DATA_BYTES};
    struct error err;

    make_data(data);
    change.path = make_name(path, "Part %05zu", n / PER_KEY);
    change.name = make_name(name, "Value %07zu", n);
    if (!history && n % PER_KEY == 0) {
        struct change key = {.kind = CHANGE_CREATE_KEY, .key_id = 1, .path = change.path};
        if (checkpoint_change(c, &key, NULL, &err))
            die(&err);
    }
    if (checkpoint_change(c, &change, history ? &origin : NULL, &err))
        die(&err);
}

/* The same in a bare TDB file: a key and data of the sizes that a checkpoint's record has. */
static void change_bare(struct tdb_context *tdb, size_t n)
{
    char name[64];
    uint8_t bytes[DATA_BYTES + 48] = {0};
    TDB_DATA key = {.dptr = (unsigned char *)name}, data = {.dptr = bytes, .dsize = sizeof(bytes)};

    key.dsize = snprintf(name, sizeof(name), "value:00000001:part %05zu value %07zu", n / PER_KEY, n);
    make_data(bytes);
    if (tdb_store(tdb, key, data, TDB_REPLACE))
        die_of(tdb_errorstr(tdb));
}

/* Changes `count` values somewhere in the subject, in one transaction. */
static void transact(struct subject *s, size_t first, size_t count, size_t step, bool history)
{
    struct error err;

    if (s->ours ? checkpoint_begin(s->ours, &err) : 0)
        die(&err);
    if (s->bare && tdb_transaction_start(s->bare))
        die_of(tdb_errorstr(s->bare));
    for (size_t i = 0; i < count; i++) {
        size_t n = (first + i * step) % s->records;
        if (s->ours)
            change_ours(s->ours, n, history);
        else
            change_bare(s->bare, n);
    }
    if (s->ours ? checkpoint_commit(s->ours, &err) : 0)
        die(&err);
    if (s->bare && tdb_transaction_commit(s->bare))
        die_of(tdb_errorstr(s->bare));
}

/* Makes the subject's file and fills it. */
static void make_subject(struct subject *s, const char *dir, bool ours, size_t rounds)
{
    struct registered_key head = {.view = VIEW_64, .path = (char *)"Software\\Bench",
                                  .flags = KEY_CAPTURED};
    struct change root = {.kind = CHANGE_CREATE_KEY, .key_id = 1};
    struct resource resource;
    struct error err;
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s.tdb", dir, s->name);
    for (int i = 0; i < 4; i++)
        if (!(s->ns[i / 2][i % 2] = calloc(rounds, sizeof(int64_t))))
            die_of("making room for the times");
    if (ours) {
        resource_init(&resource);
        if (resource_set(&resource, "command", "bench.exe", &err) ||
            checkpoint_create(path, &resource, &err) || checkpoint_open(path, &s->ours, &err) ||
            checkpoint_begin(s->ours, &err) || checkpoint_put_key(s->ours, &head, &err) ||
            checkpoint_change(s->ours, &root, NULL, &err) || checkpoint_commit(s->ours, &err))
            die(&err);
        resource_free(&resource);
    } else if (!(s->bare = tdb_open(path, CHAINS, TDB_FLAGS, O_RDWR | O_CREAT, 0600))) {
        die_of("making a TDB file");
    }
    for (size_t n = 0; n < s->records; n += PER_TRANSACTION)
        transact(s, n, s->records - n < PER_TRANSACTION ? s->records - n : PER_TRANSACTION, 1, false);
}

/* One round: what each kind of transaction takes. */
static void measure(struct subject *s, size_t round)
{
    static const size_t first[] = {7919, 104729}, step[] = {1, 613};

    for (int many = 0; many < 2; many++)
        for (int history = 1; history >= (s->ours ? 0 : 1); history--) {
            int64_t began = now_ns();

            transact(s, round * first[many], sizes[many], step[many], history);
            s->ns[many][history][round] = now_ns() - began;
        }
}

/* Prints what measure() took, and ends. */
static void print_subject(struct subject *s, size_t rounds)
{
    char name[64];

    for (int i = 0; i < 4; i++) {
        int many = i / 2, history = i % 2;

        snprintf(name, sizeof(name), "%s-%s%zu", s->name, history ? "" : "plain-", sizes[many]);
        if (history || s->ours)
            print_median(name, s->ns[many][history], rounds);
        free(s->ns[many][history]);
    }
    checkpoint_close(s->ours);
    if (s->bare)
        tdb_close(s->bare);
}

/* One block written and synced: the least that making anything durable costs here. */
static int64_t measure_fdatasync(int fd)
{
    char block[4096];
    int64_t began;

    memset(block, 'a' + serial++ % 26, sizeof(block));
    began = now_ns();
    if (pwrite(fd, block, sizeof(block), 0) != sizeof(block) || fdatasync(fd))
        die_of("writing and syncing a block");
    return now_ns() - began;
}

int main(int argc, char **argv)
{
    struct subject subjects[] = {{.name = "tdb-few"}, {.name = "tdb-many"}, {.name = "ours-few"},
                                 {.name = "ours-many"}};
    const size_t count = sizeof(subjects) / sizeof(subjects[0]);
    size_t rounds;
    int64_t *sync_ns;
    char path[4096];
    int fd;

    if (argc != 5) {
        fprintf(stderr, "usage: bench_commit DIR FEW MANY ROUNDS\n");
        return 100;
    }
    rounds = number_argument(argv[4]);
    snprintf(path, sizeof(path), "%s/block", argv[1]);
    if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0 ||
        !(sync_ns = calloc(rounds, sizeof(*sync_ns))))
        die_of(path);
    measure_fdatasync(fd);
    for (size_t i = 0; i < count; i++) {
        subjects[i].records = number_argument(argv[2 + i % 2]);
        make_subject(&subjects[i], argv[1], i >= 2, rounds);
    }
    sync();
    for (size_t round = 0; round < rounds; round++) {
        sync_ns[round] = measure_fdatasync(fd);
        for (size_t i = 0; i < count; i++)
            measure(&subjects[i], round);
    }
    print_median("fdatasync", sync_ns, rounds);
    for (size_t i = 0; i < count; i++)
        print_subject(&subjects[i], rounds);
    free(sync_ns);
    close(fd);
    return 0;
}
