/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same (test_power_cut.c) of "regckpt rollback --to POINT" and "--key KEY": what a power cut leaves
 * is the content before it or after it, whole; once it is said to be done it stays; doing it again comes
 * to its end; and the way back from it is there.
 */
#include "place.h"
#include "undo.h"
#include "verbs.h"

static struct image then;         /* what it goes back to; here.content: what there is before */
static uint64_t before;           /* the number of the last change before it */
static const char *arguments[5];

/* A commit: so many values of a subkey. */
static void write_values(struct utf16 key, uint8_t data, unsigned count)
{
    struct fixture f = { .id = 1 };
    uint16_t name[2] = { 'n' };

    WORKS(checkpoint_open(here.checkpoint, &f.c, err));
    WORKS(checkpoint_begin(f.c, err));
    WORKS(make_key(&f, key, &test_origin, err));
    for (unsigned i = 0; i < count; i++) {
        name[1] = (uint16_t)('0' + i);
        WORKS(set_value(&f, key, ((struct utf16){ name, 2 }), 3, &data, 1, &test_origin, err));
    }
    WORKS(checkpoint_commit(f.c, err));
    checkpoint_close(f.c);
}

static uint64_t last_change(void)
{
    struct snapshot s;
    uint64_t number;

    WORKS(snapshot_read(here.checkpoint, SNAPSHOT_HISTORY, &s, err));
    number = s.history_next;
    snapshot_free(&s);
    return number;
}

/* "one" and "two" as they were; then "one" changes, then "two". */
static void given_history(void)
{
    static char point[24];
    struct image both;

    image_free(&then);
    place_given_content();
    write_values(U("one"), 1, 2);
    write_values(U("two"), 1, 2);
    snprintf(point, sizeof(point), "%llu", (unsigned long long)last_change());
    both = place_content(here.checkpoint, "both as they were");
    write_values(U("one"), 2, 20);
    then = place_content(here.checkpoint, "two as it was");
    write_values(U("two"), 2, 20);
    image_free(&here.content);
    here.content = place_content(here.checkpoint, "before");
    before = last_change();
    place_keep_good();
    arguments[0] = "--to";
    arguments[1] = point;
    if (arguments[2]) {
        image_free(&both);
        return;
    }
    image_free(&then);
    then = both;
}

static int roll_back(struct error *err)
{
    int code = place_verb(verb_rollback, arguments);

    return code ? error_set(err, RESULT_INVALID, "regckpt rollback exits with %d", code) : 0;
}

/* Does the history lead back to what was there before? */
static void check_way_back(const char *what)
{
    struct snapshot s;
    struct undone u;
    struct error err;

    place_must(snapshot_read(here.checkpoint, SNAPSHOT_HISTORY, &s, &err), &err, what);
    place_must(snapshot_undo(&s, before, &u, &err), &err, what);
    if (!image_equal(&s.keys[0].image, &here.content)) fail_msg("%s: no way back", what);
    undone_free(&u);
    snapshot_free(&s);
}

static void check_rolled_back(const struct told *told, const char *what)
{
    struct image now;
    struct error err;
    bool is_then, is_before;
    int code;

    place_must(checkpoint_verify(here.checkpoint, NULL, NULL, &err), &err, what);
    now = place_content(here.checkpoint, what);
    is_then = image_equal(&now, &then);
    is_before = image_equal(&now, &here.content);
    image_free(&now);
    if (!is_then && !is_before) fail_msg("%s: neither what was before nor what is after", what);
    if (told->done && !is_then) fail_msg("%s: it is undone", what);
    if (is_before && last_change() != before) fail_msg("%s: changes that were not made", what);
    check_way_back(what);
    if ((code = place_verb_apart(verb_rollback, arguments))) /* again */
        fail_msg("%s: regckpt rollback exits with %d", what, code);
    now = place_content(here.checkpoint, what);
    if (!image_equal(&now, &then)) fail_msg("%s: again: not what is after", what);
    image_free(&now);
    check_way_back(what);
    place_check_content(here.good, what);
}

static void test_all_is_rolled_back(void **state)
{
    (void)state;
    arguments[2] = NULL;
    place_cut_all("rolling back to a point", given_history, roll_back, check_rolled_back);
}

static void test_key_is_rolled_back(void **state)
{
    (void)state;
    arguments[2] = "--key";
    arguments[3] = "Software\\Vendor\\two";
    place_cut_all("rolling back a key", given_history, roll_back, check_rolled_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_rolled_back),
        cmocka_unit_test(test_key_is_rolled_back),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    image_free(&then);
    return failed;
}
