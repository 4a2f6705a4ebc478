/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Repair: whatever one place of a checkpoint is damaged, all else is saved, and the loss is told.
 */
#include <time.h>

#include "checkpoint_fixture.h"
#include "checkpoint_record.h"
#include "checkpoint_repair.h"
#include "tdblayout.h"

/* Nobody writes here: the pauses before another look at what seems damaged are skipped. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}

struct bytes {
    uint8_t *at;
    size_t size;
};

static struct bytes read_file(const char *path)
{
    struct bytes b = { NULL, 0 };
    FILE *in = fopen(path, "r");
    struct stat st;

    if (!in) fail_msg("cannot open %s", path);
    assert_int_equal(fstat(fileno(in), &st), 0);
    b.size = (size_t)st.st_size;
    assert_non_null(b.at = malloc(b.size));
    assert_int_equal(fread(b.at, 1, b.size, in), b.size);
    fclose(in);
    return b;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

struct telling {
    unsigned count;
    char text[4000];
};

static void tell(const char *where, const char *what, void *arg)
{
    struct telling *t = arg;
    size_t len = strlen(t->text);

    t->count++;
    snprintf(t->text + len, sizeof(t->text) - len, "%s: %s\n", where, what);
}

/* A checkpoint with a tree in it and some history, and its last good one; closed. */
static struct fixture *full_checkpoint(char *last_good, size_t room)
{
    static const char names[] = "abcdefghij";
    struct fixture *f = fixture_new();
    uint16_t unit;
    unsigned i;

    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(make_key(f, U("Sub Key"), NULL, err));
    WORKS(make_key(f, U("Sub Key\\Deeper"), NULL, err));
    for (i = 0; i < 10; i++) {
        unit = (uint16_t)names[i];
        WORKS(set_value(f, U("Sub Key\\Deeper"), ((struct utf16){ &unit, 1 }), 1, &names[i], 1,
                        &test_origin, err));
    }
    WORKS(set_value(f, EMPTY, U("Name"), 1, "data", 4, &test_origin, err));
    WORKS(checkpoint_commit(f->c, err));
    snprintf(last_good, room, "%s/last-good.tdb", f->dir);
    WORKS(checkpoint_keep_last_good(f->c, last_good, err));
    checkpoint_close(f->c);
    f->c = NULL;
    return f;
}

/* Where the used records are; returns how many. */
static size_t list_records(const struct bytes *b, size_t *offsets, size_t room)
{
    uint64_t at = tdb_data_start(le32(b->at + TDB_HEADER_HASH_SIZE));
    struct tdb_head head;
    size_t count = 0;

    for (; at + TDB_RECORD_BYTES <= b->size; at += TDB_RECORD_BYTES + head.rec_len) {
        tdb_head_read(b->at + at, &head);
        if (head.magic != TDB_MAGIC_USED) continue;
        assert_true(count < room);
        offsets[count++] = at;
    }
    return count;
}

/* How many values of the original are in what was saved, equal; and no other. */
static size_t saved_values(const struct image *saved, const struct image *original,
                           struct utf16 path)
{
    const struct image_key *in = image_find_key(saved, path), *of = image_find_key(original, path);
    const struct image_value *v;
    size_t i;

    if (!in) return 0;
    assert_non_null(of);
    for (i = 0; i < in->value_count; i++) {
        assert_non_null(v = image_find_value(of, in->values[i].name));
        assert_int_equal(v->type, in->values[i].type);
        assert_int_equal(v->size_bytes, in->values[i].size_bytes);
        assert_memory_equal(v->data, in->values[i].data, v->size_bytes);
    }
    return in->value_count;
}

/* Repairs what is there now, and checks all that must hold whatever the damage was. */
static void repair_and_check(struct fixture *f, const char *last_good,
                             const struct snapshot *original, const char *what, unsigned *losses, size_t *saved)
{
    struct bytes damaged = read_file(f->path), kept;
    struct telling t = { 0, "" };
    struct snapshot s;
    struct repair r;
    struct error err = { 0, "" };

    if (checkpoint_repair(f->path, last_good, tell, &t, &r, &err))
        fail_msg("%s: %s\n%s", what, err.text, t.text);
    *losses = t.count;
    assert_int_equal(r.lost, t.count);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    *saved = 0;
    if (r.needed) {
        kept = read_file(r.kept);
        assert_int_equal(kept.size, damaged.size);
        assert_memory_equal(kept.at, damaged.at, kept.size);
        free(kept.at);
        unlink(r.kept);
        assert_true(s.state.epoch > original->state.epoch);
    }
    assert_string_equal(s.resource.service, "Svc");
    if (s.key_count) {
        assert_int_equal(s.key_count, 1);
        *saved = saved_values(&s.keys[0].image, &original->keys[0].image, EMPTY) +
                 saved_values(&s.keys[0].image, &original->keys[0].image, U("sub key\\deeper"));
    }
    /* Every value is there, or a loss was told. */
    if (*saved < original->keys[0].image.value_count && !t.count)
        fail_msg("%s: %zu values saved and no loss told", what, *saved);
    free(r.kept);
    snapshot_free(&s);
    free(damaged.at);
}

static void test_checkpoint_repair_every_record_damaged(void **state)
{
    static const struct { const char *what; uint32_t offset; } places[] = {
        { "next", 1 }, { "rec_len", 5 }, { "key_len", 8 }, { "data_len", 12 }, { "hash", 16 },
        { "magic", TDB_RECORD_MAGIC }, { "key", TDB_RECORD_BYTES + 2 }, { "checksum", 0 },
    };
    char last_good[128], what[80];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct bytes b = read_file(f->path);
    size_t offsets[100], count = list_records(&b, offsets, 100), i, p, saved;
    unsigned losses, told = 0;
    struct snapshot original;
    struct tdb_head head;
    uint64_t at;

    (void)state;
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &original, err));
    assert_int_equal(original.keys[0].image.value_count, 11);
    assert_true(count > 25);
    for (i = 0; i < count; i++) {
        tdb_head_read(b.at + offsets[i], &head);
        for (p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
            at = offsets[i] + places[p].offset;
            if (!strcmp(places[p].what, "checksum"))
                at = offsets[i] + TDB_RECORD_BYTES + head.key_len;
            snprintf(what, sizeof(what), "record %zu of %zu, %s", i, count, places[p].what);
            b.at[at] ^= 0x10;
            write_file(f->path, b.at, b.size);
            b.at[at] ^= 0x10;
            repair_and_check(f, last_good, &original, what, &losses, &saved);
            /* One record is damaged: one value is lost at most. */
            if (saved + 1 < original.keys[0].image.value_count)
                fail_msg("%s: only %zu values are saved", what, saved);
            told += losses > 0;
        }
    }
    printf("%zu records, %u of %zu damages lost something\n", count, told,
           count * sizeof(places) / sizeof(places[0]));
    assert_true(told > count);
    free(b.at);
    snapshot_free(&original);
    fixture_free(f);
}

static void test_checkpoint_repair_every_chain_broken(void **state)
{
    char last_good[128], what[80];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct bytes b = read_file(f->path);
    size_t offsets[100], count = list_records(&b, offsets, 100), i, saved;
    uint32_t size = le32(b.at + TDB_HEADER_HASH_SIZE);
    struct snapshot original;
    struct tdb_head head;
    unsigned losses;
    uint64_t at;

    (void)state;
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &original, err));
    for (i = 0; i < count; i++) {
        tdb_head_read(b.at + offsets[i], &head);
        at = tdb_chain_offset(head.full_hash % size);
        snprintf(what, sizeof(what), "the chain of record %zu of %zu", i, count);
        b.at[at] ^= 0x10;
        write_file(f->path, b.at, b.size);
        b.at[at] ^= 0x10;
        repair_and_check(f, last_good, &original, what, &losses, &saved);
        /* The records are whole, only the way to them is not. */
        assert_int_equal(losses, 0);
        assert_int_equal(saved, original.keys[0].image.value_count);
    }
    free(b.at);
    snapshot_free(&original);
    fixture_free(f);
}

static void test_checkpoint_repair_whole_is_left_alone(void **state)
{
    char last_good[128];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct bytes before = read_file(f->path), after;
    struct telling t = { 0, "" };
    struct repair r;

    (void)state;
    WORKS(checkpoint_repair(f->path, last_good, tell, &t, &r, err));
    assert_false(r.needed);
    assert_int_equal(t.count, 0);
    assert_null(r.kept);
    after = read_file(f->path);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.at, after.at, after.size);
    free(before.at);
    free(after.at);
    fixture_free(f);
}

/* Flips a bit of the content of the record whose TDB key begins so. */
static void damage_record(struct fixture *f, const char *key)
{
    struct bytes b = read_file(f->path);
    size_t offsets[100], count = list_records(&b, offsets, 100), i;
    struct tdb_head head;

    for (i = 0; i < count; i++) {
        if (memcmp(b.at + offsets[i] + TDB_RECORD_BYTES, key, strlen(key))) continue;
        tdb_head_read(b.at + offsets[i], &head);
        b.at[offsets[i] + TDB_RECORD_BYTES + head.key_len + 10] ^= 4;
        write_file(f->path, b.at, b.size);
        free(b.at);
        return;
    }
    fail_msg("there is no record %s", key);
}

static void test_checkpoint_repair_names_the_value(void **state)
{
    char last_good[128];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct telling t = { 0, "" };
    struct repair r;

    (void)state;
    damage_record(f, "value:00000001:sub key\\deeper");
    WORKS(checkpoint_repair(f->path, last_good, tell, &t, &r, err));
    assert_int_equal(t.count, 1);
    assert_non_null(strstr(t.text, "Software\\Vendor: the value \""));
    assert_non_null(strstr(t.text, "\" of the key \"sub key\\deeper\" is damaged and lost"));
    assert_int_equal(r.values, 10);
    assert_int_equal(r.keys, 3);
    assert_int_equal(r.history, 11);
    free(r.kept);
    fixture_free(f);
}

static void test_checkpoint_repair_lost_key_keeps_its_content(void **state)
{
    char last_good[128];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct telling t = { 0, "" };
    struct snapshot s;
    struct repair r;

    (void)state;
    damage_record(f, "key:00000001:sub key");
    WORKS(checkpoint_repair(f->path, last_good, tell, &t, &r, err));
    assert_int_equal(r.values, 11);
    assert_int_equal(r.keys, 3);
    assert_int_equal(t.count, 2); /* the record, and what the key is saved without */
    WORKS(snapshot_read(f->path, 0, &s, err));
    assert_true(s.keys[0].image.root->keys[0]->key_count +
                s.keys[0].image.root->keys[0]->value_count > 0);
    snapshot_free(&s);
    free(r.kept);
    fixture_free(f);
}

static void test_checkpoint_repair_properties_lost(void **state)
{
    char last_good[128];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct telling t = { 0, "" };
    struct bytes before, after;
    struct repair r;

    (void)state;
    damage_record(f, "resource");
    before = read_file(f->path);
    FAILS(RESULT_DAMAGED, "no last good checkpoint",
          checkpoint_repair(f->path, "/nonexistent/x", tell, &t, &r, err));
    after = read_file(f->path); /* and is as it was */
    assert_memory_equal(before.at, after.at, after.size);
    free(before.at);
    free(after.at);
    WORKS(checkpoint_repair(f->path, last_good, tell, &t, &r, err));
    assert_non_null(strstr(t.text, "the properties of the resource are those of the last good"));
    free(r.kept);
    fixture_free(f);
}

static void test_checkpoint_repair_foreign_is_refused(void **state)
{
    struct fixture *f = fixture_dir();
    struct telling t = { 0, "" };
    struct repair r;

    (void)state;
    write_file(f->path, (const uint8_t *)"Dear diary", 10);
    FAILS(RESULT_FOREIGN, "not a checkpoint",
          checkpoint_repair(f->path, f->path, tell, &t, &r, err));
    assert_int_equal(t.count, 0);
    fixture_free(f);
}

static void test_checkpoint_put_back_keeps_the_damaged_one(void **state)
{
    char last_good[128], expected[160];
    struct fixture *f = full_checkpoint(last_good, sizeof(last_good));
    struct bytes before, kept;
    struct snapshot s;
    char *name;

    (void)state;
    damage_record(f, "value:");
    before = read_file(f->path);
    WORKS(checkpoint_put_back(f->path, last_good, &name, err));
    snprintf(expected, sizeof(expected), "%s/checkpoint.damaged.1", f->dir);
    assert_string_equal(name, expected);
    kept = read_file(name);
    assert_int_equal(kept.size, before.size);
    assert_memory_equal(kept.at, before.at, kept.size);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    assert_int_equal(s.keys[0].image.value_count, 11);
    assert_int_equal(s.state.epoch, 1); /* the damaged one had 0 */
    snapshot_free(&s);
    free(name);
    damage_record(f, "state"); /* again, with an epoch that cannot be read */
    WORKS(checkpoint_put_back(f->path, last_good, &name, err));
    assert_non_null(strstr(name, "checkpoint.damaged.2"));
    WORKS(snapshot_read(f->path, SNAPSHOT_HEAD, &s, err));
    assert_true(s.state.epoch > EPOCH_LEAP);
    snapshot_free(&s);
    free(name);
    free(before.at);
    free(kept.at);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_repair_every_record_damaged),
        cmocka_unit_test(test_checkpoint_repair_every_chain_broken),
        cmocka_unit_test(test_checkpoint_repair_whole_is_left_alone),
        cmocka_unit_test(test_checkpoint_repair_names_the_value),
        cmocka_unit_test(test_checkpoint_repair_lost_key_keeps_its_content),
        cmocka_unit_test(test_checkpoint_repair_properties_lost),
        cmocka_unit_test(test_checkpoint_repair_foreign_is_refused),
        cmocka_unit_test(test_checkpoint_put_back_keeps_the_damaged_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
