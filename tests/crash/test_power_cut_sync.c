/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each sync fails in turn, and the kernel forgets then what it could not write: it says so once, shows
 * it to readers all the same, and the next sync works.  The writer does what the monitor does
 * (tools/monitor/storage.c), or the command is given once more.  At each call from there on the power
 * goes: what was acknowledged before and after the failure is there.
 */
#include "place.h"
#include "verbs.h"

#define COMMITS 3 /* of the writer, of which each sync is tried */

static unsigned long nth;    /* the sync that fails; 0: none */
static unsigned long looked; /* at states behind it */
static char point[24];
static const char *arguments[3] = { "--to", point, NULL };

static int guard(void *arg, struct error *err)
{
    return takeover_check(arg, err);
}

/* Commit `number` sets a value to it, which a scan of the registry would find missing otherwise. */
static int commit(struct checkpoint *c, uint8_t number, struct error *err)
{
    struct fixture f = { .c = c, .id = 1 };
    int ret = checkpoint_begin(c, err);

    if (!ret && !(ret = set_value(&f, EMPTY, U("n"), 3, &number, 1, &test_origin, err)))
        ret = checkpoint_commit(c, err);
    return ret;
}

/* Online, some commits, each until it is done, the last good one, offline. */
static int write_on(struct error *err)
{
    struct owner o = { .store = here.store, .resource = "res", .node = "first", .lock_fd = -1 };
    struct checkpoint *c = NULL;
    unsigned number = 1, failures = 0;
    bool in_doubt = false;
    int ret;

    fault_set(FAULT_SYNC_LOST, nth, &here.told->report);
    while ((ret = takeover_own(&o, err)) == EIO && ++failures < 3) continue;
    while (!ret && number <= COMMITS) {
        if (!c && ((ret = takeover_settle(&o, err)) ||
                   (in_doubt && (ret = takeover_renew(&o, err))) ||
                   (ret = checkpoint_open_guarded(here.checkpoint, guard, &o, &c, err))))
            c = NULL;
        else if (!(ret = commit(c, (uint8_t)number, err)))
            here.told->number = number++;
        if (!ret) {
            in_doubt = false;
        } else if (ret == EIO && ++failures < 3) {
            in_doubt = true;
            checkpoint_close(c);
            c = NULL;
            ret = 0;
        }
    }
    while (!ret && (ret = checkpoint_keep_last_good(c, here.good, err)) == EIO && ++failures < 3)
        ret = 0;
    checkpoint_close(c);
    takeover_release(&o);
    return ret;
}

/* Twice, where the first one fails. */
static int roll_back(struct error *err)
{
    int code;

    fault_set(FAULT_SYNC_LOST, nth, &here.told->report);
    if ((code = place_verb(verb_rollback, arguments))) {
        if (!here.told->report.fired)
            return error_set(err, RESULT_INVALID, "regckpt rollback exits with %d", code);
        code = place_verb(verb_rollback, arguments);
    }
    if (!code) here.told->number = 1;
    return code ? error_set(err, RESULT_INVALID, "again: regckpt rollback exits with %d", code) : 0;
}

/* What the value holds in the checkpoint. */
static unsigned number_in(const char *path, const char *what)
{
    struct image now = place_content(path, what);
    const struct image_value *value = image_find_value(now.root, U("n"));
    unsigned number = value ? *value->data : 0;

    image_free(&now);
    return number;
}

/* The next owner. */
static void check_next_owner(const char *what)
{
    struct owner o = { .store = here.store, .resource = "res", .node = "next", .lock_fd = -1 };
    struct checkpoint *c = NULL;
    struct error err;
    int ret = takeover_own(&o, &err);

    if (!ret && !(ret = takeover_settle(&o, &err)) &&
        !(ret = checkpoint_open_guarded(here.checkpoint, guard, &o, &c, &err)))
        ret = commit(c, 99, &err);
    place_must(ret, &err, what);
    checkpoint_close(c);
    takeover_release(&o);
    place_must(checkpoint_verify(here.checkpoint, NULL, NULL, &err), &err, what);
    if (number_in(here.checkpoint, what) != 99) fail_msg("%s: the next owner's commit is not there", what);
}

static void check_written(const struct told *told, const char *what)
{
    struct error err;
    unsigned number;

    if (!told->report.fired) return; /* test_power_cut.c has that */
    looked++;
    place_must(checkpoint_verify(here.checkpoint, NULL, NULL, &err), &err, what);
    place_must(checkpoint_verify(here.good, NULL, NULL, &err), &err, what);
    number = number_in(here.checkpoint, what);
    if (number < told->number || number > told->number + 1)
        fail_msg("sync %lu failed, %s: commit %u where %u was done", nth, what, number,
                 (unsigned)told->number);
    check_next_owner(what);
}

static void check_rolled_back(const struct told *told, const char *what)
{
    struct error err;
    unsigned number;

    if (!told->report.fired) return;
    looked++;
    place_must(checkpoint_verify(here.checkpoint, NULL, NULL, &err), &err, what);
    number = number_in(here.checkpoint, what);
    if (number != 1 && (told->number || number != 2))
        fail_msg("sync %lu failed, %s: commit %u%s", nth, what, number,
                 told->number ? ", which was rolled back" : "");
    check_next_owner(what);
}

/* A small resource, whose content was changed once. */
static void given_small(void)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\Vendor",
                                  .flags = KEY_CAPTURED };
    struct fixture f = { .id = 1 };
    struct snapshot s;

    place_given_store();
    WORKS(checkpoint_open(here.checkpoint, &f.c, err));
    WORKS(checkpoint_begin(f.c, err));
    WORKS(checkpoint_put_key(f.c, &key, err));
    WORKS(make_key(&f, EMPTY, NULL, err));
    WORKS(checkpoint_commit(f.c, err));
    checkpoint_close(f.c);
    place_keep_good();
    WORKS(snapshot_read(here.checkpoint, SNAPSHOT_HISTORY, &s, err));
    snprintf(point, sizeof(point), "%llu", (unsigned long long)s.history_next + 1);
    snapshot_free(&s);
}

static void given_two_commits(void)
{
    struct checkpoint *c;

    given_small();
    WORKS(checkpoint_open(here.checkpoint, &c, err));
    WORKS(commit(c, 1, err));
    WORKS(commit(c, 2, err));
    checkpoint_close(c);
}

/* The n-th sync fails, for every n that there is. */
static void fail_everywhere(const char *name, void (*given)(void), int (*act)(struct error *err),
                            place_check *check)
{
    unsigned long points = 0, states = 0;
    bool fired = true;

    looked = 0;
    for (nth = 1; fired; nth++) {
        place_begin();
        given();
        place_cut(act, check, &points, &states);
        fired = here.told->report.fired;
        place_end();
    }
    print_message("%s: %lu syncs failed; %lu states of the disk behind that (SEED=%llu)\n", name,
                  nth - 2, looked, cut_seed());
    assert_true(nth > 6 && looked > nth);
}

static void test_writer_goes_on(void **state)
{
    (void)state;
    fail_everywhere("writing on", given_small, write_on, check_written);
}

static void test_rollback_is_given_again(void **state)
{
    (void)state;
    fail_everywhere("rolling back again", given_two_commits, roll_back, check_rolled_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer_goes_on),
        cmocka_unit_test(test_rollback_is_given_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
