/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image.h: image_diff, image_equal, image_walk.  Differences are compared as text, one change a
 * line, so that their order is tested too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "random_image.h"

/* Makes a small image: "K path", "L path" (a link), "C path class", "V path name data". */
static void make(struct image *image, const char *const *lines)
{
    image_init(image);
    for (; *lines; lines++) {
        struct change c = { .kind = CHANGE_CREATE_KEY };
        char kind, text[3][32] = { "", "", "" };
        struct utf16 s[3];

        assert_true(sscanf(*lines, "%c %31s %31s %31s", &kind, text[0], text[1], text[2]) >= 1);
        for (int i = 0; i < 3; i++)
            assert_int_equal(utf16_from_utf8(text[i], strcmp(text[i], ".") ? strlen(text[i]) : 0,
                                             &s[i]), 0);
        c.path = s[0];
        c.key_flags = kind == 'L' ? KEY_FLAG_LINK : 0;
        if (kind == 'C')
            c.class = s[1];
        if (kind == 'V') {
            c.kind = CHANGE_SET_VALUE;
            c.name = s[1];
            c.type = 3;
            c.data = text[2];
            c.size_bytes = strlen(text[2]);
        }
        assert_int_equal(image_apply(image, &c), 0);
        for (int i = 0; i < 3; i++)
            free((void *)s[i].units);
    }
}

#define MAKE(image, ...) make(image, (const char *const[]){ __VA_ARGS__, NULL })

/* A change as one line behind the others. */
static int note(const struct change *c, void *arg)
{
    char *text = arg, *path = utf16_to_utf8(c->path, false, NULL);
    char *name = utf16_to_utf8(c->kind == CHANGE_CREATE_KEY ? c->class : c->name, false, NULL);
    static const char *const kinds[] = { "", "+key", "-key", "set", "-value" };

    assert_int_equal(c->key_id, 42);
    sprintf(text + strlen(text), "%s%s %s:%s%s%.*s\n", kinds[c->kind], c->key_flags ? "@" : "",
            path, name, c->size_bytes ? "=" : "", (int)c->size_bytes, (const char *)c->data);
    free(path);
    free(name);
    return 0;
}

static void check_diff(struct image *from, struct image *to, const char *want)
{
    char text[4096] = "";

    assert_int_equal(image_diff(from, to, 42, note, text), 0);
    assert_string_equal(text, want);
    assert_int_equal(image_equal(from, to), !*want);
    image_free(from);
    image_free(to);
}

static void test_image_diff_equal(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V a\\b x 1", "C a c", "L l");
    MAKE(&b, "V a\\b x 1", "C a c", "L l");
    check_diff(&a, &b, "");
    image_init(&a);
    image_init(&b);
    check_diff(&a, &b, "");
}

static void test_image_diff_from_nothing(void **state)
{
    struct image a, b;

    (void)state;
    image_init(&a);
    MAKE(&b, "V . x 1", "V b\\c y 2", "C a cls", "L b\\l");
    check_diff(&a, &b, "+key :\nset :x=1\n+key a:cls\n+key b:\n+key b\\c:\n"
                       "set b\\c:y=2\n+key@ b\\l:\n");
}

static void test_image_diff_to_nothing(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V . x 1", "V b\\c y 2", "K b\\d", "K a");
    image_init(&b);
    check_diff(&a, &b, "-key a:\n-value b\\c:y\n-key b\\c:\n-key b\\d:\n-key b:\n-value :x\n"
               "-key :\n");
}

static void test_image_diff_deletes_before_it_creates(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V . b old", "V . d 1", "V z\\y v 1", "V k same 1");
    MAKE(&b, "V . a 1", "V . b new", "V a\\b v 1", "V k same 1");
    check_diff(&a, &b, "-value :d\n-value z\\y:v\n-key z\\y:\n-key z:\nset :a=1\nset :b=new\n"
                       "+key a:\n+key a\\b:\nset a\\b:v=1\n");
}

static void test_image_diff_value_case(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V k name 1");
    MAKE(&b, "V k Name 1");
    check_diff(&a, &b, "-value k:name\nset k:Name=1\n");
}

static void test_image_diff_key_case(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V key\\s x 1");
    MAKE(&b, "V Key\\s x 1");
    check_diff(&a, &b, "-value key\\s:x\n-key key\\s:\n-key key:\n+key Key:\n+key Key\\s:\nset Key\\s:x=1\n");
}

static void test_image_diff_key_case_pinned(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V key\\s x 1", "V key y 2");
    MAKE(&b, "V Key\\s x 2", "V Key z 3");
    a.root->pinned = image_find_key(&a, U("key"))->pinned = true;
    check_diff(&a, &b, "-value key:y\nset Key:z=3\nset Key\\s:x=2\n");
}

static void test_image_diff_link_flag(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V k x 1");
    MAKE(&b, "L k", "V k x 1");
    check_diff(&a, &b, "-value k:x\n-key k:\n+key@ k:\nset k:x=1\n");
    MAKE(&a, "L k");
    MAKE(&b, "K k");
    check_diff(&a, &b, "-key k:\n+key k:\n");
}

static void test_image_diff_class_only(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "C k\\l a", "V k\\l x 1", "K k\\l\\m");
    MAKE(&b, "C k\\l b", "V k\\l x 1", "K k\\l\\m");
    check_diff(&a, &b, "+key k\\l:b\n");
}

static void test_image_diff_type_only(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V . x 1");
    MAKE(&b, "V . x 1");
    b.root->values[0].type = 1;
    check_diff(&a, &b, "set :x=1\n");
}

static void test_image_diff_pinned_is_not_deleted(void **state)
{
    struct image a, b;

    (void)state;
    MAKE(&a, "V k x 1", "V k\\p y 2", "K k\\q");
    MAKE(&b, "K other");
    a.root->pinned = image_find_key(&a, U("k"))->pinned = true;
    image_find_key(&a, U("k\\p"))->pinned = true;
    check_diff(&a, &b, "-value k\\p:y\n-key k\\q:\n-value k:x\n+key other:\n");
    MAKE(&a, "V k x 1");
    image_init(&b);
    a.root->pinned = image_find_key(&a, U("k"))->pinned = true;
    check_diff(&a, &b, "-value k:x\n");
    /* whoever pinned a key and not those above it: a key with a subkey cannot be deleted */
    MAKE(&a, "V k\\p y 2");
    image_init(&b);
    image_find_key(&a, U("k\\p"))->pinned = true;
    check_diff(&a, &b, "-value k\\p:y\n");
}

static void test_image_walk_is_all(void **state)
{
    struct image image;
    char text[4096] = "";

    (void)state;
    MAKE(&image, "V k x 1");
    assert_int_equal(image_walk(&image, 42, note, text), 0);
    assert_string_equal(text, "+key :\n+key k:\nset k:x=1\n");
    image_free(&image);
    text[0] = 0;
    assert_int_equal(image_walk(&image, 42, note, text), 0);
    assert_string_equal(text, "");
}

/* Stops at the n-th change. */
static int stop(const struct change *change, void *arg)
{
    (void)change;
    return --*(int *)arg ? 0 : -77;
}

static void test_image_diff_stops(void **state)
{
    struct image a, b;

    (void)state;
    for (int n = 1; n <= 10; n++) {
        int left = n;

        MAKE(&a, "V . b old", "V . d 1", "V z\\y v 1");
        MAKE(&b, "V . a 1", "V . b new", "V a\\b v 1");
        assert_int_equal(image_diff(&a, &b, 1, stop, &left), n <= 9 ? -77 : 0);
        image_free(&a);
        image_free(&b);
    }
}

/* A copy that is changed while the images it comes from stay as they are. */
struct replay {
    struct image *image;
    bool creating;
};

static int replay(const struct change *c, void *arg)
{
    struct replay *r = arg;
    struct image_key *key = image_find_key(r->image, c->path);

    switch (c->kind) {
    case CHANGE_DELETE_KEY: /* exists and is empty */
        assert_non_null(key);
        assert_int_equal(key->key_count, 0);
        assert_int_equal(key->value_count, 0);
        /* fall through */
    case CHANGE_DELETE_VALUE:
        assert_false(r->creating);
        if (c->kind == CHANGE_DELETE_VALUE)
            assert_non_null(image_find_value(key, c->name));
        break;
    case CHANGE_SET_VALUE: /* the key exists */
        assert_non_null(key);
        r->creating = true;
        break;
    case CHANGE_CREATE_KEY:
        r->creating = true;
        break;
    }
    return image_apply(r->image, c);
}

static void test_image_diff_applied_makes_equal(void **state)
{
    unsigned first = random_seed();

    (void)state;
    print_message("TEST_SEED=%u\n", first);
    for (unsigned n = 0; n < 300; n++) {
        unsigned seed = first + n;
        struct image from, to, copy;
        struct replay r = { &copy, false };

        random_image(&seed, &from, 0);
        random_image(&seed, &to, 0);
        image_init(&copy);
        assert_int_equal(image_walk(&from, 1, replay, &r), 0);
        assert_true(image_equal(&from, &copy));
        r.creating = false;
        assert_int_equal(image_diff(&from, &to, 1, replay, &r), 0);
        if (!image_equal(&copy, &to) || !image_equal(&to, &copy))
            fail_msg("not equal");
        image_free(&from);
        image_free(&to);
        image_free(&copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_diff_equal),
        cmocka_unit_test(test_image_diff_from_nothing),
        cmocka_unit_test(test_image_diff_to_nothing),
        cmocka_unit_test(test_image_diff_deletes_before_it_creates),
        cmocka_unit_test(test_image_diff_value_case),
        cmocka_unit_test(test_image_diff_key_case),
        cmocka_unit_test(test_image_diff_key_case_pinned),
        cmocka_unit_test(test_image_diff_link_flag),
        cmocka_unit_test(test_image_diff_class_only),
        cmocka_unit_test(test_image_diff_type_only),
        cmocka_unit_test(test_image_diff_pinned_is_not_deleted),
        cmocka_unit_test(test_image_walk_is_all),
        cmocka_unit_test(test_image_diff_stops),
        cmocka_unit_test(test_image_diff_applied_makes_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
