/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor is stopped at each of its calls to the store in turn, from its start to its end; another
 * node takes the resource over by force; then it is woken.  It must change nothing that anybody reads,
 * must have acknowledged nothing that the new owner does not have, and must end.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iotrace.h"
#include "monitor_hooked.h"
#include "takeover.h"
#include "tdbfile.h"

#define CALLS 2 /* the program's, each a commit */
#define WORKERS 8 /* most of a round is waiting */

static struct fixture here; /* the first node, while fix is the other */
static char talk[4096];     /* what its monitor said */
static bool told;

/* While the first monitor runs: once it is online its program gets what it is to do. */
static void drive(void)
{
    struct pollfd p = {.fd = fix.ready_fd, .events = POLLIN};
    size_t len = strlen(talk);
    ssize_t got;

    if (told || poll(&p, 1, 0) <= 0)
        return;
    got = read(fix.ready_fd, talk + len, sizeof(talk) - 1 - len);
    talk[len + (got > 0 ? (size_t)got : 0)] = 0;
    if (!strstr(talk, "ok\n"))
        return;
    told = true;
    program_is_to("set " APP " a=2\nset " APP " b=3\nend");
}

/* A file of the resource, malloc'ed; no bytes: it is not there. */
static char *read_whole(const char *name, size_t *len)
{
    char path[PATH_MAX], *bytes = NULL;
    struct stat st;
    int fd;

    snprintf(path, sizeof(path), "%s/app/%s", fix.store, name);
    *len = 0;
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return NULL;
    assert_int_equal(fstat(fd, &st), 0);
    assert_non_null(bytes = malloc((size_t)st.st_size + 1));
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    *len = (size_t)st.st_size;
    close(fd);
    return bytes;
}

/* What everybody reads. */
struct seen {
    char *bytes[3];
    size_t len[3];
};

static const char *const names[3] = {"checkpoint.tdb", "last-good.tdb", "lock"};

static void look(struct seen *s)
{
    for (int i = 0; i < 3; i++)
        s->bytes[i] = read_whole(names[i], &s->len[i]);
}

static void assert_same(const struct seen *a, const struct seen *b, unsigned long n)
{
    for (int i = 0; i < 3; i++)
        if (a->len[i] != b->len[i] ||
            (a->len[i] && memcmp(a->bytes[i], b->bytes[i], a->len[i])))
            fail_msg("%s was changed by a monitor that was stopped at call %lu", names[i], n);
}

static void seen_free(struct seen *s)
{
    for (int i = 0; i < 3; i++)
        free(s->bytes[i]);
}

/* Is a commit to be undone in the file as it stands? */
static bool is_interrupted(void)
{
    char *path = store_path(fix.store, "app", STORE_CHECKPOINT);
    struct tdbfile f;
    bool interrupted = false;

    if (!tdbfile_open(&f, path, NULL)) {
        interrupted = f.interrupted;
        tdbfile_close(&f);
    }
    free(path);
    return interrupted;
}

/* What the first node's program was told is in the checkpoint is in it. */
static void assert_has_what_was_acknowledged(const char *prefix, unsigned long n)
{
    static const char *const after[CALLS + 1] = {"a=1", "a=2", "a=2;b=3"};
    char answers[256];
    size_t len = played_read(prefix, "answers", answers, sizeof(answers) - 1);
    unsigned committed = 0;
    bool has = false;

    answers[len] = 0;
    for (const char *at = answers; (at = strstr(at, "committed\n")); at++)
        committed++;
    for (unsigned i = committed; i <= CALLS && !has; i++)
        has = checkpoint_holds(APP, after[i]);
    if (!has)
        fail_msg("stopped at call %lu: %u changes were acknowledged, and the checkpoint does not have "
                 "them", n, committed);
}

/* Nothing half done is left in the resource's directory. */
static void assert_tidy(unsigned long n)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/app", fix.store);
    assert_non_null(dir = opendir(path));
    while ((entry = readdir(dir)))
        if (strstr(entry->d_name, ".new"))
            fail_msg("stopped at call %lu: %s is left", n, entry->d_name);
    closedir(dir);
}

/* Ends the other node's at once: what it does at its own end is not in question. */
static void end_other_node(void)
{
    kill(fix.monitor, SIGKILL);
    waitpid(fix.monitor, NULL, 0);
    fix.monitor = 0;
}

struct counts {
    unsigned long points, inside, undone, displaced, refused, released, failures;
};

/* One round with a fixture of its own.  false: the monitor ended before its n-th call. */
static bool stop_at(unsigned long n, struct counts *c)
{
    char token[OWNER_TOKEN_BYTES];
    struct fixture there;
    struct seen before, after;
    struct iotrace trace;
    struct error err;
    bool undone;
    int code;

    given_property("lag", "0");
    given_file("quiet", "");
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    *talk = 0;
    told = false;
    fix.before_exec = iotrace_me;
    monitor_begin();
    if (!iotrace_run(fix.monitor, fix.store, n, SIGSTOP, drive, &trace)) {
        fix.monitor = 0;
        assert_int_equal(trace.status, 0);
        assert_checkpoint(APP, "a=2;b=3");
        return false;
    }
    AWAIT(waitpid(fix.monitor, NULL, WUNTRACED | WNOHANG) == fix.monitor);
    undone = is_interrupted();
    assert_int_equal(takeover_token(fix.store, "app", token, &err), 0);
    fixture_other_node(&here);
    fix.takeover = token;
    fix.prefix_option = fix.prefix;
    given_file("quiet", "");
    monitor_online();
    assert_has_what_was_acknowledged(here.prefix, n);
    look(&before);

    fixture_switch(&there, &here);
    kill(fix.monitor, SIGCONT);
    AWAIT(waitpid(fix.monitor, &code, WNOHANG) == fix.monitor);
    fix.monitor = 0;
    assert_true(WIFEXITED(code));
    if (log_has("Sanitizer"))
        fail_msg("stopped at call %lu: see %s", n, fix.log);
    c->displaced += log_has("DISPLACED");
    c->refused += WEXITSTATUS(code) == 120;
    if (WEXITSTATUS(code) == 120)
        assert_true(log_has("node there"));
    else if (WEXITSTATUS(code) == 0)
        c->released++;
    else
        fail_msg("stopped at call %lu: it ended with %d", n, code);
    fixture_switch(&here, &there);
    look(&after);
    assert_same(&before, &after, n);
    assert_has_what_was_acknowledged(here.prefix, n);
    assert_tidy(n);
    seen_free(&before);
    seen_free(&after);
    end_other_node();
    settings_free(&here.settings);
    free(here.run_dir);
    if (here.ready_fd >= 0)
        close(here.ready_fd);
    c->points++;
    c->inside += trace.checkpoint;
    c->undone += undone;
    return true;
}

/* Every WORKERS-th point, in a process of its own. */
static void work(unsigned long first, struct counts *c)
{
    void *state = NULL;
    bool more = true;

    for (unsigned long n = first; more; n += WORKERS) {
        assert_int_equal(fixture_hooked_setup(&state), 0);
        more = stop_at(n, c);
        fixture_teardown(&state);
    }
}

static void test_monitor_stopped_at_each_call_and_woken_after_a_takeover(void **state)
{
    struct counts c = {0}, *of = mmap(NULL, WORKERS * sizeof(*of), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t workers[WORKERS];
    int status;

    (void)state;
    assert_ptr_not_equal(of, MAP_FAILED);
    for (unsigned i = 0; i < WORKERS; i++) {
        if ((workers[i] = fork()))
            continue;
        work(i + 1, &of[i]); /* a failure ends it as it ends a test */
        _exit(0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
        c.failures += status != 0;
        c.points += of[i].points;
        c.inside += of[i].inside;
        c.undone += of[i].undone;
        c.displaced += of[i].displaced;
        c.refused += of[i].refused;
        c.released += of[i].released;
    }
    munmap(of, WORKERS * sizeof(*of));
    print_message("stopped at %lu calls, %lu of them to the checkpoint in a commit, %lu where the commit "
                  "was undone in the copy; %lu were refused (%lu of them when they ran), %lu had released "
                  "it\n", c.points, c.inside, c.undone, c.refused, c.displaced, c.released);
    assert_int_equal(c.failures, 0);
    assert_true(c.points > 0 && c.inside > 0 && c.undone > 0 && c.displaced > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_monitor_stopped_at_each_call_and_woken_after_a_takeover),
};

MONITOR_TESTS_MAIN(tests)
