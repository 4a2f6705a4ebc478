/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regfile.h against files that are cut, changed, wrong, or made to take long.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "regfile_image.h"

#define HEAD REGFILE_HEADER_5 "\n[HKEY_LOCAL_MACHINE\\Software\\Tree]\n"

/* The text must be refused with this code and these words. */
static void check_refused(const char *text, size_t len, int code, const char *words)
{
    struct error err = {0};
    struct image image;
    int result;

    image_init(&image);
    result = read_regfile(text, len, &image, &err);
    if (result != code || err.code != code)
        fail_msg("result %d in place of %d of %s", result, code, text);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" has not \"%s\"", err.text, words);
    image_free(&image);
}

static void test_regfile_read_other_file_is_foreign(void **state)
{
    static const char *const texts[] = {
        "", "\n", "REGEDIT5\n", "AREGEDIT4\n", "REGEDIT4FOO\n", "\nREGEDIT4\n", "\xff\xfe",
        "\177ELF", "Windows Registry Editor Version 5.00 FOO\n", "WINE REGISTRY Version 2\n",
        "\xff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_refused(texts[i], strlen(texts[i]), RESULT_FOREIGN, "first line");
}

static void test_regfile_read_malformed_line_is_named(void **state)
{
    static const char *const lines[] = {
        "rubbish", "[HKEY_LOCAL_MACHINE\\Software\\Tree", "[]", "[-]", "[ HKLM]",
        "[HKEY_LOCAL_MACHINE\\Software\\Tree] x", "\"a", "\"a\"", "\"a\"x=\"\"", "@", "@x", "@=",
        "@=x", "@=\"x", "@=\"x\" y", "@=\"\\x\"", "@=\"\\0\"", "@=\"\\", "@=dword:",
        "@=dword:123456789", "@=dword:g", "@=dword:1 2", "@=hex", "@=hex:1,,2", "@=hex:,",
        "@=hex:123", "@=hex:1 2",
        "@=hex:1\\", "@=hex:1,\\", "@=hex:1,\\x", "@=hex(:1", "@=hex():1", "@=hex(0x1):1",
        "@=hex(123456789):1", "@=hex(1)1", "@=hex:zz", "@=- x", "@=-x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[200];

        snprintf(text, sizeof(text), HEAD "@=\"\"\n%s", lines[i]);
        check_refused(text, strlen(text), RESULT_INVALID, "Line 4 ");
    }
}

static void test_regfile_read_value_without_key_is_refused(void **state)
{
    static const char before[] = "REGEDIT4\n@=\"x\"\n";
    static const char deleted[] = "REGEDIT4\n[-HKEY_LOCAL_MACHINE\\Software\\Tree]\n@=\"x\"\n";

    (void)state;
    check_refused(before, sizeof(before) - 1, RESULT_INVALID, "Line 2 ");
    check_refused(deleted, sizeof(deleted) - 1, RESULT_INVALID, "Line 3 ");
}

static void test_regfile_read_wrong_encoding_is_refused(void **state)
{
    static const char bad[] = HEAD "@=\"\xe4\"\n", nul[] = "REGEDIT4\n\n;\0\n";
    static const char odd[] = "\xff\xfe" "a";
    static const char nul16[] = "\xff\xfe" "R\0E\0G\0E\0D\0I\0T\0" "4\0\n\0\0\0";

    (void)state;
    check_refused(bad, sizeof(bad) - 1, RESULT_INVALID, "UTF-8");
    check_refused(nul, sizeof(nul) - 1, RESULT_INVALID, "Line 3 ");
    check_refused(nul16, sizeof(nul16) - 1, RESULT_INVALID, "Line 2 ");
    check_refused(odd, sizeof(odd) - 1, RESULT_INVALID, "not whole");
}

static void test_regfile_read_long_name_is_refused(void **state)
{
    size_t len = sizeof(HEAD) + IMAGE_MAX_NAME_CHARS + 10;
    char *text = malloc(len);
    int head;

    (void)state;
    assert_non_null(text);
    head = snprintf(text, len, HEAD "\"");
    memset(text + head, 'a', IMAGE_MAX_NAME_CHARS + 1);
    strcpy(text + head + IMAGE_MAX_NAME_CHARS + 1, "\"=-");
    check_refused(text, strlen(text), RESULT_INVALID, "Line 3 ");
    free(text);
}

/* A file of a random image in one exact block, so that a read beyond it shows. */
static char *random_file(unsigned *seed, size_t *len)
{
    struct image image;
    struct error err;
    char *bytes = NULL;

    random_image(seed, &image, 0);
    assert_int_equal(write_regfile(&image, true, NULL, NULL, &bytes, len, &err), 0);
    image_free(&image);
    return bytes;
}

/* Reads a copy of exactly this size; the result may be anything that is said. */
static void read_exactly(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    struct error err = {0};
    struct image image;
    int result;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    image_init(&image);
    result = read_regfile(copy, len, &image, &err);
    if (result && result != RESULT_NOT_FOUND && result != EINVAL &&
        (err.code != result || !*err.text))
        fail_msg("result %d, error %d: %s", result, err.code, err.text);
    image_free(&image);
    free(copy);
}

static void test_regfile_read_cut_at_every_byte(void **state)
{
    unsigned seed = random_seed();
    size_t len;
    char *bytes;

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    bytes = random_file(&seed, &len);
    for (size_t i = 0; i <= len; i++)
        read_exactly(bytes, i);
    free(bytes);
}

static void test_regfile_read_cut_within_hex_is_refused(void **state)
{
    static const char text[] = HEAD "@=hex:01,02,\\\n  03,04,\\\n  05\n";
    const char *at = text;

    (void)state;
    while ((at = strstr(at, "\\\n"))) {
        check_refused(text, (size_t)(at - text) + 1, RESULT_INVALID, "not whole");
        check_refused(text, (size_t)(at - text) + 2, RESULT_INVALID, "not whole");
        check_refused(text, (size_t)(at - text) + 4, RESULT_INVALID, "not whole");
        at += 2;
    }
}

static void test_regfile_read_random_mutations(void **state)
{
    static const char marks[] = "\"\\[]-=:;,@()\r\n hexdword0f\xff";
    unsigned seed = random_seed();

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    for (unsigned i = 0; i < 2000; i++) {
        size_t len;
        char *bytes = random_file(&seed, &len);

        for (unsigned n = 1 + random_below(&seed, 4); n; n--) {
            size_t at = random_below(&seed, (unsigned)len);

            if (random_below(&seed, 4))
                bytes[at & ~(size_t)1] = marks[random_below(&seed, sizeof(marks))];
            else
                bytes[at] = (char)random_below(&seed, 256);
        }
        read_exactly(bytes, len);
        free(bytes);
    }
}

/* Counts statements. */
static int count_entry(const struct regfile_entry *e, void *arg)
{
    (void)e;
    ++*(unsigned *)arg;
    return 0;
}

static void test_regfile_read_many_lines_take_linear_time(void **state)
{
    const unsigned lines = 400000;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct error err;
    unsigned count = 0;
    clock_t begun;

    (void)state;
    fputs(HEAD "\"a\"=hex:", out);
    for (unsigned i = 0; i < lines; i++)
        fputs("00,\\\n;\n\n", out);
    fputs("00\n", out);
    for (unsigned i = 0; i < lines; i++)
        fputs("@=\"\n\"\n", out);
    fclose(out);
    begun = clock();
    assert_int_equal(regfile_read((uint8_t *)text, len, count_entry, &count, &err), 0);
    assert_int_equal(count, lines + 2);
    assert_true(clock() - begun < 20 * CLOCKS_PER_SEC); /* about 0.05 s; quadratic would be hours */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regfile_read_other_file_is_foreign),
        cmocka_unit_test(test_regfile_read_malformed_line_is_named),
        cmocka_unit_test(test_regfile_read_value_without_key_is_refused),
        cmocka_unit_test(test_regfile_read_wrong_encoding_is_refused),
        cmocka_unit_test(test_regfile_read_long_name_is_refused),
        cmocka_unit_test(test_regfile_read_cut_at_every_byte),
        cmocka_unit_test(test_regfile_read_cut_within_hex_is_refused),
        cmocka_unit_test(test_regfile_read_random_mutations),
        cmocka_unit_test(test_regfile_read_many_lines_take_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
