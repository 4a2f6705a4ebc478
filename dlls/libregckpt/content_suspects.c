/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which record is it whose head is damaged?  A chain that leads astray says only where; what lies there
 * says what it was: from record to record through the file, over free space and the recovery area as
 * wholes, and where lengths are damaged by the checksum, which fits the true ones alone.
 */
#include <sys/types.h>

#include <tdb.h>

#include "content.h"
#include "tdblayout.h"

#define STEP 4             /* records begin at multiples of it */
#define MOST_GUESSED 4096  /* lengths that are tried, bytes */
#define MOST_DAMAGED 50    /* heads that are looked at: each costs as many tries */

static bool read_head(const struct tdbfile *f, uint64_t at, struct tdb_head *head)
{
    if (at % STEP || at < tdb_data_start(f->hash_size) || at + TDB_RECORD_BYTES > f->size_bytes)
        return false;
    tdb_head_read(f->bytes + at, head);
    return true;
}

/* Does a record end where its head says?  Its length stands at its end once more. */
static bool ends(const struct tdbfile *f, uint64_t at, const struct tdb_head *head)
{
    uint64_t end = at + TDB_RECORD_BYTES + head->rec_len;

    return head->rec_len >= 4 && end <= f->size_bytes &&
           le32(f->bytes + end - 4) == TDB_RECORD_BYTES + head->rec_len;
}

/* Can the next record begin here, or the file end? */
static bool begins(const struct tdbfile *f, uint64_t at)
{
    struct tdb_head head;

    return at == f->size_bytes || at == f->recovery_start ||
           (read_head(f, at, &head) && (head.magic == TDB_MAGIC_USED || head.magic == TDB_MAGIC_DEAD ||
            head.magic == TDB_MAGIC_FREE || head.magic == TDB_MAGIC_RECOVERY));
}

/*
 * Where a record ends, as its head says.  A damaged length may find its like in the next record's head by
 * chance; then no record begins behind it, but one does behind a shorter or longer one, which is taken.
 */
static uint64_t end_of(const struct tdbfile *f, uint64_t at, const struct tdb_head *head)
{
    uint64_t says = at + TDB_RECORD_BYTES + head->rec_len, len = (uint64_t)head->key_len + head->data_len;
    uint64_t end = (at + TDB_RECORD_BYTES + len + 4 + STEP - 1) / STEP * STEP;
    uint64_t last = end + len / 2 + MOST_GUESSED; /* libtdb leaves a quarter of room, and what is left over */

    if (head->magic != TDB_MAGIC_USED || begins(f, says)) return says;
    for (; end <= last && end <= f->size_bytes; end += STEP)
        if (le32(f->bytes + end - 4) == end - at && begins(f, end)) return end;
    return says;
}

/* Is there a whole record of ours behind a head, of these lengths? */
static bool is_record(const struct tdbfile *f, uint64_t at, uint64_t key_len, uint64_t data_len,
                      struct tdbfile_record *r)
{
    struct record_key k;
    struct unpack u;

    if (key_len + data_len > f->size_bytes - at - TDB_RECORD_BYTES) return false;
    r->key = f->bytes + at + TDB_RECORD_BYTES;
    r->key_len = (uint32_t)key_len;
    r->data = r->key + key_len;
    r->data_len = (uint32_t)data_len;
    record_parse_key(r->key, r->key_len, &k);
    return k.kind != KIND_UNKNOWN && !record_open(r, &u);
}

/* The same, where one of the lengths may be wrong. */
static bool find_record(const struct tdbfile *f, uint64_t at, const struct tdb_head *head,
                        struct tdbfile_record *r)
{
    if (is_record(f, at, head->key_len, head->data_len, r)) return true;
    for (uint32_t len = 0; len < MOST_GUESSED; len++)
        if (is_record(f, at, head->key_len, len, r) || is_record(f, at, len, head->data_len, r))
            return true;
    return false;
}

/* Is all that a head says true? */
static bool is_sound(const struct tdbfile *f, uint64_t at, const struct tdb_head *head,
                     const struct tdbfile_record *r)
{
    TDB_DATA key = { (unsigned char *)r->key, r->key_len };
    struct tdb_head next;

    if (head->magic != TDB_MAGIC_USED || !ends(f, at, head) || head->key_len != r->key_len ||
        head->data_len != r->data_len || tdb_jenkins_hash(&key) != head->full_hash ||
        end_of(f, at, head) != at + TDB_RECORD_BYTES + head->rec_len)
        return false;
    return !head->next || (read_head(f, head->next, &next) && head->next != at &&
                           next.full_hash % f->hash_size == head->full_hash % f->hash_size &&
                           (next.magic == TDB_MAGIC_USED || next.magic == TDB_MAGIC_DEAD));
}

int content_name_suspects(const struct tdbfile *f, content_report *report, void *arg)
{
    uint64_t at = (tdb_data_start(f->hash_size) + STEP - 1) / STEP * STEP;
    unsigned damaged = 0;
    bool in_step = true; /* a record begins here */
    struct record_key k;
    struct tdb_head head;
    int ret = 0;

    while (!ret && damaged < MOST_DAMAGED && read_head(f, at, &head)) {
        bool whole = ends(f, at, &head), passed = head.magic == TDB_MAGIC_FREE ||
                     head.magic == TDB_MAGIC_DEAD || at == f->recovery_start;
        struct item item = { .id = 0 };

        if (whole && (passed || head.magic == TDB_MAGIC_USED)) in_step = true;
        if (in_step && !(whole && passed)) {
            bool found = is_record(f, at, head.key_len, head.data_len, &item.record);

            if (!found || !is_sound(f, at, &head, &item.record)) {
                damaged++;
                if (find_record(f, at, &head, &item.record) && !is_sound(f, at, &head, &item.record)) {
                    record_parse_key(item.record.key, item.record.key_len, &k);
                    if (k.kind != KIND_HISTORY) item.id = (uint32_t)k.number;
                    ret = report(item.id, &item, "has a damaged head: it, or what follows it in its "
                                 "chain, is not found", arg);
                }
            }
        }
        in_step = in_step && whole;
        at = in_step ? end_of(f, at, &head) : at + STEP;
    }
    return ret;
}
