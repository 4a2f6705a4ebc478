/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file of the ring (see ring.h).
 *
 * Its room is reserved when it is made: a page that the file system cannot give later would end the
 * process that touches it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring_private.h"

#define LANE_BYTES_MIN 256
#define LANE_BYTES_MAX (16u << 20)

/* What 64 and 32-bit processes must agree on. */
#define AT(type, field, offset) \
    _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
AT(ring_lane, head, 8);
AT(ring_lane, tail, 16);
_Static_assert(sizeof(struct ring_lane) == RING_CACHE_LINE, "struct ring_lane");
AT(ring_process, changes, 16);
AT(ring_process, name, 28);
_Static_assert(sizeof(struct ring_process) == 64, "struct ring_process");
AT(ring_record, number, 8);
AT(ring_record, key_id, 16);
_Static_assert(sizeof(struct ring_record) == 48, "struct ring_record");
AT(ring_shared, version, 8);
AT(ring_shared, source, 20);
AT(ring_shared, epoch, 24);
AT(ring_shared, state, 36);
AT(ring_shared, table_sequence, 52);
AT(ring_shared, unhooked_name, 68);
AT(ring_shared, sequence, 232);
AT(ring_shared, counter, 256);
AT(ring_shared, server_pid, 264);
AT(ring_shared, scan_wanted, 320);
AT(ring_shared, doorbell, 384);
AT(ring_shared, durable_number, 448);
AT(ring_shared, processes, 512);
AT(ring_shared, table, 512 + 64 * RING_PROCESSES);
AT(ring_shared, lanes, 512 + 64 * RING_PROCESSES + RING_TABLE_BYTES);
_Static_assert(sizeof(struct ring_shared) ==
               offsetof(struct ring_shared, lanes) + RING_CACHE_LINE * RING_LANES,
               "struct ring_shared");
_Static_assert(sizeof(((struct ring_shared *)0)->table) == RING_TABLE_BYTES, "table");

/* How struct ring_shared begins. */
struct ring_head {
    uint64_t magic;
    uint32_t version, lane_count, lane_bytes, source;
};
AT(ring_head, lane_count, offsetof(struct ring_shared, lane_count));
AT(ring_head, lane_bytes, offsetof(struct ring_shared, lane_bytes));
AT(ring_head, source, offsetof(struct ring_shared, source));

/* Where the buffers begin. */
static size_t buffers_at(void)
{
    return (sizeof(struct ring_shared) + RING_BUFFERS_AT - 1) / RING_BUFFERS_AT * RING_BUFFERS_AT;
}

static bool are_sizes_right(uint32_t lane_count, uint32_t lane_bytes, bool by_server)
{
    return lane_count && lane_count <= (by_server ? 1 : RING_LANES) && lane_bytes >= LANE_BYTES_MIN &&
           lane_bytes <= LANE_BYTES_MAX && !(lane_bytes & (lane_bytes - 1));
}

/* Maps the file; the sizes have been checked. 0 or errno. */
static int map_ring(int fd, uint32_t lane_count, uint32_t lane_bytes, bool by_server,
                    struct ring *out)
{
    size_t bytes = buffers_at() + (size_t)lane_count * lane_bytes;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED) return errno;
    out->shared = at;
    out->buffers = (uint8_t *)at + buffers_at();
    out->lane_count = lane_count;
    out->lane_bytes = lane_bytes;
    out->by_server = by_server;
    out->map_bytes = bytes;
    out->cut_us = (uint64_t)ring_now_us();
    for (uint32_t i = 0; i < lane_count; i++)
        out->read[i] = out->shared->lanes[i].tail;
    return 0;
}

/* Makes the file and reserves its room.  The descriptor, or -1 and errno. */
static int make_file(const char *path, size_t bytes, const struct ring_options *options)
{
    int fd, ret;

    unlink(path); /* of somebody who was interrupted */
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if ((ret = posix_fallocate(fd, 0, (off_t)bytes))) goto failed;
    if ((options->uid != geteuid() || options->gid != getegid()) &&
        fchown(fd, options->uid, options->gid)) {
        ret = errno;
        goto failed;
    }
    return fd;
failed:
    close(fd);
    unlink(path);
    errno = ret;
    return -1;
}

/* Fills in what is not 0 in a new ring. */
static void begin_ring(struct ring *r, const struct ring_options *options)
{
    struct ring_shared *s = r->shared;

    s->version = RING_VERSION;
    s->lane_count = r->lane_count;
    s->lane_bytes = r->lane_bytes;
    s->source = r->by_server ? RING_BY_SERVER : RING_BY_HOOK;
    s->epoch = options->epoch;
    s->sequence = options->sequence;
    s->monitor_pid = (uint32_t)getpid();
    s->state = RING_OPEN;
    s->durable = options->durable;
    s->wait_ms = RING_DURABLE_WAIT_MS;
    s->magic = RING_MAGIC;
}

int ring_create(const char *path, const struct ring_options *options, struct ring *out,
                struct error *err)
{
    bool by_server = options->by_server;
    uint32_t lane_count = options->lane_count ? options->lane_count : by_server ? 1 : RING_LANES;
    uint32_t lane_bytes = options->lane_bytes ? options->lane_bytes
                          : by_server         ? RING_SERVER_BYTES
                                              : RING_LANE_BYTES;
    char *new_path;
    int fd, ret;

    memset(out, 0, sizeof(*out));
    if (!are_sizes_right(lane_count, lane_bytes, by_server))
        return error_set(err, RESULT_USAGE, "a ring of %u lanes of %u bytes cannot be made: at "
                         "most %u lanes, of a power of two of %u to %u bytes", lane_count,
                         lane_bytes, by_server ? 1 : RING_LANES, LANE_BYTES_MIN, LANE_BYTES_MAX);
    if (asprintf(&new_path, "%s.new", path) < 0)
        return error_system(err, ENOMEM, "cannot make the ring %s", path);
    fd = make_file(new_path, buffers_at() + (size_t)lane_count * lane_bytes, options);
    if (fd < 0) {
        ret = errno;
        goto done;
    }
    if ((ret = map_ring(fd, lane_count, lane_bytes, by_server, out))) goto done;
    begin_ring(out, options);
    if (rename(new_path, path)) ret = errno;
done:
    if (ret) {
        ret = error_system(err, ret, "cannot make the ring %s (check that its directory exists, "
                           "that you may write there, and that there is room)", path);
        ring_close(out);
        if (fd >= 0) unlink(new_path);
    }
    if (fd >= 0) close(fd);
    free(new_path);
    return ret;
}

/* Checks what the file says of itself and maps it. */
static int open_checked(int fd, const char *path, struct ring *out, struct error *err)
{
    struct ring_head head;
    struct stat st;
    ssize_t got;
    int ret;

    if (fstat(fd, &st)) return error_system(err, errno, "cannot look at %s", path);
    if (!S_ISREG(st.st_mode)) return error_set(err, RESULT_FOREIGN, "%s is not a file", path);
    if ((got = pread(fd, &head, sizeof(head), 0)) < 0)
        return error_system(err, errno, "cannot read %s", path);
    if ((size_t)got < sizeof(head) || head.magic != RING_MAGIC)
        return error_set(err, RESULT_FOREIGN, "%s is not a ring of regckpt", path);
    if (head.version != RING_VERSION)
        return error_set(err, RESULT_NEWER, "%s is a ring of version %u, and this is for version "
                         "%u: take the resource offline and online again", path, head.version,
                         RING_VERSION);
    if (head.source > RING_BY_SERVER ||
        !are_sizes_right(head.lane_count, head.lane_bytes, head.source == RING_BY_SERVER) ||
        (uint64_t)st.st_size != buffers_at() + (uint64_t)head.lane_count * head.lane_bytes)
        return error_set(err, RESULT_DAMAGED, "%s is damaged: %u lanes of %u bytes in %lld bytes",
                         path, head.lane_count, head.lane_bytes, (long long)st.st_size);
    ret = map_ring(fd, head.lane_count, head.lane_bytes, head.source == RING_BY_SERVER, out);
    return ret ? error_system(err, ret, "cannot map %s", path) : 0;
}

int ring_open(const char *path, struct ring *out, struct error *err)
{
    /* O_NONBLOCK: somebody's pipe at this place must not stop us. */
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), ret;

    memset(out, 0, sizeof(*out));
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return error_set(err, RESULT_NOT_FOUND, "there is no ring %s", path);
    if (fd < 0) return error_system(err, errno, "cannot open the ring %s", path);
    ret = open_checked(fd, path, out, err);
    close(fd);
    return ret;
}

void ring_close(struct ring *r)
{
    if (r->shared) munmap(r->shared, r->map_bytes);
    memset(r, 0, sizeof(*r));
}
