/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store.h: making a store, its resources.
 */
#include "checkpoint_fixture.h"
#include "store.h"

/* A store in the fixture's directory; f->path is its path. */
static struct fixture *store_new(void)
{
    struct fixture *f = fixture_dir();
    bool made = false;

    snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
    WORKS(store_init(f->path, &made, err));
    assert_true(made);
    return f;
}

static void create(struct fixture *f, const char *name)
{
    struct resource r;

    resource_init(&r);
    WORKS(resource_set(&r, "service", name, err));
    WORKS(store_create_resource(f->path, name, &r, err));
    resource_free(&r);
}

static void write_marker(struct fixture *f, const char *text)
{
    char path[200];
    FILE *out;

    snprintf(path, sizeof(path), "%s/regckpt.store", f->path);
    assert_non_null(out = fopen(path, "w"));
    fputs(text, out);
    fclose(out);
}

static void test_store_init_makes_and_accepts(void **state)
{
    struct fixture *f = store_new();
    bool made = true;
    struct stat st;

    (void)state;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    WORKS(store_check(f->path, err));
    WORKS(store_init(f->path, &made, err));
    assert_false(made);
    fixture_free(f);
}

static void test_store_init_directory_with_other_things(void **state)
{
    struct fixture *f = fixture_dir();
    char path[200];
    bool made;

    (void)state;
    snprintf(path, sizeof(path), "%s/other", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    FAILS(RESULT_FOREIGN, "\"other\"", store_init(f->dir, &made, err));
    assert_false(made);
    FAILS(RESULT_NOT_FOUND, "init", store_check(f->dir, err));
    assert_int_equal(rmdir(path), 0);
    WORKS(store_init(f->dir, &made, err)); /* an empty directory, as a file system is mounted on */
    assert_true(made);
    WORKS(store_check(f->dir, err));
    fixture_free(f);
}

static void test_store_init_missing_parent_and_file(void **state)
{
    struct fixture *f = fixture_new();
    bool made;

    (void)state;
    FAILS(ENOENT, "/nonexistent/a", store_init("/nonexistent/a", &made, err));
    FAILS(RESULT_FOREIGN, "not a directory", store_init(f->path, &made, err));
    fixture_free(f);
}

static void test_store_check_marker(void **state)
{
    struct fixture *f = store_new();
    bool made;

    (void)state;
    write_marker(f, "regckpt store, format 99\n");
    FAILS(RESULT_NEWER, "99", store_check(f->path, err));
    FAILS(RESULT_NEWER, "99", store_init(f->path, &made, err));
    write_marker(f, "something else\n");
    FAILS(RESULT_FOREIGN, f->path, store_check(f->path, err));
    write_marker(f, "regckpt store, format x\n");
    FAILS(RESULT_DAMAGED, f->path, store_check(f->path, err));
    fixture_free(f);
}

static void test_store_create_resource_and_list(void **state)
{
    struct fixture *f = store_new();
    char *path, other[200], **names;
    struct resource r;
    struct snapshot s;
    size_t count;

    (void)state;
    WORKS(store_list(f->path, &names, &count, err));
    assert_int_equal(count, 0);
    store_list_free(names, count);
    create(f, "zulu");
    create(f, "Alpha-1");
    snprintf(other, sizeof(other), "%s/not-one", f->path);
    assert_int_equal(mkdir(other, 0700), 0);
    WORKS(store_list(f->path, &names, &count, err));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "Alpha-1");
    assert_string_equal(names[1], "zulu");
    store_list_free(names, count);
    resource_init(&r);
    FAILS(RESULT_EXISTS, "zulu", store_create_resource(f->path, "zulu", &r, err));
    FAILS(RESULT_USAGE, "../x", store_create_resource(f->path, "../x", &r, err));
    resource_free(&r);
    path = store_path(f->path, "zulu", STORE_CHECKPOINT);
    WORKS(snapshot_read(path, SNAPSHOT_HEAD, &s, err));
    assert_string_equal(s.resource.service, "zulu");
    snapshot_free(&s);
    free(path);
    assert_int_equal(store_is_owned(f->path, "zulu", NULL), 0);
    fixture_free(f);
}

static void test_store_create_resource_after_a_half_made_one(void **state)
{
    struct fixture *f = store_new();
    char path[200];
    FILE *out;

    (void)state;
    snprintf(path, sizeof(path), "%s/half", f->path);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/lock");
    assert_non_null(out = fopen(path, "w"));
    fclose(out);
    create(f, "half");
    fixture_free(f);
}

static void test_store_delete_resource(void **state)
{
    struct fixture *f = store_new();
    char *dir, **names;
    size_t count;
    int lock;

    (void)state;
    create(f, "one");
    create(f, "two");
    WORKS(store_own(f->path, "one", &lock, err));
    FAILS(RESULT_INVALID, "two", store_delete_resource(f->path, "two", lock, err));
    WORKS(store_delete_resource(f->path, "one", lock, err));
    store_disown(lock);
    dir = store_path(f->path, "one", STORE_RESOURCE_DIR);
    assert_int_equal(access(dir, F_OK), -1);
    free(dir);
    WORKS(store_list(f->path, &names, &count, err));
    assert_int_equal(count, 1);
    store_list_free(names, count);
    FAILS(RESULT_NOT_FOUND, "two", store_own(f->path, "one", &lock, err));
    create(f, "one");
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_init_makes_and_accepts),
        cmocka_unit_test(test_store_init_directory_with_other_things),
        cmocka_unit_test(test_store_init_missing_parent_and_file),
        cmocka_unit_test(test_store_check_marker),
        cmocka_unit_test(test_store_create_resource_and_list),
        cmocka_unit_test(test_store_create_resource_after_a_half_made_one),
        cmocka_unit_test(test_store_delete_resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
