/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * winereg.h against what NtSaveKey really wrote (fixtures/ntsavekey.reg), whole, cut at every byte
 * and with bytes changed, and against texts made to take long.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "random_image.h"
#include "winereg.h"

#define HEAD "WINE REGISTRY Version 2\n;; All keys relative to X\n"

/* The fixture: in FIXTURES if that is set, else beside this file. */
static const char *fixture_path(void)
{
    static char path[4096];
    const char *dir = getenv("FIXTURES"), *slash = strrchr(__FILE__, '/');

    if (dir)
        snprintf(path, sizeof(path), "%s/ntsavekey.reg", dir);
    else
        snprintf(path, sizeof(path), "%.*sfixtures/ntsavekey.reg",
                 slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__);
    return path;
}

static char *fixture;
static size_t fixture_len;

static int read_fixture(void **state)
{
    FILE *file = fopen(fixture_path(), "rb");

    (void)state;
    if (!file) {
        printf("cannot open %s: set FIXTURES to its folder\n", fixture_path());
        return -1;
    }
    fixture = malloc(1 << 20);
    fixture_len = fread(fixture, 1, 1 << 20, file);
    fclose(file);
    return fixture_len > 1000 ? 0 : -1;
}

static int free_fixture(void **state)
{
    (void)state;
    free(fixture);
    return 0;
}

/* The value must be this. */
static void check_value(struct image *image, struct utf16 path, struct utf16 name, uint32_t type,
                        const void *data, uint32_t size)
{
    const struct image_key *key = image_find_key(image, path);
    const struct image_value *value;

    assert_non_null(key);
    if (!(value = image_find_value(key, name)))
        fail_msg("no value %s", utf16_for_display(name));
    assert_true(utf16_equal(value->name, name));
    if (value->type != type || value->size_bytes != size || memcmp(value->data, data, size))
        fail_msg("value %s: type %u, %u bytes", utf16_for_display(name), value->type,
                 value->size_bytes);
}

#define CHECK(path, name, type, data, size) check_value(&image, U(path), U(name), type, data, size)

static void test_winereg_parse_fd_real_file(void **state)
{
    struct error err = { 0, "" };
    struct image image;
    uint16_t ascii[129];
    int fd = open(fixture_path(), O_RDONLY);

    (void)state;
    for (int i = 0; i < 129; i++)
        ascii[i] = i % 128;
    image_init(&image);
    if (winereg_parse_fd(fd, fixture_path(), &image, NULL, &err))
        fail_msg("%s", err.text);
    close(fd);
    assert_int_equal(image.key_count, 15);
    assert_int_equal(image.value_count, 52);
    CHECK("", "", 1, u"default", 16);
    CHECK("types", "sz none", 1, "", 0);
    CHECK("types", "sz open", 1, u"text", 8);
    CHECK("types", "sz odd", 1, "abc", 3);
    CHECK("types", "sz two nul", 1, u"a\0", 6);
    CHECK("types", "sz inner nul", 1, u"a\0" u"7b", 10);
    CHECK("types", "expand", 2, u"%SystemRoot%\\x", 30);
    CHECK("types", "expand open", 2, u"%p%", 6);
    CHECK("types", "binary", 3, "\0\1\2\xff", 4);
    CHECK("types", "binary none", 3, "", 0);
    CHECK("types", "dword", 4, "\1\2\3\4", 4);
    CHECK("types", "dword short", 4, "\1\2", 2);
    CHECK("types", "dword be", 5, "\1\2\3\4", 4);
    CHECK("types", "multi", 7, u"a\0b\0", 10);
    CHECK("types", "multi empty", 7, u"", 2);
    CHECK("types", "multi open", 7, u"a\0b", 8);
    CHECK("types", "qword", 11, "\1\2\3\4\5\6\7\10", 8);
    CHECK("types", "resource list", 8, "\1", 1);
    CHECK("types", "none", 0, "", 0);
    CHECK("types", "none data", 0, "x", 1);
    CHECK("types", "unknown", 0x12345, "xyz", 3);
    CHECK("types", "max", 0xffffffff, "z", 1);
    check_value(&image, U("names"), (struct utf16){ ascii, 128 }, 1, ascii, 256);
    check_value(&image, U("names"), U("all ascii"), 1, ascii + 1, 256);
    CHECK("names", "\"quoted\"=\\[x]@#;", 1, u"\"quoted\"=\\[x]", 28);
    CHECK("names", "line\nfeed\r\n", 1, u"line\nfeed\r\n", 24);
    CHECK("names", "\xe9" u"a\xe9" u"g\xd800\xdc00\xd800 \xdfff\xffff", 1,
          u"\xe9" u"a\xe9" u"g\xd800\xdc00\xd800 \xdfff\xffff", 22);
    CHECK("names", "\1" u"7\1" u"8\0" u"1\0" u"9", 1, u"\1" u"7\1" u"8\0" u"1\0" u"9", 18);
    CHECK("names", "\0", 1, u"nul", 8);
    CHECK("names", "twin", 1, u"1", 4);
    CHECK("names", "twin\0", 1, u"2", 4);
    assert_non_null(image_find_key(&image, U("names\\[key] \"x\"=#")));
    assert_non_null(image_find_key(&image, U("names\\\1" u"7\x7f")));
    assert_int_equal(image_find_key(&image, U("names\\\x44f\xe9" u"a"))->class.len, 0);
    assert_true(utf16_equal(image_find_key(&image, U("types"))->class, U("a \"class\" \x20ac")));
    assert_int_equal(image_find_key(&image, U("link"))->flags, KEY_FLAG_LINK);
    assert_null(image_find_key(&image, U("volatile")));
    CHECK("deep\\er\\est", "v", 4, "\3\0\0\0", 4);
    assert_true(utf16_equal(image_find_key(&image, U("MIXED CASE"))->name, U("mixed Case")));
    image_free(&image);
}

/* Copies the fixture as winereg_write would have it: no times, classes and architecture, NULs. */
static char *expected_text(void)
{
    char *out = calloc(1, fixture_len + 100), *line = fixture;
    bool second_twin = false;
    int number = 0;

    while (line < fixture + fixture_len) {
        char *end = strchr(line, '\n');
        size_t len = end - line;

        number++;
        if (*line == '[')
            for (; line[len - 1] != ']'; len--)
                ;
        if (number == 2)
            strcat(out, ";; All keys relative to \n");
        else if (!strncmp(line, "\"\"=", 3))
            strcat(strncat(strcat(out, "\"\\0\"="), line + 3, len - 3), "\n");
        else if (!strncmp(line, "\"twin\"=", 7) && second_twin)
            strcat(strncat(strcat(out, "\"twin\\0\"="), line + 7, len - 7), "\n");
        else if (strncmp(line, "#time=", 6) && strncmp(line, "#class=", 7) && number != 3 &&
                 number != 4)
            strcat(strncat(out, line, len), "\n");
        second_twin |= !strncmp(line, "\"twin\"=", 7);
        line = end + 1;
    }
    return out;
}

/* What is written for the picture of a real file is that file, folded lines and all. */
static void test_winereg_write_real_file_again(void **state)
{
    char *text, *want;
    struct image image;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    fixture[fixture_len] = 0;
    want = expected_text();
    image_init(&image);
    assert_int_equal(winereg_parse(fixture, fixture_len, &image, NULL, NULL), 0);
    assert_int_equal(winereg_write(&image, out), 0);
    fclose(out);
    assert_string_equal(text, want);
    image_free(&image);
    free(text);
    free(want);
}

/* Parses a copy that has nothing behind it; on an error the image must be empty. */
static int parse_copy(const char *text, size_t len, uint64_t *values)
{
    char *copy = malloc(len ? len : 1);
    struct error err = { 0, "" };
    struct image image;
    int result;

    memcpy(copy, text, len);
    image_init(&image);
    result = winereg_parse(copy, len, &image, NULL, &err);
    free(copy);
    *values = image.value_count;
    if (result) {
        assert_true(result == RESULT_INVALID || result == RESULT_FOREIGN);
        assert_int_equal(err.code, result);
        assert_true(err.text[0]);
        assert_null(image.root);
        assert_int_equal(image.key_count, 0);
    }
    image_free(&image);
    return result;
}

static void test_winereg_parse_cut_at_every_byte(void **state)
{
    uint64_t all, values, last = 0;
    size_t good = 0;

    (void)state;
    assert_int_equal(parse_copy(fixture, fixture_len, &all), 0);
    for (size_t len = 0; len < fixture_len; len++) {
        if (parse_copy(fixture, len, &values))
            continue;
        /* only whole lines, none of them an empty one, a time or data that goes on */
        good++;
        assert_true(values >= last && values <= all);
        assert_true(fixture[len - 1] == '\n' && fixture[len - 2] != '\n');
        assert_true(fixture[len - 2] != '\\');
        last = values;
    }
    assert_true(good > 30);
}

static void test_winereg_parse_changed_bytes(void **state)
{
    static const char set[] = "\0\n\r\t \"\\[]@=#,:x0fF(\x7f\x80\xff";
    unsigned first = random_seed();
    char *copy = malloc(fixture_len);
    unsigned refused = 0;

    (void)state;
    print_message("TEST_SEED=%u\n", first);
    for (unsigned n = 0; n < 3000; n++) {
        unsigned seed = first + n;
        uint64_t values;

        memcpy(copy, fixture, fixture_len);
        for (unsigned i = 1 + random_below(&seed, 3); i; i--) {
            size_t at = random_below(&seed, fixture_len);

            if (random_below(&seed, 2))
                copy[at] = set[random_below(&seed, sizeof(set) - 1)];
            else
                copy[at] ^= 1 << random_below(&seed, 8);
        }
        refused += !!parse_copy(copy, fixture_len, &values);
    }
    assert_true(refused > 1000 && refused < 3000);
    free(copy);
}

/* A text of many lines, which are right, made to cost much. */
static void check_quick(const char *first, const char *format, unsigned count, bool falling,
                        int want)
{
    char *text = malloc(strlen(HEAD) + 100 + (size_t)count * 32), *at = text;
    clock_t start;
    uint64_t values;

    at += sprintf(at, "%s%s", HEAD, first);
    for (unsigned i = 0; i < count; i++)
        at += sprintf(at, format, falling ? count - i : i);
    start = clock();
    assert_int_equal(parse_copy(text, at - text, &values), want);
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    free(text);
}

static void test_winereg_parse_unsorted_in_time(void **state)
{
    (void)state;
    check_quick("\n[]\n", "\"%08u\"=\"\"\n", 300000, false, 0);
    check_quick("\n[]\n", "\"%08u\"=\"\"\n", 300000, true, RESULT_INVALID);
    check_quick("", "\n[%08u]\n", 200000, false, 0);
    check_quick("", "\n[%08u]\n", 200000, true, RESULT_INVALID);
    check_quick("\n[]\n", "\"%08u\"=\"\"\n", 1000, true, 0); /* a few are no matter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winereg_parse_fd_real_file),
        cmocka_unit_test(test_winereg_write_real_file_again),
        cmocka_unit_test(test_winereg_parse_cut_at_every_byte),
        cmocka_unit_test(test_winereg_parse_changed_bytes),
        cmocka_unit_test(test_winereg_parse_unsorted_in_time),
    };

    return cmocka_run_group_tests(tests, read_fixture, free_fixture);
}
