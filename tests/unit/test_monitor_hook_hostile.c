/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring as a program can write it: reports of what cannot be, and no reports at all; and what
 * the monitor writes into it, the registered keys.
 */
#include <unistd.h>

#include "monitor_hooked.h"

static struct error err;
static struct ring ring;

static void given_ring(void)
{
    given_hooked();
    ring_of_app(&ring);
}

static int teardown(void **state)
{
    ring_close(&ring);
    return fixture_teardown(state);
}

static struct utf16 wide(const char *text)
{
    struct utf16 out;

    assert_int_equal(utf16_from_utf8(text, strlen(text), &out), 0);
    return out;
}

/* Reports a change of APP as it is, whatever it is. */
static void report(struct change *c, const char *path, const char *name)
{
    c->path = wide(path);
    c->name = wide(name);
    if (!c->key_id)
        c->key_id = 1;
    report_apart(&ring, 3, 0, c);
    free((void *)c->path.units);
    free((void *)c->name.units);
}

static void report_set(const char *path, const char *name)
{
    struct change c = {.kind = CHANGE_SET_VALUE, .type = 3, .data = "x", .size_bytes = 1};

    report(&c, path, name);
}

static void report_create(const char *path)
{
    struct change c = {.kind = CHANGE_CREATE_KEY};

    report(&c, path, "");
}

/* The monitor lives, goes on capturing, and the checkpoint holds what the registry does. */
static void assert_unharmed(void)
{
    assert_does("set " APP " a=2\nflush", "committed");
    AWAIT(checkpoint_holds(APP, "a=2"));
    monitor_ends_offline();
    assert_checkpoint(APP, "a=2");
}

static void test_report_for_a_key_that_is_not_registered_is_dropped(void **state)
{
    struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 4711, .type = 3};
    unsigned saves;

    (void)state;
    given_ring();
    saves = times_asked("save");
    report(&c, "", "a");
    assert_does("set " APP " a=2\nflush", "committed");
    assert_checkpoint(APP, "a=2");
    assert_int_equal(times_asked("save"), saves);
    monitor_ends_offline();
}

static void test_report_with_a_leading_backslash_is_not_believed(void **state)
{
    (void)state;
    given_ring();
    report_create("\\k");
    report_set("\\k", "v");
    assert_unharmed();
}

static void test_report_with_an_empty_component_is_not_believed(void **state)
{
    (void)state;
    given_ring();
    report_create("k\\\\l");
    report_create("k\\");
    assert_unharmed();
}

static void test_report_with_dots_names_no_other_key(void **state)
{
    (void)state;
    given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_hooked();
    ring_of_app(&ring);
    report_set("..\\Other", "o");
    report_set("..", "a");
    assert_does("set " APP " a=2\nflush", "committed");
    assert_checkpoint(OTHER, "o=1");
    assert_checkpoint(APP, "a=2");
    monitor_ends_offline();
}

/* Keys one below the other, as deep as asked for. */
static void report_deep(unsigned depth)
{
    char *path = malloc(2 * depth + 1), *at = path;

    assert_non_null(path);
    for (unsigned i = 0; i < depth; i++) {
        at += sprintf(at, i ? "\\k" : "k");
        report_create(path);
        if (i % 64 == 63) /* all is in one lane */
            ring_wait_durable(&ring, ring_last_number(&ring));
    }
    report_set(path, "v");
    free(path);
}

static void test_report_of_the_deepest_key_is_saved(void **state)
{
    (void)state;
    given_ring();
    report_deep(IMAGE_MAX_DEPTH);
    AWAIT(STATUS(keys) == IMAGE_MAX_DEPTH + 1);
    monitor_ends_offline();
}

static void test_report_of_a_key_too_deep_is_not_believed(void **state)
{
    (void)state;
    given_ring();
    report_deep(IMAGE_MAX_DEPTH + 1);
    assert_unharmed();
}

static void test_report_of_a_key_much_too_deep_is_not_believed(void **state)
{
    (void)state;
    given_ring();
    report_deep(2000);
    assert_unharmed();
}

static void test_report_with_a_key_name_too_long_is_not_believed(void **state)
{
    char name[IMAGE_MAX_KEY_NAME_CHARS + 2];

    (void)state;
    memset(name, 'k', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    given_ring();
    report_create(name);
    assert_unharmed();
}

static void test_report_with_a_value_name_too_long_is_not_believed(void **state)
{
    static char name[IMAGE_MAX_NAME_CHARS + 2];

    (void)state;
    memset(name, 'v', sizeof(name) - 1);
    given_ring();
    report_set("", name);
    assert_unharmed();
}

static void test_report_of_a_class_too_long_is_not_believed(void **state)
{
    static uint16_t class[70000];
    struct change c = {.kind = CHANGE_CREATE_KEY, .class = {class, 70000}};

    (void)state;
    for (size_t i = 0; i < 70000; i++)
        class[i] = 'c';
    given_ring();
    report(&c, "k", "");
    assert_unharmed();
}

static void test_report_by_a_process_that_is_not_there_is_saved(void **state)
{
    struct change c = {.kind = CHANGE_SET_VALUE, .key_id = 1, .type = 3, .data = "2",
                       .size_bytes = 1};

    (void)state;
    given_ring();
    given_registry(APP, "a=2");
    c.name = wide("a");
    report_apart(&ring, 3, 200, &c);
    free((void *)c.name.units);
    AWAIT(checkpoint_holds(APP, "a=2"));
    assert_string_equal(history_of("a").last.who, "hook");
    monitor_ends_offline();
}

static void test_process_name_that_is_no_text_is_shown_as_one(void **state)
{
    const char *who;
    struct told told;

    (void)state;
    given_ring();
    memset(ring.shared->processes[0].name, 0xff, RING_NAME_BYTES);
    program_does("set " APP " a=2\nflush");
    told = history_of("a");
    who = told.last.who;
    assert_true(strlen(who) > 0 && strlen(who) < RING_NAME_BYTES);
    assert_int_equal(strspn(who, "?"), strlen(who));
    monitor_ends_offline();
}

static void test_unhooked_process_name_makes_no_line_in_the_log(void **state)
{
    (void)state;
    given_ring();
    ring_note_unhooked(&ring, "x\n1999-12-31 forged", "why\033[2J");
    AWAIT(log_has("runs without the hook"));
    assert_true(log_has("x?1999-12-31 forged"));
    assert_true(log_has("why?[2J"));
    monitor_ends_offline();
}

static void test_garbage_in_the_lanes_is_scanned_over(void **state)
{
    unsigned seed = (unsigned)getpid();
    uint8_t *bytes;

    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    given_ring();
    for (int round = 0; round < 20; round++) {
        monitor_pauses();
        program_does("set " APP " a=7");
        bytes = ring.buffers;
        for (size_t i = 0; i < (size_t)ring.lane_count * ring.lane_bytes; i++)
            bytes[i] = (uint8_t)rand();
        for (uint32_t i = 0; i < ring.lane_count; i++) {
            ring.shared->lanes[i].head = (uint64_t)rand() * (rand() % 2 ? 8 : 1);
            ring.shared->lanes[i].tail = (uint64_t)rand();
        }
        monitor_goes_on();
        assert_does("flush", "committed");
        assert_checkpoint(APP, "a=7");
    }
    monitor_ends_offline();
}

static void test_garbage_in_all_numbers_does_no_harm(void **state)
{
    unsigned seed = (unsigned)getpid();
    uint8_t *bytes;

    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    given_ring();
    bytes = (uint8_t *)ring.shared;
    for (int round = 0; round < 5; round++) {
        monitor_pauses();
        for (size_t i = offsetof(struct ring_shared, counter); i < ring.map_bytes; i++)
            bytes[i] = (uint8_t)rand();
        monitor_goes_on();
        AWAIT(STATUS(phase) == PHASE_ONLINE);
    }
    given_registry(APP, "a=3");
    notifications_fire();
    AWAIT(checkpoint_holds(APP, "a=3"));
    monitor_ends_offline();
    assert_checkpoint(APP, "a=3");
}

/* --- the table --- */

static size_t table_count(void)
{
    struct ring_key *keys;
    size_t count;
    void *block;

    assert_int_equal(ring_keys_get(&ring, &keys, &count, &block), 0);
    free(block);
    return count;
}

static void test_key_that_is_added_online_is_reported(void **state)
{
    (void)state;
    given_registry(OTHER, "o=1");
    given_ring();
    assert_int_equal(table_count(), 1);
    assert_int_equal(ctl_add(OTHER, 0, &err), 0);
    assert_int_equal(table_count(), 2);
    program_does("set " OTHER " o=2\nflush");
    assert_checkpoint(OTHER, "o=2");
    assert_string_equal(history_of("o").last.who, "played.exe");
    monitor_ends_offline();
}

static void test_key_that_is_added_and_refused_is_not_reported(void **state)
{
    (void)state;
    given_ring();
    assert_int_not_equal(ctl_add("Software\\Nowhere", 0, &err), 0);
    assert_int_equal(table_count(), 1);
    assert_unharmed();
}

static void test_key_that_is_removed_online_is_not_reported(void **state)
{
    struct pack p;
    uint32_t id;

    (void)state;
    id = given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_hooked();
    ring_of_app(&ring);
    pack_init(&p);
    pack_u32(&p, id);
    assert_int_equal(ctl_ask(CTL_REMOVE, &p, NULL, NULL, &err), 0);
    pack_free(&p);
    assert_int_equal(table_count(), 1);
    program_does("set " OTHER " o=2");
    assert_unharmed();
    assert_false(checkpoint_key(OTHER, NULL));
}

static void test_report_that_was_on_its_way_when_its_key_was_removed_is_dropped(void **state)
{
    struct pack p;
    uint32_t id;

    (void)state;
    id = given_key(OTHER, KEY_CAPTURED, "o=1", NULL);
    given_registry(OTHER, "o=1");
    given_property("lag", "60000");
    given_hooked();
    ring_of_app(&ring);
    monitor_pauses();
    program_does("set " OTHER " o=2");
    monitor_goes_on();
    pack_init(&p);
    pack_u32(&p, id);
    assert_int_equal(ctl_ask(CTL_REMOVE, &p, NULL, NULL, &err), 0);
    pack_free(&p);
    assert_unharmed();
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_hooked_setup, teardown)
static const struct CMUnitTest tests[] = {
    RING_TEST(test_report_for_a_key_that_is_not_registered_is_dropped),
    RING_TEST(test_report_with_a_leading_backslash_is_not_believed),
    RING_TEST(test_report_with_an_empty_component_is_not_believed),
    RING_TEST(test_report_with_dots_names_no_other_key),
    RING_TEST(test_report_of_the_deepest_key_is_saved),
    RING_TEST(test_report_of_a_key_too_deep_is_not_believed),
    RING_TEST(test_report_of_a_key_much_too_deep_is_not_believed),
    RING_TEST(test_report_with_a_key_name_too_long_is_not_believed),
    RING_TEST(test_report_with_a_value_name_too_long_is_not_believed),
    RING_TEST(test_report_of_a_class_too_long_is_not_believed),
    RING_TEST(test_report_by_a_process_that_is_not_there_is_saved),
    RING_TEST(test_process_name_that_is_no_text_is_shown_as_one),
    RING_TEST(test_unhooked_process_name_makes_no_line_in_the_log),
    RING_TEST(test_garbage_in_the_lanes_is_scanned_over),
    RING_TEST(test_garbage_in_all_numbers_does_no_harm),
    RING_TEST(test_key_that_is_added_online_is_reported),
    RING_TEST(test_key_that_is_added_and_refused_is_not_reported),
    RING_TEST(test_key_that_is_removed_online_is_not_reported),
    RING_TEST(test_report_that_was_on_its_way_when_its_key_was_removed_is_dropped),
};

MONITOR_TESTS_MAIN(tests)
