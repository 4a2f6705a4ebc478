/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image.h: building, finding, applying changes, limits, counts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "random_image.h"

/* Sorted, counted, linked: what must be true of every image. */
static void check_key(const struct image_key *key, uint64_t *keys, uint64_t *values,
                      uint64_t *bytes)
{
    (*keys)++;
    for (uint32_t i = 0; i < key->value_count; i++) {
        (*values)++;
        *bytes += key->values[i].size_bytes;
        if (i)
            assert_true(utf16_compare_nocase(key->values[i - 1].name, key->values[i].name) < 0);
    }
    for (uint32_t i = 0; i < key->key_count; i++) {
        assert_ptr_equal(key->keys[i]->parent, key);
        if (i)
            assert_true(utf16_compare_nocase(key->keys[i - 1]->name, key->keys[i]->name) < 0);
        check_key(key->keys[i], keys, values, bytes);
    }
}

static void check_image(const struct image *image)
{
    uint64_t keys = 0, values = 0, bytes = 0;

    if (image->root)
        check_key(image->root, &keys, &values, &bytes);
    assert_int_equal(image->key_count, keys);
    assert_int_equal(image->value_count, values);
    assert_int_equal(image->data_bytes, bytes);
}

static void test_image_add_key_root(void **state)
{
    struct image image;
    struct image_key *root;

    (void)state;
    image_init(&image);
    assert_null(image_find_key(&image, U("")));
    root = image_add_key(&image, NULL, U("ignored"));
    assert_int_equal(root->name.len, 0);
    assert_ptr_equal(image_add_key(&image, NULL, U("")), root);
    assert_ptr_equal(image_find_key(&image, U("")), root);
    assert_int_equal(image.key_count, 1);
    image_free(&image);
    assert_null(image.root);
    assert_int_equal(image.key_count, 0);
}

static void test_image_add_key_finds_in_any_case(void **state)
{
    struct image image;
    struct image_key *root, *key;

    (void)state;
    image_init(&image);
    root = image_add_key(&image, NULL, U(""));
    key = image_add_key(&image, root, U("Key"));
    assert_ptr_equal(image_add_key(&image, root, U("kEY")), key);
    assert_true(utf16_equal(key->name, U("Key")));
    assert_int_equal(image.key_count, 2);
    image_free(&image);
}

static void test_image_add_key_limits(void **state)
{
    static uint16_t units[IMAGE_MAX_KEY_NAME_CHARS + 1];
    struct utf16 name = { units, IMAGE_MAX_KEY_NAME_CHARS };
    struct image image;
    struct image_key *key;

    (void)state;
    for (size_t i = 0; i <= name.len; i++)
        units[i] = 'k';
    image_init(&image);
    key = image_add_key(&image, NULL, U(""));
    assert_non_null(image_add_key(&image, key, name));
    name.len++;
    errno = 0;
    assert_null(image_add_key(&image, key, name));
    assert_int_equal(errno, EINVAL);
    assert_null(image_add_key(&image, key, U("")));
    assert_null(image_add_key(&image, key, U("a\\b")));
    for (int i = 0; i < IMAGE_MAX_DEPTH; i++)
        assert_non_null(key = image_add_key(&image, key, U("d")));
    errno = 0;
    assert_null(image_add_key(&image, key, U("d")));
    assert_int_equal(errno, EINVAL);
    check_image(&image);
    image_free(&image);
}

static void test_image_set_value_replaces(void **state)
{
    struct image image;
    struct image_key *key;
    const struct image_value *value;

    (void)state;
    image_init(&image);
    key = image_add_key(&image, NULL, U(""));
    assert_int_equal(image_set_value(&image, key, U("Name"), 1, "ab", 2), 0);
    assert_int_equal(image_set_value(&image, key, U("nAME"), 3, "cd", 2), 0);
    assert_int_equal(image_set_value(&image, key, U("NAME"), 7, "cdefg", 5), 0);
    value = image_find_value(key, U("name"));
    assert_true(utf16_equal(value->name, U("Name")));
    assert_int_equal(value->type, 7);
    assert_memory_equal(value->data, "cdefg", 5);
    check_image(&image);
    assert_int_equal(image_set_value(&image, key, U("name"), 7, NULL, 0), 0);
    assert_int_equal(image_set_value(&image, key, U(""), 0, NULL, 0), 0);
    assert_null(image_find_value(key, U("nam")));
    assert_non_null(image_find_value(key, U("")));
    check_image(&image);
    image_free(&image);
}

static void test_image_set_value_name_limit(void **state)
{
    static uint16_t units[IMAGE_MAX_NAME_CHARS + 1];
    struct image image;
    struct image_key *key;

    (void)state;
    image_init(&image);
    key = image_add_key(&image, NULL, U(""));
    assert_int_equal(image_set_value(&image, key, (struct utf16){ units, IMAGE_MAX_NAME_CHARS }, 1,
                                     "x", 1), 0);
    assert_int_equal(image_set_value(&image, key, (struct utf16){ units, IMAGE_MAX_NAME_CHARS + 1 },
                                     1, "x", 1), EINVAL);
    check_image(&image);
    image_free(&image);
}

static void test_image_set_value_any_order(void **state)
{
    unsigned first = random_seed(), seed = first;
    struct image image;
    struct image_key *key;

    (void)state;
    image_init(&image);
    key = image_add_key(&image, NULL, U(""));
    for (int i = 0; i < 3000; i++) {
        uint16_t units[4];

        random_value(&seed, &image, key);
        assert_non_null(image_add_key(&image, key, random_name(&seed, units, true)));
    }
    print_message("seed %u\n", first);
    check_image(&image);
    assert_true(image.value_count > 1000);
    image_free(&image);
}

static void test_image_find_key_path(void **state)
{
    struct image image;
    struct image_key *key;
    struct utf16 path;

    (void)state;
    image_init(&image);
    key = image_add_key(&image, NULL, U(""));
    key = image_add_key(&image, key, U("One"));
    key = image_add_key(&image, key, U("Two"));
    assert_ptr_equal(image_find_key(&image, U("oNE\\tWO")), key);
    assert_null(image_find_key(&image, U("One\\Two\\")));
    assert_null(image_find_key(&image, U("\\One")));
    assert_null(image_find_key(&image, U("One\\\\Two")));
    assert_null(image_find_key(&image, U("One\\Tw")));
    assert_int_equal(image_key_path(key, &path), 0);
    assert_true(utf16_equal(path, U("One\\Two")));
    free((void *)path.units);
    assert_int_equal(image_key_path(image.root, &path), 0);
    assert_int_equal(path.len, 0);
    free((void *)path.units);
    image_free(&image);
}

static void test_image_apply_each_kind(void **state)
{
    struct change c = { .kind = CHANGE_SET_VALUE, .path = U("a\\B"), .name = U("V"), .type = 4,
                        .data = "1234", .size_bytes = 4 };
    struct image image;

    (void)state;
    image_init(&image);
    assert_int_equal(image_apply(&image, &c), 0); /* makes root, a, a\B */
    assert_int_equal(image.key_count, 3);
    c.path = U("A\\b");
    c.name = U("v");
    c.type = 1;
    assert_int_equal(image_apply(&image, &c), 0);
    assert_int_equal(image.value_count, 1);
    c.kind = CHANGE_DELETE_VALUE;
    assert_int_equal(image_apply(&image, &c), 0);
    assert_int_equal(image_apply(&image, &c), 0); /* not there: no error */
    assert_int_equal(image.value_count, 0);
    c = (struct change){ .kind = CHANGE_CREATE_KEY, .path = U("a\\L"), .key_flags = KEY_FLAG_LINK,
                         .class = U("c") };
    assert_int_equal(image_apply(&image, &c), 0);
    assert_int_equal(image_find_key(&image, c.path)->flags, KEY_FLAG_LINK);
    c.key_flags = 0; /* an existing key: the class only */
    c.class = U("d");
    assert_int_equal(image_apply(&image, &c), 0);
    assert_int_equal(image_find_key(&image, c.path)->flags, KEY_FLAG_LINK);
    assert_true(utf16_equal(image_find_key(&image, c.path)->class, U("d")));
    check_image(&image);
    c = (struct change){ .kind = CHANGE_DELETE_KEY, .path = U("A") };
    assert_int_equal(image_apply(&image, &c), 0); /* with its subtree */
    assert_int_equal(image_apply(&image, &c), 0);
    assert_int_equal(image.key_count, 1);
    c.path = U("");
    assert_int_equal(image_apply(&image, &c), 0);
    assert_null(image.root);
    check_image(&image);
}

static void test_image_apply_limits(void **state)
{
    static const struct utf16 bad[] = { { u"a\\", 2 }, { u"\\a", 2 }, { u"a\\\\b", 4 } };
    static uint16_t deep[2 * IMAGE_MAX_DEPTH + 1], name[IMAGE_MAX_NAME_CHARS + 1];
    struct change c = { .kind = CHANGE_SET_VALUE, .data = "", .size_bytes = 0 };
    struct image image;

    (void)state;
    image_init(&image);
    for (size_t i = 0; i < 3; i++) {
        c.path = bad[i];
        assert_int_equal(image_apply(&image, &c), EINVAL);
    }
    for (int i = 0; i <= 2 * IMAGE_MAX_DEPTH; i++)
        deep[i] = i % 2 ? '\\' : 'd';
    c.path = (struct utf16){ deep, 2 * IMAGE_MAX_DEPTH + 1 };
    assert_int_equal(image_apply(&image, &c), EINVAL);
    c.path = U("k");
    c.name = (struct utf16){ name, IMAGE_MAX_NAME_CHARS + 1 };
    assert_int_equal(image_apply(&image, &c), EINVAL);
    c.kind = 99;
    assert_int_equal(image_apply(&image, &c), EINVAL);
    assert_null(image.root); /* nothing was made on the way */
    c = (struct change){ .kind = CHANGE_CREATE_KEY, .path = { deep, 2 * IMAGE_MAX_DEPTH - 1 } };
    assert_int_equal(image_apply(&image, &c), 0);
    assert_int_equal(image.key_count, IMAGE_MAX_DEPTH + 1);
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_add_key_root),
        cmocka_unit_test(test_image_add_key_finds_in_any_case),
        cmocka_unit_test(test_image_add_key_limits),
        cmocka_unit_test(test_image_set_value_replaces),
        cmocka_unit_test(test_image_set_value_name_limit),
        cmocka_unit_test(test_image_set_value_any_order),
        cmocka_unit_test(test_image_find_key_path),
        cmocka_unit_test(test_image_apply_each_kind),
        cmocka_unit_test(test_image_apply_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
