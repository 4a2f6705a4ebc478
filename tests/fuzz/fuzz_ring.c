/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring as the monitor reads it, holding anything.  The input is the parts of a small ring's
 * file (ringparts.h).  What is read is looked at; then changes are reported into it and read again.
 *
 * In half of the inputs each record is given the length that its parts add up to, as nothing gets
 * past that check otherwise.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "random_image.h"
#include "ringparts.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed);

static char path[4096];
static uint8_t *file; /* all of it, mapped */

/* Makes the lengths of a lane's records right, from the lane's beginning on. */
static void mend_lane(uint8_t *lane)
{
    struct ring_record record;

    for (size_t at = 0; at + sizeof(record) <= PARTS_LANE_BYTES; at += record.bytes) {
        memcpy(&record, lane + at, sizeof(record));
        record.bytes = (uint32_t)(sizeof(record) + 2 * ((uint64_t)record.path_units +
                                  record.name_units) + record.data_bytes + 7) & ~7u;
        memcpy(lane + at, &record, sizeof(record));
        if (record.bytes < sizeof(record)) return;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    size_t lanes_at = 0;

    for (size_t i = 0; i < PARTS_COUNT - 1; i++) lanes_at += ring_parts[i].bytes;
    len = LLVMFuzzerMutate(bytes, len, room);
    for (size_t i = 0; seed % 2 && i < PARTS_LANES; i++)
        if (lanes_at + (i + 1) * PARTS_LANE_BYTES <= len)
            mend_lane(bytes + lanes_at + i * PARTS_LANE_BYTES);
    return len;
}

static void remove_file(void)
{
    unlink(path);
}

/* A file proper in TMPDIR: the ring is opened by its own name only. */
static void make_file(void)
{
    const char *dir = getenv("TMPDIR");
    int fd;

    snprintf(path, sizeof(path), "%s/regckpt-fuzz-XXXXXX", dir ? dir : "/tmp");
    FUZZ_HOLDS((fd = mkstemp(path)) >= 0);
    atexit(remove_file);
    FUZZ_HOLDS(!ftruncate(fd, PARTS_FILE_BYTES));
    file = mmap(NULL, PARTS_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FUZZ_HOLDS(file != MAP_FAILED);
    close(fd);
}

/* Lays the input's parts where they belong, zero where it ends early. */
static void fill_file(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < PARTS_COUNT; i++) {
        size_t part = len < ring_parts[i].bytes ? len : ring_parts[i].bytes;

        memcpy(file + ring_parts[i].at, bytes, part);
        memset(file + ring_parts[i].at + part, 0, ring_parts[i].bytes - part);
        bytes += part;
        len -= part;
    }
}

static void use_keys(struct ring *r)
{
    struct ring_key *keys;
    size_t count;
    void *block;

    if (ring_keys_get(r, &keys, &count, &block)) return;
    for (size_t i = 0; i < count; i++) fuzz_use(keys[i].path.units, 2 * keys[i].path.len);
    free(block);
}

static void use_processes(struct ring *r)
{
    struct ring_process process;

    for (uint32_t i = 0; i < PARTS_PROCESSES + 1; i++)
        if (ring_process_get(r, i, &process)) fuzz_use(process.name, strlen(process.name) + 1);
    FUZZ_HOLDS(!ring_process_get(r, RING_PROCESSES, &process));
}

/* Looks at all of a batch, which must be in order and within the limits of an image. */
static void use_batch(const struct ring_batch *batch)
{
    struct image image;

    image_init(&image);
    for (size_t i = 0; i < batch->count; i++) {
        const struct change *c = &batch->changes[i].change;

        FUZZ_HOLDS(!i || batch->changes[i - 1].number <= batch->changes[i].number);
        FUZZ_HOLDS(batch->changes[i].process < RING_PROCESSES);
        fuzz_use(c->path.units, 2 * c->path.len);
        fuzz_use(c->name.units, 2 * c->name.len);
        fuzz_use(c->class.units, 2 * c->class.len);
        fuzz_use(c->data, c->size_bytes);
        image_apply(&image, c);
    }
    image_free(&image);
}

static void cut(struct ring *r)
{
    struct ring_batch batch;

    FUZZ_HOLDS(!ring_cut(r, &batch));
    use_batch(&batch);
    ring_batch_free(&batch);
    ring_release(r);
}

/* As hooked calls do it. */
static void report(struct ring *r)
{
    struct change change = { .kind = CHANGE_SET_VALUE, .key_id = 1, .path = U("key"),
                             .name = U("value"), .type = 3, .data = "data", .size_bytes = 4 };

    for (uint32_t lane = 0; lane < r->lane_count; lane++) {
        if (!ring_lane_take(r, lane)) continue;
        ring_append(r, lane, 0, &change, 0);
        ring_lane_give(r, lane);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct error err = { 0, "" };
    struct ring r;
    int before;

    if (!file) make_file();
    fill_file(bytes, len);
    before = fuzz_open_descriptors();
    FUZZ_HOLDS(ring_open(path, &r, &err) == err.code);
    if (err.code) return 0;
    FUZZ_HOLDS(r.map_bytes == PARTS_FILE_BYTES);
    use_keys(&r);
    use_processes(&r);
    cut(&r);
    report(&r);
    cut(&r);
    ring_close(&r);
    FUZZ_HOLDS(fuzz_open_descriptors() == before);
    return 0;
}
