/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The played regckpt-host: answers what the monitor asks from the played registry, plays the
 * program, and misbehaves as the script says.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostproto.h"
#include "message.h"
#include "played_wine.h"
#include "ring.h"
#include "winereg.h"

#define TICK_MS 5
#define PATIENCE_MS 60000 /* the monitor may be stopped meanwhile */
#define KEYS_MAX 16
#define STATUS_NO_SUCH_KEY 0xc0000034u
#define STATUS_COLLISION 0xc0000035u

static struct played_host_args host;
static struct played_key {
    uint32_t id;
    int view;
    char path[256];
    bool armed;
    unsigned long long stamp; /* when it was armed */
} keys[KEYS_MAX];
static uint32_t key_count;
static pid_t program;         /* 0: none runs */

/* A reply under way, and what the script wants of it. */
struct answer {
    uint32_t status;
    struct pack more;
    bool lose;
};

static void send_event(uint32_t type, uint32_t value)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, value);
    if (message_send(host.sock, type, 0, &p, -1, PATIENCE_MS))
        _exit(121);
    pack_free(&p);
}

/* The program's end, however it came. */
static void program_ended(uint32_t code)
{
    char path[PATH_MAX];

    kill(program, SIGKILL);
    program = 0;
    played_path(host.prefix, "program.pid", path);
    unlink(path);
    send_event(HOST_EXITED, code);
}

static struct played_key *find_key(uint32_t id)
{
    for (uint32_t i = 0; i < key_count; i++)
        if (keys[i].id == id)
            return &keys[i];
    return NULL;
}

static void answer_keys(struct unpack *u, struct answer *a)
{
    uint32_t count = unpack_u32(u);
    struct played_key old[KEYS_MAX];
    uint32_t old_count = key_count;

    if (count > KEYS_MAX)
        _exit(75);
    memcpy(old, keys, sizeof(old));
    memset(keys, 0, sizeof(keys));
    pack_u32(&a->more, count);
    for (key_count = 0; key_count < count; key_count++) {
        struct played_key *k = &keys[key_count];
        char *path;

        k->id = unpack_u32(u);
        k->view = (int)unpack_u32(u);
        path = unpack_text(u);
        snprintf(k->path, sizeof(k->path), "%s", path ? path : "");
        free(path);
        for (uint32_t i = 0; i < old_count; i++)
            if (old[i].id == k->id)
                *k = old[i];
        pack_u32(&a->more, k->id);
        pack_u32(&a->more, played_registry_stamp(host.prefix, k->view, k->path) != 0);
        pack_u32(&a->more, 0); /* an empty physical path */
    }
}

static void answer_save(struct unpack *u, int fd, struct answer *a)
{
    struct played_key *k = find_key(unpack_u32(u));
    bool watch = unpack_u32(u);
    struct utf16 below = unpack_utf16(u); /* asked for where keys have one name */
    struct image image;
    FILE *out = fdopen(dup(fd), "w");

    if (!k || !out || below.len)
        _exit(75);
    free((void *)below.units);
    if (watch) {
        k->armed = true;
        k->stamp = played_registry_stamp(host.prefix, k->view, k->path);
    }
    played_registry_get(host.prefix, k->view, k->path, &image);
    if (image.root && winereg_write(&image, out))
        _exit(75);
    fclose(out);
    pack_u32(&a->more, image.root != NULL);
    pack_u64(&a->more, 1000);
    pack_u64(&a->more, (uint64_t)played_number(host.prefix, "marker", 0));
    pack_u32(&a->more, false);
    image_free(&image);
}

static void answer_arm(struct unpack *u, struct answer *a)
{
    struct played_key *k = find_key(unpack_u32(u));

    if (!k)
        _exit(75);
    k->armed = true;
    k->stamp = played_registry_stamp(host.prefix, k->view, k->path);
    pack_u32(&a->more, k->stamp != 0);
}

static void answer_load(struct unpack *u, int fd, struct answer *a)
{
    struct played_key *k = find_key(unpack_u32(u));
    struct image image;
    struct error err;

    image_init(&image);
    if (!k || winereg_parse_fd(fd, "a load", &image, NULL, &err))
        _exit(75);
    if (played_registry_stamp(host.prefix, k->view, k->path))
        a->status = STATUS_COLLISION;
    else
        played_registry_put(host.prefix, k->view, k->path, &image);
    image_free(&image);
}

/* One change, by itself, as the real one makes it. */
static void apply_one(const struct change *change, struct answer *a)
{
    struct played_key *k = find_key(change->key_id);

    if (!k)
        _exit(75);
    if (!played_registry_change(host.prefix, k->view, k->path, change))
        a->status = STATUS_NO_SUCH_KEY;
}

static void answer_apply(struct unpack *u, struct answer *a)
{
    uint32_t count = unpack_u32(u), i;
    struct change change;

    for (i = 0; i < count && !a->status; i++) {
        unpack_change(u, &change);
        if (unpack_failed(u))
            _exit(75);
        if (i || !a->lose)
            apply_one(&change, a);
        change_free(&change);
    }
    pack_u32(&a->more, a->status ? i - 1 : i);
}

static void answer_marker(struct unpack *u)
{
    char *resource = unpack_text(u), text[32];

    played_write(host.prefix, "marker", text,
                 (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)unpack_u64(u)));
    free(resource);
}

/* Of a command line: it exists unless it is "missing.exe". */
static void answer_query(struct unpack *u, struct answer *a)
{
    bool service = unpack_u32(u) == HOST_SERVICE;
    char *what = unpack_text(u), image[3 * PATH_MAX];
    size_t len = played_read(host.prefix, "service", image, sizeof(image) - 1);

    image[len] = 0;
    pack_u32(&a->more, 64);
    pack_u32(&a->more, service ? len > 0 : strcmp(what, "missing.exe") != 0);
    pack_text(&a->more, service ? image : what);
    pack_u32(&a->more, 3);
    pack_u32(&a->more, played_number(host.prefix, "program.pid", 0) ? 4 : 1);
    pack_u32(&a->more, strstr(image, "regckpt-host") != NULL);
    free(what);
}

static void answer_configure(struct unpack *u)
{
    char *service = unpack_text(u), *image = unpack_text(u);

    played_write(host.prefix, "service", image, strlen(image));
    free(service);
    free(image);
}

/* Hooked, if there is a hook and the test does not say why not. */
static void answer_start(struct unpack *u, int lock_fd, struct answer *a)
{
    char *command = unpack_text(u), *directory = unpack_text(u), *hook = unpack_text(u);
    char why_not[256];
    size_t len = played_read(host.prefix, "unhooked", why_not, sizeof(why_not) - 1);

    why_not[len] = 0;
    if (!hook)
        _exit(75);
    program = played_program_start(host.prefix, lock_fd, len ? "" : hook);
    pack_u32(&a->more, 32);
    pack_text(&a->more, why_not);
    free(command);
    free(directory);
    free(hook);
}

/*
 * With a file "reports" its wineserver takes a ring and says so there (the test writes into it); with
 * "reports" in it says nothing.
 */
static void answer_report(struct unpack *u, struct answer *a)
{
    uint32_t what = unpack_u32(u);
    char *path = unpack_text(u), text[16], file[PATH_MAX];
    struct error err;
    struct ring r;
    bool can;

    played_path(host.prefix, "reports", file);
    can = !access(file, F_OK);
    pack_u32(&a->more, can);
    if (can && what == REPORT_BEGIN && !played_read(host.prefix, "reports", text, sizeof(text))) {
        if (ring_open(path, &r, &err))
            _exit(75);
        __atomic_store_n(&r.shared->server_pid, (uint32_t)getpid(), __ATOMIC_SEQ_CST);
        ring_close(&r);
    }
    free(path);
}

/* Does the service manager start another service just now?  Counts down. */
static bool is_locked(void)
{
    long long times = played_number(host.prefix, "locked", 0);
    char left[24];

    if (times <= 0)
        return false;
    snprintf(left, sizeof(left), "%lld", times - 1);
    played_write(host.prefix, "locked", left, strlen(left));
    return true;
}

/* Every name is there as it was asked for. */
static void answer_ask(struct unpack *u, struct answer *a)
{
    uint32_t count;

    unpack_u32(u);
    count = unpack_u32(u);
    pack_u32(&a->more, count);
    for (uint32_t i = 0; i < count && !unpack_failed(u); i++)
        pack_u32(&a->more, HOST_ANSWER_YES);
}

/* What this host does is chosen by the message; false: it was the last one. */
static bool answer(const struct message *m, struct answer *a)
{
    struct unpack u;

    unpack_init(&u, m->payload, m->len_bytes);
    switch (m->type) {
    case HOST_KEYS:
        answer_keys(&u, a);
        break;
    case HOST_SAVE:
        answer_save(&u, m->fd, a);
        break;
    case HOST_ARM:
        answer_arm(&u, a);
        break;
    case HOST_LOAD:
        answer_load(&u, m->fd, a);
        break;
    case HOST_APPLY:
        answer_apply(&u, a);
        break;
    case HOST_ASK:
        answer_ask(&u, a);
        break;
    case HOST_MARKER:
        answer_marker(&u);
        break;
    case HOST_QUERY_PROGRAM:
        answer_query(&u, a);
        break;
    case HOST_CONFIGURE_SERVICE:
        answer_configure(&u);
        break;
    case HOST_START:
        answer_start(&u, m->fd, a);
        break;
    case HOST_RESUME:
        break;
    case HOST_START_SERVICE:
        if (is_locked()) {
            send_event(HOST_SERVICE_DONE, 1055);
            break;
        }
        played_launcher_start(host.prefix, host.server_fd);
        send_event(HOST_SERVICE_DONE, 0);
        break;
    case HOST_STOP_SERVICE:
        played_write(host.prefix, "program.exit", "0", 1);
        send_event(HOST_SERVICE_DONE, 0);
        break;
    case HOST_TERMINATE:
        if (program)
            program_ended(unpack_u32(&u));
        break;
    case HOST_EXIT:
        return false;
    case HOST_REPORT:
        answer_report(&u, a);
        break;
    default:
        a->status = 1;
    }
    return true;
}

/* A request's name in script and record. */
static const char *name_of(uint32_t type)
{
    static const char *const names[] = {"keys", "save", "arm", "load", "apply", "ask", "marker",
                                        "query", "try-32bit", "configure", "start", "resume", "start-service",
                                        "stop-service", "terminate", "exit", "report"};
    uint32_t i = type - HOST_KEYS;

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "?";
}

/* Counts the request and does what the script has for it, before it is carried out. */
static void follow_script(const char *name, struct answer *a)
{
    static unsigned counts[HOST_EXITED];
    static ino_t script;
    char path[PATH_MAX], text[4096], request[32], action[32], argument[32], *line, *rest;
    uint32_t i = 0;
    struct stat st;
    size_t len;

    played_path(host.prefix, "script", path);
    if (stat(path, &st))
        return;
    if (st.st_ino != script)
        memset(counts, 0, sizeof(counts));
    script = st.st_ino;
    while (strcmp(name_of(HOST_KEYS + i), name))
        i++;
    counts[i]++;
    len = played_read(host.prefix, "script", text, sizeof(text) - 1);
    text[len] = 0;
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        unsigned n;

        *argument = 0;
        if (sscanf(line, "%31s %u %31s %31s", request, &n, action, argument) < 3 ||
            strcmp(request, name) || (n && n != counts[i]))
            continue;
        if (!strcmp(action, "die"))
            _exit(1);
        while (!strcmp(action, "hang") && !stat(host.prefix, &st))
            usleep(TICK_MS * 1000);
        if (!strcmp(action, "stop"))
            raise(SIGSTOP);
        if (!strcmp(action, "status"))
            a->status = (uint32_t)strtoul(argument, NULL, 16);
        if (!strcmp(action, "garbage") && write(host.sock, "\377\377\377\377garbage!", 12) > 0)
            _exit(1);
        for (long count = strcmp(action, "storm") ? 0 : atol(argument); count; count--)
            send_event(HOST_CHANGED, keys[0].id);
        a->lose |= !strcmp(action, "lose");
    }
}

/* Answers one message. */
static void serve(struct message *m)
{
    const char *name = name_of(m->type);
    struct answer a = {.status = 0};
    char path[PATH_MAX];
    bool last = false;
    struct pack p;
    FILE *record;

    played_path(host.prefix, "requests", path);
    if ((record = fopen(path, "ae"))) {
        fprintf(record, "%s\n", name);
        fclose(record);
    }
    pack_init(&a.more);
    follow_script(name, &a);
    if (!a.status)
        last = !answer(m, &a);
    pack_init(&p);
    pack_u32(&p, a.status);
    pack_u32(&p, HOST_ERROR_NTSTATUS);
    pack_text(&p, a.status ? "the played request" : "");
    pack_raw(&p, a.more.bytes, a.more.len);
    if (message_send(host.sock, HOST_REPLY, m->tag, &p, -1, PATIENCE_MS) || last)
        _exit(0);
    pack_free(&p);
    pack_free(&a.more);
    message_free(m);
}

/* Notifications and the program's end. */
static void tick(void)
{
    long long code = program ? played_number(host.prefix, "program.exit", -1) : -1;
    char quiet[PATH_MAX];

    played_path(host.prefix, "quiet", quiet);
    for (uint32_t i = 0; i < key_count && access(quiet, F_OK); i++)
        if (keys[i].armed &&
            keys[i].stamp != played_registry_stamp(host.prefix, keys[i].view, keys[i].path)) {
            keys[i].armed = false;
            send_event(HOST_CHANGED, keys[i].id);
        }
    if (code >= 0)
        program_ended((uint32_t)code);
    else if (program && kill(program, 0))
        program_ended(9);
}

void played_host_run(const struct played_host_args *args)
{
    struct message m;
    struct pack p;

    host = *args;
    pack_init(&p);
    pack_u32(&p, HOSTPROTO_VERSION);
    pack_u32(&p, host.service ? HOST_LAUNCHER : HOST_AGENT);
    pack_u32(&p, 64);
    pack_u32(&p, (uint32_t)getpid());
    pack_text(&p, host.service);
    if (message_send(host.sock, HOST_HELLO, 0, &p, -1, PATIENCE_MS))
        _exit(121);
    pack_free(&p);
    for (;;) {
        struct pollfd wait[2] = {{.fd = host.sock, .events = POLLIN},
                                 {.fd = host.server_fd, .events = POLLIN}};
        if (poll(wait, 2, TICK_MS) < 0 || wait[1].revents)
            _exit(1); /* as Wine does without its server */
        if (wait[0].revents) {
            if (message_receive(host.sock, &m, PATIENCE_MS))
                _exit(121);
            serve(&m);
        }
        tick();
    }
}
