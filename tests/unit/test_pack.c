/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pack.h: what is packed comes back, and no input makes unpacking read beyond its end.
 */
#include "checkpoint_fixture.h"
#include "pack.h"

static void test_pack_numbers_are_little_endian(void **state)
{
    static const uint8_t expected[] = { 0x12, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1 };
    struct pack p;

    (void)state;
    pack_init(&p);
    pack_u8(&p, 0x12);
    pack_u32(&p, 0x01020304);
    pack_u64(&p, 0x0102030405060708);
    assert_int_equal(p.len, sizeof(expected));
    assert_memory_equal(p.bytes, expected, sizeof(expected));
    pack_free(&p);
}

static void test_unpack_everything_comes_back(void **state)
{
    static const uint16_t units[] = { 'a', 0, 0xd800, 0xffff };
    struct utf16 s = { units, 4 }, back;
    struct unpack u;
    struct pack p;
    size_t len;
    char *text;

    (void)state;
    pack_init(&p);
    pack_u8(&p, 1); /* so that nothing is aligned */
    pack_utf16(&p, s);
    pack_text(&p, "words");
    pack_text(&p, NULL);
    pack_bytes(&p, "\0x", 2);
    pack_u64(&p, UINT64_MAX);
    unpack_init(&u, p.bytes, p.len);
    assert_int_equal(unpack_u8(&u), 1);
    back = unpack_utf16(&u);
    assert_int_equal(back.len, 4);
    assert_memory_equal(back.units, units, sizeof(units));
    free((void *)back.units);
    text = unpack_text(&u);
    assert_string_equal(text, "words");
    free(text);
    text = unpack_text(&u);
    assert_string_equal(text, "");
    free(text);
    assert_memory_equal(unpack_bytes(&u, &len), "\0x", 2);
    assert_int_equal(len, 2);
    assert_false(unpack_done(&u));
    assert_true(unpack_u64(&u) == UINT64_MAX);
    assert_true(unpack_done(&u));
    pack_free(&p);
}

static void test_unpack_change_of_each_kind(void **state)
{
    struct change in[] = {
        { .kind = CHANGE_CREATE_KEY, .key_id = 7, .path = U("a\\b"), .class = U("cls"),
          .key_flags = KEY_FLAG_LINK },
        { .kind = CHANGE_DELETE_KEY, .key_id = 8, .path = U("a") },
        { .kind = CHANGE_SET_VALUE, .key_id = 9, .name = U("n"), .type = 77, .data = "abc",
          .size_bytes = 3 },
        { .kind = CHANGE_DELETE_VALUE, .key_id = 10, .path = U("p"), .name = U("n") },
    };
    struct change out;
    struct unpack u;
    struct pack p;
    size_t i;

    (void)state;
    pack_init(&p);
    for (i = 0; i < 4; i++) pack_change(&p, &in[i]);
    unpack_init(&u, p.bytes, p.len);
    for (i = 0; i < 4; i++) {
        unpack_change(&u, &out);
        assert_int_equal(out.kind, in[i].kind);
        assert_int_equal(out.key_id, in[i].key_id);
        assert_int_equal(out.key_flags, in[i].key_flags);
        assert_int_equal(out.type, in[i].type);
        assert_true(utf16_equal(out.path, in[i].path));
        assert_true(utf16_equal(out.class, in[i].class));
        assert_true(utf16_equal(out.name, in[i].name));
        assert_int_equal(out.size_bytes, in[i].size_bytes);
        if (out.size_bytes) assert_memory_equal(out.data, in[i].data, out.size_bytes);
        change_free(&out);
    }
    assert_true(unpack_done(&u));
    pack_free(&p);
}

static void test_unpack_cut_anywhere_fails(void **state)
{
    struct change in = { .kind = CHANGE_SET_VALUE, .path = U("pa"), .name = U("na"), .data = "abc",
                         .size_bytes = 3 };
    struct change out;
    struct unpack u;
    struct pack p;
    uint8_t *cut;
    size_t len;

    (void)state;
    pack_init(&p);
    pack_change(&p, &in);
    for (len = 0; len < p.len; len++) {
        /* A block of its own, so that a sanitizer sees any byte too many. */
        assert_non_null(cut = malloc(len ? len : 1));
        memcpy(cut, p.bytes, len);
        unpack_init(&u, cut, len);
        unpack_change(&u, &out);
        assert_true(unpack_failed(&u));
        assert_false(unpack_done(&u));
        assert_null(out.path.units);
        free(cut);
    }
    pack_free(&p);
}

static void test_unpack_length_beyond_end_fails(void **state)
{
    static const uint8_t lie[] = { 0xff, 0xff, 0xff, 0xff, 1, 2 };
    struct unpack u;
    size_t len = 5;

    (void)state;
    unpack_init(&u, lie, sizeof(lie));
    assert_null(unpack_bytes(&u, &len));
    assert_int_equal(len, 0);
    assert_true(unpack_failed(&u));
    assert_int_equal(unpack_u8(&u), 0); /* it sticks */
    unpack_init(&u, lie, sizeof(lie));
    assert_int_equal(unpack_utf16(&u).len, 0);
    assert_true(unpack_failed(&u));
    unpack_init(&u, NULL, 0);
    assert_true(unpack_done(&u));
}

static void test_unpack_text_with_zero_inside_fails(void **state)
{
    struct unpack u;
    struct pack p;

    (void)state;
    pack_init(&p);
    pack_bytes(&p, "a\0b", 3);
    unpack_init(&u, p.bytes, p.len);
    assert_null(unpack_text(&u));
    assert_true(unpack_failed(&u));
    pack_free(&p);
}

static void test_unpack_change_of_unknown_kind_fails(void **state)
{
    struct change out;
    struct unpack u;
    struct pack p;

    (void)state;
    pack_init(&p);
    pack_u8(&p, 99);
    pack_u32(&p, 1);
    pack_utf16(&p, U("path"));
    unpack_init(&u, p.bytes, p.len);
    unpack_change(&u, &out);
    assert_true(unpack_failed(&u));
    pack_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_numbers_are_little_endian),
        cmocka_unit_test(test_unpack_everything_comes_back),
        cmocka_unit_test(test_unpack_change_of_each_kind),
        cmocka_unit_test(test_unpack_cut_anywhere_fails),
        cmocka_unit_test(test_unpack_length_beyond_end_fails),
        cmocka_unit_test(test_unpack_text_with_zero_inside_fails),
        cmocka_unit_test(test_unpack_change_of_unknown_kind_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
