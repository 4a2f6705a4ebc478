/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same (test_power_cut.c) of what is done to a store beside commits: making and deleting a resource,
 * undoing the commit of a writer that died, taking over by force, repairing, putting back the last good
 * one.  Whatever a power cut leaves of it, doing it again comes to its end, and nothing that was
 * acknowledged is gone.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "checkpoint_repair.h"
#include "cuts.h"
#include "iotrace.h"
#include "scenario.h"
#include "takeover.h"
#include "tdbfile.h"

#define VALUES 40

/* Shared with the process that acts. */
struct told {
    int result;
    bool done;            /* it has returned */
    uint64_t epoch;       /* acknowledged; 0: none yet */
    char text[ERROR_TEXT_BYTES];
};

static struct place {
    char dir[64], store[80], checkpoint[120], good[120];
    char token[OWNER_TOKEN_BYTES];
    struct told *told;
    struct image content; /* what a whole checkpoint holds */
    struct error err;
} here;

/* --- what is there before --- */

static void given_store(void)
{
    struct resource r;
    bool made;

    WORKS(store_init(here.store, &made, err));
    resource_init(&r);
    WORKS(resource_set(&r, "service", "Svc", err));
    WORKS(store_create_resource(here.store, "res", &r, err));
    resource_free(&r);
}

/* One commit; values from `first` on. */
static int write_values(unsigned first, uint8_t data, struct error *err)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\Vendor",
                                  .flags = KEY_CAPTURED };
    struct fixture f = { .id = 1 };
    uint8_t bytes[900];
    uint16_t name[2];
    int ret;

    memset(bytes, data, sizeof(bytes));
    if ((ret = checkpoint_open(here.checkpoint, &f.c, err))) return ret;
    if (!(ret = checkpoint_begin(f.c, err)) && !first &&
        !(ret = checkpoint_put_key(f.c, &key, err)))
        ret = make_key(&f, EMPTY, NULL, err);
    for (unsigned i = first; !ret && i < first + VALUES; i++) {
        name[0] = 'v';
        name[1] = (uint16_t)('0' + i);
        ret = set_value(&f, EMPTY, ((struct utf16){ name, 2 }), 3, bytes, sizeof(bytes),
                        &test_origin, err);
    }
    if (!ret) ret = checkpoint_commit(f.c, err);
    checkpoint_close(f.c);
    return ret;
}

static struct image content_of(const char *path, const char *what)
{
    struct snapshot s;
    struct image image;
    struct error err;

    if (snapshot_read(path, 0, &s, &err)) fail_msg("%s: %s", what, err.text);
    if (s.key_count != 1) fail_msg("%s: %zu keys", what, s.key_count);
    image = s.keys[0].image;
    image_init(&s.keys[0].image);
    snapshot_free(&s);
    return image;
}

static void keep_good(void)
{
    struct checkpoint *c;

    WORKS(checkpoint_open(here.checkpoint, &c, err));
    WORKS(checkpoint_keep_last_good(c, here.good, err));
    checkpoint_close(c);
}

/* A resource with content, which is the last good one too. */
static void given_content(void)
{
    given_store();
    WORKS(write_values(0, 1, err));
    keep_good();
    here.content = content_of(here.checkpoint, "before");
}

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
        _exit(write_values(0, 2, &err) != 0);
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

    given_content();
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
    given_content();
    damage();
    FAILS(RESULT_DAMAGED, "repair", snapshot_read(here.checkpoint, 0, &(struct snapshot){ 0 }, err));
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
            here.told->epoch = state.epoch;
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

static void must(int ret, const struct error *err, const char *what)
{
    if (ret) fail_msg("%s: %s", what, err->text);
}

static void check_content(const char *path, const char *what)
{
    struct image now = content_of(path, what);

    if (!image_equal(&now, &here.content)) fail_msg("%s: %s holds something else", what, path);
    image_free(&now);
}

static void check_created(const struct told *told, const char *what)
{
    struct error err;
    struct snapshot s;
    int ret = create(&err);

    if (ret != RESULT_EXISTS || told->done) must(ret == RESULT_EXISTS ? 0 : ret, &err, what);
    must(snapshot_read(here.checkpoint, 0, &s, &err), &err, what);
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

    must(store_list(here.store, &names, &count, &err), &err, what);
    store_list_free(names, count);
    if (told->done && count) fail_msg("%s: it is there again", what);
    if (count) must(delete(&err), &err, what);
    ret = create(&err); /* in its place */
    must(ret, &err, what);
    must(snapshot_read(here.checkpoint, 0, &s, &err), &err, what);
    snapshot_free(&s);
}

static void check_undone(const struct told *told, const char *what)
{
    struct error err;

    (void)told;
    must(undo(&err), &err, what);
    if (is_interrupted()) fail_msg("%s: still to be undone", what);
    if (checkpoint_verify(here.checkpoint, NULL, NULL, &err)) fail_msg("%s: %s", what, err.text);
    check_content(here.checkpoint, what);
    check_content(here.good, what);
}

static void check_taken_over(const struct told *told, const char *what)
{
    struct owner o = { .store = here.store, .resource = "res", .node = "third", .lock_fd = -1 };
    struct error err;
    uint64_t acknowledged = told->epoch;

    must(own(&o, NULL, &err), &err, what); /* nobody holds the lock after a power cut */
    takeover_release(&o);
    if (here.told->epoch <= acknowledged) fail_msg("%s: epoch %d, which was had before", what,
                                                   (int)here.told->epoch);
    check_content(here.checkpoint, what);
    check_content(here.good, what);
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
    must(repair(&err), &err, what);
    now = content_of(here.checkpoint, what);
    if (now.value_count < VALUES - 1) fail_msg("%s: %zu values", what, now.value_count);
    image_free(&now);
    check_content(here.good, what);
}

static void check_put_back(const struct told *told, const char *what)
{
    struct error err;

    check_damaged_is_kept(what);
    if (told->done && checkpoint_verify(here.checkpoint, NULL, NULL, &err))
        fail_msg("%s: %s", what, err.text);
    if (checkpoint_verify(here.checkpoint, NULL, NULL, &err)) must(put_back(&err), &err, what);
    check_content(here.checkpoint, what);
    check_content(here.good, what);
}

/* --- going through all calls --- */

typedef void checking(const struct told *told, const char *what);

static void look(void *arg, const void *seen, const char *what)
{
    struct told told;

    memcpy(&told, seen, sizeof(told));
    (*(checking **)arg)(&told, what);
}

/* Does it in a process that is recorded, from what is there now on. */
static void cut_during(int (*act)(struct error *err), checking *check, unsigned long *points,
                       unsigned long *states)
{
    struct disk *d = disk_new(here.dir);
    struct iorecord record;
    pid_t pid;

    memset(here.told, 0, sizeof(*here.told));
    assert_true((pid = fork()) >= 0);
    if (!pid) {
        struct error err = { 0, "" };

        iotrace_me();
        here.told->result = act(&err);
        memcpy(here.told->text, err.text, sizeof(err.text));
        here.told->done = true;
        _exit(0);
    }
    iorecord_run(&record, pid, here.dir, here.told, sizeof(*here.told));
    assert_int_equal(record.status, 0);
    if (here.told->result) fail_msg("%s", here.told->text);
    cut_everywhere(d, &record, look, &check, points, states);
    disk_free(d);
    iorecord_free(&record);
}

static void begin(void)
{
    strcpy(here.dir, access("/dev/shm", W_OK) ? "/tmp/regckpt-crash-XXXXXX"
                                              : "/dev/shm/regckpt-crash-XXXXXX");
    assert_non_null(mkdtemp(here.dir));
    snprintf(here.store, sizeof(here.store), "%s/store", here.dir);
    snprintf(here.checkpoint, sizeof(here.checkpoint), "%s/res/checkpoint.tdb", here.store);
    snprintf(here.good, sizeof(here.good), "%s/res/last-good.tdb", here.store);
    here.told = mmap(NULL, sizeof(*here.told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0);
    assert_true(here.told != MAP_FAILED);
    image_init(&here.content);
}

static void end(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf %s", here.dir);
    assert_int_equal(system(command), 0);
    image_free(&here.content);
    munmap(here.told, sizeof(*here.told));
}

static void cut_all(const char *name, void (*given)(void), int (*act)(struct error *err),
                    checking *check)
{
    unsigned long points = 0, states = 0;

    begin();
    if (given) given();
    cut_during(act, check, &points, &states);
    print_message("%s: %lu points, %lu states of the disk (SEED=%llu)\n", name, points, states,
                  cut_seed());
    assert_true(points > 3 && states > 3);
    end();
}

static void test_resource_is_made(void **state)
{
    (void)state;
    cut_all("making a store and a resource", NULL, create, check_created);
}

static void test_resource_is_deleted(void **state)
{
    (void)state;
    cut_all("deleting a resource", given_content, delete, check_deleted);
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
        begin();
        if ((found = given_interrupted(nth))) cut_during(undo, check_undone, &points, &states);
        tried += found;
        end();
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
    begin();
    given_owned_and_interrupted();
    WORKS(takeover_own(&old, err));
    WORKS(takeover_token(here.store, "res", here.token, err));
    cut_during(take_over, check_taken_over, &points, &states);
    store_disown(old.lock_fd);
    print_message("taking over: %lu points, %lu states of the disk (SEED=%llu)\n", points, states,
                  cut_seed());
    end();
}

static void test_damaged_checkpoint_is_repaired(void **state)
{
    (void)state;
    cut_all("repairing", given_damaged, repair, check_repaired);
}

static void test_last_good_checkpoint_is_put_back(void **state)
{
    (void)state;
    cut_all("putting back the last good one", given_damaged, put_back, check_put_back);
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
