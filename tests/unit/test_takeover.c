/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking over between processes: two at once, in their hundreds; and one that dies at each of its calls.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint_fixture.h"
#include "iotrace.h"
#include "takeover.h"

#define ROUNDS 400

/* A store with the resource "res". */
static struct fixture *store_new(void)
{
    struct fixture *f = fixture_dir();
    struct resource r;
    bool made;

    snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
    WORKS(store_init(f->path, &made, err));
    resource_init(&r);
    WORKS(store_create_resource(f->path, "res", &r, err));
    resource_free(&r);
    return f;
}

static int guard(void *arg, struct error *err)
{
    return takeover_check(arg, err);
}

static int open_as(struct owner *o, struct checkpoint **c, struct error *err)
{
    char *path = store_path(o->store, o->resource, STORE_CHECKPOINT);
    int ret = checkpoint_open_guarded(path, guard, o, c, err);

    free(path);
    return ret;
}

/* Raises the epoch, as going online does. */
static int raise_epoch(struct checkpoint *c, struct error *err)
{
    struct checkpoint_state state;
    int ret = checkpoint_begin(c, err);

    if (ret || (ret = checkpoint_get_state(c, &state, err))) return ret;
    state.epoch++;
    if ((ret = checkpoint_set_state(c, &state, err))) return ret;
    return checkpoint_commit(c, err);
}

/* All of an online that concerns the store; the owner stays one. */
static int go_online(struct owner *o, const char *token, struct checkpoint **c, struct error *err)
{
    int ret = takeover_own(o, err);

    if (ret == RESULT_OWNED && token) ret = takeover_displace(o, token, err);
    if (ret || (ret = takeover_settle(o, err)) || (ret = open_as(o, c, err))) return ret;
    return raise_epoch(*c, err);
}

static uint64_t epoch_of(struct fixture *f)
{
    char *path = store_path(f->path, "res", STORE_CHECKPOINT);
    struct snapshot s;
    uint64_t epoch;

    WORKS(snapshot_read(path, SNAPSHOT_HEAD, &s, err));
    epoch = s.state.epoch;
    snapshot_free(&s);
    free(path);
    return epoch;
}

/* One of two: starts at the word, says how it went, owns until it is ended. */
static pid_t racer(struct fixture *f, const char *node, const char *token, unsigned delay_us,
                   const int start[2], int said_fd)
{
    struct owner o = {.store = f->path, .resource = "res", .node = node, .lock_fd = -1};
    struct timespec wait = {0, delay_us * 1000};
    struct checkpoint *c = NULL;
    struct error err = {0};
    pid_t pid = fork();
    char byte;
    int ret;

    if (pid) return pid;
    close(start[1]);
    if (read(start[0], &byte, 1) < 0) _exit(1);
    nanosleep(&wait, NULL);
    ret = go_online(&o, token, &c, &err);
    byte = !ret ? 'w' : ret == RESULT_OWNED && err.text[0] ? 'o' : '?';
    if (byte == '?') fprintf(stderr, "%s\n", err.text);
    if (write(said_fd, &byte, 1) != 1) _exit(2);
    for (;;) pause();
}

/* What there is: an owner that stands still, or none; and who comes. */
static const struct race {
    const char *name;
    bool owned, forced[2];
} races[] = {
    {"both plain, free", false, {false, false}}, {"both forced, free", false, {true, true}},
    {"one forced, free", false, {true, false}},  {"both forced, owned", true, {true, true}},
    {"one forced, owned", true, {true, false}},
};

#define RACES (sizeof(races) / sizeof(races[0]))

/* 1: exactly one won. */
static bool race(struct fixture *f, const struct race *r)
{
    struct owner old = {.store = f->path, .resource = "res", .node = "old", .lock_fd = -1};
    uint64_t epoch = epoch_of(f);
    char token[OWNER_TOKEN_BYTES], said[2];
    int start[2], says[2];
    pid_t pids[2];

    assert_int_equal(pipe(start) | pipe(says), 0);
    if (r->owned) WORKS(takeover_own(&old, err));
    WORKS(takeover_token(f->path, "res", token, err));
    for (int i = 0; i < 2; i++)
        pids[i] = racer(f, i ? "two" : "one", r->forced[i] ? token : NULL,
                        (unsigned)rand() % 300, start, says[1]);
    close(start[1]);
    for (int i = 0; i < 2; i++) assert_int_equal(read(says[0], &said[i], 1), 1);
    if (r->owned) FAILS(RESULT_OWNED, "taken from", takeover_check(&old, err));
    for (int i = 0; i < 2; i++) {
        kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    }
    if (r->owned) takeover_release(&old);
    close(start[0]);
    close(says[0]);
    close(says[1]);
    assert_true(epoch_of(f) > epoch);
    return (said[0] == 'w' && said[1] == 'o') || (said[0] == 'o' && said[1] == 'w');
}

static void test_takeover_of_two_at_once_exactly_one_wins(void **state)
{
    struct fixture *f = store_new();
    unsigned won = 0, seed = (unsigned)time(NULL);

    (void)state;
    if (getenv("SEED")) seed = (unsigned)atoi(getenv("SEED"));
    srand(seed);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (race(f, &races[i % RACES])) won++;
        else print_error("round %u (%s)\n", i, races[i % RACES].name);
    }
    print_message("%u of %u double onlines had exactly one winner (SEED=%u)\n", won, ROUNDS, seed);
    assert_int_equal(won, ROUNDS);
    fixture_free(f);
}

/* Who takes over and dies at its n-th call; false: it came to its end. */
static bool take_over_and_die(struct fixture *f, const char *token, unsigned long n)
{
    struct owner o = {.store = f->path, .resource = "res", .node = "second", .lock_fd = -1};
    struct checkpoint *c = NULL;
    struct iotrace trace;
    struct error err;
    pid_t pid = fork();

    if (!pid) {
        iotrace_me();
        _exit(go_online(&o, token, &c, &err) ? 1 : 0);
    }
    if (!iotrace_run(pid, f->path, n, SIGKILL, NULL, &trace)) {
        assert_int_equal(trace.status, 0);
        return false;
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return true;
}

static void test_takeover_killed_at_each_call_is_finished_by_a_third(void **state)
{
    unsigned long n, displaced = 0;
    bool died = true;

    (void)state;
    for (n = 1; died; n++) {
        struct fixture *f = store_new();
        struct owner old = {.store = f->path, .resource = "res", .node = "old", .lock_fd = -1};
        struct owner third = {.store = f->path, .resource = "res", .node = "third", .lock_fd = -1};
        struct checkpoint *by_old, *by_third;
        char token[OWNER_TOKEN_BYTES];
        uint64_t epoch;

        WORKS(go_online(&old, NULL, &by_old, err));
        WORKS(raise_epoch(by_old, err)); /* acknowledged */
        WORKS(takeover_token(f->path, "res", token, err));
        died = take_over_and_die(f, token, n);
        displaced += takeover_check(&old, NULL) == RESULT_OWNED;
        WORKS(takeover_token(f->path, "res", token, err));
        WORKS(go_online(&third, token, &by_third, err));
        epoch = epoch_of(f);
        assert_true(epoch >= 3);
        FAILS(RESULT_OWNED, "node third", raise_epoch(by_old, err)); /* into its own file */
        assert_int_equal(epoch_of(f), epoch);
        WORKS(raise_epoch(by_third, err));
        assert_int_equal(epoch_of(f), epoch + 1);
        checkpoint_close(by_old);
        checkpoint_close(by_third);
        takeover_release(&old);
        takeover_release(&third);
        fixture_free(f);
    }
    print_message("killed at %lu calls, %lu of them when the owner was displaced\n", n - 2,
                  displaced - 1);
    assert_true(displaced > 1 && displaced < n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takeover_of_two_at_once_exactly_one_wins),
        cmocka_unit_test(test_takeover_killed_at_each_call_is_finished_by_a_third),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
