/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a TDB file.  Offsets and lengths come from the file and are compared with its size
 * before they are used, in 64 bits; walks are bounded by how many records the file has room for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <tdb.h>

#include "tdbfile.h"
#include "tdblayout.h"

#define LOAD_STEP_BYTES (8u << 20)
#define AHEAD 16 /* chains whose next record is on its way into the cache */
#define MOST_LOOKS 100
#define CALM_LOOKS 3          /* at a file that does not change */
#define PAUSE_NS 20000000     /* 20 ms: more than a file time's grain and than a usual commit */

/* Reads len bytes at an offset, from the copy or the file. RESULT_DAMAGED: they are not there. */
static int read_at(const struct tdbfile *f, uint64_t at, void *to, size_t len)
{
    size_t done = 0;
    ssize_t got;

    if (at > f->size_bytes || len > f->size_bytes - at) return RESULT_DAMAGED;
    if (f->bytes) {
        if (len) memcpy(to, f->bytes + at, len);
        return 0;
    }
    while (done < len) {
        got = pread(f->fd, (uint8_t *)to + done, len - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (!got) return RESULT_DAMAGED; /* it became shorter */
        done += (size_t)got;
    }
    return 0;
}

/* Is a commit's undo information in force?  It is if the recovery area has its magic. */
static int read_recovery(struct tdbfile *f)
{
    uint8_t raw[TDB_RECORD_BYTES];
    struct tdb_head head;
    int ret;

    f->interrupted = false;
    if (!f->recovery_start) return 0;
    /*
     * A start behind the end: a roll back (tdbfile_roll_back) cut the area off and was itself
     * interrupted before it could clear the start.  To be finished, nothing to be undone.
     */
    if (f->recovery_start >= f->size_bytes) {
        f->interrupted = true;
        return 0;
    }
    if ((ret = read_at(f, f->recovery_start, raw, sizeof(raw)))) return ret;
    tdb_head_read(raw, &head);
    f->interrupted = head.magic == TDB_MAGIC_RECOVERY;
    /* libtdb would use what is left of an area that is cut off, and lose track of the rest. */
    if ((uint64_t)f->recovery_start + TDB_RECORD_BYTES + head.rec_len > f->size_bytes)
        return RESULT_DAMAGED;
    return 0;
}

int tdbfile_read_header(struct tdbfile *f, struct error *err)
{
    uint8_t header[TDB_HEADER_BYTES];
    int ret = read_at(f, 0, header, sizeof(header));

    if (ret == RESULT_DAMAGED)
        return error_set(err, RESULT_FOREIGN, "%s is not a checkpoint: it has only %llu bytes; it is left as it "
                         "is", f->path, (unsigned long long)f->size_bytes);
    if (ret) return error_system(err, ret, "cannot read %s", f->path);
    if (memcmp(header, TDB_FOOD, sizeof(TDB_FOOD)) ||
        le32(header + TDB_HEADER_VERSION) != TDB_FILE_VERSION)
        return error_set(err, RESULT_FOREIGN, "%s is not a checkpoint: it does not begin as a TDB "
                         "file does; it is left as it is", f->path);
    f->hash_size = le32(header + TDB_HEADER_HASH_SIZE);
    f->recovery_start = le32(header + TDB_HEADER_RECOVERY);
    if (!f->hash_size || le32(header + TDB_HEADER_RWLOCKS) != TDB_RWLOCKS_JENKINS ||
        f->size_bytes < tdb_data_start(f->hash_size) || f->size_bytes > UINT32_MAX)
        return error_set(err, RESULT_FOREIGN, "%s is not a checkpoint: it is a TDB file, but of "
                         "another kind, or cut short; it is left as it is", f->path);
    if ((ret = read_recovery(f)) == RESULT_DAMAGED)
        return error_set(err, RESULT_DAMAGED, "%s is damaged: its recovery area (at %u) is cut off",
                         f->path, f->recovery_start);
    return ret ? error_system(err, ret, "cannot read %s", f->path) : 0;
}

int tdbfile_open_as(struct tdbfile *f, const char *where, const char *path, struct error *err)
{
    struct stat st;
    int ret;

    memset(f, 0, sizeof(*f));
    f->path = path;
    /* O_NONBLOCK: somebody's pipe at this place must not stop us. */
    if ((f->fd = open(where, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return error_set(err, RESULT_NOT_FOUND, "there is no checkpoint %s", path);
        return error_system(err, errno, "cannot open the checkpoint %s", path);
    }
    if (fstat(f->fd, &st)) {
        ret = error_system(err, errno, "cannot look at %s", path);
    } else if (!S_ISREG(st.st_mode)) {
        ret = error_set(err, RESULT_FOREIGN, "%s is not a checkpoint: it is not a file", path);
    } else {
        f->size_bytes = (uint64_t)st.st_size;
        f->changed_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
        ret = tdbfile_read_header(f, err);
    }
    if (ret) tdbfile_close(f);
    return ret;
}

int tdbfile_open(struct tdbfile *f, const char *path, struct error *err)
{
    return tdbfile_open_as(f, path, path, err);
}

void tdbfile_close(struct tdbfile *f)
{
    if (f->fd >= 0) close(f->fd);
    free(f->bytes);
    f->fd = -1;
    f->bytes = NULL;
}

bool tdbfile_look_again(struct tdbfile_looks *l, const struct tdbfile *f, int result)
{
    static const struct timespec pause = { 0, PAUSE_NS };
    bool still = l->changed_ns == f->changed_ns && l->size_bytes == f->size_bytes;

    /* FOREIGN too: the record that says otherwise may just be written. */
    if (result != RESULT_DAMAGED && result != RESULT_FOREIGN) return false;
    l->calm = still ? l->calm + 1 : 1;
    if (++l->tries == MOST_LOOKS || l->calm == CALM_LOOKS) return false;
    l->changed_ns = f->changed_ns;
    l->size_bytes = f->size_bytes;
    nanosleep(&pause, NULL);
    return true;
}

int tdbfile_load(struct tdbfile *f, struct error *err)
{
    uint8_t *bytes = malloc(f->size_bytes);
    uint64_t at, step;
    int ret = 0;

    if (!bytes)
        return error_system(err, ENOMEM, "cannot read %s (%llu bytes)", f->path,
                            (unsigned long long)f->size_bytes);
    for (at = 0; !ret && at < f->size_bytes; at += step) {
        step = f->size_bytes - at < LOAD_STEP_BYTES ? f->size_bytes - at : LOAD_STEP_BYTES;
        ret = read_at(f, at, bytes + at, step);
    }
    if (ret) {
        free(bytes);
        return ret > 0 ? error_system(err, ret, "cannot read %s", f->path)
                       : error_set(err, ret, "%s became shorter while it was read", f->path);
    }
    f->bytes = bytes;
    return tdbfile_read_header(f, err);
}

/* The head of the record at an offset, checked against the file's end. */
static int record_head(const struct tdbfile *f, uint32_t at, struct tdb_head *head)
{
    uint8_t raw[TDB_RECORD_BYTES];
    int ret;

    if (at < tdb_data_start(f->hash_size)) return RESULT_DAMAGED;
    if ((ret = read_at(f, at, raw, sizeof(raw)))) return ret;
    tdb_head_read(raw, head);
    if (head->magic != TDB_MAGIC_USED && head->magic != TDB_MAGIC_DEAD) return RESULT_DAMAGED;
    if ((uint64_t)at + TDB_RECORD_BYTES + head->rec_len > f->size_bytes ||
        (uint64_t)head->key_len + head->data_len > head->rec_len)
        return RESULT_DAMAGED;
    return 0;
}

/* The error of a chain that cannot be followed. */
static int chain_error(const struct tdbfile *f, int ret, uint32_t chain, uint32_t at,
                       struct error *err)
{
    if (ret > 0) return error_system(err, ret, "cannot read %s", f->path);
    return error_set(err, ret, "%s is damaged: its chain %u leads to offset %u, where there is no "
                     "record of it", f->path, chain, at);
}

/* More steps than this and a walk is going in circles. */
static uint64_t most_records(const struct tdbfile *f)
{
    return f->size_bytes / TDB_RECORD_BYTES;
}

/* Orders offsets. */
static int compare_offsets(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Where a walk is in one chain. */
struct front {
    uint32_t chain, at;
};

/* A list of offsets that grows. */
struct offsets {
    uint32_t *at;
    size_t count, room;
};

/* Appends an offset. */
static int offsets_add(struct offsets *list, uint32_t at)
{
    uint32_t *bigger;
    size_t room;

    if (list->count == list->room) {
        room = list->room ? 2 * list->room : 1024;
        if (!(bigger = realloc(list->at, room * sizeof(*bigger)))) return ENOMEM;
        list->at = bigger;
        list->room = room;
    }
    list->at[list->count++] = at;
    return 0;
}

/* Goes one step in each chain that has not ended; returns how many are left in *count. */
static int step(const struct tdbfile *f, struct front *fronts, size_t *count, struct offsets *list,
                struct error *err)
{
    struct tdb_head head;
    struct front here;
    size_t left = 0, i;
    int ret;

    for (i = 0; i < *count; i++) {
        if (i + AHEAD < *count && fronts[i + AHEAD].at < f->size_bytes)
            __builtin_prefetch(f->bytes + fronts[i + AHEAD].at);
        here = fronts[i];
        if ((ret = record_head(f, here.at, &head)) ||
            (ret = head.full_hash % f->hash_size == here.chain ? 0 : RESULT_DAMAGED))
            return chain_error(f, ret, here.chain, here.at, err);
        if (head.magic == TDB_MAGIC_USED && (ret = offsets_add(list, here.at)))
            return error_system(err, ret, "cannot read %s", f->path);
        if (!head.next) continue;
        fronts[left].chain = here.chain;
        fronts[left++].at = head.next;
    }
    *count = left;
    return 0;
}

/*
 * Follows all chains and lists where the records are.  Step by step in all of them, because the
 * memory of one chain's next record can then be fetched while another's is looked at.
 */
static int list_records(const struct tdbfile *f, struct offsets *list, struct error *err)
{
    struct front *fronts = malloc(f->hash_size * sizeof(*fronts));
    uint64_t seen = 0;
    uint32_t chain, at;
    size_t count = 0;
    int ret = 0;

    if (!fronts) return error_system(err, ENOMEM, "cannot read %s", f->path);
    for (chain = 0; chain < f->hash_size; chain++) {
        if (!(at = le32(f->bytes + tdb_chain_offset(chain)))) continue;
        fronts[count].chain = chain;
        fronts[count++].at = at;
    }
    while (!ret && count) {
        if ((seen += count) > most_records(f))
            ret = error_set(err, RESULT_DAMAGED, "%s is damaged: its chain %u goes in a circle, "
                            "or two share records", f->path, fronts[0].chain);
        else
            ret = step(f, fronts, &count, list, err);
    }
    free(fronts);
    return ret;
}

/*
 * Follows the free list.  No record is lost where it leads out of the file, but then the file was
 * cut
 * short, and libtdb would write the next change behind its end.
 */
static int check_free_list(const struct tdbfile *f, struct error *err)
{
    uint64_t left = most_records(f);
    struct tdb_head head;
    uint32_t at;

    for (at = le32(f->bytes + TDB_FREE_LIST_OFFSET); at; at = head.next) {
        if (!left--)
            return error_set(err, RESULT_DAMAGED, "%s is damaged: its free list goes in a circle",
                             f->path);
        if (at < tdb_data_start(f->hash_size) || (uint64_t)at + TDB_RECORD_BYTES > f->size_bytes)
            break;
        tdb_head_read(f->bytes + at, &head);
        if (head.magic != TDB_MAGIC_FREE ||
            (uint64_t)at + TDB_RECORD_BYTES + head.rec_len > f->size_bytes)
            break;
    }
    return at ? error_set(err, RESULT_DAMAGED, "%s is damaged: its free list leads to offset %u, "
                          "where there is no free record within the file's %llu bytes; was it cut "
                          "short?",
                          f->path, at, (unsigned long long)f->size_bytes) : 0;
}

int tdbfile_walk(const struct tdbfile *f, int (*fn)(const struct tdbfile_record *r, void *arg),
                 void *arg, struct error *err)
{
    struct offsets list = { NULL, 0, 0 };
    struct tdbfile_record r;
    struct tdb_head head;
    size_t i;
    int ret = check_free_list(f, err);

    if (!ret) ret = list_records(f, &list, err);
    /* In file order, memory is read from one end to the other instead of here and there. */
    if (!ret && list.count) qsort(list.at, list.count, sizeof(*list.at), compare_offsets);
    for (i = 0; !ret && i < list.count; i++) {
        tdb_head_read(f->bytes + list.at[i], &head);
        r.key = f->bytes + list.at[i] + TDB_RECORD_BYTES;
        r.key_len = head.key_len;
        r.data = r.key + head.key_len;
        r.data_len = head.data_len;
        ret = fn(&r, arg);
    }
    free(list.at);
    return ret;
}

int tdbfile_find(const struct tdbfile *f, const void *key, size_t key_len, struct pack *room,
                 struct tdbfile_record *out, struct error *err)
{
    TDB_DATA wanted = { (unsigned char *)key, key_len };
    uint32_t hash = tdb_jenkins_hash(&wanted), chain = hash % f->hash_size, at = 0;
    uint64_t left = most_records(f);
    struct tdb_head head;
    uint8_t link[4];
    int ret;

    if ((ret = read_at(f, tdb_chain_offset(chain), link, sizeof(link)))) goto failed;
    for (at = le32(link); at; at = head.next) {
        if (!left--)
            return error_set(err, RESULT_DAMAGED, "%s is damaged: its chain %u goes in a circle",
                             f->path, chain);
        if ((ret = record_head(f, at, &head))) goto failed;
        if (head.magic != TDB_MAGIC_USED || head.full_hash != hash || head.key_len != key_len)
            continue;
        pack_reset(room);
        if (!pack_make_room(room, (size_t)head.key_len + head.data_len))
            return error_system(err, ENOMEM, "cannot read %s", f->path);
        if ((ret = read_at(f, (uint64_t)at + TDB_RECORD_BYTES, room->bytes, room->len)))
            goto failed;
        if (memcmp(room->bytes, key, key_len)) continue;
        out->key = room->bytes;
        out->key_len = head.key_len;
        out->data = room->bytes + head.key_len;
        out->data_len = head.data_len;
        return 0;
    }
    return RESULT_NOT_FOUND;
failed:
    return chain_error(f, ret, chain, at, err);
}
