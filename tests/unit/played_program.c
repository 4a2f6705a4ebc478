/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The played program: it waits, and where it is hooked does the calls that a test gives it, as
 * regckpt.dll would report them: lane, real call, report, lane, wait.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "played_wine.h"
#include "ring.h"

#define PAUSE_US 20000
#define HOOKED_PAUSE_US 1000
#define CALLS_BYTES_MAX 65536
#define THREADS_MAX 64
#define PATIENCE_MS 60000

static const char *prefix;
static struct ring ring; /* shared NULL: not hooked */
static uint32_t place;
static unsigned calls_done;

/* Where a call is heard of. */
struct where {
    bool registry, report;
};

static struct utf16 wide(const char *text, size_t len)
{
    struct utf16 out;

    if (utf16_from_utf8(text, len, &out))
        _exit(76);
    return out;
}

static const char *answer_of(enum ring_wait wait)
{
    static const char *const answers[] = {
        [RING_WAIT_DONE] = "committed", [RING_WAIT_TIMEOUT] = "timeout",
        [RING_WAIT_REFUSED] = "refused", [RING_WAIT_GONE] = "gone"};

    return answers[wait];
}

/* The registered key's id in the ring's table, and the lane of a path below it; false: not in there. */
static bool find_key(const char *path, struct utf16 below, uint32_t *id, uint32_t *lane)
{
    struct utf16 wanted = wide(path, strlen(path));
    struct ring_key *keys;
    bool found = false;
    void *block;
    size_t count;

    if (ring_keys_get(&ring, &keys, &count, &block))
        _exit(76);
    for (size_t i = 0; i < count && !found; i++)
        if ((found = !utf16_compare_nocase(keys[i].path, wanted)))
            *id = keys[i].id;
    *lane = ring_lane_of(&ring, below.len ? below : wanted);
    free((void *)wanted.units);
    free(block);
    return found;
}

/* One hooked call. */
static const char *change_registry(struct where where, const char *key, struct change *change,
                                   uint32_t flags)
{
    uint64_t number;
    uint32_t lane;
    bool held;

    if (!where.report || !find_key(key, change->path, &change->key_id, &lane)) {
        if (where.registry)
            played_registry_change(prefix, 64, key, change);
        return "done";
    }
    if (__atomic_load_n(&ring.shared->state, __ATOMIC_ACQUIRE) == RING_REFUSING)
        return "refused";
    if (!(held = ring_lane_take(&ring, lane))) /* who has it is not let run, on a busy machine */
        ring_laneless_begin(&ring, place);
    if (where.registry)
        played_registry_change(prefix, 64, key, change);
    number = held ? ring_append(&ring, lane, place, change, flags)
                  : ring_flag_scan(&ring, RING_SCAN_LOCK);
    if (held)
        ring_lane_give(&ring, lane);
    else
        ring_laneless_end(&ring, place);
    if (!__atomic_load_n(&ring.shared->durable, __ATOMIC_ACQUIRE))
        return "done";
    return answer_of(ring_wait_durable(&ring, number));
}

/* A call on a value: item is "PATH\NAME" and, where it is set, "=DATA". */
static const char *change_value(struct where where, const char *key, enum change_kind kind,
                                const char *item, const char *data, uint32_t size_bytes)
{
    size_t len = strcspn(item, "="), name = len;
    struct change c = {.kind = kind, .type = 3, .data = data, .size_bytes = size_bytes};
    const char *answer;

    while (name && item[name - 1] != '\\')
        name--;
    c.path = wide(item, name ? name - 1 : 0);
    c.name = wide(item + name, len - name);
    answer = change_registry(where, key, &c, 0);
    free((void *)c.path.units);
    free((void *)c.name.units);
    return answer;
}

static const char *change_key(struct where where, const char *key, enum change_kind kind,
                              const char *path, const char *class, uint32_t key_flags, uint32_t flags)
{
    struct change c = {.kind = kind, .path = wide(path, strlen(path)), .key_flags = key_flags,
                       .class = wide(class, strlen(class))};
    const char *answer;

    where.registry &= !(flags & RING_VOLATILE);
    answer = change_registry(where, key, &c, flags);
    free((void *)c.path.units);
    free((void *)c.class.units);
    return answer;
}

static const char *set_large(struct where where, const char *key, const char *item)
{
    const char *size = strchr(item, '=');
    uint32_t size_bytes = size ? (uint32_t)atol(size + 1) : 0;
    char *data = malloc(size_bytes + 1);
    const char *answer;

    if (!data)
        _exit(76);
    memset(data, 'x', size_bytes);
    answer = change_value(where, key, CHANGE_SET_VALUE, item, data, size_bytes);
    free(data);
    return answer;
}

/* One of many threads. */
struct setting {
    pthread_t thread;
    struct where where;
    const char *key;
    unsigned index, count;
    const char *answer; /* the first that was another than the first one */
};

static void *set_often(void *arg)
{
    struct setting *s = arg;

    for (unsigned i = 1; i <= s->count; i++) {
        char item[64];
        const char *answer, *data;

        snprintf(item, sizeof(item), "t%u=%u", s->index, i);
        data = strchr(item, '=') + 1;
        answer = change_value(s->where, s->key, CHANGE_SET_VALUE, item, data, (uint32_t)strlen(data));
        if (i == 1 || !strcmp(s->answer, "committed"))
            s->answer = answer;
    }
    return NULL;
}

static const char *set_many(struct where where, unsigned threads, unsigned count, const char *key)
{
    static struct setting settings[THREADS_MAX];
    const char *answer = "done";

    if (threads > THREADS_MAX)
        _exit(76);
    for (unsigned i = 0; i < threads; i++) {
        settings[i] = (struct setting){.where = where, .key = key, .index = i, .count = count,
                                       .answer = "done"};
        if (pthread_create(&settings[i].thread, NULL, set_often, &settings[i]))
            _exit(76);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(settings[i].thread, NULL);
        if (!i || !strcmp(answer, "committed"))
            answer = settings[i].answer;
    }
    return answer;
}

static const char *flag(void)
{
    ring_flag_scan(&ring, RING_SCAN_TREE);
    return "done";
}

/* Does one line; returns its answer. */
static const char *call(char *line)
{
    struct where where = {true, true};
    const char *words[5] = {"", "", "", "", ""};
    char *rest;
    size_t n = 0;

    for (char *w = strtok_r(line, " ", &rest); w && n < 5; w = strtok_r(NULL, " ", &rest)) {
        if (!n && !strcmp(w, "outside"))
            where.report = false;
        else if (!n && !strcmp(w, "report"))
            where.registry = false;
        else
            words[n++] = w;
    }
    if (!strcmp(words[0], "set"))
        return change_value(where, words[1], CHANGE_SET_VALUE, words[2], strchr(words[2], '=') + 1,
                            (uint32_t)strlen(strchr(words[2], '=') + 1));
    if (!strcmp(words[0], "large"))
        return set_large(where, words[1], words[2]);
    if (!strcmp(words[0], "delete-value"))
        return change_value(where, words[1], CHANGE_DELETE_VALUE, words[2], NULL, 0);
    if (!strcmp(words[0], "create"))
        return change_key(where, words[1], CHANGE_CREATE_KEY, words[2], words[3], 0, 0);
    if (!strcmp(words[0], "create-link"))
        return change_key(where, words[1], CHANGE_CREATE_KEY, words[2], "", KEY_FLAG_LINK, 0);
    if (!strcmp(words[0], "create-volatile"))
        return change_key(where, words[1], CHANGE_CREATE_KEY, words[2], "", 0, RING_VOLATILE);
    if (!strcmp(words[0], "open"))
        return change_key(where, words[1], CHANGE_CREATE_KEY, words[2], words[3], 0, RING_OPENED);
    if (!strcmp(words[0], "delete-key"))
        return change_key(where, words[1], CHANGE_DELETE_KEY, words[2], "", 0, 0);
    if (!strcmp(words[0], "many"))
        return set_many(where, (unsigned)atoi(words[1]), (unsigned)atoi(words[2]), words[3]);
    if (!strcmp(words[0], "end")) {
        played_write(prefix, "program.exit", "0", 1);
        return "done";
    }
    if (!strcmp(words[0], "flag"))
        return flag();
    if (!strcmp(words[0], "flush"))
        return answer_of(ring_wait_durable(&ring, ring_last_number(&ring)));
    return "unknown";
}

/* Does the lines that are new. */
static void do_calls(void)
{
    static char text[CALLS_BYTES_MAX];
    size_t len = played_read(prefix, "calls", text, sizeof(text) - 1);
    char path[PATH_MAX], *line, *rest;
    unsigned n = 0;
    FILE *answers;

    text[len] = 0;
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *answer;

        if (n++ < calls_done)
            continue;
        answer = call(line);
        calls_done++;
        played_path(prefix, "answers", path);
        if (!(answers = fopen(path, "ae")))
            _exit(70);
        fprintf(answers, "%s\n", answer);
        fclose(answers);
    }
}

/* A program of before has done these. */
static void count_answers(void)
{
    static char text[CALLS_BYTES_MAX];
    size_t len = played_read(prefix, "answers", text, sizeof(text));

    for (size_t i = 0; i < len; i++)
        calls_done += text[i] == '\n';
}

static void hook(const char *dir)
{
    char path[PATH_MAX];
    struct error err;

    if (snprintf(path, sizeof(path), "%s/ring", dir) >= (int)sizeof(path) ||
        ring_open(path, &ring, &err))
        _exit(78);
    /* no test is for how long a call waits: on a busy machine the monitor gets its time */
    __atomic_store_n(&ring.shared->wait_ms, PATIENCE_MS, __ATOMIC_RELAXED);
    place = ring_attach(&ring, 32, "played.exe");
    ring_attach_ready(&ring, place);
    count_answers();
}

/* It ends with its host, as in a kill-on-close job; ready_fd is closed when it may be resumed. */
static void run(pid_t parent, int lock_fd, int ready_fd, const char *hook_dir)
{
    char text[32], path[PATH_MAX];
    struct stat st;

    prctl(PR_SET_NAME, "played.exe");
    for (int fd = 0; fd < 1024; fd++)
        if (fd != lock_fd && fd != ready_fd)
            close(fd);
    played_path(prefix, "program.leaves", path);
    if (stat(path, &st) || fork()) { /* the one that is left outlives us */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        played_write(prefix, "program.pid", text,
                     (size_t)snprintf(text, sizeof(text), "%d", (int)getpid()));
        if (*hook_dir)
            hook(hook_dir);
    }
    if (ring.shared)
        do_calls();
    close(ready_fd);
    while (!stat(prefix, &st)) {
        if (ring.shared)
            do_calls();
        usleep(ring.shared ? HOOKED_PAUSE_US : PAUSE_US);
    }
    _exit(0);
}

int played_program_start(const char *of_prefix, int lock_fd, const char *hook_dir)
{
    pid_t parent = getpid(), pid;
    int ready[2];
    char byte;

    prefix = of_prefix;
    if (pipe(ready) || (pid = fork()) < 0)
        _exit(75);
    if (!pid)
        run(parent, lock_fd, ready[1], hook_dir);
    close(ready[1]);
    while (read(ready[0], &byte, 1) > 0)
        ;
    close(ready[0]);
    return pid;
}
