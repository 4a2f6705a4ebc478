/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of registered keys: what is accepted, where a view puts a key, what overlaps, what is
 * broad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keyname.h"

/* keyname_clean gives this path. */
static void expect_clean(const char *given, const char *expected)
{
    struct error err = {0};
    char *path = keyname_clean(given, &err);

    if (!path)
        fail_msg("\"%s\" was refused: %s", given, err.text);
    assert_string_equal(path, expected);
    free(path);
}

/* keyname_clean refuses it as the user's mistake, with a message that holds a word. */
static void expect_refused(const char *given, const char *word)
{
    struct error err = {0};
    char *path = keyname_clean(given, &err);

    if (path)
        fail_msg("\"%s\" was accepted as \"%s\"", given, path);
    assert_int_equal(err.code, RESULT_USAGE);
    if (!strstr(err.text, word))
        fail_msg("\"%s\": the message does not say \"%s\": %s", given, word, err.text);
}

static void test_keyname_clean_path(void **state)
{
    (void)state;
    expect_clean("Software\\Vendor\\App", "Software\\Vendor\\App");
    expect_clean("Software\\Vendor Name\\App 1.0", "Software\\Vendor Name\\App 1.0");
    expect_clean("Software\\M\xc3\xbcller", "Software\\M\xc3\xbcller");
}

static void test_keyname_clean_root(void **state)
{
    (void)state;
    expect_clean("HKLM\\Software\\X", "Software\\X");
    expect_clean("hklm\\Software\\X", "Software\\X");
    expect_clean("HKEY_LOCAL_MACHINE\\Software\\X", "Software\\X");
    expect_clean("HKLM\\\\Software\\X", "Software\\X");
    expect_refused("HKLM", "all of HKEY_LOCAL_MACHINE");
    expect_refused("HKLM\\", "all of HKEY_LOCAL_MACHINE");
}

static void test_keyname_clean_doubled_and_trailing(void **state)
{
    (void)state;
    expect_clean("Software\\\\Vendor\\\\\\App", "Software\\Vendor\\App");
    expect_clean("Software\\Vendor\\", "Software\\Vendor");
    expect_clean("Software\\Vendor\\\\", "Software\\Vendor");
}

static void test_keyname_clean_empty(void **state)
{
    (void)state;
    expect_refused("", "empty");
    expect_refused("  ", "empty");
}

static void test_keyname_clean_leading_backslash(void **state)
{
    (void)state;
    expect_refused("\\Software\\X", "begins with a backslash");
    expect_refused("\\\\HKLM\\Software", "begins with a backslash");
}

static void test_keyname_clean_other_root(void **state)
{
    static const char *const names[] = {"HKCU\\Software\\X",
                                        "HKEY_CURRENT_USER\\Software\\X",
                                        "HKCR\\X",
                                        "HKEY_CLASSES_ROOT\\X",
                                        "HKU\\X",
                                        "HKEY_USERS\\X",
                                        "HKCC\\X",
                                        "hkey_current_config",
                                        "HKCU"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect_refused(names[i], "HKEY_LOCAL_MACHINE");
    expect_clean("HKCUX\\Y", "HKCUX\\Y");
}

static void test_keyname_clean_slash(void **state)
{
    (void)state;
    expect_refused("Software/Vendor/App", "slashes");
    expect_refused("HKLM/Software\\App", "slashes");
    expect_clean("Software\\Classes\\MIME\\text/html", "Software\\Classes\\MIME\\text/html");
}

static void test_keyname_clean_shell(void **state)
{
    (void)state;
    expect_refused("SoftwareVendorApp", "single quotes");
    expect_refused("SYSTEMCurrentControlSetServicesX", "single quotes");
    expect_refused("HKLMSoftwareVendor", "single quotes");
    expect_refused("Software\\Vendor\tApp", "control character");
    expect_clean("HKLM\\SystemRestore", "SystemRestore");
    expect_clean("SoftwareVendor\\App", "SoftwareVendor\\App");
    expect_clean("Software", "Software");
}

static void test_keyname_clean_long_component(void **state)
{
    char path[600] = "Software\\";
    size_t len = strlen(path);

    (void)state;
    memset(path + len, 'a', IMAGE_MAX_KEY_NAME_CHARS);
    expect_clean(path, path);
    path[len + IMAGE_MAX_KEY_NAME_CHARS] = 'a';
    expect_refused(path, "component");
    /* characters beyond the first plane count as two units */
    memset(path + len, 0, sizeof(path) - len);
    for (size_t i = 0; i < IMAGE_MAX_KEY_NAME_CHARS / 2; i++)
        memcpy(path + len + 4 * i, "\xf0\x9f\x98\x80", 4);
    expect_clean(path, path);
    strcat(path, "ab");
    expect_refused(path, "component");
}

static void test_keyname_clean_invalid_utf8(void **state)
{
    (void)state;
    expect_refused("Software\\M\xfcller", "UTF-8");
    expect_refused("Software\\\xc3", "UTF-8");
}

/* keyname_physical gives this path. */
static void expect_physical(const char *path, enum view view, const char *expected)
{
    char *physical = keyname_physical(path, view);

    assert_non_null(physical);
    assert_string_equal(physical, expected);
    free(physical);
}

static void test_keyname_physical_64(void **state)
{
    (void)state;
    expect_physical("Software\\X\\Y", VIEW_64, "Software\\X\\Y");
    expect_physical("Software\\Wow6432Node\\X", VIEW_64, "Software\\Wow6432Node\\X");
    expect_physical("Software\\Classes\\X", VIEW_64, "Software\\Classes\\X");
    expect_physical("System\\CurrentControlSet\\Services\\X", VIEW_64,
                    "System\\CurrentControlSet\\Services\\X");
}

static void test_keyname_physical_32(void **state)
{
    (void)state;
    expect_physical("Software\\X\\Y", VIEW_32, "Software\\Wow6432Node\\X\\Y");
    expect_physical("SOFTWARE\\X", VIEW_32, "SOFTWARE\\Wow6432Node\\X");
    expect_physical("Software", VIEW_32, "Software\\Wow6432Node");
    expect_physical("Software\\Wow6432Node\\X", VIEW_32, "Software\\Wow6432Node\\X");
    expect_physical("Softwares\\X", VIEW_32, "Softwares\\X");
    expect_physical("System\\CurrentControlSet\\Services\\X", VIEW_32,
                    "System\\CurrentControlSet\\Services\\X");
}

static void test_keyname_physical_classes(void **state)
{
    (void)state;
    expect_physical("Software\\Classes\\CLSID\\{1}", VIEW_32,
                    "Software\\Classes\\Wow6432Node\\CLSID\\{1}");
    expect_physical("Software\\Classes", VIEW_32, "Software\\Classes\\Wow6432Node");
    expect_physical("Software\\Wow6432Node\\Classes\\X", VIEW_64,
                    "Software\\Classes\\Wow6432Node\\X");
    expect_physical("Software\\Classes\\Wow6432Node\\X", VIEW_64,
                    "Software\\Classes\\Wow6432Node\\X");
    expect_physical("Software\\Classes\\Wow6432Node", VIEW_64, "Software\\Classes\\Wow6432Node");
    expect_physical("Software\\Classes\\ClassesX", VIEW_64, "Software\\Classes\\ClassesX");
}

static void test_keyname_physical_linked_classes(void **state)
{
    (void)state;
    expect_physical("Software\\Classes\\TypeLib\\{1}", VIEW_32, "Software\\Classes\\TypeLib\\{1}");
    expect_physical("Software\\Wow6432Node\\Classes\\AppId", VIEW_64, "Software\\Classes\\AppId");
    expect_physical("Software\\Classes\\Wow6432Node\\Protocols\\X", VIEW_64,
                    "Software\\Classes\\Protocols\\X");
}

static void test_keyname_is_shared_class_names(void **state)
{
    (void)state;
    assert_true(keyname_is_shared_class("Software\\Classes\\Vendor.App"));
    assert_true(keyname_is_shared_class("software\\classes\\.ext\\X"));
    assert_false(keyname_is_shared_class("Software\\Classes\\CLSID\\{1}"));
    assert_false(keyname_is_shared_class("Software\\Classes\\Wow6432Node\\X"));
    assert_false(keyname_is_shared_class("Software\\Classes"));
    assert_false(keyname_is_shared_class("Software\\X"));
}

static void test_keyname_view_words(void **state)
{
    enum view view = 0;
    struct error err = {0};

    (void)state;
    assert_int_equal(keyname_view("64", 0, &view, &err), 0);
    assert_int_equal(view, VIEW_64);
    assert_int_equal(keyname_view("32", 64, &view, &err), 0);
    assert_int_equal(view, VIEW_32);
    assert_int_equal(keyname_view("auto", 32, &view, &err), 0);
    assert_int_equal(view, VIEW_32);
    assert_int_equal(keyname_view("auto", 0, &view, &err), RESULT_USAGE);
    assert_non_null(strstr(err.text, "--view"));
    assert_int_equal(keyname_view("16", 64, &view, &err), RESULT_USAGE);
}

/* A registered key for comparisons. */
static struct registered_key make_key(const char *path, enum view view, uint32_t flags)
{
    return (struct registered_key){.id = 1, .view = view, .path = (char *)path, .flags = flags};
}

/* The relation of two keys, and of the same two the other way round. */
static void expect_relation(const char *a, enum view a_view, const char *b, enum view b_view,
                            int expected)
{
    struct registered_key x = make_key(a, a_view, 0), y = make_key(b, b_view, 0);
    int back = expected == KEY_ABOVE ? KEY_BELOW : expected == KEY_BELOW ? KEY_ABOVE : expected;

    assert_int_equal(keyname_relation(&x, &y), expected);
    assert_int_equal(keyname_relation(&y, &x), back);
}

static void test_keyname_relation_one_view(void **state)
{
    (void)state;
    expect_relation("Software\\A", 64, "software\\a", 64, KEYS_SAME);
    expect_relation("Software\\A", 64, "Software\\A\\B", 64, KEY_ABOVE);
    expect_relation("Software\\A", 64, "Software\\AB", 64, KEYS_APART);
    expect_relation("Software\\A", 64, "Software\\B", 64, KEYS_APART);
    expect_relation("Software\\\xc3\x84\\B", 64, "Software\\\xc3\xa4", 64, KEY_BELOW);
}

static void test_keyname_relation_across_views(void **state)
{
    (void)state;
    expect_relation("Software\\A", 64, "Software\\A", 32, KEYS_APART);
    expect_relation("Software\\Wow6432Node\\A", 64, "Software\\A", 32, KEYS_SAME);
    expect_relation("Software\\wow6432NODE\\A", 64, "Software\\A\\B", 32, KEY_ABOVE);
    expect_relation("Software", 64, "Software\\A", 32, KEY_ABOVE);
    expect_relation("Software", 32, "Software\\A", 64, KEYS_APART);
    expect_relation("System\\A", 64, "System\\A", 32, KEYS_SAME);
    expect_relation("Software\\Wow6432Node\\Classes\\X", 64, "Software\\Classes\\X", 32, KEYS_SAME);
    expect_relation("Software\\Classes", 64, "Software\\Classes\\X", 32, KEY_ABOVE);
}

static void test_keyname_is_broad_names(void **state)
{
    static const char *const broad[] = {
        "Software", "SYSTEM", "Hardware", "sam", "Security", "Software\\Microsoft",
        "Software\\Classes", "Software\\Wine", "Software\\Policies", "Software\\Wow6432Node",
        "Software\\Microsoft\\Windows", "Software\\Microsoft\\Windows\\CurrentVersion",
        "Software\\Microsoft\\Windows NT", "Software\\Microsoft\\Windows NT\\CurrentVersion",
        "System\\CurrentControlSet", "System\\CurrentControlSet\\Services",
        "System\\CurrentControlSet\\Control", "System\\CurrentControlSet\\Enum",
        "System\\CurrentControlSet\\Hardware Profiles", "Software\\Wow6432Node\\Microsoft",
        "Software\\Wow6432Node\\Classes"};
    static const char *const own[] = {"Software\\Vendor", "Software\\Microsoft\\App",
                                      "System\\CurrentControlSet\\Services\\X", "MyKey",
                                      "Software\\Wow6432Node\\Vendor", "Software\\Classes\\X.Y"};
    (void)state;
    for (size_t i = 0; i < sizeof(broad) / sizeof(broad[0]); i++)
        if (!keyname_is_broad(broad[i], VIEW_64) || !keyname_is_broad(broad[i], VIEW_32))
            fail_msg("\"%s\" is not broad", broad[i]);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (keyname_is_broad(own[i], VIEW_64) || keyname_is_broad(own[i], VIEW_32))
            fail_msg("\"%s\" is broad", own[i]);
    assert_true(keyname_is_broad("Software\\Classes\\Wow6432Node\\CLSID", VIEW_64));
}

static void test_keyname_check_broad(void **state)
{
    struct registered_key key = make_key("Software\\Microsoft", 64, 0);
    struct error err = {0};

    (void)state;
    assert_int_equal(keyname_check(&key, NULL, 0, NULL, &err), RESULT_USAGE);
    assert_non_null(strstr(err.text, "--broad"));
    key.flags = KEY_BROAD;
    assert_int_equal(keyname_check(&key, NULL, 0, NULL, &err), 0);
}

static void test_keyname_check_same(void **state)
{
    struct registered_key there = make_key("Software\\Wow6432Node\\App", 64, 0);
    struct registered_key key = make_key("Software\\app", 32, 0);
    struct error err = {0};

    (void)state;
    assert_int_equal(keyname_check(&key, &there, 1, NULL, &err), RESULT_EXISTS);
    assert_non_null(strstr(err.text, "Software\\app"));
    assert_non_null(strstr(err.text, "Software\\Wow6432Node\\App"));
    assert_int_equal(keyname_check(&key, &there, 1, "other", &err), RESULT_EXISTS);
    assert_non_null(strstr(err.text, "for other"));
    key = there;
    assert_int_equal(keyname_check(&key, &there, 1, NULL, &err), RESULT_EXISTS);
}

static void test_keyname_check_overlap(void **state)
{
    struct registered_key there[] = {make_key("Software\\Z", 64, 0),
                                     make_key("Software\\A\\B", 64, 0)};
    struct registered_key key = make_key("Software\\A", 64, 0);
    struct error err = {0};

    (void)state;
    assert_int_equal(keyname_check(&key, there, 2, "other", &err), RESULT_USAGE);
    assert_non_null(strstr(err.text, "holds the key \"Software\\A\\B\""));
    assert_non_null(strstr(err.text, "for other"));
    key = make_key("Software\\A\\B\\C", 64, 0);
    assert_int_equal(keyname_check(&key, there, 2, NULL, &err), RESULT_USAGE);
    assert_non_null(strstr(err.text, "lies in the key \"Software\\A\\B\""));
    key = make_key("Software\\A\\C", 64, 0);
    assert_int_equal(keyname_check(&key, there, 2, NULL, &err), 0);
}

/* Tells that a key exists if it is in a NULL-terminated list of "64:PATH". */
static bool exists_in(const char *path, enum view view, void *arg)
{
    const char *const *list = arg;
    char name[300];

    snprintf(name, sizeof(name), "%d:%s", view, path);
    for (; *list; list++)
        if (!strcmp(*list, name))
            return true;
    return false;
}

/* The guess holds a word. */
static void expect_guess(const char *path, const char *const *there, const char *word)
{
    char *guess = keyname_guess(path, VIEW_64, exists_in, (void *)there);

    assert_non_null(guess);
    if (!strstr(guess, word))
        fail_msg("the guess for \"%s\" does not say \"%s\": %s", path, word, guess);
    free(guess);
}

static void test_keyname_guess_reasons(void **state)
{
    static const char *const there[] = {"64:Software", "64:Software\\Vendor", "32:Software\\App",
                                        NULL};
    static const char *const none[] = {NULL};

    (void)state;
    expect_guess("Software\\App", there, "--view 32");
    expect_guess("SoftwareVendor\\App", there, "single quotes");
    expect_guess("Software\\Vendor\\App\\Deep", there,
                 "\"Software\\Vendor\" exists, but has no \"App\"");
    expect_guess("Software\\Vendor\\App", there, "has no \"App\"");
    expect_guess("Software\\Vendor\\App", none, "Not even");
    expect_guess("Nothing", none, "Not even");
}

static void test_keyname_is_service_names(void **state)
{
    (void)state;
    assert_true(keyname_is_service("System\\CurrentControlSet\\Services\\X"));
    assert_true(keyname_is_service("SYSTEM\\currentcontrolset\\services\\X Y"));
    assert_false(keyname_is_service("System\\CurrentControlSet\\Services"));
    assert_false(keyname_is_service("System\\CurrentControlSet\\Services\\X\\Parameters"));
    assert_false(keyname_is_service("Software\\X"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyname_clean_path),
        cmocka_unit_test(test_keyname_clean_root),
        cmocka_unit_test(test_keyname_clean_doubled_and_trailing),
        cmocka_unit_test(test_keyname_clean_empty),
        cmocka_unit_test(test_keyname_clean_leading_backslash),
        cmocka_unit_test(test_keyname_clean_other_root),
        cmocka_unit_test(test_keyname_clean_slash),
        cmocka_unit_test(test_keyname_clean_shell),
        cmocka_unit_test(test_keyname_clean_long_component),
        cmocka_unit_test(test_keyname_clean_invalid_utf8),
        cmocka_unit_test(test_keyname_physical_64),
        cmocka_unit_test(test_keyname_physical_32),
        cmocka_unit_test(test_keyname_physical_classes),
        cmocka_unit_test(test_keyname_physical_linked_classes),
        cmocka_unit_test(test_keyname_is_shared_class_names),
        cmocka_unit_test(test_keyname_view_words),
        cmocka_unit_test(test_keyname_relation_one_view),
        cmocka_unit_test(test_keyname_relation_across_views),
        cmocka_unit_test(test_keyname_is_broad_names),
        cmocka_unit_test(test_keyname_check_broad),
        cmocka_unit_test(test_keyname_check_same),
        cmocka_unit_test(test_keyname_check_overlap),
        cmocka_unit_test(test_keyname_guess_reasons),
        cmocka_unit_test(test_keyname_is_service_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
