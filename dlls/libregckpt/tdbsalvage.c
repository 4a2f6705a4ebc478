/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two walks: along the chains, which says what is in the file, and from record to record through
 * the file, which finds what a broken chain led to.  The second one steps over free space and over the
 * recovery area as wholes: old versions of records lie in there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <tdb.h>

#include "tdblayout.h"
#include "tdbsalvage.h"

#define STEP 4           /* records begin at multiples of it */
#define MOST_OF_CHAIN 10000 /* a chain has a few dozen records; this bounds the time */
#define MOST_LOOKED_AT 16   /* times the file's size, of records where none is expected: likewise */

/* A record that was found, in the list of its chain. */
struct found {
    uint32_t at, next, of_chain; /* next: place in the array plus 1; of_chain: how many before it */
};

struct salvage {
    const struct tdbfile *f;
    uint8_t *seen;        /* a bit for each place where a record can begin */
    uint8_t *broken;      /* of each chain: it could not be followed to its end */
    uint32_t *first;      /* of each chain: place in found plus 1 */
    struct found *found;
    size_t count, room;
    int (*fn)(const struct tdbfile_record *r, void *arg);
    void *arg;
};

/* The hash that libtdb gives a key. */
static uint32_t hash_of(const struct tdbfile_record *r)
{
    TDB_DATA key = { (unsigned char *)r->key, r->key_len };

    return tdb_jenkins_hash(&key);
}

bool tdbfile_key_is_whole(const struct tdbfile_record *r)
{
    struct tdb_head head;

    tdb_head_read(r->key - TDB_RECORD_BYTES, &head);
    return hash_of(r) == head.full_hash;
}

/* Reads a head, if a record can begin there and end within the file. */
static bool read_head(const struct tdbfile *f, uint64_t at, struct tdb_head *head)
{
    if (at % STEP || at < tdb_data_start(f->hash_size) || at + TDB_RECORD_BYTES > f->size_bytes)
        return false;
    tdb_head_read(f->bytes + at, head);
    return at + TDB_RECORD_BYTES + head->rec_len <= f->size_bytes;
}

/* The record behind a head; false: its lengths are wrong. */
static bool read_record(const struct tdbfile *f, uint64_t at, const struct tdb_head *head,
                        struct tdbfile_record *r)
{
    if ((uint64_t)head->key_len + head->data_len > head->rec_len) return false;
    r->key = f->bytes + at + TDB_RECORD_BYTES;
    r->key_len = head->key_len;
    r->data = r->key + head->key_len;
    r->data_len = head->data_len;
    return true;
}

/* Notes a record as found in its chain. */
static int add_found(struct salvage *s, uint32_t chain, uint32_t at)
{
    struct found *bigger;
    uint32_t before;
    size_t room;

    if (s->count == s->room) {
        room = s->room ? 2 * s->room : 1024;
        if (!(bigger = realloc(s->found, room * sizeof(*bigger)))) return ENOMEM;
        s->found = bigger;
        s->room = room;
    }
    before = s->first[chain] ? s->found[s->first[chain] - 1].of_chain + 1 : 0;
    s->found[s->count] = (struct found){ at, s->first[chain], before };
    s->first[chain] = (uint32_t)++s->count;
    return 0;
}

/* Follows one chain as far as it goes. */
static int follow(struct salvage *s, uint32_t chain)
{
    uint32_t at = le32(s->f->bytes + tdb_chain_offset(chain));
    struct tdbfile_record r;
    struct tdb_head head;
    int ret = 0;

    for (; at && !ret; at = head.next) {
        if (!read_head(s->f, at, &head) || head.full_hash % s->f->hash_size != chain ||
            s->seen[at / STEP / 8] >> (at / STEP % 8) & 1 ||
            (head.magic != TDB_MAGIC_USED && head.magic != TDB_MAGIC_DEAD) ||
            !read_record(s->f, at, &head, &r)) {
            s->broken[chain] = 1;
            break;
        }
        s->seen[at / STEP / 8] |= (uint8_t)(1u << (at / STEP % 8));
        if (head.magic == TDB_MAGIC_USED && !(ret = add_found(s, chain, at)))
            ret = s->fn(&r, s->arg);
    }
    return ret;
}

/* Is there a record of this key already, or too much in its chain to look? */
static bool is_known(const struct salvage *s, uint32_t chain, const struct tdbfile_record *r)
{
    struct tdbfile_record other;
    struct tdb_head head;
    uint32_t i = s->first[chain];

    if (i && s->found[i - 1].of_chain >= MOST_OF_CHAIN) return true;
    for (; i; i = s->found[i - 1].next) {
        if (!read_head(s->f, s->found[i - 1].at, &head) ||
            !read_record(s->f, s->found[i - 1].at, &head, &other))
            continue; /* cannot be: it was read before */
        if (other.key_len == r->key_len && !memcmp(other.key, r->key, r->key_len)) return true;
    }
    return false;
}

/* Goes from record to record through the file. */
static int scan(struct salvage *s, bool (*whole)(const struct tdbfile_record *r))
{
    uint64_t at = tdb_data_start(s->f->hash_size);
    struct tdbfile_record r;
    struct tdb_head head;
    uint64_t looked_at = 0;
    bool in_step = true; /* a record is known to begin here */
    uint32_t chain;
    int ret = 0;

    at = (at + STEP - 1) / STEP * STEP;
    while (!ret && at + TDB_RECORD_BYTES <= s->f->size_bytes) {
        bool fits = read_head(s->f, at, &head);
        bool used = fits && head.magic == TDB_MAGIC_USED && read_record(s->f, at, &head, &r);

        if (used && !in_step) {
            looked_at += (uint64_t)r.key_len + r.data_len;
            if (looked_at / MOST_LOOKED_AT > s->f->size_bytes) break;
        }
        if (used && whole(&r)) {
            chain = hash_of(&r) % s->f->hash_size;
            if (s->broken[chain] && !(s->seen[at / STEP / 8] >> (at / STEP % 8) & 1) &&
                !is_known(s, chain, &r) && !(ret = add_found(s, chain, (uint32_t)at)))
                ret = s->fn(&r, s->arg);
            in_step = true;
            at += TDB_RECORD_BYTES + head.rec_len;
        } else if (in_step && fits && (used || head.magic == TDB_MAGIC_DEAD ||
                   head.magic == TDB_MAGIC_FREE || head.magic == TDB_MAGIC_RECOVERY ||
                   at == s->f->recovery_start)) {
            at += TDB_RECORD_BYTES + head.rec_len;
        } else {
            in_step = false; /* until a whole record shows where we are */
            at += STEP;
        }
    }
    return ret;
}

int tdbfile_salvage(const struct tdbfile *f, bool (*whole)(const struct tdbfile_record *r),
                    int (*fn)(const struct tdbfile_record *r, void *arg), void *arg)
{
    struct salvage s = { .f = f, .fn = fn, .arg = arg };
    uint32_t chain;
    int ret = 0;

    s.seen = calloc(f->size_bytes / STEP / 8 + 1, 1);
    s.broken = calloc(f->hash_size, 1);
    s.first = calloc(f->hash_size, sizeof(*s.first));
    if (!s.seen || !s.broken || !s.first) ret = ENOMEM;
    for (chain = 0; !ret && chain < f->hash_size; chain++) ret = follow(&s, chain);
    if (!ret) ret = scan(&s, whole);
    free(s.seen);
    free(s.broken);
    free(s.first);
    free(s.found);
    return ret;
}
