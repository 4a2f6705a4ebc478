/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * snapshot_read: what was recorded comes back, also while somebody writes, and fast.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "checkpoint_fixture.h"
#include "content.h"

#define ROUNDS 60

/* Makes the checkpoint equal to an image. */
static void record_image(struct fixture *f, const struct image *from, const struct image *to)
{
    struct apply_to apply = { f->c, NULL };

    WORKS(checkpoint_begin(f->c, err));
    assert_int_equal(image_diff(from, to, f->id, record_change, &apply), 0);
    WORKS(checkpoint_commit(f->c, err));
}

static void test_snapshot_read_random_images_come_back(void **state)
{
    unsigned seed = random_seed(), round;
    struct fixture *f = fixture_new();
    struct image images[2];
    struct snapshot s;

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    image_init(&images[1]);
    for (round = 0; round < ROUNDS; round++) {
        struct image *now = &images[round & 1], *before = &images[!(round & 1)];

        random_image(&seed, now, 0);
        record_image(f, before, now);
        WORKS(snapshot_read(f->path, 0, &s, err));
        assert_int_equal(s.key_count, 1);
        if (!image_equal(now, &s.keys[0].image)) fail_msg("round %u differs", round);
        snapshot_free(&s);
        image_free(before);
    }
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    image_free(&images[(round - 1) & 1]);
    fixture_free(f);
}

static void test_snapshot_read_uncaptured_key_is_empty(void **state)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\B" };
    struct fixture *f = fixture_new();
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(checkpoint_put_key(f->c, &key, err));
    f->id = key.id;
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(set_value(f, EMPTY, U("v"), 1, "x", 1, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, 0, &s, err));
    assert_null(s.keys[1].image.root);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_read_head_has_no_content(void **state)
{
    struct fixture *f = fixture_new();
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, SNAPSHOT_HEAD, &s, err));
    assert_int_equal(s.format, CHECKPOINT_FORMAT);
    assert_int_equal(s.state.sequence, 3);
    assert_int_equal(s.key_count, 1);
    assert_string_equal(s.keys[0].key.path, "Software\\Vendor");
    assert_null(s.keys[0].image.root);
    assert_true(s.file_bytes > 100000);
    snapshot_free(&s);
    fixture_free(f);
}

static void test_snapshot_read_beside_an_open_writer(void **state)
{
    struct fixture *f = fixture_new();
    struct snapshot s;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(snapshot_read(f->path, 0, &s, err)); /* what is not committed does not show */
    assert_null(s.keys[0].image.root);
    snapshot_free(&s);
    WORKS(checkpoint_commit(f->c, err));
    WORKS(snapshot_read(f->path, 0, &s, err));
    assert_non_null(s.keys[0].image.root);
    snapshot_free(&s);
    fixture_free(f);
}

/* A process that commits 40 values, all with the same number, again and again. */
static void write_for_ever(const char *path)
{
    struct fixture f = { .id = 1 };
    uint32_t number, i;

    if (checkpoint_open(path, &f.c, NULL)) _exit(1);
    for (number = 1;; number++) {
        if (checkpoint_begin(f.c, NULL)) _exit(2);
        for (i = 0; i < 40; i++) {
            uint16_t name[1] = { (uint16_t)('A' + i) };
            struct change c = { .kind = CHANGE_SET_VALUE, .key_id = 1, .name = { name, 1 },
                                .type = 4, .data = &number, .size_bytes = 4 };

            if (checkpoint_change(f.c, &c, NULL, NULL)) _exit(3);
        }
        if (checkpoint_commit(f.c, NULL)) _exit(4);
    }
}

static void test_snapshot_read_never_mixes_two_commits(void **state)
{
    struct fixture *f = fixture_new();
    unsigned long passes = 0, changed = 0;
    uint64_t last = 0;
    struct snapshot s;
    time_t end;
    pid_t pid;
    uint32_t i;

    (void)state;
    WORKS(checkpoint_begin(f->c, err));
    WORKS(make_key(f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f->c, err));
    checkpoint_close(f->c);
    f->c = NULL;
    if (!(pid = fork())) write_for_ever(f->path);
    for (end = time(NULL) + 4; time(NULL) < end; passes++) {
        unsigned flags = passes & 1 ? SNAPSHOT_HEAD : 0;

        WORKS(snapshot_read(f->path, flags, &s, err));
        assert_true(s.state.sequence >= last);
        changed += s.state.sequence != last;
        last = s.state.sequence;
        for (i = 1; !flags && i < s.keys[0].image.root->value_count; i++)
            assert_memory_equal(s.keys[0].image.root->values[i].data,
                                s.keys[0].image.root->values[0].data, 4);
        snapshot_free(&s);
        WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    print_message("%lu snapshots of %lu commits seen\n", passes, changed);
    assert_true(passes > 20 && changed > 5);
    WORKS(checkpoint_open(f->path, &f->c, err));
    WORKS(checkpoint_verify(f->path, NULL, NULL, err));
    fixture_free(f);
}

static void test_content_compare_is_image_order(void **state)
{
    static const uint16_t units[] = { 0, 1, 'A', '[', ']', 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff,
                                      0xe000, 0xfffd };
    size_t count = sizeof(units) / sizeof(units[0]), i, j, x_len, y_len;

    (void)state;
    for (i = 0; i < count; i++)
        for (j = 0; j < count; j++) {
            struct utf16 a = { &units[i], 1 }, b = { &units[j], 1 };
            char *x = utf16_to_utf8(a, true, &x_len), *y = utf16_to_utf8(b, true, &y_len);
            int order = content_compare((uint8_t *)x, x_len, (uint8_t *)y, y_len);
            int expected = utf16_compare_nocase(a, b);

            assert_int_equal((order > 0) - (order < 0), (expected > 0) - (expected < 0));
            free(x);
            free(y);
        }
}

static void test_content_sort_like_qsort(void **state)
{
    static const char letters[] = "abc\\\0\0\xc3\xf0";
    unsigned seed = random_seed();
    struct items list = { NULL, 3000, 3000 };
    char (*texts)[64] = calloc(3000, 64);
    size_t i, j;

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    assert_non_null(list.at = calloc(list.count, sizeof(*list.at)));
    for (i = 0; i < list.count; i++) {
        size_t len = random_below(&seed, 50);

        memcpy(texts[i], "00000001:", 9);
        for (j = 0; j < len; j++)
            texts[i][9 + j] = random_below(&seed, 9) ? 'a' : letters[random_below(&seed, 8)];
        list.at[i].rest = (uint8_t *)texts[i] + 9;
        list.at[i].rest_len = (uint32_t)len;
    }
    assert_int_equal(content_sort(&list), 0);
    for (i = 1; i < list.count; i++)
        assert_true(content_compare(list.at[i - 1].rest, list.at[i - 1].rest_len, list.at[i].rest,
                                    list.at[i].rest_len) <= 0);
    free(list.at);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot_read_random_images_come_back),
        cmocka_unit_test(test_snapshot_read_uncaptured_key_is_empty),
        cmocka_unit_test(test_snapshot_read_head_has_no_content),
        cmocka_unit_test(test_snapshot_read_beside_an_open_writer),
        cmocka_unit_test(test_snapshot_read_never_mixes_two_commits),
        cmocka_unit_test(test_content_compare_is_image_order),
        cmocka_unit_test(test_content_sort_like_qsort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
