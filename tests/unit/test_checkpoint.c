/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * checkpoint.h, writing: creating, opening, transactions, changes, keys.
 */
#include "checkpoint_fixture.h"

/* All of a file, for comparing before and after. */
static char *read_file(const char *path, size_t *size)
{
    FILE *in = fopen(path, "r");
    char *bytes;

    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    *size = (size_t)ftell(in);
    rewind(in);
    assert_non_null(bytes = malloc(*size + 1));
    assert_int_equal(fread(bytes, 1, *size, in), *size);
    fclose(in);
    return bytes;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void test_checkpoint_create_exists(void **state)
{
    struct fixture *f = fixture_new();
    struct resource r;

    (void)state;
    resource_init(&r);
    FAILS(RESULT_EXISTS, f->path, checkpoint_create(f->path, &r, err));
    resource_free(&r);
    fixture_free(f);
}

static void test_checkpoint_create_no_directory(void **state)
{
    struct resource r;

    (void)state;
    resource_init(&r);
    FAILS(ENOENT, "/nonexistent", checkpoint_create("/nonexistent/c.tdb", &r, err));
    resource_free(&r);
}

static void test_checkpoint_create_replaces_a_half_made_one(void **state)
{
    struct fixture *f = fixture_dir();
    char temporary[150];
    struct resource r;
    struct stat st;

    (void)state;
    snprintf(temporary, sizeof(temporary), "%s.new", f->path);
    write_file(temporary, "half", 4);
    resource_init(&r);
    WORKS(checkpoint_create(f->path, &r, err));
    resource_free(&r);
    assert_int_equal(access(temporary, F_OK), -1);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    fixture_free(f);
}

static void test_checkpoint_open_nothing(void **state)
{
    struct checkpoint *c = (struct checkpoint *)1;

    (void)state;
    FAILS(RESULT_NOT_FOUND, "/nonexistent/c", checkpoint_open("/nonexistent/c", &c, err));
    assert_null(c);
}

/* Opening fails in this way and leaves the file byte for byte as it is. */
static void check_refused(struct fixture *f, int result)
{
    struct checkpoint *c;
    struct snapshot s;
    size_t before, after;
    char *old = read_file(f->path, &before), *now;

    FAILS(result, f->path, checkpoint_open(f->path, &c, err));
    FAILS(result, f->path, snapshot_read(f->path, 0, &s, err));
    FAILS(result, f->path, checkpoint_verify(f->path, NULL, NULL, err));
    now = read_file(f->path, &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, now, before);
    free(old);
    free(now);
}

static void test_checkpoint_open_foreign_is_left_alone(void **state)
{
    struct fixture *f = fixture_dir();
    char noise[5000];
    size_t i;

    (void)state;
    write_file(f->path, "", 0);
    check_refused(f, RESULT_FOREIGN);
    write_file(f->path, "a text", 6);
    check_refused(f, RESULT_FOREIGN);
    for (i = 0; i < sizeof(noise); i++) noise[i] = (char)(i * 37);
    write_file(f->path, noise, sizeof(noise));
    check_refused(f, RESULT_FOREIGN);
    fixture_free(f);
}

static void test_checkpoint_open_half_written_is_left_alone(void **state)
{
    struct fixture *f = fixture_new();
    static const size_t cuts[] = { 1, 50, 168, 5000, 128000 };
    size_t size, i;
    char *whole;

    (void)state;
    checkpoint_close(f->c);
    f->c = NULL;
    whole = read_file(f->path, &size);
    for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        write_file(f->path, whole, cuts[i]);
        check_refused(f, RESULT_FOREIGN);
    }
    free(whole);
    fixture_free(f);
}

static void test_checkpoint_open_other_tdb_is_left_alone(void **state)
{
    struct fixture *f = fixture_dir();
    char command[300];

    (void)state;
    snprintf(command, sizeof(command), "printf 'create %s\\ninsert a b\\n' | tdbtool >/dev/null 2>&1",
             f->path);
    if (system(command) || access(f->path, F_OK)) {
        print_message("skipped: tdbtool is missing (package tdb-tools)\n");
        fixture_free(f);
        skip();
    }
    check_refused(f, RESULT_FOREIGN);
    fixture_free(f);
}

static void test_checkpoint_commit_survives_reopening(void **state)
{
    struct checkpoint_state st, back;
    struct fixture *f = fixture_new();

    (void)state;
    memset(&st, 0, sizeof(st));
    st.epoch = 5;
    st.sequence = 999; /* ignored */
    st.status = CHECKPOINT_ONLINE;
    strcpy(st.node, "node1");
    strcpy(st.boot_id, "boot");
    st.pid = 77;
    st.since = 11;
    st.saved = 12;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_set_state(f->c, &st, err));
    WORKS(checkpoint_commit(f->c, err));
    checkpoint_close(f->c);
    WORKS(checkpoint_open(f->path, &f->c, err));
    WORKS(checkpoint_get_state(f->c, &back, err));
    assert_int_equal(back.epoch, 5);
    assert_int_equal(back.sequence, 3); /* create, put_key, this */
    assert_int_equal(back.status, CHECKPOINT_ONLINE);
    assert_string_equal(back.node, "node1");
    assert_string_equal(back.boot_id, "boot");
    assert_int_equal(back.pid, 77);
    assert_int_equal(back.since, 11);
    assert_int_equal(back.saved, 12);
    fixture_free(f);
}

static void test_checkpoint_cancel_leaves_nothing(void **state)
{
    struct fixture *f = fixture_new();
    size_t before, after;
    char *old, *now;

    (void)state;
    old = read_file(f->path, &before);
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(set_value(f, EMPTY, U("v"), 1, "x", 1, &test_origin, err));
    checkpoint_cancel(f->c);
    now = read_file(f->path, &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, now, before);
    free(old);
    free(now);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    fixture_free(f);
}

static void test_checkpoint_change_outside_of_a_transaction(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    FAILS(RESULT_INVALID, "transaction", make_key(f, EMPTY, NULL, err));
    FAILS(RESULT_INVALID, "transaction", checkpoint_commit(f->c, err));
    WORKS(checkpoint_begin(f->c, err));
    FAILS(RESULT_INVALID, "transaction", checkpoint_begin(f->c, err));
    fixture_free(f);
}

static void test_checkpoint_change_below_a_missing_key_dooms(void **state)
{
    struct fixture *f = fixture_new();
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    FAILS(RESULT_INVALID, "gone", set_value(f, U("gone"), U("v"), 1, "x", 1, NULL, err));
    FAILS(RESULT_INVALID, "gone", make_key(f, U("fine"), NULL, err));
    FAILS(RESULT_INVALID, "gone", checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, 0, &s, err));
    assert_null(s.keys[0].image.root);
    snapshot_free(&s);
    WORKS(checkpoint_begin(f->c, err)); /* the next transaction is none the worse for it */
    WORKS(make_key(f, EMPTY, NULL, err));
    FAILS(RESULT_INVALID, "a", make_key(f, U("a\\b"), NULL, err));
    checkpoint_cancel(f->c);
    WORKS(checkpoint_begin(f->c, err));
    f->id = 9;
    FAILS(RESULT_INVALID, "9", make_key(f, EMPTY, NULL, err));
    fixture_free(f);
}

static void test_checkpoint_change_identical_changes_nothing(void **state)
{
    struct fixture *f = fixture_new();
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(set_value(f, EMPTY, U("Name"), 1, "x", 1, &test_origin, err));
    WORKS(set_value(f, EMPTY, U("NAME"), 1, "x", 1, &test_origin, err));
    WORKS(make_key(f, EMPTY, &test_origin, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    assert_int_equal(s.history_count, 1);
    assert_int_equal(s.keys[0].image.value_count, 1);
    assert_true(utf16_equal(s.keys[0].image.root->values[0].name, U("Name"))); /* its first case */
    snapshot_free(&s);
    fixture_free(f);
}

static void test_checkpoint_change_too_large_a_value(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    FAILS(RESULT_INVALID, "too large",
          set_value(f, EMPTY, U("v"), 3, "x", (size_t)300 << 20, NULL, err));
    fixture_free(f);
}

static void test_checkpoint_change_value_of_many_mib(void **state)
{
    struct fixture *f = fixture_new();
    size_t size = 24u << 20, i;
    const struct image_value *v;
    struct snapshot s;
    uint8_t *data;

    (void)state;
    assert_non_null(data = malloc(size));
    for (i = 0; i < size; i++) data[i] = (uint8_t)(i * 31 >> 4);
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(set_value(f, EMPTY, U("big"), 3, data, size, &test_origin, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HISTORY, &s, err));
    assert_non_null(v = image_find_value(s.keys[0].image.root, U("BIG")));
    assert_int_equal(v->size_bytes, size);
    assert_memory_equal(v->data, data, size);
    assert_true(s.history[0].data_left_out);
    snapshot_free(&s);
    free(data);
    fixture_free(f);
}

static void test_checkpoint_put_key_ids_are_never_used_again(void **state)
{
    struct registered_key key = { .view = VIEW_32, .path = (char *)"Software\\B" };
    struct fixture *f = fixture_new();
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_put_key(f->c, &key, err));
    assert_int_equal(key.id, 2);
    WORKS(checkpoint_remove_key(f->c, 2, err));
    key.id = 0;
    key.flags = KEY_FUTURE;
    WORKS(checkpoint_put_key(f->c, &key, err));
    assert_int_equal(key.id, 3);
    key.flags = KEY_FUTURE | KEY_CAPTURED;
    WORKS(checkpoint_put_key(f->c, &key, err)); /* replaces */
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HEAD, &s, err));
    assert_int_equal(s.key_count, 2);
    assert_int_equal(s.keys[1].key.id, 3);
    assert_int_equal(s.keys[1].key.view, VIEW_32);
    assert_int_equal(s.keys[1].key.flags, KEY_FUTURE | KEY_CAPTURED);
    snapshot_free(&s);
    WORKS(checkpoint_begin(f->c, err));
    FAILS(RESULT_NOT_FOUND, "2", (key.id = 2, checkpoint_put_key(f->c, &key, err)));
    fixture_free(f);
}

static void test_checkpoint_remove_key_takes_its_content(void **state)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\B",
                                  .flags = KEY_CAPTURED };
    struct fixture *f = fixture_new();
    uint32_t first = f->id;
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(make_key(f, U("sub"), NULL, err));
    WORKS(set_value(f, U("sub"), U("v"), 1, "x", 1, NULL, err));
    WORKS(checkpoint_put_key(f->c, &key, err));
    f->id = key.id;
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(set_value(f, EMPTY, U("stays"), 1, "x", 1, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_remove_key(f->c, first, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, 0, &s, err));
    assert_int_equal(s.key_count, 1);
    assert_int_equal(s.keys[0].image.value_count, 1);
    snapshot_free(&s);
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    WORKS(checkpoint_begin(f->c, err));
    FAILS(RESULT_NOT_FOUND, "registered key", checkpoint_remove_key(f->c, first, err));
    fixture_free(f);
}

static void test_checkpoint_set_resource_comes_back(void **state)
{
    struct fixture *f = fixture_new();
    struct resource r;
    struct snapshot s;

    (void)state;
    resource_init(&r);
    WORKS(resource_set(&r, "command", "a.exe", err));
    WORKS(resource_set(&r, "lag", "0", err));
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_set_resource(f->c, &r, err));
    WORKS(checkpoint_commit(f->c, err));
    resource_free(&r);
    WORKS(snapshot_read(f->path, SNAPSHOT_HEAD, &s, err));
    assert_int_equal(s.resource.kind, RESOURCE_APPLICATION);
    assert_string_equal(s.resource.command, "a.exe");
    assert_int_equal(s.resource.lag_ms, 0);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_checkpoint_keep_last_good_is_whole(void **state)
{
    struct fixture *f = fixture_new();
    char good[160];
    struct snapshot s;

    (void)state;
    snprintf(good, sizeof(good), "%s/last-good.tdb", f->dir);
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(set_value(f, EMPTY, U("v"), 1, "x", 1, NULL, err));
    FAILS(RESULT_INVALID, "transaction", checkpoint_keep_last_good(f->c, good, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(checkpoint_keep_last_good(f->c, good, err));
    WORKS(checkpoint_begin(f->c, err));
    WORKS(set_value(f, EMPTY, U("w"), 1, "x", 1, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(checkpoint_verify(good, NULL, NULL, err));
    WORKS(snapshot_read(good, 0, &s, err));
    assert_int_equal(s.keys[0].image.value_count, 1);
    snapshot_free(&s);
    WORKS(checkpoint_keep_last_good(f->c, good, err)); /* over the old one */
    WORKS(snapshot_read(good, 0, &s, err));
    assert_int_equal(s.keys[0].image.value_count, 2);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_checkpoint_open_syncs_whatever_the_environment_says(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    checkpoint_close(f->c);
    assert_int_equal(setenv("TDB_NO_FSYNC", "1", 1), 0);
    WORKS(checkpoint_open(f->path, &f->c, err));
    assert_null(getenv("TDB_NO_FSYNC"));
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_create_exists),
        cmocka_unit_test(test_checkpoint_create_no_directory),
        cmocka_unit_test(test_checkpoint_create_replaces_a_half_made_one),
        cmocka_unit_test(test_checkpoint_open_nothing),
        cmocka_unit_test(test_checkpoint_open_foreign_is_left_alone),
        cmocka_unit_test(test_checkpoint_open_half_written_is_left_alone),
        cmocka_unit_test(test_checkpoint_open_other_tdb_is_left_alone),
        cmocka_unit_test(test_checkpoint_commit_survives_reopening),
        cmocka_unit_test(test_checkpoint_cancel_leaves_nothing),
        cmocka_unit_test(test_checkpoint_change_outside_of_a_transaction),
        cmocka_unit_test(test_checkpoint_change_below_a_missing_key_dooms),
        cmocka_unit_test(test_checkpoint_change_identical_changes_nothing),
        cmocka_unit_test(test_checkpoint_change_too_large_a_value),
        cmocka_unit_test(test_checkpoint_change_value_of_many_mib),
        cmocka_unit_test(test_checkpoint_put_key_ids_are_never_used_again),
        cmocka_unit_test(test_checkpoint_remove_key_takes_its_content),
        cmocka_unit_test(test_checkpoint_set_resource_comes_back),
        cmocka_unit_test(test_checkpoint_keep_last_good_is_whole),
        cmocka_unit_test(test_checkpoint_open_syncs_whatever_the_environment_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
