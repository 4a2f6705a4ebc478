/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a commit to a large checkpoint has to read: the state record stands in front of its chain, and
 * libtdb's free list does not grow with the file.
 */
#include <sys/types.h>

#include <tdb.h>

#include "checkpoint_fixture.h"
#include "tdbfile.h"
#include "tdblayout.h"

#define BATCH 5000
#define FEW 60000   /* fewer than the chains */
#define MANY 130000
#define SMALL_BYTES 256

static void add_values(struct fixture *f, size_t first, size_t behind)
{
    for (size_t n = first; n < behind; n++) {
        uint16_t name[32];
        char text[32], data[64] = "";
        size_t len = (size_t)snprintf(text, sizeof(text), "Value %07zu", n);

        for (size_t i = 0; i < len; i++)
            name[i] = (uint8_t)text[i];
        if (n % BATCH == 0) WORKS(checkpoint_begin(f->c, err));
        WORKS(set_value(f, EMPTY, (struct utf16){ name, len }, 3, data, sizeof(data), NULL, err));
        if (n % BATCH == BATCH - 1) WORKS(checkpoint_commit(f->c, err));
    }
}

struct shape {
    unsigned pieces;   /* of the free list that are too small for most records */
    unsigned in_front; /* records before "state" in its chain */
};

static struct shape look(const char *path)
{
    TDB_DATA key = { .dptr = (unsigned char *)"state", .dsize = 5 };
    struct shape s = { 0, 0 };
    struct tdb_head head;
    struct tdbfile t;
    uint32_t at;

    WORKS(tdbfile_open(&t, path, err));
    WORKS(tdbfile_load(&t, err));
    for (at = le32(t.bytes + TDB_FREE_LIST_OFFSET); at; at = head.next) {
        tdb_head_read(t.bytes + at, &head);
        s.pieces += head.rec_len < SMALL_BYTES;
    }
    for (at = le32(t.bytes + tdb_chain_offset(tdb_jenkins_hash(&key) % t.hash_size));; at = head.next) {
        assert_true(at);
        tdb_head_read(t.bytes + at, &head);
        if (head.key_len == 5 && !memcmp(t.bytes + at + TDB_RECORD_BYTES, "state", 5)) break;
        s.in_front++;
    }
    tdbfile_close(&t);
    return s;
}

static int count(const struct tdbfile_record *r, void *arg)
{
    (void)r;
    ++*(size_t *)arg;
    return 0;
}

static size_t records_of(const char *path)
{
    struct tdbfile t;
    size_t n = 0;

    WORKS(tdbfile_open(&t, path, err));
    WORKS(tdbfile_load(&t, err));
    WORKS(tdbfile_walk(&t, count, &n, err));
    tdbfile_close(&t);
    return n;
}

static void test_checkpoint_large_stays_quick(void **state)
{
    struct fixture *f = fixture_new();
    size_t records;
    struct shape s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    records = records_of(f->path);
    add_values(f, 0, FEW);
    s = look(f->path);
    print_message("%u values: %u pieces, %u records in front\n", FEW, s.pieces, s.in_front);
    assert_true(s.pieces >= 5); /* else this shows nothing */
    add_values(f, FEW, MANY);
    s = look(f->path);
    print_message("%u values: %u pieces, %u records in front\n", MANY, s.pieces, s.in_front);
    assert_true(s.pieces <= 4);
    assert_true(s.in_front <= 2);
    assert_int_equal(records_of(f->path), records + MANY);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    fixture_free(f);
}

/* A file as it was left by one who did not tidy: whoever opens it does, once. */
static void test_checkpoint_large_is_tidied_when_opened(void **state)
{
    struct fixture *f = fixture_new();
    struct shape before, after;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    add_values(f, 0, FEW);
    before = look(f->path);
    checkpoint_close(f->c);
    WORKS(checkpoint_open(f->path, &f->c, err));
    add_values(f, FEW, FEW + BATCH); /* with what is there: more than the chains */
    after = look(f->path);
    print_message("%u and %u pieces\n", before.pieces, after.pieces);
    assert_true(before.pieces >= 5); /* else this shows nothing */
    assert_true(after.pieces <= 3);
    assert_true(after.in_front <= 1);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_large_stays_quick),
        cmocka_unit_test(test_checkpoint_large_is_tidied_when_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
