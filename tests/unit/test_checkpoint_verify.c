/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checkpoint_verify: no damage passes, and none makes a reader crash or run for ever.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <time.h>

#include "checkpoint_fixture.h"
#include "checkpoint_record.h"
#include "tdblayout.h"

#define CALL_MAX_S 20 /* one reading of a damaged file, under a sanitizer on a busy machine */

/* Nobody writes here: the pauses before another look at what seems damaged are skipped. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}

/* The whole file. */
struct bytes {
    uint8_t *at;
    size_t size;
};

static struct bytes read_file(const char *path)
{
    struct bytes b = { NULL, 0 };
    FILE *in = fopen(path, "r");
    struct stat st;

    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &st), 0);
    b.size = (size_t)st.st_size;
    assert_non_null(b.at = malloc(b.size));
    assert_int_equal(fread(b.at, 1, b.size, in), b.size);
    fclose(in);
    return b;
}

static void put(const char *path, const void *bytes, size_t size, off_t at)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
    close(fd);
}

/* A checkpoint with something of everything; closed. */
static struct fixture *small_checkpoint(struct snapshot *content)
{
    struct fixture *f = fixture_new();

    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(make_key(f, U("Sub Key"), &test_origin, err));
    WORKS(set_value(f, EMPTY, U("Name"), 1, "data", 4, &test_origin, err));
    WORKS(set_value(f, U("sub key"), EMPTY, 4, "\1\2\3\4", 4, &test_origin, err));
    WORKS(checkpoint_commit(f->c, err));
    checkpoint_close(f->c);
    f->c = NULL;
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, content, err));
    return f;
}

/* Is what was read what was written? */
static bool same(const struct snapshot *a, const struct snapshot *b)
{
    return a->key_count == b->key_count && a->history_count == b->history_count &&
           !memcmp(&a->state, &b->state, sizeof(a->state)) &&
           !strcmp(a->resource.service, b->resource.service) &&
           !strcmp(a->keys[0].key.path, b->keys[0].key.path) &&
           image_equal(&a->keys[0].image, &b->keys[0].image);
}

struct telling {
    unsigned count;
    char text[1000];
};

static void tell(const char *where, const char *what, void *arg)
{
    struct telling *t = arg;

    t->count++;
    if (strlen(t->text) + strlen(where) + strlen(what) + 3 < sizeof(t->text)) {
        strcat(t->text, where);
        strcat(t->text, ": ");
        strcat(t->text, what);
        strcat(t->text, "\n");
    }
}

/*
 * The bytes worth flipping: the header, the chains that are used and some empty ones, all records
 * that are used and the heads of the others, the recovery area's head.
 */
static bool worth(const struct bytes *b, uint8_t *marks)
{
    uint32_t size = le32(b->at + TDB_HEADER_HASH_SIZE), chain, i;
    uint64_t at = tdb_data_start(size), len;
    struct tdb_head head;

    memset(marks, 0, b->size);
    memset(marks, 1, TDB_HEADER_BYTES + 4);
    for (chain = 0; chain < size; chain++)
        if (le32(b->at + tdb_chain_offset(chain)) || chain % 1000 == 0)
            memset(marks + tdb_chain_offset(chain), 1, 4);
    for (; at + TDB_RECORD_BYTES <= b->size; at += TDB_RECORD_BYTES + head.rec_len) {
        tdb_head_read(b->at + at, &head);
        len = head.magic == TDB_MAGIC_USED ? head.rec_len : 0;
        if (at + TDB_RECORD_BYTES + head.rec_len > b->size) return false;
        for (i = 0; i < TDB_RECORD_BYTES + len; i++) marks[at + i] = 1;
    }
    return at == b->size;
}

/* Which byte is which record's: the offset of the head of one that is used, or 0. */
static void records_of_bytes(const struct bytes *b, uint32_t *heads)
{
    uint64_t at = tdb_data_start(le32(b->at + TDB_HEADER_HASH_SIZE)), i;
    struct tdb_head head;

    memset(heads, 0, b->size * sizeof(*heads));
    for (; at + TDB_RECORD_BYTES <= b->size; at += TDB_RECORD_BYTES + head.rec_len) {
        tdb_head_read(b->at + at, &head);
        if (head.magic != TDB_MAGIC_USED) continue;
        for (i = 0; i < TDB_RECORD_BYTES + head.key_len + head.data_len; i++)
            heads[at + i] = (uint32_t)at;
    }
}

/* Is the record that a bit of was flipped named?  Where that is in its name: the name as it is now. */
static bool is_named(const struct bytes *b, uint32_t head, size_t at, uint8_t byte, const char *text)
{
    struct tdb_head h;
    uint8_t key[300];
    char *name;
    bool named;

    tdb_head_read(b->at + head, &h);
    assert_true(h.key_len < sizeof(key));
    memcpy(key, b->at + head + TDB_RECORD_BYTES, h.key_len);
    if (at >= head + TDB_RECORD_BYTES && at < head + TDB_RECORD_BYTES + h.key_len)
        key[at - head - TDB_RECORD_BYTES] = byte;
    assert_non_null(name = record_name(key, h.key_len));
    named = strstr(text, name) != NULL;
    free(name);
    return named;
}

/*
 * The lowest byte of a number in the head of a record that is used: a length that is a little wrong may find
 * its like in what follows by chance, so no bit of it stands for another.
 */
static bool is_low_byte(const uint32_t *heads, size_t at)
{
    return heads[at] && at - heads[at] < TDB_RECORD_BYTES && (at - heads[at]) % 4 == 0;
}

/* EVERY_BIT=1: in a few minutes. */
static void test_checkpoint_verify_every_bit_flipped(void **state)
{
    unsigned step = getenv("EVERY_BIT") ? 1 : 8; /* else mostly one of each byte, in turn */
    unsigned long tried = 0, told = 0, harmless = 0, named = 0;
    struct snapshot content, s;
    struct fixture *f = small_checkpoint(&content);
    struct bytes b = read_file(f->path);
    uint8_t *marks = malloc(b.size), byte;
    uint32_t *heads = malloc(b.size * sizeof(*heads));
    struct telling t;
    struct error err;
    size_t i;
    time_t start;
    int ret;

    (void)state;
    assert_true(marks && heads);
    assert_true(worth(&b, marks));
    records_of_bytes(&b, heads);
    for (i = 0; i < 8 * b.size; i++) {
        size_t at = i / 8;

        if (!marks[at] || ((at + i % 8) % step && !is_low_byte(heads, at))) continue;
        byte = b.at[at] ^ (uint8_t)(1u << i % 8);
        put(f->path, &byte, 1, (off_t)at);
        start = time(NULL);
        t = (struct telling){ 0, "" };
        ret = checkpoint_verify(f->path, tell, &t, &err);
        tried++;
        if (ret) {
            told++;
            if (ret != RESULT_DAMAGED && ret != RESULT_FOREIGN && ret != RESULT_NEWER)
                fail_msg("byte %zu: %d %s", at, ret, err.text);
            if (!snapshot_read(f->path, SNAPSHOT_HISTORY, &s, NULL)) {
                if (!same(&content, &s)) fail_msg("byte %zu: another content passed", at);
                snapshot_free(&s);
            }
        } else {
            harmless++;
            WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
            if (!same(&content, &s)) fail_msg("byte %zu: another content passed", at);
            snapshot_free(&s);
        }
        if (heads[at]) { /* in what a record is, or where it leads: found, and named */
            if (!ret) fail_msg("byte %zu, bit %zu: not found", at, i % 8);
            if (!is_named(&b, heads[at], at, byte, t.text) && !strstr(err.text, "\"format\""))
                fail_msg("byte %zu, bit %zu, %zu behind its record's head: not named: %s %s", at, i % 8,
                         at - heads[at], err.text, t.text);
            named++;
        }
        if (time(NULL) - start > 2 * CALL_MAX_S) fail_msg("byte %zu: took too long", at);
        put(f->path, &b.at[at], 1, (off_t)at);
    }
    print_message("%lu bits flipped: %lu told, %lu of them in records, which were named; %lu without "
                  "effect\n", tried, told, named, harmless);
    assert_true(told > 1000 && named > 500);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    free(marks);
    free(heads);
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

static void test_checkpoint_verify_tells_all_problems(void **state)
{
    struct telling t = { 0, "" };
    struct snapshot content;
    struct fixture *f = small_checkpoint(&content);
    struct bytes b = read_file(f->path);
    uint8_t *root, *value;

    (void)state;
    root = memmem(b.at, b.size, "resource", 8);
    value = memmem(b.at, b.size, "value:00000001:sub key", 22);
    assert_non_null(root);
    assert_non_null(value);
    put(f->path, "!", 1, root - b.at + 30);
    put(f->path, "!", 1, value - b.at + 30);
    FAILS(RESULT_DAMAGED, "problems", checkpoint_verify(f->path, tell, &t, err));
    assert_true(t.count >= 2);
    assert_non_null(strstr(t.text, "resource"));
    assert_non_null(strstr(t.text, "Software\\Vendor: the record \"value:00000001:sub key"));
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

static void test_checkpoint_verify_newer_format(void **state)
{
    struct snapshot content, s;
    struct fixture *f = small_checkpoint(&content);
    struct checkpoint *c;
    struct bytes b = read_file(f->path);
    uint8_t *format = memmem(b.at, b.size, "REGCKPT", 8), record[12];
    uint64_t sum;

    (void)state;
    assert_non_null(format);
    memcpy(record, format, 12);
    record[8] = 99;
    sum = record_checksum("format", 6, record, 12);
    put(f->path, record, 12, format - b.at);
    put(f->path, &sum, 8, format - b.at - 8);
    FAILS(RESULT_NEWER, "99", snapshot_read(f->path, 0, &s, err));
    FAILS(RESULT_NEWER, "99", checkpoint_open(f->path, &c, err));
    FAILS(RESULT_NEWER, "99", checkpoint_verify(f->path, NULL, NULL, err));
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

static void test_checkpoint_verify_chain_in_a_circle(void **state)
{
    struct snapshot content, s;
    struct fixture *f = small_checkpoint(&content);
    struct bytes b = read_file(f->path);
    uint32_t size = le32(b.at + TDB_HEADER_HASH_SIZE), chain, at;

    (void)state;
    for (chain = 0; chain < size; chain++) {
        if (!(at = le32(b.at + tdb_chain_offset(chain)))) continue;
        put(f->path, &at, 4, at); /* each record follows itself */
    }
    FAILS(RESULT_DAMAGED, "circle", snapshot_read(f->path, 0, &s, err));
    FAILS(RESULT_DAMAGED, "damaged", checkpoint_verify(f->path, NULL, NULL, err));
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

static void test_checkpoint_open_recovery_area_that_lies(void **state)
{
    struct snapshot content, s;
    struct fixture *f = small_checkpoint(&content);
    struct bytes b = read_file(f->path);
    uint32_t start = le32(b.at + TDB_HEADER_RECOVERY), lie = 0x7ffffff0, magic = TDB_MAGIC_RECOVERY;
    struct checkpoint *c;

    (void)state;
    assert_true(start > 0);
    put(f->path, &magic, 4, start + TDB_RECORD_MAGIC);
    put(f->path, &lie, 4, start + TDB_RECORD_BYTES + 4); /* the first piece's length */
    FAILS(RESULT_DAMAGED, "undo", checkpoint_open(f->path, &c, err));
    FAILS(RESULT_DAMAGED, "undo", snapshot_read(f->path, 0, &s, err));
    FAILS(RESULT_DAMAGED, "damaged", checkpoint_verify(f->path, NULL, NULL, err));
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

/* What would be undone is the header's beginning, to the number of chains of some other file. */
static void test_checkpoint_open_recovery_area_of_another_file(void **state)
{
    struct snapshot content, s;
    struct fixture *f = small_checkpoint(&content);
    struct bytes b = read_file(f->path), after;
    uint32_t start = le32(b.at + TDB_HEADER_RECOVERY), size = (uint32_t)b.size;
    const uint32_t piece[4] = { TDB_HEADER_HASH_SIZE, 4, 1, 0 }, piece_len = sizeof(piece);
    const uint32_t magic = TDB_MAGIC_RECOVERY;
    struct checkpoint *c;

    (void)state;
    assert_true(start > 0);
    put(f->path, &size, 4, start + offsetof(struct tdb_head, key_len));
    put(f->path, &piece_len, 4, start + offsetof(struct tdb_head, data_len));
    put(f->path, &magic, 4, start + TDB_RECORD_MAGIC);
    put(f->path, piece, sizeof(piece), start + TDB_RECORD_BYTES);
    free(b.at);
    b = read_file(f->path);
    FAILS(RESULT_DAMAGED, "undo", snapshot_read(f->path, 0, &s, err));
    FAILS(RESULT_DAMAGED, "damaged", checkpoint_verify(f->path, NULL, NULL, err));
    FAILS(RESULT_DAMAGED, "undo", checkpoint_open(f->path, &c, err));
    after = read_file(f->path);
    assert_int_equal(after.size, b.size);
    assert_memory_equal(after.at, b.at, b.size);
    free(after.at);
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

/*
 * The end of a file is often free: then no record is gone when it is cut short.  Whatever is read all
 * the same must be usable too.
 */
static void test_snapshot_read_cut_short(void **state)
{
    static const char big[200000];
    struct snapshot content, s;
    struct fixture *f = small_checkpoint(&content);
    struct bytes b;

    (void)state;
    WORKS(checkpoint_open(f->path, &f->c, err));
    for (int i = 0; i < 2; i++) { /* room that is used once and then free */
        struct change gone = { .kind = CHANGE_DELETE_VALUE, .key_id = f->id, .name = U("Big") };

        WORKS(checkpoint_begin(f->c, err));
        if (!i) WORKS(set_value(f, EMPTY, U("Big"), 3, big, sizeof(big), NULL, err));
        if (i) WORKS(checkpoint_change(f->c, &gone, NULL, err));
        WORKS(checkpoint_commit(f->c, err));
    }
    checkpoint_close(f->c);
    f->c = NULL;
    b = read_file(f->path);
    for (unsigned part = 1; part < 64; part++) {
        struct error err = { 0, "" };
        int result;

        assert_int_equal(truncate(f->path, (off_t)(b.size / 64 * part)), 0);
        result = snapshot_read(f->path, 0, &s, &err);
        if (!result) {
            snapshot_free(&s);
            WORKS(checkpoint_open(f->path, &f->c, err));
            WORKS(checkpoint_begin(f->c, err));
            WORKS(set_value(f, EMPTY, U("New"), 3, big, sizeof(big), NULL, err));
            WORKS(checkpoint_commit(f->c, err));
            checkpoint_close(f->c);
            f->c = NULL;
            result = checkpoint_verify(f->path, NULL, NULL, &err);
            if (result) fail_msg("%u of 64 parts of a file were taken for good: %s", part, err.text);
        } else if (result != RESULT_DAMAGED && result != RESULT_FOREIGN) {
            fail_msg("%u of 64 parts of a file: %d %s", part, result, err.text);
        }
        assert_int_equal(truncate(f->path, 0), 0);
        put(f->path, b.at, b.size, 0);
    }
    free(b.at);
    snapshot_free(&content);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_verify_every_bit_flipped),
        cmocka_unit_test(test_checkpoint_verify_tells_all_problems),
        cmocka_unit_test(test_checkpoint_verify_newer_format),
        cmocka_unit_test(test_checkpoint_verify_chain_in_a_circle),
        cmocka_unit_test(test_checkpoint_open_recovery_area_that_lies),
        cmocka_unit_test(test_checkpoint_open_recovery_area_of_another_file),
        cmocka_unit_test(test_snapshot_read_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
