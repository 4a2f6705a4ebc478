/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * resource.h: properties by name, names, registered keys.
 */
#include "checkpoint_fixture.h"

static void check_get(const struct resource *r, const char *name, const char *expected)
{
    char *value = resource_get(r, name);

    assert_non_null(value);
    assert_string_equal(value, expected);
    free(value);
}

static void test_resource_init_defaults(void **state)
{
    struct resource r;

    (void)state;
    resource_init(&r);
    check_get(&r, "service", "");
    check_get(&r, "lag", "100");
    check_get(&r, "on-storage-error", "continue");
    check_get(&r, "start-timeout", "60");
    check_get(&r, "stop-timeout", "30");
    check_get(&r, "history", "4194304");
    assert_null(resource_get(&r, "nothing"));
    resource_free(&r);
}

static void test_resource_set_every_property_comes_back(void **state)
{
    static const char *const values[][2] = {
        { "command", "C:\\a.exe \"b c\"" }, { "directory", "C:\\dir" }, { "prefix", "/srv/p" },
        { "user", "wine" }, { "wine", "/opt/wine" }, { "lag", "0" }, { "on-storage-error", "stop" },
        { "start-timeout", "7" }, { "stop-timeout", "86400" }, { "history", "0" },
    };
    struct resource r, copy;
    size_t i, known = 0;

    (void)state;
    while (resource_property((unsigned)known)) known++;
    assert_int_equal(known, sizeof(values) / sizeof(values[0]) + 1); /* and service */
    resource_init(&r);
    for (i = 0; i < known - 1; i++) WORKS(resource_set(&r, values[i][0], values[i][1], err));
    assert_int_equal(resource_copy(&copy, &r), 0);
    resource_free(&r);
    for (i = 0; i < known - 1; i++) check_get(&copy, values[i][0], values[i][1]);
    assert_int_equal(copy.kind, RESOURCE_APPLICATION);
    resource_free(&copy);
}

static void test_resource_set_service_takes_the_place_of_command(void **state)
{
    struct resource r;

    (void)state;
    resource_init(&r);
    WORKS(resource_set(&r, "command", "a.exe", err));
    assert_int_equal(r.kind, RESOURCE_APPLICATION);
    WORKS(resource_set(&r, "service", "Svc", err));
    assert_int_equal(r.kind, RESOURCE_SERVICE);
    assert_string_equal(r.command, "");
    resource_free(&r);
}

static void test_resource_set_history_units(void **state)
{
    struct resource r;

    (void)state;
    resource_init(&r);
    WORKS(resource_set(&r, "history", "3K", err));
    assert_int_equal(r.history_bytes, 3072);
    WORKS(resource_set(&r, "history", "1024M", err));
    assert_int_equal(r.history_bytes, 1u << 30);
    resource_free(&r);
}

static void test_resource_set_refuses(void **state)
{
    static const char *const wrong[][2] = {
        { "lag", "-1" }, { "lag", "" }, { "lag", "60001" }, { "lag", "5x" }, { "lag", "1K" },
        { "lag", "99999999999999999999" }, { "start-timeout", "0" }, { "on-storage-error", "maybe" },
        { "prefix", "relative" }, { "wine", "bin/wine" }, { "service", "" }, { "command", "a\nb" },
        { "history", "1025M" }, { "history", "5000M" }, { "history", "K" },
    };
    struct resource r;
    size_t i;

    (void)state;
    resource_init(&r);
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        print_message("%s=\"%s\"\n", wrong[i][0], wrong[i][1]);
        FAILS(RESULT_USAGE, wrong[i][0], resource_set(&r, wrong[i][0], wrong[i][1], err));
    }
    assert_int_equal(r.lag_ms, DEFAULT_LAG_MS);
    assert_int_equal(r.kind, 0);
    FAILS(RESULT_USAGE, "on-storage-error", resource_set(&r, "nothing", "1", err));
    resource_free(&r);
}

static void test_resource_name_check_bounds(void **state)
{
    char name[70];

    (void)state;
    memset(name, 'x', sizeof(name));
    name[63] = 0;
    WORKS(resource_name_check(name, err));
    WORKS(resource_name_check("A.b_c-9", err));
    name[63] = 'x';
    name[64] = 0;
    FAILS(RESULT_USAGE, "63", resource_name_check(name, err));
    FAILS(RESULT_USAGE, "", resource_name_check("", err));
    FAILS(RESULT_USAGE, "", resource_name_check(".", err));
    FAILS(RESULT_USAGE, "", resource_name_check("-x", err));
    FAILS(RESULT_USAGE, "", resource_name_check("a/b", err));
    FAILS(RESULT_USAGE, "", resource_name_check("\xc3\xa9", err));
}

static void test_registered_key_copy_is_deep(void **state)
{
    struct registered_key key = { .id = 3, .view = VIEW_32, .flags = KEY_FUTURE }, copy;

    (void)state;
    key.path = strdup("Software\\X");
    assert_int_equal(exclude_add_key(&key.exclude, "Cache*"), 0);
    assert_int_equal(exclude_add_value(&key.exclude, "*\\Time"), 0);
    assert_int_equal(registered_key_copy(&copy, &key), 0);
    registered_key_free(&key);
    assert_int_equal(copy.id, 3);
    assert_int_equal(copy.view, VIEW_32);
    assert_string_equal(copy.path, "Software\\X");
    assert_string_equal(copy.exclude.keys[0], "Cache*");
    assert_string_equal(copy.exclude.values[0], "*\\Time");
    registered_key_free(&copy);
}

static void test_registered_key_effective_exclude_of_a_service(void **state)
{
    struct registered_key key = { .view = VIEW_64,
        .path = (char *)"system\\CurrentControlSet\\services\\Svc" };
    struct exclude out;

    (void)state;
    assert_int_equal(exclude_add_value(&key.exclude, "Mine"), 0);
    assert_int_equal(registered_key_effective_exclude(&key, &out), 0);
    assert_int_equal(out.value_count, 3);
    assert_string_equal(out.values[1], "ImagePath");
    assert_string_equal(out.values[2], "Start");
    exclude_free(&out);
    key.path = (char *)"Software\\Vendor";
    assert_int_equal(registered_key_effective_exclude(&key, &out), 0);
    assert_int_equal(out.value_count, 1);
    exclude_free(&out);
    exclude_free(&key.exclude);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resource_init_defaults),
        cmocka_unit_test(test_resource_set_every_property_comes_back),
        cmocka_unit_test(test_resource_set_service_takes_the_place_of_command),
        cmocka_unit_test(test_resource_set_history_units),
        cmocka_unit_test(test_resource_set_refuses),
        cmocka_unit_test(test_resource_name_check_bounds),
        cmocka_unit_test(test_registered_key_copy_is_deep),
        cmocka_unit_test(test_registered_key_effective_exclude_of_a_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
