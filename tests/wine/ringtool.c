/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ringtool: stands in for the monitor, so that the hook can be tested without one.  Native.
 *
 *   ringtool make DIR PKGLIBDIR [--durable] [--wait MS] [--lanes N] [--lane-bytes N] ID=PATH...
 *                         makes DIR/ring and links to the DLLs in PKGLIBDIR beside it; PATH is
 *                         below HKLM, physical, UTF-8
 *   ringtool keys DIR ID=PATH...      replaces the registered keys
 *   ringtool drain DIR    prints the pending changes, one a line, and says they are durable
 *   ringtool serve DIR    does so all the time, until SIGTERM; prints "serving" first
 *   ringtool cut DIR      prints them like drain, leaves them in the ring, and who waits waiting
 *   ringtool state DIR open|refusing|closed
 *   ringtool stat DIR     prints counters, processes, what could not be hooked
 *
 * A change is: kind, key id, path, name (of a key: its class), type (of a key: KEY_FLAG_*), data in
 * hex, flags, process index, separated by tabs.  Names are shown as people see them.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dlls/regckpt/hook.h"
#include "ring.h"

#define SERVE_MS 200 /* at the latest a signal is seen then */

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

static void usage(void)
{
    fprintf(stderr, "usage: ringtool make DIR PKGLIBDIR [--durable] [--wait MS] [--lanes N] "
                    "[--lane-bytes N] ID=PATH...\n"
                    "       ringtool keys DIR ID=PATH... | drain DIR | serve DIR | cut DIR |\n"
                    "       state DIR open|refusing|closed | stat DIR\n");
    exit(100);
}

static void die(const struct error *err)
{
    fprintf(stderr, "ringtool: %s\n", err->text);
    exit(111);
}

static char *join(const char *dir, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        abort();
    return path;
}

static void open_ring(const char *dir, struct ring *r)
{
    char *path = join(dir, HOOK_RING);
    struct error err;

    if (ring_open(path, r, &err))
        die(&err);
    free(path);
}

static void set_keys(struct ring *r, char **arguments)
{
    struct ring_key keys[64] = {{0}};
    size_t count = 0;
    struct error err;

    for (; arguments[count]; count++) {
        char *is = strchr(arguments[count], '=');
        if (!is || count == sizeof(keys) / sizeof(keys[0]))
            usage();
        keys[count].id = strtoul(arguments[count], NULL, 10);
        if (utf16_from_utf8(is + 1, strlen(is + 1), &keys[count].path))
            usage();
    }
    if (ring_keys_set(r, keys, count, &err))
        die(&err);
    for (size_t i = 0; i < count; i++)
        free((void *)keys[i].path.units);
}

static void link_dll(const char *dir, const char *pkglibdir, const char *name)
{
    char *from = join(dir, name), *to = join(pkglibdir, name);

    unlink(from);
    if (symlink(to, from)) {
        perror(from);
        exit(111);
    }
    free(from);
    free(to);
}

static int run_make(char **arguments)
{
    const char *dir = arguments[0], *pkglibdir = arguments[0] ? arguments[1] : NULL;
    struct ring_options options = {.epoch = 1, .uid = getuid(), .gid = getgid()};
    unsigned wait_ms = 0;
    struct error err;
    struct ring r;
    char *path;

    if (!pkglibdir)
        usage();
    for (arguments += 2; *arguments && !strncmp(*arguments, "--", 2); arguments++) {
        if (!strcmp(*arguments, "--durable"))
            options.durable = true;
        else if (!strcmp(*arguments, "--wait") && arguments[1])
            wait_ms = strtoul(*++arguments, NULL, 10);
        else if (!strcmp(*arguments, "--lanes") && arguments[1])
            options.lane_count = strtoul(*++arguments, NULL, 10);
        else if (!strcmp(*arguments, "--lane-bytes") && arguments[1])
            options.lane_bytes = strtoul(*++arguments, NULL, 10);
        else
            usage();
    }
    path = join(dir, HOOK_RING);
    if (ring_create(path, &options, &r, &err))
        die(&err);
    /* a monitor that ended is not waited for; this one is played by whoever calls next */
    r.shared->monitor_pid = getppid();
    if (wait_ms)
        r.shared->wait_ms = wait_ms;
    set_keys(&r, arguments);
    link_dll(dir, pkglibdir, HOOK_DLL64);
    link_dll(dir, pkglibdir, HOOK_DLL32);
    ring_close(&r);
    free(path);
    return 0;
}

static int run_keys(char **arguments)
{
    struct ring r;

    open_ring(arguments[0], &r);
    set_keys(&r, arguments + 1);
    ring_close(&r);
    return 0;
}

static void print_name(struct utf16 name)
{
    char *text = utf16_for_display(name);

    printf("\t%s", text ? text : "?");
    free(text);
}

static void print_change(const struct ring_change *c)
{
    static const char *const kinds[] = {
        [CHANGE_CREATE_KEY] = "create-key", [CHANGE_DELETE_KEY] = "delete-key",
        [CHANGE_SET_VALUE] = "set-value", [CHANGE_DELETE_VALUE] = "delete-value",
    };
    const uint8_t *data = c->change.data;
    bool is_key = c->change.kind == CHANGE_CREATE_KEY;

    printf("%s\t%u", kinds[c->change.kind], c->change.key_id);
    print_name(c->change.path);
    print_name(is_key ? c->change.class : c->change.name);
    printf("\t%u\t", is_key ? c->change.key_flags : c->change.type);
    for (uint32_t i = 0; i < c->change.size_bytes; i++)
        printf("%02x", data[i]);
    printf("\t%u\t%u\n", c->flags, c->process);
}

static void drain(struct ring *r, bool durable)
{
    struct ring_batch batch;

    if (ring_cut(r, &batch))
        abort();
    for (size_t i = 0; i < batch.count; i++)
        print_change(&batch.changes[i]);
    if (batch.torn || batch.damaged)
        printf("torn, %u lanes damaged\n", batch.damaged);
    fflush(stdout);
    if (durable) {
        ring_release(r);
        ring_set_durable(r, batch.number);
    }
    ring_batch_free(&batch);
    ring_release(r);
}

static int run_drain(char **arguments, bool durable)
{
    struct ring r;

    open_ring(arguments[0], &r);
    drain(&r, durable);
    ring_close(&r);
    return 0;
}

static int run_serve(char **arguments)
{
    struct sigaction action = {.sa_handler = on_signal};
    uint32_t seen = 0;
    struct ring r;

    open_ring(arguments[0], &r);
    sigaction(SIGTERM, &action, NULL);
    r.shared->monitor_pid = getpid();
    puts("serving");
    while (!ended) {
        drain(&r, true);
        ring_listen(&r, &seen, SERVE_MS);
    }
    drain(&r, true);
    r.shared->monitor_pid = getppid();
    ring_close(&r);
    return 0;
}

static int run_state(char **arguments)
{
    enum ring_state state = RING_OPEN;
    struct ring r;

    if (!arguments[1])
        usage();
    if (!strcmp(arguments[1], "refusing"))
        state = RING_REFUSING;
    else if (!strcmp(arguments[1], "closed"))
        state = RING_CLOSED;
    else if (strcmp(arguments[1], "open"))
        usage();
    open_ring(arguments[0], &r);
    ring_set_state(&r, state);
    ring_close(&r);
    return 0;
}

static int run_stat(char **arguments)
{
    const struct ring_shared *s;
    struct ring_process p;
    unsigned held = 0;
    struct ring r;

    open_ring(arguments[0], &r);
    s = r.shared;
    for (uint32_t i = 0; i < r.lane_count; i++)
        held += s->lanes[i].lock != 0;
    printf("state %u\ndurable %u\ngeneration %u\nclasses %u\n", s->state, s->durable, s->generation,
           s->classes);
    printf("counter %" PRIu64 "\ndurable-number %" PRIu64 "\n", s->counter, s->durable_number);
    printf("scan-wanted %u\nscan-why %u\nlanes-held %u\n", s->scan_wanted, s->scan_why, held);
    for (uint32_t i = 0; i < RING_PROCESSES; i++)
        if (ring_process_get(&r, i, &p))
            printf("process %u pid %u win-pid %u bits %u ready %u changes %" PRIu64 " %s\n", i,
                   p.pid, p.win_pid, p.bits, p.ready, p.changes, p.name);
    printf("unhooked %u", s->unhooked);
    if (s->unhooked)
        printf(" %.*s: %.*s", (int)sizeof(s->unhooked_name), s->unhooked_name,
               (int)sizeof(s->unhooked_why), s->unhooked_why);
    printf("\n");
    ring_close(&r);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        usage();
    if (!strcmp(argv[1], "make"))
        return run_make(argv + 2);
    if (!strcmp(argv[1], "keys"))
        return run_keys(argv + 2);
    if (!strcmp(argv[1], "drain"))
        return run_drain(argv + 2, true);
    if (!strcmp(argv[1], "cut"))
        return run_drain(argv + 2, false);
    if (!strcmp(argv[1], "serve"))
        return run_serve(argv + 2);
    if (!strcmp(argv[1], "state"))
        return run_state(argv + 2);
    if (!strcmp(argv[1], "stat"))
        return run_stat(argv + 2);
    usage();
}
