/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writer with a fault in it, and the look at what it leaves.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "iotrace.h"
#include "scenario.h"

#define MANY 400 /* values of the commit that makes the file grow */
#define HISTORY_BYTES 60000 /* so that commits from the third on drop the oldest of it */

static uint16_t name_units[8];

/* "v0123" */
static struct utf16 value_name(unsigned i)
{
    char text[8];
    size_t at;

    snprintf(text, sizeof(text), "v%04u", i % 10000);
    for (at = 0; at < 5; at++) name_units[at] = (uint16_t)text[at];
    return (struct utf16){ name_units, 5 };
}

static int set(struct fixture *f, unsigned i, unsigned data, size_t size, struct error *err)
{
    static uint8_t bytes[3000];

    memset(bytes, (int)data, sizeof(bytes));
    return set_value(f, U("sub"), value_name(i), 3, bytes, size, &test_origin, err);
}

static int delete_value(struct fixture *f, unsigned i, struct error *err)
{
    struct change c = { .kind = CHANGE_DELETE_VALUE, .key_id = f->id, .path = U("sub"),
                        .name = value_name(i) };

    return checkpoint_change(f->c, &c, &test_origin, err);
}

/* What each commit does: first content, small changes, growth, many deletions, growth again. */
static int change(struct fixture *f, unsigned commit, struct error *err)
{
    struct registered_key key = { .view = VIEW_64, .path = (char *)"Software\\Vendor",
                                  .flags = KEY_CAPTURED };
    unsigned i;
    int ret = 0;

    f->id = 1;
    switch (commit) {
    case 1:
        if ((ret = checkpoint_put_key(f->c, &key, err)) || (ret = make_key(f, EMPTY, NULL, err)) ||
            (ret = make_key(f, U("sub"), &test_origin, err)))
            return ret;
        for (i = 0; !ret && i < 10; i++) ret = set(f, i, i, 100, err);
        return ret;
    case 2:
        if ((ret = set(f, 3, 77, 100, err)) || (ret = delete_value(f, 4, err))) return ret;
        return set(f, 5, 78, 2500, err);
    case 3:
        for (i = 10; !ret && i < MANY; i++) ret = set(f, i, i, 150, err);
        return ret;
    case 4:
        for (i = 20; !ret && i < MANY; i += 2) ret = delete_value(f, i, err);
        return ret;
    default:
        for (i = 1000; !ret && i < 1100; i++) ret = set(f, i, i, 2000, err);
        return ret;
    }
}

static void given_resource(struct resource *r)
{
    resource_init(r);
    r->history_bytes = HISTORY_BYTES;
}

/* The writer. */
static int live(struct scenario *s, struct error *err)
{
    struct progress *p = s->progress;
    struct fixture f = { .c = NULL };
    struct resource r;
    unsigned commit;
    int ret;

    given_resource(&r);
    ret = checkpoint_create(s->path, &r, err);
    resource_free(&r);
    if (ret) return ret;
    p->sequence = 1;
    if ((ret = checkpoint_open(s->path, &f.c, err))) return ret;
    for (commit = 1; !ret && commit <= COMMITS; commit++) {
        if ((ret = checkpoint_begin(f.c, err)) || (ret = change(&f, commit, err))) break;
        p->in_commit = true;
        if ((ret = checkpoint_commit(f.c, err))) break;
        p->in_commit = false;
        p->sequence++;
        if (commit == 2 || commit == COMMITS) {
            if ((ret = checkpoint_keep_last_good(f.c, s->good, err))) break;
            p->kept = true;
        }
    }
    checkpoint_close(f.c);
    return ret;
}

/* Also what a writer that died had not renamed yet. */
void scenario_empty(struct scenario *s)
{
    char path[160];

    unlink(s->path);
    unlink(s->good);
    snprintf(path, sizeof(path), "%s.new", s->path);
    unlink(path);
    snprintf(path, sizeof(path), "%s.new", s->good);
    unlink(path);
}

void scenario_run(struct scenario *s, enum fault fault, unsigned long n)
{
    struct error err = { 0, "" };
    pid_t pid;
    int status;

    scenario_empty(s);
    memset(s->progress, 0, sizeof(*s->progress));
    assert_true((pid = fork()) >= 0);
    if (!pid) {
        fault_set(fault, n, &s->progress->report);
        s->progress->result = live(s, &err);
        memcpy(s->progress->text, err.text, sizeof(err.text));
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (fault == FAULT_KILL || fault == FAULT_KILL_HALF)
        assert_int_equal(status, s->progress->report.fired ? SIGKILL : 0);
    else
        assert_int_equal(status, 0);
}

void scenario_record(struct scenario *s, struct iorecord *record)
{
    pid_t pid;

    scenario_empty(s);
    memset(s->progress, 0, sizeof(*s->progress));
    assert_true((pid = fork()) >= 0);
    if (!pid) {
        struct error err = { 0, "" };

        iotrace_me();
        if (live(s, &err)) fprintf(stderr, "%s\n", err.text);
        _exit(err.code != 0);
    }
    iorecord_run(record, pid, s->dir, s->progress, sizeof(*s->progress));
    assert_int_equal(record->status, 0);
}

void scenario_init(struct scenario *s)
{
    struct fixture f = { .c = NULL };
    struct resource r;
    struct snapshot content;
    unsigned commit;

    memset(s, 0, sizeof(*s));
    /* Memory, if there is such a file system: thousands of lives, a dozen syncs each. */
    strcpy(s->dir, access("/dev/shm", W_OK) ? "/tmp/regckpt-crash-XXXXXX"
                                            : "/dev/shm/regckpt-crash-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s/checkpoint.tdb", s->dir);
    snprintf(s->good, sizeof(s->good), "%s/last-good.tdb", s->dir);
    s->progress = mmap(NULL, sizeof(*s->progress), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->progress != MAP_FAILED);
    given_resource(&r);
    WORKS(checkpoint_create(s->path, &r, err));
    resource_free(&r);
    WORKS(checkpoint_open(s->path, &f.c, err));
    for (commit = 1; commit <= COMMITS; commit++) {
        WORKS(checkpoint_begin(f.c, err));
        WORKS(change(&f, commit, err));
        WORKS(checkpoint_commit(f.c, err));
        WORKS(snapshot_read(s->path, 0, &content, err));
        assert_int_equal(content.state.sequence, commit + 1);
        s->states[commit + 1] = content.keys[0].image;
        image_init(&content.keys[0].image);
        snapshot_free(&content);
    }
    checkpoint_close(f.c);
}

void scenario_free(struct scenario *s)
{
    unsigned i;

    scenario_empty(s);
    assert_int_equal(rmdir(s->dir), 0);
    for (i = 0; i < COMMITS + 2; i++) image_free(&s->states[i]);
    munmap(s->progress, sizeof(*s->progress));
}

/* Shows a problem. */
static void show(const char *where, const char *what, void *arg)
{
    (void)arg;
    print_message("%s: %s\n", where, what);
}

/* Is the file whole, and which commit's?  Tells problems. */
static uint64_t look(struct scenario *s, const char *path, const char *what)
{
    struct error err = { 0, "" };
    struct snapshot content;
    uint64_t sequence;

    if (checkpoint_verify(path, show, NULL, &err)) fail_msg("%s: %s", what, err.text);
    if (snapshot_read(path, SNAPSHOT_HISTORY, &content, &err)) fail_msg("%s: %s", what, err.text);
    sequence = content.state.sequence;
    if (sequence < 1 || sequence > COMMITS + 1) fail_msg("%s: sequence %d", what, (int)sequence);
    if (sequence == 1 ? content.key_count != 0
                      : !image_equal(&s->states[sequence], &content.keys[0].image))
        fail_msg("%s: not what commit %d made", what, (int)sequence);
    snapshot_free(&content);
    return sequence;
}

/* A second writer goes on. */
static void go_on(struct scenario *s, uint64_t sequence, const char *what)
{
    struct error err = { 0, "" };
    struct checkpoint_state state;
    struct checkpoint *c;

    if (checkpoint_open(s->path, &c, &err) || checkpoint_get_state(c, &state, &err))
        fail_msg("%s: %s", what, err.text);
    if (state.sequence != sequence) fail_msg("%s: a writer sees another commit", what);
    if (look(s, s->path, what) != sequence) fail_msg("%s: opening changed the content", what);
    state.epoch++;
    if (checkpoint_begin(c, &err) || checkpoint_set_state(c, &state, &err) ||
        checkpoint_commit(c, &err))
        fail_msg("%s: %s", what, err.text);
    checkpoint_close(c);
    if (checkpoint_verify(s->path, show, NULL, &err)) fail_msg("%s, going on: %s", what, err.text);
}

void scenario_check(struct scenario *s, const char *what)
{
    struct progress *p = s->progress;
    struct error err = { 0, "" };
    struct resource r;
    uint64_t sequence;

    if (access(s->good, F_OK)) {
        if (p->kept) fail_msg("%s: the last good one is gone", what);
    } else {
        sequence = look(s, s->good, what);
        if (sequence != 3 && sequence != COMMITS + 1) fail_msg("%s: an odd last good one", what);
    }
    if (access(s->path, F_OK)) {
        if (p->sequence) fail_msg("%s: the checkpoint is gone", what);
        given_resource(&r);
        if (checkpoint_create(s->path, &r, &err)) fail_msg("%s: %s", what, err.text);
        resource_free(&r);
    }
    sequence = look(s, s->path, what);
    if (p->sequence ? sequence < p->sequence || sequence > p->sequence + p->in_commit : sequence != 1)
        fail_msg("%s: commit %d where %d was done", what, (int)sequence, (int)p->sequence);
    go_on(s, sequence, what);
}
