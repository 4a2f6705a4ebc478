/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same (test_power_cut.c) of what is done to a store beside commits: making and deleting a resource,
 * undoing the commit of a writer that died, taking over by force, repairing, putting back the last good
 * one.  Whatever a power cut leaves of it, doing it again comes to its end, and nothing that was
 * acknowledged is gone.
 */
#include <sys/wait.h>

#include "checkpoint_repair.h"
#include "iotrace.h"
#include "place.h"
#include "takeover.h"
#include "tdbfile.h"

/* --- what is there before --- */

static bool is_interrupted(void)
{
    struct tdbfile f;
    bool interrupted;

    if (tdbfile_open(&f, here.checkpoint, NULL)) return false;
    interrupted = f.interrupted;
    tdbfile_close(&f);
    return interrupted;
}

/* Ends a writer at its n-th call; false: it came to its end. */
static bool die_in_commit(unsigned long n)
{
    struct iotrace trace;
    struct error err;
    pid_t pid = fork();

    if (!pid) {
        iotrace_me();
        _exit(place_write_values(0, 2, &err) != 0);
    }
    if (!iotrace_run(pid, here.store, n, SIGKILL, NULL, &trace)) {
        assert_int_equal(trace.status, 0);
        return false;
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return true;
}

/* The same, where its commit is to be undone: at its nth such call. */
static bool given_interrupted(unsigned nth)
{
    struct disk *before;
    bool found = false;

    place_given_content();
    before = disk_new(here.dir);
    for (unsigned long n = 1; !found && die_in_commit(n); n++) {
        found = is_interrupted() && !nth--;
        if (!found) assert_true(disk_cut(before, KEPT_NOTHING, n));
    }
    disk_free(before);
    return found;
}

/* A byte of one value is another. */
static void damage(void)
{
    struct tdbfile f;
    uint8_t byte;
    size_t at;
    int fd;

    WORKS(tdbfile_open(&f, here.checkpoint, err));
    WORKS(tdbfile_load(&f, err));
    for (at = 64; memcmp(f.bytes + at, "\1\1\1\1\1\1\1\1", 8); at++) assert_true(at < f.size_bytes);
    tdbfile_close(&f);
    byte = 3;
    assert_true((fd = open(here.checkpoint, O_WRONLY | O_CLOEXEC)) >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static void given_damaged(void)
{
    place_given_content();
    damage();
    FAILS(RESULT_DAMAGED, "wrong checksum", snapshot_read(here.checkpoint, 0, &(struct snapshot){ 0 }, err));
}

/* --- what is done, in a process of its own --- */

static int create(struct error *err)
{
    struct resource r;
    bool made;
    int ret = store_init(here.store, &made, err);

    resource_init(&r);
    if (!ret) ret = resource_set(&r, "service", "Svc", err);
    if (!ret) ret = store_create_resource(here.store, "res", &r, err);
    resource_free(&r);
    return ret;
}

static int delete(struct error *err)
{
    int lock, ret = store_own(here.store, "res", &lock, err);

    if (ret) return ret;
    ret = store_delete_resource(here.store, "res", lock, err);
    store_disown(lock);
    return ret;
}

static int undo(struct error *err)
{
    struct checkpoint *c;
    int ret = checkpoint_open(here.checkpoint, &c, err);

    if (!ret) checkpoint_close(c);
    return ret;
}

static int guard(void *arg, struct error *err)
{
    return takeover_check(arg, err);
}

/* An online, as far as the store goes, and a commit of the new owner; the epoch is acknowledged. */
static int own(struct owner *o, const char *token, struct error *err)
{
    struct checkpoint_state state;
    struct checkpoint *c = NULL;
    int ret = takeover_own(o, err);

    if (ret == RESULT_OWNED && token) ret = takeover_displace(o, token, err);
    if (ret || (ret = takeover_settle(o, err)) ||
        (ret = checkpoint_open_guarded(here.checkpoint, guard, o, &c, err)))
        return ret;
    if (!(ret = checkpoint_begin(c, err)) && !(ret = checkpoint_get_state(c, &state, err))) {
        state.epoch++;
        if (!(ret = checkpoint_set_state(c, &state, err)) && !(ret = checkpoint_commit(c, err)))
            here.told->number = state.epoch;
    }
    checkpoint_close(c);
    return ret;
}

static int take_over(struct error *err)
{
    struct owner o = { .store = here.store, .resource = "res", .node = "second", .lock_fd = -1 };
    int ret = own(&o, here.token, err);

    if (!ret) takeover_release(&o);
    return ret;
}

static void tell(const char *where, const char *what, void *arg)
{
    (void)where;
    (void)what;
    ++*(unsigned *)arg;
}

static int repair(struct error *err)
{
    struct repair r;
    unsigned lost = 0;
    int ret = checkpoint_repair(here.checkpoint, here.good, tell, &lost, &r, err);

    if (!ret) free(r.kept);
    return ret;
}

static int put_back(struct error *err)
{
    char *kept = NULL;
    int ret = checkpoint_put_back(here.checkpoint, here.good, &kept, err);

    free(kept);
    return ret;
}

/* --- what must hold after it, at whatever call the power went --- */

static void check_created(const struct told *told, const char *what)
{
    struct error err;
    struct snapshot s;
    int ret = create(&err);

    if (ret != RESULT_EXISTS || told->done) place_must(ret == RESULT_EXISTS ? 0 : ret, &err, what);
    place_must(snapshot_read(here.checkpoint, 0, &s, &err), &err, what);
    if (strcmp(s.resource.service, "Svc")) fail_msg("%s: other properties", what);
    snapshot_free(&s);
}

static void check_deleted(const struct told *told, const char *what)
{
    struct error err;
    struct snapshot s;
    char **names;
    size_t count;
    int ret;

    place_must(store_list(here.store, &names, &count, &err), &err, what);
    store_list_free(names, count);
    if (told->done && count) fail_msg("%s: it is there again", what);
    if (count) place_must(delete(&err), &err, what);
    ret = create(&err); /* in its place */
    place_must(ret, &err, what);
    place_must(snapshot_read(here.checkpoint, 0, &s, &err), &err, what);
    snapshot_free(&s);
}

static void check_undone(const struct told *told, const char *what)
{
    struct error err;

    (void)told;
    place_must(undo(&err), &err, what);
    if (is_interrupted()) fail_msg("%s: still to be undone", what);
    if (checkpoint_verify(here.checkpoint, NULL, NULL, &err)) fail_msg("%s: %s", what, err.text);
    place_check_content(here.checkpoint, what);
    place_check_content(here.good, what);
}

static void check_taken_over(const struct told *told, const char *what)
{
    struct owner o = { .store = here.store, .resource = "res", .node = "third", .lock_fd = -1 };
    struct error err;
    uint64_t acknowledged = told->number;

    place_must(own(&o, NULL, &err), &err, what); /* nobody holds the lock after a power cut */
    takeover_release(&o);
    if (here.told->number <= acknowledged)
        fail_msg("%s: epoch %d, which was had before", what, (int)here.told->number);
    place_check_content(here.checkpoint, what);
    place_check_content(here.good, what);
}

/* The damaged file is there, under one name or another. */
static void check_damaged_is_kept(const char *what)
{
    char path[160];
    struct error err = { 0 }, kept = { 0 };

    snprintf(path, sizeof(path), "%s/res/checkpoint.damaged.1", here.store);
    if (checkpoint_verify(here.checkpoint, NULL, NULL, &err) == RESULT_DAMAGED) return;
    if (checkpoint_verify(path, NULL, NULL, &kept) == RESULT_DAMAGED) return;
    fail_msg("%s: the damaged checkpoint is gone; it: %s; kept: %s", what, err.code ? err.text : "whole",
             kept.code ? kept.text : "whole");
}

static void check_repaired(const struct told *told, const char *what)
{
    struct image now;
    struct error err;

    check_damaged_is_kept(what);
    if (told->done && checkpoint_verify(here.checkpoint, NULL, NULL, &err))
        fail_msg("%s: %s", what, err.text);
    place_must(repair(&err), &err, what);
    now = place_content(here.checkpoint, what);
    if (now.value_count < VALUES - 1) fail_msg("%s: %zu values", what, now.value_count);
    image_free(&now);
    place_check_content(here.good, what);
}

static void check_put_back(const struct told *told, const char *what)
{
    struct error err;

    check_damaged_is_kept(what);
    if (told->done && checkpoint_verify(here.checkpoint, NULL, NULL, &err))
        fail_msg("%s: %s", what, err.text);
    if (checkpoint_verify(here.checkpoint, NULL, NULL, &err)) place_must(put_back(&err), &err, what);
    place_check_content(here.checkpoint, what);
    place_check_content(here.good, what);
}

/* --- all of it --- */

static void test_resource_is_made(void **state)
{
    (void)state;
    place_cut_all("making a store and a resource", NULL, create, check_created);
}

static void test_resource_is_deleted(void **state)
{
    (void)state;
    place_cut_all("deleting a resource", place_given_content, delete, check_deleted);
}

/*
 * From what its writer left when it died at one of its calls: each in so many, since every one of them
 * is hundreds of states.  INTERRUPTED=1: each.
 */
static void test_interrupted_commit_is_undone(void **state)
{
    unsigned long points = 0, states = 0;
    const char *step = getenv("INTERRUPTED");
    unsigned nth, tried = 0;
    bool found = true;

    (void)state;
    for (nth = 1; found; nth += step ? (unsigned)atoi(step) : 25) {
        place_begin();
        if ((found = given_interrupted(nth))) place_cut(undo, check_undone, &points, &states);
        tried += found;
        place_end();
    }
    print_message("undoing %u interrupted commits: %lu points, %lu states of the disk (SEED=%llu)\n",
                  tried, points, states, cut_seed());
    assert_true(tried > 2 && points > tried);
}

static void given_owned_and_interrupted(void)
{
    assert_true(given_interrupted(2));
    WORKS(takeover_token(here.store, "res", here.token, err));
}

/* Who holds the lock stands still; it may be in the middle of a commit. */
static void test_resource_is_taken_over(void **state)
{
    struct owner old = { .store = here.store, .resource = "res", .node = "old", .lock_fd = -1 };
    unsigned long points = 0, states = 0;

    (void)state;
    place_begin();
    given_owned_and_interrupted();
    WORKS(takeover_own(&old, err));
    WORKS(takeover_token(here.store, "res", here.token, err));
    place_cut(take_over, check_taken_over, &points, &states);
    store_disown(old.lock_fd);
    print_message("taking over: %lu points, %lu states of the disk (SEED=%llu)\n", points, states,
                  cut_seed());
    place_end();
}

static void test_damaged_checkpoint_is_repaired(void **state)
{
    (void)state;
    place_cut_all("repairing", given_damaged, repair, check_repaired);
}

static void test_last_good_checkpoint_is_put_back(void **state)
{
    (void)state;
    place_cut_all("putting back the last good one", given_damaged, put_back, check_put_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resource_is_made),
        cmocka_unit_test(test_resource_is_deleted),
        cmocka_unit_test(test_interrupted_commit_is_undone),
        cmocka_unit_test(test_resource_is_taken_over),
        cmocka_unit_test(test_damaged_checkpoint_is_repaired),
        cmocka_unit_test(test_last_good_checkpoint_is_put_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
