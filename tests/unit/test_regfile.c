/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regfile.h: what is written, to the byte; what is read, form by form; and that random images come
 * back as they were, less what a .reg file cannot say.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "regfile_image.h"

#define HEAD REGFILE_HEADER_5 "\r\n\r\n[HKEY_LOCAL_MACHINE\\Software\\Tree]\r\n"

/* The file as UTF-8, without its mark; the caller frees. */
static char *written(const struct image *image, bool leave_out)
{
    struct error err = {0};
    char *bytes = NULL, *text;
    size_t len = 0;

    if (write_regfile(image, leave_out, NULL, NULL, &bytes, &len, &err))
        fail_msg("%s", err.text);
    assert_true(len > 2 && len % 2 == 0 && !memcmp(bytes, "\xff\xfe", 2));
    text = utf16_to_utf8((struct utf16){(uint16_t *)bytes + 1, len / 2 - 1}, false, NULL);
    free(bytes);
    return text;
}

/* Sets a value of an image's own key. */
static void set(struct image *image, struct utf16 name, uint32_t type, const void *data,
                uint32_t size)
{
    struct image_key *key = image_add_key(image, NULL, U(""));

    assert_int_equal(image_set_value(image, key, name, type, data, size), 0);
}

/* The image must be written as this, behind the head. */
static void check_written(struct image *image, const char *expected)
{
    char *text = written(image, true), *all = NULL;

    assert_true(asprintf(&all, HEAD "%s\r\n", expected) > 0);
    assert_string_equal(text, all);
    free(text);
    free(all);
    image_free(image);
}

static void test_regfile_write_string(void **state)
{
    struct image image;

    (void)state;
    image_init(&image);
    set(&image, U(""), 1, u"default", 16);
    set(&image, U("a\"b\\c\r\n"), 1, u"C:\\x \"y\"\t", 20);
    set(&image, U("empty"), 1, u"", 2);
    set(&image, U("lines"), 1, u"a\nb", 8);
    set(&image, U("nothing"), 1, "", 0);
    check_written(&image, "@=\"default\"\r\n"
                          "\"a\\\"b\\\\c\\r\\n\"=\"C:\\\\x \\\"y\\\"\t\"\r\n"
                          "\"empty\"=\"\"\r\n"
                          "\"lines\"=hex(1):61,00,0a,00,62,00,00,00\r\n"
                          "\"nothing\"=hex(1):\r\n");
}

static void test_regfile_write_numbers_and_bytes(void **state)
{
    struct image image;

    (void)state;
    image_init(&image);
    set(&image, U("a"), 4, "\x2a\0\0\x80", 4);
    set(&image, U("b"), 4, "\x2a\0", 2);
    set(&image, U("c"), 3, "\x01\xff", 2);
    set(&image, U("d"), 0xffffffff, "", 0);
    set(&image, U("e"), 11, "\1\2\3\4\5\6\7\x08", 8);
    check_written(&image, "\"a\"=dword:8000002a\r\n\"b\"=hex(4):2a,00\r\n\"c\"=hex:01,ff\r\n"
                          "\"d\"=hex(ffffffff):\r\n\"e\"=hex(b):01,02,03,04,05,06,07,08\r\n");
}

static void test_regfile_write_long_bytes_go_on_in_lines_of_80(void **state)
{
    uint8_t data[60] = {0};
    struct image image;
    char *text, *line;

    (void)state;
    image_init(&image);
    set(&image, U("v"), 3, data, sizeof(data));
    text = written(&image, false);
    line = strstr(text, "\"v\"=");
    assert_non_null(line);
    assert_int_equal(strcspn(line, "\r"), 78);
    assert_memory_equal(line + 76, ",\\\r\n  00,", 9);
    for (line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\r") <= 80);
    free(text);
    image_free(&image);
}

/* Counts what a writer remarks. */
static void count_remark(const char *sentence, void *arg)
{
    (void)sentence;
    ++*(unsigned *)arg;
}

static void test_regfile_write_class_and_link_are_remarked(void **state)
{
    struct image image;
    struct image_key *root, *link;
    unsigned remarks = 0;
    struct error err;
    char *bytes = NULL, *text;
    size_t len;

    (void)state;
    image_init(&image);
    root = image_add_key(&image, NULL, U(""));
    image_set_class(&image, root, U("Kind"));
    link = image_add_key(&image, root, U("Link"));
    link->flags = KEY_FLAG_LINK;
    image_set_value(&image, link, U("SymbolicLinkValue"), 6, u"\\Registry", 18);
    assert_int_equal(write_regfile(&image, false, count_remark, &remarks, &bytes, &len, &err), 0);
    assert_int_equal(remarks, 2);
    free(bytes);
    text = written(&image, false);
    assert_non_null(strstr(text, "; HKEY_LOCAL_MACHINE\\Software\\Tree: its class \"Kind\""));
    assert_non_null(strstr(text, "; HKEY_LOCAL_MACHINE\\Software\\Tree\\Link: left out"));
    assert_null(strstr(text, "SymbolicLinkValue"));
    free(text);
    image_free(&image);
}

/* What cannot be in a file is refused by its name, or left out of what is written to `text`. */
static void check_refused(struct image *image, const char *name, const char *text)
{
    struct error err = {0};
    char *bytes = NULL, *less;
    size_t len;

    assert_int_equal(write_regfile(image, false, NULL, NULL, &bytes, &len, &err), RESULT_INVALID);
    assert_non_null(strstr(err.text, name));
    free(bytes);
    less = written(image, true);
    assert_non_null(strstr(less, "left out"));
    assert_null(strstr(less, text));
    free(less);
    image_free(image);
}

static void test_regfile_write_name_with_nul_is_refused_by_name(void **state)
{
    struct image image;

    (void)state;
    image_init(&image);
    set(&image, U("bad\0name"), 1, u"", 2);
    check_refused(&image, "bad\\x0000name", "=\"\"");
}

static void test_regfile_write_key_with_line_break_is_refused(void **state)
{
    struct image image;

    (void)state;
    image_init(&image);
    image_add_key(&image, image_add_key(&image, NULL, U("")), U("a\nb"));
    check_refused(&image, "a\\x000ab", "\nb]");
}

static void test_regfile_write_text_of_one_byte_is_refused(void **state)
{
    struct image image;
    char *text;

    (void)state;
    image_init(&image);
    set(&image, U("half"), 7, u"x", 1);
    check_refused(&image, "The value \"half\"", "hex(7)");
    image_init(&image);
    set(&image, U("bytes"), 3, u"x", 1);
    set(&image, U("more"), 1, u"xy", 3);
    text = written(&image, false);
    assert_non_null(strstr(text, "\"bytes\"=hex:78\r\n"));
    assert_non_null(strstr(text, "\"more\"=hex(1):78,00,79\r\n"));
    free(text);
    image_free(&image);
}

static void test_regfile_write_full_device_is_an_error(void **state)
{
    struct regfile_writer *w = malloc(sizeof(*w));
    FILE *full = fopen("/dev/full", "w");
    struct error err = {0};

    (void)state;
    assert_non_null(w);
    assert_non_null(full);
    regfile_write_begin(w, full, false);
    assert_int_equal(regfile_write_end(w, &err), ENOSPC);
    fclose(full);
    free(w);
}

static void test_regfile_write_for_a_terminal_acts_on_nothing(void **state)
{
    struct regfile_writer *w = malloc(sizeof(*w));
    struct image image;
    struct error err = {0};
    char *bytes = NULL;
    size_t len;
    FILE *out = open_memstream(&bytes, &len);

    (void)state;
    assert_non_null(w);
    image_init(&image);
    set(&image, U("\x1b[2J\x9b\xd800"), 1, u"\u20ac", 4);
    regfile_write_begin(w, out, true);
    assert_int_equal(regfile_write_tree(w, TREE, &image, &err), 0);
    assert_int_equal(regfile_write_end(w, &err), 0);
    fclose(out);
    assert_null(memchr(bytes, 0x1b, len));
    assert_non_null(strstr(bytes,
                           "\"\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\"=\"\xe2\x82\xac\"\r\n"));
    free(bytes);
    free(w);
    image_free(&image);
}

/* What of an image a .reg file can say: image_walk's call. */
static int keep_sayable(const struct change *change, void *arg)
{
    struct image **images = arg; /* the whole one, and what is kept */
    struct change kept = *change;

    for (size_t i = 0; i < change->path.len; i++)
        if (!change->path.units[i] || change->path.units[i] == '\r' ||
            change->path.units[i] == '\n')
            return 0;
    for (size_t i = 1; i <= change->path.len; i++)
        if ((i == change->path.len || change->path.units[i] == '\\') &&
            image_find_key(images[0], (struct utf16){change->path.units, i})->flags)
            return 0;
    for (size_t i = 0; i < change->name.len; i++)
        if (!change->name.units[i])
            return 0;
    if (change->kind == CHANGE_SET_VALUE && change->size_bytes == 1 &&
        (change->type == 1 || change->type == 2 || change->type == 7))
        return 0;
    kept.class.len = 0;
    return image_apply(images[1], &kept);
}

static void test_regfile_random_images_come_back(void **state)
{
    unsigned seed = random_seed();

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    for (unsigned i = 0; i < 500; i++) {
        struct image image, expected, read;
        struct image *images[2] = {&image, &expected};
        struct error err = {0};
        char *bytes = NULL;
        size_t len = 0;

        random_image(&seed, &image, 0);
        image_init(&expected);
        image_init(&read);
        assert_int_equal(image_walk(&image, 1, keep_sayable, images), 0);
        assert_int_equal(write_regfile(&image, true, NULL, NULL, &bytes, &len, &err), 0);
        if (read_regfile(bytes, len, &read, &err))
            fail_msg("image %u: %s", i, err.text);
        if (!image_equal(&expected, &read))
            fail_msg("image %u differs", i);
        free(bytes);
        image_free(&image);
        image_free(&expected);
        image_free(&read);
    }
}

/* A file of bytes must give a value of the tree's own key. */
static void check_read(const char *bytes, size_t len, struct utf16 name, uint32_t type,
                       const void *data, uint32_t size)
{
    const struct image_value *v;
    struct error err = {0};
    struct image image;

    image_init(&image);
    if (read_regfile(bytes, len, &image, &err))
        fail_msg("%s", err.text);
    v = image.root ? image_find_value(image.root, name) : NULL;
    assert_non_null(v);
    assert_int_equal(v->type, type);
    assert_int_equal(v->size_bytes, size);
    assert_memory_equal(v->data, data, size);
    image_free(&image);
}

#define CHECK(text, name, type, data, size) \
    check_read(text, sizeof(text) - 1, U(name), type, data, size)

static void test_regfile_read_utf8_with_and_without_mark(void **state)
{
    (void)state;
    CHECK(HEAD "\"\xc3\xa4\"=\"\xe2\x82\xac\"\r\n", "\u00e4", 1, u"\u20ac", 4);
    CHECK("\xef\xbb\xbf" HEAD "\"\xc3\xa4\"=\"x\"\r\n", "\u00e4", 1, u"x", 4);
}

static void test_regfile_read_utf16_of_both_orders(void **state)
{
    static const char text[] = HEAD "@=dword:1\r\n";
    char little[2 * sizeof(text)], big[2 * sizeof(text)];

    (void)state;
    memcpy(little, "\xff\xfe", 2);
    memcpy(big, "\xfe\xff", 2);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        little[2 * i + 2] = big[2 * i + 3] = text[i];
        little[2 * i + 3] = big[2 * i + 2] = 0;
    }
    check_read(little, sizeof(little), U(""), 4, "\1\0\0", 4);
    check_read(big, sizeof(big), U(""), 4, "\1\0\0", 4);
}

#define HEAD_4 "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\Software\\Tree]\n"

static void test_regfile_read_regedit4_is_windows_1252(void **state)
{
    (void)state;
    CHECK(HEAD_4 "\"\xe4\"=\"\x80\"\n", "\u00e4", 1, u"\u20ac", 4);
    CHECK(HEAD_4 "@=hex(2):25,80\n", "", 2, u"%\u20ac", 6);
    CHECK(HEAD_4 "@=hex(7):41,00,00\n", "", 7, u"A\0", 6);
    CHECK(HEAD_4 "@=hex(2):\n", "", 2, "", 0);
    CHECK(HEAD_4 "@=hex:41,42\n", "", 3, "AB", 2);
}

static void test_regfile_read_blanks_and_comments(void **state)
{
    (void)state;
    CHECK(" \t" HEAD "; comment\r\n# one more\r\n\t @ \t= \t\"x\" \t; behind\r\n", "", 1, u"x", 4);
    CHECK(HEAD "  \"a\" =dword: 2A ;c\r\n", "a", 4, "\x2a\0\0", 4);
    CHECK(HEAD "\"a\"=hex:1,\\ ; c\r\n\r\n ; c\r\n\t2 , 3,\r\n", "a", 3, "\1\2\3", 3);
    CHECK(HEAD "\"a\"=HEX(0000000B):ff\r\n", "a", 11, "\xff", 1);
    CHECK("REGEDIT4\r[HKEY_LOCAL_MACHINE\\Software\\Tree]\r@=\"a\"", "", 1, u"a", 4);
}

static void test_regfile_read_line_break_within_a_text(void **state)
{
    (void)state;
    CHECK(HEAD "@=\"a\r\nb\"\r\n", "", 1, u"a\r\nb", 10);
    CHECK(HEAD "@=\"a\\r\\nb\"\r\n", "", 1, u"a\r\nb", 10);
}

static void test_regfile_read_deletions(void **state)
{
    static const char text[] = HEAD "\"a\"=-\r\n@=- ; c\r\n"
                                     "[-HKEY_LOCAL_MACHINE\\Software\\Tree\\K]\r\n";
    struct error err = {0};
    struct image image;

    (void)state;
    image_init(&image);
    set(&image, U("a"), 1, u"", 2);
    set(&image, U(""), 1, u"", 2);
    set(&image, U("kept"), 1, u"", 2);
    image_add_key(&image, image_add_key(&image, image.root, U("K")), U("Below"));
    assert_int_equal(read_regfile(text, sizeof(text) - 1, &image, &err), 0);
    assert_int_equal(image.value_count, 1);
    assert_int_equal(image.key_count, 1);
    image_free(&image);
}

static void test_regfile_read_key_names_with_brackets(void **state)
{
    static const char text[] = HEAD "[HKEY_LOCAL_MACHINE\\Software\\Tree\\[a]-]] ; c\r\n";
    struct error err = {0};
    struct image image;

    (void)state;
    image_init(&image);
    assert_int_equal(read_regfile(text, sizeof(text) - 1, &image, &err), 0);
    assert_non_null(image_find_key(&image, U("[a]-]")));
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regfile_write_string),
        cmocka_unit_test(test_regfile_write_numbers_and_bytes),
        cmocka_unit_test(test_regfile_write_long_bytes_go_on_in_lines_of_80),
        cmocka_unit_test(test_regfile_write_class_and_link_are_remarked),
        cmocka_unit_test(test_regfile_write_name_with_nul_is_refused_by_name),
        cmocka_unit_test(test_regfile_write_key_with_line_break_is_refused),
        cmocka_unit_test(test_regfile_write_text_of_one_byte_is_refused),
        cmocka_unit_test(test_regfile_write_full_device_is_an_error),
        cmocka_unit_test(test_regfile_write_for_a_terminal_acts_on_nothing),
        cmocka_unit_test(test_regfile_random_images_come_back),
        cmocka_unit_test(test_regfile_read_utf8_with_and_without_mark),
        cmocka_unit_test(test_regfile_read_utf16_of_both_orders),
        cmocka_unit_test(test_regfile_read_regedit4_is_windows_1252),
        cmocka_unit_test(test_regfile_read_blanks_and_comments),
        cmocka_unit_test(test_regfile_read_line_break_within_a_text),
        cmocka_unit_test(test_regfile_read_deletions),
        cmocka_unit_test(test_regfile_read_key_names_with_brackets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
