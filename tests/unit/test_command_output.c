/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the command prints with: the JSON writer, tables, values as text, guesses of words; and what
 * it says of a resource that is online.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "keytext.h"
#include "statusread.h"
#include "table.h"
#include "words.h"

/* The text of one JSON string value. */
static void expect_json_text(const char *text, const char *expected)
{
    char *memory = NULL, wanted[200];
    struct json j;
    size_t size;
    FILE *out = open_memstream(&memory, &size);

    json_begin(&j, out);
    json_text(&j, NULL, text);
    json_end(&j);
    fclose(out);
    snprintf(wanted, sizeof(wanted), "\"%s\"\n", expected);
    assert_string_equal(memory, wanted);
    free(memory);
}

static void test_json_text_escapes(void **state)
{
    (void)state;
    expect_json_text("plain", "plain");
    expect_json_text("a\"b\\c\n\t\x01\x7f", "a\\\"b\\\\c\\n\\t\\u0001\\u007f");
    expect_json_text("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\\u00e4 \\u20ac \\ud83d\\ude00");
}

static void test_json_text_surrogate_and_nul(void **state)
{
    (void)state;
    expect_json_text("\xed\xa0\x80x", "\\ud800x");
    expect_json_text("a\xc0\x80z", "a\\u0000z");
}

static void test_json_text_invalid_bytes(void **state)
{
    (void)state;
    expect_json_text("\xff", "\\ufffd");
    expect_json_text("\xc3", "\\ufffd");
    expect_json_text("\xe2\x82", "\\ufffd\\ufffd");
    expect_json_text("\xc0\xafx", "\\ufffd\\ufffdx");
    expect_json_text("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
}

static void test_json_nesting(void **state)
{
    char *memory = NULL;
    struct json j;
    size_t size;
    FILE *out = open_memstream(&memory, &size);

    (void)state;
    json_begin(&j, out);
    json_open_object(&j, NULL);
    json_open_array(&j, "a");
    json_number(&j, NULL, UINT64_MAX);
    json_null(&j, NULL);
    json_close_array(&j);
    json_open_object(&j, "o");
    json_close_object(&j);
    json_hex(&j, "h", "\x01\xfe", 2);
    json_bool(&j, "b", false);
    json_close_object(&j);
    json_end(&j);
    fclose(out);
    assert_string_equal(memory, "{\n  \"a\": [\n    18446744073709551615,\n    null\n  ],\n  "
                                "\"o\": {},\n"
                                "  \"h\": \"01fe\",\n  \"b\": false\n}\n");
    free(memory);
}

static void test_json_drop_writes_nothing(void **state)
{
    char *memory = NULL;
    struct json j;
    size_t size;
    FILE *out = open_memstream(&memory, &size);

    (void)state;
    json_begin(&j, out);
    json_open_object(&j, NULL);
    json_drop(&j);
    fclose(out);
    assert_int_equal(size, 0);
    free(memory);
}

static void test_table_print_aligned(void **state)
{
    static const char *const headings[] = {"NAME", "N", "LAST"};
    char *memory = NULL;
    struct table t;
    size_t size;
    FILE *out = open_memstream(&memory, &size);

    (void)state;
    table_begin(&t, 3, headings);
    table_cell(&t, "M\xc3\xbcller");
    table_cell(&t, "%d", 12345);
    table_cell(&t, "x");
    table_print(&t, out, "> ");
    table_free(&t);
    fclose(out);
    assert_string_equal(memory, "> NAME    N      LAST\n> M\xc3\xbcller  12345  x\n");
    free(memory);
}

/* A value's data as text. */
static void expect_shown(uint32_t type, const void *data, uint32_t size, const char *expected)
{
    char *text = value_data_text(type, data, size);

    assert_string_equal(text, expected);
    free(text);
}

static void test_value_data_text_types(void **state)
{
    static const uint16_t text[] = {'a', 0xe4, 0};
    static const uint16_t multi[] = {'a', 0, 'b', 'c', 0, 0};

    (void)state;
    expect_shown(1, text, 6, "a\xc3\xa4");
    expect_shown(1, text, 4, "a\xc3\xa4");
    expect_shown(1, NULL, 0, "");
    expect_shown(4, "\x2a\0\0\0", 4, "0x2a");
    expect_shown(5, "\0\0\0\x2a", 4, "0x2a");
    expect_shown(11, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "0xffffffffffffffff");
    expect_shown(3, "\x01\xab", 2, "01AB");
    expect_shown(7, multi, 12, "a\\0bc");
    expect_shown(7, "\0\0", 2, "");
}

static void test_value_data_text_wrong_sizes(void **state)
{
    (void)state;
    expect_shown(4, "\x2a\0", 2, "2A00");
    expect_shown(1, "a\0b", 3, "610062");
    expect_shown(11, "\1\2\3\4", 4, "01020304");
    expect_shown(77, "\1", 1, "01");
}

static void test_nearest_word_slips(void **state)
{
    static const char *const words[] = {"status", "set", "save", "show"};

    (void)state;
    assert_string_equal(nearest_word("statsu", words, 4), "status");
    assert_string_equal(nearest_word("shwo", words, 4), "show");
    assert_string_equal(nearest_word("sve", words, 4), "save");
    assert_null(nearest_word("frobnicate", words, 4));
    assert_null(nearest_word("x", words, 0));
}

/* A resource that is online here, captured by SOURCE. */
static struct resource_status online_by(const char *source)
{
    return (struct resource_status){
        .have_monitor = true,
        .monitor = {.phase = PHASE_ONLINE, .node = (char *)"a", .source = (char *)source},
    };
}

static void expect_verdict(const struct resource_status *s, const char *expected)
{
    int code = -1;
    char *verdict = status_verdict(s, &code);

    assert_string_equal(verdict, expected);
    assert_int_equal(code, 0);
    assert_string_equal(status_word(s), "online");
    free(verdict);
}

static void test_status_verdict_hook(void **state)
{
    struct resource_status s = online_by("hook");

    (void)state;
    expect_verdict(&s, "ONLINE on node a, protected");
    s.monitor.lag_us = 51100;
    expect_verdict(&s, "ONLINE on node a, protected, lag 52 ms");
}

static void test_status_verdict_watch_alone(void **state)
{
    struct resource_status s = online_by("watch");

    (void)state;
    expect_verdict(&s, "ONLINE on node a, protected within a second (the watch alone, no hook)");
}

static void expect_capture(const struct monitor_status *m, const char *expected)
{
    char *capture = status_capture(m);

    assert_string_equal(capture, expected);
    free(capture);
}

static void test_status_capture_hook(void **state)
{
    struct resource_status s = online_by("hook");

    (void)state;
    s.monitor.hooked = 1;
    expect_capture(&s.monitor, "hook, 1 process");
    s.monitor.hooked = 2;
    s.monitor.unhooked = 1;
    expect_capture(&s.monitor, "hook, 2 processes; 1 could not be hooked (watch)");
}

static void test_status_capture_server(void **state)
{
    struct resource_status s = online_by("server");

    (void)state;
    expect_verdict(&s, "ONLINE on node a, protected");
    s.monitor.hooked = 1;
    expect_capture(&s.monitor, "wineserver, every process's changes; 1 of them waits for lag 0 and flushes (hook)");
    s.monitor.hooked = 0;
    s.monitor.unhooked = 1;
    expect_capture(&s.monitor, "wineserver, every process's changes; 0 of them wait for lag 0 and flushes "
                               "(hook); 1 could not be hooked");
}

static void test_status_capture_watch_alone(void **state)
{
    struct resource_status s = online_by("watch");

    (void)state;
    s.monitor.unhooked = 1; /* why the watch is alone: not said again */
    expect_capture(&s.monitor, "watch alone, without the hook: changes are seen within a second");
    s.monitor.source = NULL;
    expect_capture(&s.monitor, "watch alone, without the hook: changes are seen within a second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_text_escapes),
        cmocka_unit_test(test_json_text_surrogate_and_nul),
        cmocka_unit_test(test_json_text_invalid_bytes),
        cmocka_unit_test(test_json_nesting),
        cmocka_unit_test(test_json_drop_writes_nothing),
        cmocka_unit_test(test_table_print_aligned),
        cmocka_unit_test(test_value_data_text_types),
        cmocka_unit_test(test_value_data_text_wrong_sizes),
        cmocka_unit_test(test_nearest_word_slips),
        cmocka_unit_test(test_status_verdict_hook),
        cmocka_unit_test(test_status_capture_server),
        cmocka_unit_test(test_status_verdict_watch_alone),
        cmocka_unit_test(test_status_capture_hook),
        cmocka_unit_test(test_status_capture_watch_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
