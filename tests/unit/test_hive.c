/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hive.h: whatever an image holds comes back from a hive as it was; what hivex itself has changed in
 * one is read; what is damaged, cut or crafted is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <hivex.h>

#include "hive.h"
#include "hive_format.h"
#include "random_image.h"

#define SOME_TIME 1700000000000000u

static unsigned seed;

/* A hive of an image; the bytes are the caller's. */
static uint8_t *written(const struct image *image, size_t *len)
{
    struct error err = {0};
    uint8_t *bytes;

    if (hive_write(image, U("Root"), SOME_TIME, &bytes, len, &err))
        fail_msg("seed %u: %s", seed, err.text);
    return bytes;
}

/* The image comes back as it is; frees it. */
static void check_comes_back(struct image *image)
{
    struct error err = {0};
    struct image back;
    size_t len;
    uint8_t *bytes = written(image, &len);

    image_init(&back);
    if (hive_read(bytes, len, &back, &err))
        fail_msg("seed %u: %s", seed, err.text);
    if (!image_equal(image, &back))
        fail_msg("seed %u: something else came back", seed);
    free(bytes);
    image_free(&back);
    image_free(image);
}

/* Reading gives this result and no image. */
static void check_refused(const void *bytes, size_t len, int expected, const char *words)
{
    struct error err = {0};
    struct image image;

    image_init(&image);
    assert_int_equal(hive_read(bytes, len, &image, &err), expected);
    assert_int_equal(err.code, expected);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(image.root);
}

static struct image_key *new_root(struct image *image)
{
    image_init(image);
    return image_add_key(image, NULL, U(""));
}

/* A name of ASCII. */
static struct utf16 numbered(uint16_t units[16], const char *format, unsigned number)
{
    char text[16];
    size_t len = (size_t)snprintf(text, sizeof(text), format, number);

    for (size_t i = 0; i < len; i++)
        units[i] = (unsigned char)text[i];
    return (struct utf16){units, len};
}

static void test_hive_random_images(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 150; i++) {
        unsigned random = seed + i;
        struct image image;

        random_image(&random, &image, 0);
        check_comes_back(&image);
    }
}

static void test_hive_data_of_any_size(void **state)
{
    static const uint32_t sizes[] = {0, 1, 4, 5, 4064, 4096, 16343, 16344, 16345, 32688, 32689, 100000,
                                     1048577, HIVE_MAX_DATA_BYTES};
    uint8_t *data = malloc(HIVE_MAX_DATA_BYTES);
    struct image image;
    struct image_key *root = new_root(&image);
    uint16_t units[16];

    (void)state;
    for (uint32_t i = 0; i < HIVE_MAX_DATA_BYTES; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 24);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        assert_int_equal(image_set_value(&image, root, numbered(units, "%u", i), 3, data, sizes[i]),
                         0);
    free(data);
    check_comes_back(&image);
}

static void test_hive_many_subkeys(void **state)
{
    struct image image;
    struct image_key *root = new_root(&image);
    uint16_t units[16];

    (void)state;
    for (unsigned i = 0; i < HIVE_MAX_SUBKEYS; i++)
        assert_non_null(image_add_key(&image, root, numbered(units, "k%06u", i)));
    check_comes_back(&image);
}

/* In another order than the image's, as they were made. */
static void test_hive_many_values(void **state)
{
    struct image image;
    struct image_key *root = new_root(&image);
    uint16_t units[16];

    (void)state;
    for (unsigned i = 0; i < HIVE_MAX_VALUES; i++)
        assert_int_equal(image_set_value(&image, root, numbered(units, "v%06u", i), 4, &i, 4), 0);
    check_comes_back(&image);
}

static void test_hive_deep(void **state)
{
    struct image image;
    struct image_key *key = new_root(&image);

    (void)state;
    for (unsigned i = 0; i < IMAGE_MAX_DEPTH; i++)
        assert_non_null(key = image_add_key(&image, key, U("deeper")));
    check_comes_back(&image);
}

static void test_hive_long_names(void **state)
{
    static uint16_t long_units[HIVE_MAX_CLASS_CHARS];
    struct image image;
    struct image_key *root = new_root(&image), *key;

    (void)state;
    for (unsigned i = 0; i < HIVE_MAX_CLASS_CHARS; i++)
        long_units[i] = i % 7 ? 'n' : 0x2603;
    key = image_add_key(&image, root, (struct utf16){long_units, HIVE_MAX_KEY_NAME_CHARS});
    assert_int_equal(image_set_class(&image, key, (struct utf16){long_units, HIVE_MAX_CLASS_CHARS}),
                     0);
    assert_int_equal(image_set_value(&image, key, (struct utf16){long_units, IMAGE_MAX_NAME_CHARS},
                                     1, "", 0), 0);
    check_comes_back(&image);
}

/* Writing is refused with these words; frees the image. */
static void check_not_written(struct image *image, const char *words)
{
    struct error err = {0};
    uint8_t *bytes;
    size_t len;

    assert_int_equal(hive_write(image, U("Root"), 0, &bytes, &len, &err), RESULT_INVALID);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(bytes);
    image_free(image);
}

static void test_hive_too_long_key_name(void **state)
{
    uint16_t units[HIVE_MAX_KEY_NAME_CHARS + 1];
    struct image image;
    struct image_key *root = new_root(&image);

    (void)state;
    for (size_t i = 0; i < sizeof(units) / 2; i++)
        units[i] = 'x';
    assert_non_null(image_add_key(&image, root, (struct utf16){units, sizeof(units) / 2}));
    check_not_written(&image, "its name has more than 255 characters");
}

static void test_hive_too_large_data(void **state)
{
    void *data = calloc(1, HIVE_MAX_DATA_BYTES + 1);
    struct image image;
    struct image_key *root = new_root(&image);

    (void)state;
    assert_int_equal(image_set_value(&image, image_add_key(&image, root, U("sub")), U("big"), 3,
                                     data, HIVE_MAX_DATA_BYTES + 1), 0);
    free(data);
    check_not_written(&image, "The key \"sub\" cannot be in a hive file: its value \"big\" has more");
}

static void test_hive_too_many_subkeys(void **state)
{
    struct image image;
    struct image_key *root = new_root(&image);
    uint16_t units[16];

    (void)state;
    for (unsigned i = 0; i <= HIVE_MAX_SUBKEYS; i++)
        assert_non_null(image_add_key(&image, root, numbered(units, "k%06u", i)));
    check_not_written(&image, "70,000 subkeys");
}

static void test_hive_too_many_values(void **state)
{
    struct image image;
    struct image_key *root = new_root(&image);
    uint16_t units[16];

    (void)state;
    for (unsigned i = 0; i <= HIVE_MAX_VALUES; i++)
        assert_int_equal(image_set_value(&image, root, numbered(units, "v%06u", i), 4, &i, 4), 0);
    check_not_written(&image, "110,000 values");
}

/* Windows finds a subkey by its upper-case name: '_' stands behind the letters there. */
static void test_hive_subkeys_in_windows_order(void **state)
{
    static const char *const order[] = {"a", "AB", "a_b", "z", "_", "é"};
    struct image image;
    struct image_key *root = new_root(&image);
    char path[] = "/tmp/hive.XXXXXX", *name;
    hive_node_h *keys;
    hive_h *hive;
    uint8_t *bytes;
    size_t len;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_non_null(image_add_key(&image, root, U("_")));
    assert_non_null(image_add_key(&image, root, U("a_b")));
    assert_non_null(image_add_key(&image, root, U("AB")));
    assert_non_null(image_add_key(&image, root, U("a")));
    assert_non_null(image_add_key(&image, root, U("z")));
    assert_non_null(image_add_key(&image, root, U("\u00e9")));
    bytes = written(&image, &len);
    assert_true(write(fd, bytes, len) == (ssize_t)len);
    assert_non_null(hive = hivex_open(path, 0));
    assert_non_null(keys = hivex_node_children(hive, hivex_root(hive)));
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        name = hivex_node_name(hive, keys[i]);
        assert_string_equal(name, order[i]);
        free(name);
    }
    free(keys);
    hivex_close(hive);
    close(fd);
    unlink(path);
    free(bytes);
    image_free(&image);
}

/* What the library writes into a hive of ours: it takes it for one, and we take what it makes. */
static void test_hive_changed_by_hivex(void **state)
{
    static hive_set_value values[] = {
        {(char *)"", hive_t_REG_SZ, 4, (char *)"x\0\0\0"},
        {(char *)"\xc3\xa9\xe2\x82\xac", hive_t_REG_QWORD, 8, (char *)"12345678"},
        {(char *)"none", hive_t_REG_NONE, 0, (char *)""},
    };
    struct image image, back;
    struct image_key *root = new_root(&image), *key;
    struct error err = {0};
    char path[] = "/tmp/hive.XXXXXX";
    hive_node_h node;
    uint8_t *bytes;
    hive_h *hive;
    size_t len;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_non_null(image_add_key(&image, root, U("kept")));
    bytes = written(&image, &len);
    assert_true(write(fd, bytes, len) == (ssize_t)len);
    free(bytes);
    assert_non_null(hive = hivex_open(path, HIVEX_OPEN_WRITE));
    assert_true((node = hivex_node_add_child(hive, hivex_root(hive), "\xe2\x82\xac")) != 0);
    assert_int_equal(hivex_node_set_values(hive, node, 3, values, 0), 0);
    assert_int_equal(hivex_commit(hive, NULL, 0), 0);
    hivex_close(hive);

    assert_non_null(key = image_add_key(&image, root, U("\u20ac")));
    assert_int_equal(image_set_value(&image, key, U(""), 1, "x\0\0", 4), 0);
    assert_int_equal(image_set_value(&image, key, U("\u00e9\u20ac"), 11, "12345678", 8), 0);
    assert_int_equal(image_set_value(&image, key, U("none"), 0, "", 0), 0);
    bytes = malloc(1 << 16);
    assert_true((len = (size_t)pread(fd, bytes, 1 << 16, 0)) > 8192);
    image_init(&back);
    if (hive_read(bytes, len, &back, &err))
        fail_msg("%s", err.text);
    assert_true(image_equal(&image, &back));
    image_free(&back);
    image_free(&image);
    free(bytes);
    close(fd);
    unlink(path);
}

static void test_hive_foreign(void **state)
{
    (void)state;
    check_refused("", 0, RESULT_FOREIGN, "regf");
    check_refused("reg", 3, RESULT_FOREIGN, "regf");
    check_refused("REGEDIT4\r\n", 10, RESULT_FOREIGN, "regf");
    check_refused("regf", 4, RESULT_DAMAGED, "cut");
}

/* The sum over the base block as it is now. */
static void sign(uint8_t *bytes)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < HIVE_BASE_SUM; at += 4)
        sum ^= hive_get32(bytes + at);
    hive_put32(bytes + HIVE_BASE_SUM, sum);
}

static void test_hive_in_use(void **state)
{
    struct image image;
    uint8_t *bytes;
    size_t len;

    (void)state;
    new_root(&image);
    bytes = written(&image, &len);
    hive_put32(bytes + HIVE_BASE_SEQUENCE_2, 2);
    sign(bytes);
    check_refused(bytes, len, RESULT_DAMAGED, ".LOG");
    free(bytes);
    image_free(&image);
}

static void test_hive_cut(void **state)
{
    unsigned random = seed;
    struct image image, back;
    uint8_t *bytes;
    size_t len;

    (void)state;
    random_image(&random, &image, 0);
    bytes = written(&image, &len);
    for (size_t cut = 0; cut < len; cut += 1000) {
        image_init(&back);
        if (!hive_read(bytes, cut, &back, NULL))
            fail_msg("seed %u: taken with %zu of %zu bytes", seed, cut, len);
        assert_null(back.root);
    }
    free(bytes);
    image_free(&image);
}

/* Two names made one, or bad: two bytes of the only places where they can stand. */
static void check_renamed(char from, char to, const char *words)
{
    struct image image;
    struct image_key *root = new_root(&image);
    uint8_t *bytes;
    size_t len;

    assert_non_null(image_add_key(&image, root, U("key-A")));
    assert_non_null(image_add_key(&image, root, U("key-B")));
    assert_int_equal(image_set_value(&image, root, U("val-1"), 3, "", 0), 0);
    assert_int_equal(image_set_value(&image, root, U("val-2"), 3, "", 0), 0);
    bytes = written(&image, &len);
    for (size_t i = HIVE_BLOCK_BYTES; i + 5 < len; i++)
        if ((!memcmp(bytes + i, "key-", 4) || !memcmp(bytes + i, "val-", 4)) &&
            bytes[i + 4] == (uint8_t)from)
            bytes[i + 4] = (uint8_t)to;
    check_refused(bytes, len, RESULT_INVALID, words);
    free(bytes);
    image_free(&image);
}

static void test_hive_two_keys_of_one_name(void **state)
{
    (void)state;
    check_renamed('B', 'a', "two keys");
}

static void test_hive_two_values_of_one_name(void **state)
{
    (void)state;
    check_renamed('2', '1', "two values");
}

static void test_hive_backslash_in_key_name(void **state)
{
    (void)state;
    check_renamed('B', '\\', "no name of a key");
}

/* A key that is its own subkey has no end. */
static void test_hive_circle(void **state)
{
    struct image image, back;
    struct image_key *root = new_root(&image);
    uint32_t root_cell;
    uint8_t *bytes;
    size_t len, at = HIVE_BLOCK_BYTES;

    (void)state;
    assert_non_null(image_add_key(&image, root, U("sub")));
    bytes = written(&image, &len);
    root_cell = hive_get32(bytes + HIVE_BASE_ROOT);
    while (memcmp(bytes + at, "lh", 2))
        at++;
    hive_put32(bytes + at + 4, root_cell);
    image_init(&back);
    assert_true(hive_read(bytes, len, &back, NULL) < 0);
    assert_null(back.root);
    free(bytes);
    image_free(&image);
}

struct outcome {
    unsigned taken, refused;
};

/* Single bytes of a random image's are changed: an error, or an image that can be written again. */
static void change_bytes(unsigned *random, unsigned times, struct outcome *o)
{
    struct image image, back, again;
    uint8_t *bytes, *more;
    size_t len, more_len;

    random_image(random, &image, 0);
    bytes = written(&image, &len);
    for (unsigned i = 0; i < times; i++) {
        size_t at = HIVE_BLOCK_BYTES + random_below(random, (unsigned)(len - HIVE_BLOCK_BYTES));
        uint8_t was = bytes[at];

        bytes[at] ^= (uint8_t)(1 + random_below(random, 255));
        image_init(&back);
        if (hive_read(bytes, len, &back, NULL)) {
            assert_null(back.root);
            o->refused++;
        } else if (!hive_write(&back, U(""), 0, &more, &more_len, NULL)) {
            image_init(&again);
            assert_int_equal(hive_read(more, more_len, &again, NULL), 0);
            assert_true(image_equal(&back, &again));
            image_free(&again);
            free(more);
            o->taken++;
        }
        image_free(&back);
        bytes[at] = was;
    }
    free(bytes);
    image_free(&image);
}

/* Of many images: one may be next to nothing but a large value's data, which may be anything. */
static void test_hive_bytes_changed(void **state)
{
    unsigned random = seed;
    struct outcome o = {0};

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        change_bytes(&random, 30, &o);
    if (!o.taken || !o.refused)
        fail_msg("seed %u: %u taken, %u refused", seed, o.taken, o.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hive_random_images),
        cmocka_unit_test(test_hive_data_of_any_size),
        cmocka_unit_test(test_hive_many_subkeys),
        cmocka_unit_test(test_hive_many_values),
        cmocka_unit_test(test_hive_deep),
        cmocka_unit_test(test_hive_long_names),
        cmocka_unit_test(test_hive_too_long_key_name),
        cmocka_unit_test(test_hive_too_large_data),
        cmocka_unit_test(test_hive_too_many_subkeys),
        cmocka_unit_test(test_hive_too_many_values),
        cmocka_unit_test(test_hive_subkeys_in_windows_order),
        cmocka_unit_test(test_hive_changed_by_hivex),
        cmocka_unit_test(test_hive_foreign),
        cmocka_unit_test(test_hive_in_use),
        cmocka_unit_test(test_hive_cut),
        cmocka_unit_test(test_hive_two_keys_of_one_name),
        cmocka_unit_test(test_hive_two_values_of_one_name),
        cmocka_unit_test(test_hive_backslash_in_key_name),
        cmocka_unit_test(test_hive_circle),
        cmocka_unit_test(test_hive_bytes_changed),
    };

    seed = random_seed();
    printf("TEST_SEED=%u\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
