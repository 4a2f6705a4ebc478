/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ownership between processes.
 */
#include <signal.h>
#include <sys/wait.h>

#include "checkpoint_fixture.h"
#include "store.h"

/* A store with the resource "res". */
static struct fixture *owner_new(void)
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

/* Starts a process that owns the resource until it is ended. */
static pid_t other_owner(struct fixture *f)
{
    int pipes[2], lock;
    char byte;
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    if (!(pid = fork())) {
        close(pipes[0]);
        if (store_own(f->path, "res", &lock, NULL)) _exit(1);
        if (write(pipes[1], "x", 1) != 1) _exit(2);
        for (;;) pause();
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    close(pipes[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_store_own_refused_while_another_owns(void **state)
{
    struct fixture *f = owner_new();
    pid_t pid = other_owner(f);
    char words[32];
    int lock = 5;

    (void)state;
    snprintf(words, sizeof(words), " %d (", (int)pid);
    FAILS(RESULT_OWNED, words, store_own(f->path, "res", &lock, err));
    assert_int_equal(lock, -1);
    assert_int_equal(store_is_owned(f->path, "res", NULL), 1);
    end(pid);
    assert_int_equal(store_is_owned(f->path, "res", NULL), 0);
    WORKS(store_own(f->path, "res", &lock, err));
    assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
    store_disown(lock);
    fixture_free(f);
}

static void test_store_own_names_the_owners_node(void **state)
{
    struct fixture *f = owner_new();
    pid_t pid = other_owner(f);
    struct checkpoint_state st;
    struct checkpoint *c;
    char *path = store_path(f->path, "res", STORE_CHECKPOINT);
    int lock;

    (void)state;
    memset(&st, 0, sizeof(st));
    st.status = CHECKPOINT_ONLINE;
    strcpy(st.node, "node-seven");
    st.pid = 4711;
    WORKS(checkpoint_open(path, &c, err));
    WORKS(checkpoint_begin(c, err));
    WORKS(checkpoint_set_state(c, &st, err));
    WORKS(checkpoint_commit(c, err));
    checkpoint_close(c);
    FAILS(RESULT_OWNED, "node-seven", store_own(f->path, "res", &lock, err));
    FAILS(RESULT_OWNED, "4711", store_own(f->path, "res", &lock, err));
    free(path);
    end(pid);
    fixture_free(f);
}

static void test_store_own_twice_in_one_process(void **state)
{
    struct fixture *f = owner_new();
    int first, second;

    (void)state;
    WORKS(store_own(f->path, "res", &first, err));
    FAILS(RESULT_OWNED, "res", store_own(f->path, "res", &second, err));
    store_disown(first);
    WORKS(store_own(f->path, "res", &second, err));
    store_disown(second);
    fixture_free(f);
}

/* A child that has inherited the descriptor. */
static pid_t heir(void)
{
    pid_t pid = fork();

    if (!pid)
        for (;;) pause();
    return pid;
}

static void test_store_own_inherited_descriptor_keeps_it(void **state)
{
    struct fixture *f = owner_new();
    int lock, *pids;
    size_t count;
    pid_t pid;

    (void)state;
    WORKS(store_own(f->path, "res", &lock, err));
    pid = heir();
    close(lock); /* as the death of the owner does */
    assert_int_equal(store_is_owned(f->path, "res", NULL), 1);
    assert_int_equal(store_lock_holders(f->path, "res", &pids, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(pids[0], pid);
    free(pids);
    FAILS(RESULT_OWNED, "res", store_own(f->path, "res", &lock, err));
    end(pid);
    assert_int_equal(store_is_owned(f->path, "res", NULL), 0);
    fixture_free(f);
}

static void test_store_disown_though_a_child_has_it_open(void **state)
{
    struct fixture *f = owner_new();
    int lock;
    pid_t pid;

    (void)state;
    WORKS(store_own(f->path, "res", &lock, err));
    pid = heir();
    store_disown(lock);
    assert_int_equal(store_is_owned(f->path, "res", NULL), 0);
    WORKS(store_own(f->path, "res", &lock, err));
    store_disown(lock);
    end(pid);
    fixture_free(f);
}

static void test_store_own_no_such_resource(void **state)
{
    struct fixture *f = owner_new();
    int lock;

    (void)state;
    FAILS(RESULT_NOT_FOUND, "there are: res", store_own(f->path, "nothing", &lock, err));
    FAILS(RESULT_NOT_FOUND, "there are: res", store_own(f->path, "../res", &lock, err));
    FAILS(RESULT_NOT_FOUND, "init", store_own("/nonexistent", "res", &lock, err));
    assert_int_equal(store_is_owned(f->path, "nothing", NULL), -1);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_own_refused_while_another_owns),
        cmocka_unit_test(test_store_own_names_the_owners_node),
        cmocka_unit_test(test_store_own_twice_in_one_process),
        cmocka_unit_test(test_store_own_inherited_descriptor_keeps_it),
        cmocka_unit_test(test_store_disown_though_a_child_has_it_open),
        cmocka_unit_test(test_store_own_no_such_resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
