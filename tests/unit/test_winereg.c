/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * winereg.h: what NtSaveKey writes is read exactly, anything else is refused, what is written is
 * read back.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "random_image.h"
#include "winereg.h"

#define HEAD "WINE REGISTRY Version 2\n;; All keys relative to REGISTRY\\\\Machine\\\\Software\n"
#define TIME " 1700000000\n#time=1da1700e1234567\n"

/* Parses a text that must be right. */
static void parse(const char *text, struct image *image)
{
    struct error err = { 0, "" };

    image_init(image);
    if (winereg_parse(text, strlen(text), image, NULL, &err))
        fail_msg("%s", err.text);
}

/* Parses a text that must be refused in one line. */
static void refuse_in(unsigned line, const char *text)
{
    struct error err = { 0, "" };
    struct image image;
    char want[32];

    image_init(&image);
    if (winereg_parse(text, strlen(text), &image, NULL, &err) != RESULT_INVALID)
        fail_msg("accepted: %s", text);
    assert_null(image.root);
    snprintf(want, sizeof(want), "line %u ", line);
    if (strncmp(err.text, want, strlen(want)))
        fail_msg("not %s: %s\n%s", want, err.text, text);
}

/* A text whose one value, in line 7, must be refused. */
static void refuse_value(const char *value)
{
    char text[1024];

    snprintf(text, sizeof(text), HEAD "\n[]" TIME "%s\n", value);
    refuse_in(6, text);
}

/* A text whose one value must be this. */
static void check_value(const char *value, struct utf16 name, uint32_t type, const void *data,
                        uint32_t size)
{
    struct image image;
    char text[1024];
    const struct image_value *got;

    snprintf(text, sizeof(text), HEAD "\n[]" TIME "%s\n", value);
    parse(text, &image);
    assert_int_equal(image.value_count, 1);
    got = &image.root->values[0];
    if (!utf16_equal(got->name, name) || got->type != type || got->size_bytes != size ||
        memcmp(got->data, data, size))
        fail_msg("read wrongly: %s", value);
    image_free(&image);
}

static void test_winereg_parse_header_only(void **state)
{
    struct image image;

    (void)state;
    parse(HEAD, &image);
    assert_non_null(image.root);
    assert_int_equal(image.key_count, 1);
    image_free(&image);
    parse(HEAD "\n#arch=win64\n", &image);
    assert_int_equal(image.value_count, 0);
    image_free(&image);
}

static void test_winereg_parse_foreign(void **state)
{
    static const char *const texts[] = { "", "\n", "REGEDIT4\n", "WINE REGISTRY Version 1\n",
                                         "WINE REGISTRY Vers", "WINE REGISTRY Version 2",
                                         "WINE REGISTRY Version 22\n" };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = { 0, "" };
        struct image image;

        image_init(&image);
        if (winereg_parse(texts[i], strlen(texts[i]), &image, NULL, &err) != RESULT_FOREIGN)
            fail_msg("row %zu: %s", i, err.text);
        assert_null(image.root);
    }
}

static void test_winereg_parse_types(void **state)
{
    static const uint16_t multi[] = { 'a', 0, 'b', 0, 0 };

    (void)state;
    check_value("\"s\"=\"x\"", U("s"), 1, u"x", 4);
    check_value("@=\"\"", U(""), 1, u"", 2);
    check_value("\"e\"=str(2):\"%p%\"", U("e"), 2, u"%p%", 8);
    check_value("\"m\"=str(7):\"a\\0b\\0\"", U("m"), 7, multi, 10);
    check_value("\"d\"=dword:0012abff", U("d"), 4, "\xff\xab\x12\0", 4);
    check_value("\"b\"=hex:", U("b"), 3, "", 0);
    check_value("\"b\"=hex:00,ff,7a", U("b"), 3, "\0\xff\x7a", 3);
    check_value("\"b\"=hex:01,\\\n  02,\\\n  03", U("b"), 3, "\1\2\3", 3);
    check_value("\"n\"=hex(0):", U("n"), 0, "", 0);
    check_value("\"q\"=hex(b):01,02,03,04,05,06,07,08", U("q"), 11, "\1\2\3\4\5\6\7\10", 8);
    check_value("\"u\"=hex(ffffffff):61", U("u"), 0xffffffff, "a", 1);
    check_value("\"s\"=hex(1):61,00", U("s"), 1, "a\0", 2);
    check_value("\"s\"=hex(1):61,00,00", U("s"), 1, "a\0\0", 3);
    check_value("\"d\"=hex(4):01,02,03", U("d"), 4, "\1\2\3", 3);
}

static void test_winereg_parse_escapes(void **state)
{
    static const uint16_t controls[] = { 1, 0, '7', 31, '8', 7, 8, 27, 12, 10, 13, 9, 11, 0 };
    static const uint16_t wide[] = { 0xe9, 'g', 0xe9, 'a', 0xd800, 0x20ac, '"', '\\', ']', 0x7f,
                                     0 };

    (void)state;
    check_value("\"v\"=\"\\1\\0007\\378\\a\\b\\e\\f\\n\\r\\t\\v\"", U("v"), 1, controls,
                sizeof(controls));
    check_value("\"v\"=\"\\xe9g\\x00e9a\\xd800\\x20ac\\\"\\\\]\x7f\"", U("v"), 1, wide,
                sizeof(wide));
    check_value("\"a\\\"=\\n\\\\@\"=\"\"", U("a\"=\n\\@"), 1, u"", 2);
}

static void test_winereg_parse_names_that_lost_their_nul(void **state)
{
    static const uint16_t with_nul[] = { 'a', 0 };
    struct image image;

    (void)state;
    check_value("\"\"=\"\"", (struct utf16){ with_nul + 1, 1 }, 1, u"", 2);
    parse(HEAD "\n[]" TIME "\"a\"=\"1\"\n\"a\"=\"2\"\n", &image);
    assert_int_equal(image.value_count, 2);
    assert_true(utf16_equal(image.root->values[1].name, (struct utf16){ with_nul, 2 }));
    image_free(&image);
    refuse_in(8, HEAD "\n[]" TIME "\"a\"=\"1\"\n\"a\"=\"2\"\n\"a\"=\"3\"\n");
    refuse_in(8, HEAD "\n[]" TIME "\"a\"=\"1\"\n\"b\"=\"2\"\n\"a\"=\"3\"\n");
    refuse_in(7, HEAD "\n[]" TIME "\"a\"=\"1\"\n\"A\"=\"2\"\n");
}

static void test_winereg_parse_keys(void **state)
{
    struct image image;
    struct image_key *key;

    (void)state;
    parse(HEAD "\n#arch=win64\n\n[a\\\\B \\[x\\]\\xe9]" TIME "#class=\"Cl\\\"s\"\n#link\n"
          "\"v\"=\"1\"\n\n[c]" TIME "\n[d]" TIME "#class=\"\"\n", &image);
    assert_int_equal(image.key_count, 5);
    key = image_find_key(&image, U("A\\b [X]\u00c9"));
    assert_non_null(key);
    assert_true(utf16_equal(key->name, U("B [x]\u00e9")));
    assert_true(utf16_equal(key->class, U("Cl\"s")));
    assert_int_equal(key->flags, KEY_FLAG_LINK);
    assert_int_equal(key->value_count, 1);
    assert_int_equal(image_find_key(&image, U("c"))->class.len, 0);
    assert_int_equal(image_find_key(&image, U("d"))->class.len, 0);
    image_free(&image);
}

static void test_winereg_parse_key_twice(void **state)
{
    struct image image;

    (void)state;
    /* the same content: the list of subkeys held one key twice */
    parse(HEAD "\n[b]" TIME "\"v\"=\"1\"\n\n[b\\\\c]" TIME "\n[b]" TIME
          "\"v\"=\"1\"\n\n[b\\\\c]" TIME,
          &image);
    assert_int_equal(image.key_count, 3);
    assert_int_equal(image.value_count, 1);
    image_free(&image);
    /* other content: another key, whose NUL was not written */
    refuse_in(10, HEAD "\n[b]" TIME "\"v\"=\"1\"\n\n[b]" TIME "\"v\"=\"2\"\n");
    refuse_in(9, HEAD "\n[b]" TIME "\"v\"=\"1\"\n\n[b]" TIME);
    refuse_in(9, HEAD "\n[b]" TIME "\n[b]" TIME "\"v\"=\"2\"\n");
    refuse_in(8, HEAD "\n[b\\\\c]" TIME "\n[b]" TIME);
    refuse_in(9, HEAD "\n[b]" TIME "\n[b]" TIME "#class=\"x\"\n");
    refuse_in(6, HEAD "\n[B\\\\c]\n\n[b\\\\d]\n");
}

static void test_winereg_parse_malformed_values(void **state)
{
    static const char *const values[] = {
        "x", "\"a\"", "\"a\"=", "\"a=\"x\"", "@\"x\"", "@ =\"x\"", "\"a\" =\"x\"", "\"a\"= \"x\"",
        "@=\"x", "@=\"x\" ", "@=\"x\\\"", "@=\"\\", "@=\"\\q\"", "@=\"\\]\"", "@=\"\\x\"",
        "@=\"\\x41\"", "@=\"\\xE9\"", "@=\"\\x0e9g\"", "@=\"\\x00e9g\"", "@=\"\\7\"", "@=\"\\40\"",
        "@=\"\\01\"", "@=\"\\0018\"", "@=\"\x01\"", "@=\"\t\"", "@=\"\xc3\xa9\"", "@=str:\"x\"",
        "@=str(1):\"x\"", "@=str(2):x", "@=dword:1", "@=dword:0000000G", "@=dword:0000000A",
        "@=dword:000000001", "@=hex:0", "@=hex:001", "@=hex:00,", "@=hex:00,0", "@=hex:00 ",
        "@=hex:00, 01", "@=hex:0A", "@=hex:\\", "@=hex:00,\\", "@=hex:00,\\\n  ",
        "@=hex:00,\\\n 01",
        "@=hex:00,\\ \n  01", "@=hex(3):00", "@=hex(4):01,00,00,00", "@=hex(1):00,00",
        "@=hex(0b):00",
        "@=hex():00", "@=hex(123456789):00", "@=hex(1:00", "@=hex(A):00", "#class=\"a\"x",
        "#class=\"", "#linkx", "#time=1da1700e1234567", "; comment", " @=\"x\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct error err = { 0, "" };
        struct image image;
        char text[512];

        snprintf(text, sizeof(text), HEAD "\n[]" TIME "%s\n", values[i]);
        image_init(&image);
        if (winereg_parse(text, strlen(text), &image, NULL, &err) != RESULT_INVALID)
            fail_msg("accepted: %s", values[i]);
        assert_null(image.root);
        assert_int_equal(strncmp(err.text, "line ", 5), 0);
    }
    refuse_value("@=\"\\q\"");
}

static void test_winereg_parse_malformed_lines(void **state)
{
    (void)state;
    refuse_in(2, "WINE REGISTRY Version 2\n\n");
    refuse_in(2, "WINE REGISTRY Version 2\n;; All keys relative to a]b\n");
    refuse_in(4, HEAD "\n#arch=win16\n");
    refuse_in(4, HEAD "\n#other\n");
    refuse_in(3, HEAD "\n");
    refuse_in(3, HEAD "[a]" TIME);
    refuse_in(4, HEAD "\n\n[a]" TIME);
    refuse_in(4, HEAD "\n[a\n");
    refuse_in(4, HEAD "\n[a] \n");
    refuse_in(4, HEAD "\n[a] x\n");
    refuse_in(4, HEAD "\n[a] 1\n");
    refuse_in(5, HEAD "\n[a] 1\n#time=1\n");
    refuse_in(5, HEAD "\n[a] 1\n#time=x23456789\n");
    refuse_in(6, HEAD "\n[a]" TIME "#link\x01\n");
    refuse_in(7, HEAD "\n[a]" TIME "#link\n#class=\"x\"\n");
    refuse_in(6, HEAD "\n[a]" TIME "\n");
}

/* What is read where somebody can be asked. */
static struct image_key *read_with_facts(const char *text, struct image *image, struct winereg_facts *facts,
                                         struct utf16 path)
{
    struct error err = { 0, "" };

    image_init(image);
    if (winereg_parse(text, strlen(text), image, facts, &err)) fail_msg("%s", err.text);
    return image_find_key(image, path);
}

/* Wine's server writes no name of a key that is named by one NUL. */
static void test_winereg_parse_key_without_a_name(void **state)
{
    static const uint16_t nul[] = { 0, '\\', 0, '\\', 'b' }, below[] = { 'a', '\\', 0, '\\', 'c' };
    struct winereg_facts facts;
    struct image_key *key;
    struct image image;

    (void)state;
    parse(HEAD "\n[a\\\\]" TIME "\"v\"=\"1\"\n\n[a\\\\\\\\c]" TIME "\n[\\\\\\\\b]" TIME, &image);
    assert_int_equal(image.key_count, 7);
    assert_non_null(key = image_find_key(&image, (struct utf16){ below, 3 }));
    assert_int_equal(key->value_count, 1);
    assert_non_null(image_find_key(&image, (struct utf16){ below, 5 }));
    assert_non_null(image_find_key(&image, (struct utf16){ nul, 5 }));
    image_free(&image);
    /* directly below the saved key it looks like that, which comes first where it comes */
    key = read_with_facts(HEAD "\n[]" TIME "\"v\"=\"1\"\n", &image, &facts, (struct utf16){ nul, 1 });
    assert_null(key);
    assert_true(facts.own_section && !facts.nul_section && !facts.doubts);
    assert_int_equal(image.root->value_count, 1);
    image_free(&image);
    key = read_with_facts(HEAD "\n[]" TIME "\"v\"=\"1\"\n\n[]" TIME "\"w\"=\"2\"\n", &image, &facts,
                          (struct utf16){ nul, 1 });
    assert_non_null(key);
    assert_true(facts.own_section && facts.nul_section && !facts.doubts);
    assert_int_equal(key->value_count, 1);
    assert_int_equal(image.root->value_count, 1);
    image_free(&image);
}

/* Keys whose names differ by a NUL at the end: that two are mixed is noted at one of them or below. */
static void test_winereg_parse_doubts(void **state)
{
    static const struct {
        const char *sections;
        enum winereg_doubt a, b; /* of the keys "a" and "a\b" */
    } rows[] = {
        { "\n[a]" TIME "\n[a\\\\b]" TIME, WINEREG_NO_DOUBT, WINEREG_NO_DOUBT },
        { "\n[a]" TIME "\n[a]" TIME "\n[a\\\\b]" TIME, WINEREG_TWICE, WINEREG_NO_DOUBT },
        { "\n[a]" TIME "\"v\"=\"1\"\n\n[a]" TIME "\"v\"=\"2\"\n\n[a\\\\b]" TIME, WINEREG_CONFLICT,
          WINEREG_NO_DOUBT },
        { "\n[a]" TIME "\"v\"=\"1\"\n\n[a\\\\b]" TIME "\n[a]" TIME, WINEREG_CONFLICT,
          WINEREG_NO_DOUBT },
        { "\n[a]" TIME "#class=\"1\"\n\n[a]" TIME "\n[a\\\\b]" TIME, WINEREG_CONFLICT, WINEREG_NO_DOUBT },
        { "\n[a\\\\b]" TIME "\n[a\\\\b]" TIME "#link\n", WINEREG_NO_DOUBT, WINEREG_CONFLICT },
        { "\n[a\\\\b]" TIME "\n[a\\\\B]" TIME, WINEREG_NO_DOUBT, WINEREG_CONFLICT },
        { "\n[a\\\\b]" TIME "\n[a]" TIME, WINEREG_CONFLICT, WINEREG_NO_DOUBT },
    };
    static const uint16_t path[] = { 'a', '\\', 'b' };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct winereg_facts facts;
        struct image_key *a, *b;
        struct image image;
        char text[1024];

        print_message("row %zu\n", i);
        snprintf(text, sizeof(text), "%s%s", HEAD, rows[i].sections);
        a = read_with_facts(text, &image, &facts, (struct utf16){ path, 1 });
        assert_non_null(b = image_find_key(&image, (struct utf16){ path, 3 }));
        assert_int_equal(a->doubt, rows[i].a);
        assert_int_equal(b->doubt, rows[i].b);
        assert_int_equal(facts.doubts, rows[i].a || rows[i].b);
        image_free(&image);
    }
}

static void test_winereg_parse_limits(void **state)
{
    static char text[2 * IMAGE_MAX_NAME_CHARS];
    struct error err;
    struct image image;
    int len;

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        image_init(&image);
        len = sprintf(text, HEAD "\n[%0*d]\n", IMAGE_MAX_KEY_NAME_CHARS + extra, 0);
        assert_int_equal(winereg_parse(text, len, &image, NULL, &err), extra ? RESULT_INVALID : 0);
        image_free(&image);
        len = sprintf(text, HEAD "\n[]\n\"%0*d\"=\"\"\n", IMAGE_MAX_NAME_CHARS + extra, 0);
        assert_int_equal(winereg_parse(text, len, &image, NULL, &err), extra ? RESULT_INVALID : 0);
        image_free(&image);
        len = sprintf(text, HEAD "\n[a");
        for (int i = 1; i < IMAGE_MAX_DEPTH + extra; i++)
            len += sprintf(text + len, "\\\\a");
        len += sprintf(text + len, "]\n");
        assert_int_equal(winereg_parse(text, len, &image, NULL, &err), extra ? RESULT_INVALID : 0);
        image_free(&image);
    }
}

static void test_winereg_parse_without_last_newline(void **state)
{
    struct error err = { 0, "" };
    struct image image;

    (void)state;
    image_init(&image);
    assert_int_equal(winereg_parse(HEAD "\n[a]\n@=\"x\"", strlen(HEAD) + 11, &image, NULL, &err),
                     RESULT_INVALID);
    assert_non_null(strstr(err.text, "newline"));
    assert_null(image.root);
}

static void test_winereg_parse_fd_reads_from_start(void **state)
{
    char path[] = "/tmp/test_winereg.XXXXXX";
    struct error err = { 0, "" };
    struct image image;
    int fd = mkstemp(path);

    (void)state;
    unlink(path);
    assert_int_equal(write(fd, HEAD "\n[a]\n", strlen(HEAD) + 5), strlen(HEAD) + 5);
    image_init(&image);
    assert_int_equal(winereg_parse_fd(fd, "f.reg", &image, NULL, &err), 0);
    assert_int_equal(image.key_count, 2);
    image_free(&image);
    assert_int_equal(pwrite(fd, "x", 1, strlen(HEAD)), 1);
    assert_int_equal(winereg_parse_fd(fd, "f.reg", &image, NULL, &err), RESULT_INVALID);
    assert_int_equal(strncmp(err.text, "f.reg: line 3 ", 14), 0);
    assert_null(image.root);
    close(fd);
    assert_int_equal(winereg_parse_fd(fd, "f.reg", &image, NULL, &err), EBADF);
    assert_non_null(strstr(err.text, "f.reg"));
}

static void test_winereg_file_arch_lines(void **state)
{
    static const struct { const char *text; int arch; } rows[] = {
        { HEAD "\n#arch=win64\n\n[a]\n", 64 }, { HEAD "\n#arch=win32\n", 32 },
        { HEAD "\n[a]\n", 0 },
        { HEAD "\n[a]\n#arch=win64\n", 0 }, { "", 0 }, { "#arch=win64", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[] = "/tmp/test_winereg.XXXXXX";
        int fd = mkstemp(path);

        assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
        close(fd);
        assert_int_equal(winereg_file_arch(path), rows[i].arch);
        unlink(path);
        errno = 0;
        assert_int_equal(winereg_file_arch(path), -1);
        assert_int_equal(errno, ENOENT);
    }
    assert_int_equal(winereg_file_arch("/"), -1);
    assert_int_equal(errno, EISDIR);
}

/* Writes an image to memory; the caller frees. */
static char *write_image(const struct image *image, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    assert_int_equal(winereg_write(image, out), 0);
    fclose(out);
    return text;
}

static void test_winereg_write_exact_text(void **state)
{
    struct image image;
    struct image_key *key;
    char *text;
    size_t len;

    (void)state;
    image_init(&image);
    image_add_key(&image, NULL, U(""));
    key = image_add_key(&image, image_add_key(&image, image.root, U("k[1]")), U("\u00e9a"));
    image_set_class(&image, key, U("left out"));
    image_set_value(&image, key, U(""), 1, u"a\xe9" "b\"", 10);
    image_set_value(&image, key, U("n\0"), 1, u"a", 2);
    image_set_value(&image, key, U("w"), 4, "\1\2\3\4", 4);
    image_add_key(&image, image_add_key(&image, image.root, U("\0x")), U("left out too"));
    key = image_add_key(&image, image.root, U("l"));
    key->flags = KEY_FLAG_LINK;
    image_set_value(&image, key, U("SymbolicLinkValue"), 6, u"x", 2);
    text = write_image(&image, &len);
    assert_string_equal(text, "WINE REGISTRY Version 2\n;; All keys relative to \n\n[]\n"
                              "\n[k\\[1\\]\\\\\\x00e9a]\n@=\"a\\x00e9b\\\"\"\n"
                              "\"n\\0\"=hex(1):61,00\n"
                              "\"w\"=dword:04030201\n"
                              "\n[l]\n#link\n\"SymbolicLinkValue\"=hex(6):78,00\n");
    free(text);
    image_free(&image);
}

static void test_winereg_write_then_parse_random(void **state)
{
    unsigned first = random_seed();

    (void)state;
    for (unsigned n = 0; n < 300; n++) {
        unsigned seed = first + n;
        struct image image, back;
        struct error err;
        size_t len;
        char *text;

        random_image(&seed, &image, NO_CLASSES | NO_NUL_FIRST);
        text = write_image(&image, &len);
        image_init(&back);
        if (winereg_parse(text, len, &back, NULL, &err))
            fail_msg("TEST_SEED=%u: %s", first + n, err.text);
        if (!image_equal(&image, &back) || !image_equal(&back, &image))
            fail_msg("TEST_SEED=%u: not equal\n%s", first + n, text);
        assert_int_equal(image.data_bytes, back.data_bytes);
        image_free(&image);
        image_free(&back);
        free(text);
    }
}

/* Strings and data longer than every buffer, with lone surrogates where buffers end. */
static void test_winereg_write_then_parse_large_data(void **state)
{
    const uint32_t count = 3 << 20;
    uint16_t *units = malloc(count * 2);
    struct image image, back;
    struct error err;
    unsigned seed = 5;
    size_t len;
    char *text;

    (void)state;
    for (uint32_t i = 0; i < count - 1; i++)
        units[i] = i % 3 ? 'a' + random_below(&seed, 6) : 0xd7f0 + random_below(&seed, 32);
    units[count - 1] = 0;
    image_init(&image);
    image_add_key(&image, NULL, U(""));
    image_set_value(&image, image.root, U("a"), 1, units, count * 2);
    image_set_value(&image, image.root, U("b"), 1, units, count * 2 - 1);
    image_set_value(&image, image.root, (struct utf16){ units, IMAGE_MAX_NAME_CHARS }, 3, units,
                    100);
    text = write_image(&image, &len);
    image_init(&back);
    assert_int_equal(winereg_parse(text, len, &back, NULL, &err), 0);
    assert_true(image_equal(&image, &back));
    image_free(&image);
    image_free(&back);
    free(text);
    free(units);
}

static void test_winereg_write_full_stream(void **state)
{
    struct image image;
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    image_init(&image);
    image_add_key(&image, NULL, U(""));
    assert_int_equal(winereg_write(&image, full), ENOSPC);
    image_free(&image);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winereg_parse_header_only),
        cmocka_unit_test(test_winereg_parse_foreign),
        cmocka_unit_test(test_winereg_parse_types),
        cmocka_unit_test(test_winereg_parse_escapes),
        cmocka_unit_test(test_winereg_parse_names_that_lost_their_nul),
        cmocka_unit_test(test_winereg_parse_keys),
        cmocka_unit_test(test_winereg_parse_key_twice),
        cmocka_unit_test(test_winereg_parse_malformed_values),
        cmocka_unit_test(test_winereg_parse_malformed_lines),
        cmocka_unit_test(test_winereg_parse_key_without_a_name),
        cmocka_unit_test(test_winereg_parse_doubts),
        cmocka_unit_test(test_winereg_parse_limits),
        cmocka_unit_test(test_winereg_parse_without_last_newline),
        cmocka_unit_test(test_winereg_parse_fd_reads_from_start),
        cmocka_unit_test(test_winereg_file_arch_lines),
        cmocka_unit_test(test_winereg_write_exact_text),
        cmocka_unit_test(test_winereg_write_then_parse_random),
        cmocka_unit_test(test_winereg_write_then_parse_large_data),
        cmocka_unit_test(test_winereg_write_full_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
