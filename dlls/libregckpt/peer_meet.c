/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "peer_meet.h"
#include "store_private.h"

#define NOTE STORE_PROBE "peer-"
#define FIRST_LINE "regckpt peer 1"
#define STEP_MS 120000   /* caches of network file systems keep names for a minute */
#define PARTING_MS 10000
#define LEFT_MS 10000    /* a note that has not changed for so long was left behind */
#define SEEN_MAX 32
#define PAUSE_MS 50

/* What a process may have to remove; written before it is there. */
static char to_remove[5][PATH_MAX];

/* Another node's note, as it was last. */
struct note {
    char id[PEER_ID_BYTES], node[256], with[PEER_ID_BYTES];
    uint64_t beat;
    int64_t since_ms; /* this beat was seen first */
    bool alive;       /* it has changed under our eyes */
};

int64_t peer_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void peer_pause(void)
{
    usleep(PAUSE_MS * 1000);
}

void peer_clean_up(void)
{
    for (size_t i = 0; i < sizeof(to_remove) / sizeof(to_remove[0]); i++)
        if (to_remove[i][0])
            unlink(to_remove[i]);
}

static void note_path(const char *store, const char *id, const char *tail, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" NOTE "%s%s", store, id, tail);
}

void peer_path(const struct peer *p, bool own, const char *what, char path[PATH_MAX])
{
    char tail[32];

    snprintf(tail, sizeof(tail), "-%s", what);
    note_path(p->store, own ? p->id : p->other, tail, path);
}

/* Replaces one's own note. */
static int write_note(struct peer *p, struct error *err)
{
    char path[PATH_MAX], made[PATH_MAX];
    FILE *out;
    int error = 0;

    note_path(p->store, p->id, "", path);
    note_path(p->store, p->id, ".new", made);
    if (!(out = fopen(made, "we")))
        return error_system(err, errno, "cannot write %s", made);
    fprintf(out, FIRST_LINE "\nnode %s\nwith %s\nbeat %llu\n", p->node, *p->other ? p->other : "-",
            (unsigned long long)++p->beat);
    for (unsigned i = 0; i < p->said; i++)
        fprintf(out, "step %u %s\n", i, p->lines[i]);
    if (fflush(out) || fsync(fileno(out)))
        error = errno;
    if (fclose(out) && !error)
        error = errno;
    if (!error && rename(made, path))
        error = errno;
    return error ? error_system(err, error, "cannot write %s", path) : 0;
}

/* Reads a note; step: the line that is wanted, or -1.  False: there is none that can be read. */
static bool read_note(const struct peer *p, const char *id, struct note *n, int step, char *text)
{
    char path[PATH_MAX], line[PEER_TEXT_BYTES + 32], *at;
    bool found = step < 0;
    FILE *in;

    note_path(p->store, id, "", path);
    if (!(in = fopen(path, "re")))
        return false;
    memset(n, 0, sizeof(*n));
    snprintf(n->id, sizeof(n->id), "%s", id);
    while (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "node ", 5))
            snprintf(n->node, sizeof(n->node), "%.255s", line + 5);
        else if (!strncmp(line, "with ", 5))
            snprintf(n->with, sizeof(n->with), "%.*s", PEER_ID_BYTES - 1, line + 5);
        else if (!strncmp(line, "beat ", 5))
            n->beat = strtoull(line + 5, NULL, 10);
        else if (step >= 0 && !strncmp(line, "step ", 5) && strtol(line + 5, &at, 10) == step) {
            snprintf(text, PEER_TEXT_BYTES, "%s", *at ? at + 1 : at);
            found = true;
        }
    }
    fclose(in);
    return found;
}

/* A file of somebody's note: its id, or false. */
static bool id_of(const char *name, char id[PEER_ID_BYTES])
{
    const char *at = name + strlen(NOTE);
    size_t len;

    if (strncmp(name, NOTE, strlen(NOTE)))
        return false;
    len = strspn(at, "0123456789abcdef");
    if (!len || len >= PEER_ID_BYTES || at[len])
        return false;
    snprintf(id, PEER_ID_BYTES, "%s", at);
    return true;
}

/* Removes what a command that was killed has left. */
static void remove_left(const struct peer *p, const struct note *n)
{
    static const char *const tails[] = {"", ".new", "-data", "-data.new", "-lock"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        note_path(p->store, n->id, tails[i], path);
        unlink(path);
    }
}

/* Brings what is known of the others up to date. */
static int look_around(const struct peer *p, struct note *seen, size_t *count, struct error *err)
{
    DIR *dir = opendir(p->store);
    struct dirent *entry;
    char id[PEER_ID_BYTES];

    if (!dir)
        return error_system(err, errno, "cannot read the store %s", p->store);
    while ((entry = readdir(dir))) {
        struct note now;
        size_t i = 0;

        if (!id_of(entry->d_name, id) || !strcmp(id, p->id) || !read_note(p, id, &now, -1, NULL))
            continue;
        while (i < *count && strcmp(seen[i].id, id))
            i++;
        if (i == SEEN_MAX)
            continue;
        now.alive = i < *count && (seen[i].alive || seen[i].beat != now.beat);
        now.since_ms = i < *count && seen[i].beat == now.beat ? seen[i].since_ms : peer_now_ms();
        seen[i] = now;
        *count += i == *count;
    }
    closedir(dir);
    return 0;
}

/* The note to be with: it lives, is of another node, and is with nobody else. The smallest id. */
static const struct note *choose(const struct peer *p, const struct note *seen, size_t count)
{
    const struct note *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct note *n = &seen[i];
        bool mine = !strcmp(n->with, p->id);

        if (!n->alive || !strcmp(n->node, p->node) || (strcmp(n->with, "-") && !mine) ||
            peer_now_ms() - n->since_ms > LEFT_MS)
            continue;
        if (mine)
            return n;
        if (!best || strcmp(n->id, best->id) < 0)
            best = n;
    }
    return best;
}

/* Nobody came: says what was there. */
static int nobody(const struct peer *p, const struct note *seen, size_t count, int timeout_ms,
                  struct error *err)
{
    bool same = false;

    for (size_t i = 0; i < count; i++) {
        if (!seen[i].alive)
            remove_left(p, &seen[i]);
        same |= seen[i].alive && !strcmp(seen[i].node, p->node);
    }
    return error_set(err, RESULT_TIMEOUT,
                     "no other node came to %s within %d s%s. Run the same command on both nodes at "
                     "the same time. If it runs there: what one node writes to this store the other "
                     "does not see, or it is not the same storage", p->store, timeout_ms / 1000,
                     same ? "; another process did, of this node's name (\"node\" in the configuration "
                            "file gives a node one of its own)" : "");
}

static void begin(struct peer *p, const char *store, const char *node)
{
    unsigned char bytes[12];

    memset(p, 0, sizeof(*p));
    p->store = store;
    p->node = node;
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        memcpy(bytes, &(uint64_t){(uint64_t)peer_now_ms() ^ (uint64_t)getpid() << 32}, 8);
    for (size_t i = 0; i < sizeof(bytes); i++)
        sprintf(p->id + 2 * i, "%02x", bytes[i]);
    note_path(store, p->id, "", to_remove[0]);
    note_path(store, p->id, ".new", to_remove[1]);
    peer_path(p, true, "data", to_remove[2]);
    peer_path(p, true, "data.new", to_remove[3]);
    peer_path(p, true, "lock", to_remove[4]);
}

int peer_meet(struct peer *p, const char *store, const char *node, int timeout_ms, struct error *err)
{
    int64_t until_ms = peer_now_ms() + timeout_ms;
    struct note *seen = calloc(SEEN_MAX, sizeof(*seen));
    size_t count = 0;
    int error = 0;

    if (!seen)
        return error_system(err, ENOMEM, "cannot meet another node");
    begin(p, store, node);
    while (!error && !(error = write_note(p, err)) && !(error = look_around(p, seen, &count, err))) {
        const struct note *n = choose(p, seen, count);

        snprintf(p->other, sizeof(p->other), "%s", n ? n->id : "");
        if (n && !strcmp(n->with, p->id)) {
            snprintf(p->other_node, sizeof(p->other_node), "%s", n->node);
            p->first = strcmp(p->id, p->other) < 0;
            error = write_note(p, err);
            break;
        }
        if (peer_now_ms() > until_ms)
            error = nobody(p, seen, count, timeout_ms, err);
        peer_pause();
    }
    for (size_t i = 0; i < count && !error; i++)
        if (!seen[i].alive && peer_now_ms() - seen[i].since_ms > LEFT_MS)
            remove_left(p, &seen[i]);
    free(seen);
    if (error)
        peer_clean_up();
    return error;
}

int peer_say(struct peer *p, struct error *err, const char *format, ...)
{
    va_list args;

    if (p->said == PEER_STEPS)
        return error_set(err, RESULT_INVALID, "too many steps with another node");
    va_start(args, format);
    vsnprintf(p->lines[p->said++], PEER_TEXT_BYTES, format, args);
    va_end(args);
    return write_note(p, err);
}

/* The other's next step, within a time; *gone: his note was not there in the end. */
static bool listen_for(struct peer *p, char *text, int ms, bool *gone)
{
    int64_t until_ms = peer_now_ms() + ms, gone_ms = 0;
    struct note n;

    for (;;) {
        if (read_note(p, p->other, &n, (int)p->heard, text)) {
            p->heard++;
            return true;
        }
        if (read_note(p, p->other, &n, -1, NULL))
            gone_ms = 0;
        else if (!gone_ms)
            gone_ms = peer_now_ms();
        *gone = gone_ms && peer_now_ms() - gone_ms > LEFT_MS;
        if (*gone || peer_now_ms() > until_ms)
            return false;
        peer_pause();
    }
}

int peer_hear(struct peer *p, char *text, struct error *err)
{
    bool gone = false;

    if (listen_for(p, text, STEP_MS, &gone))
        return 0;
    if (gone)
        return error_set(err, RESULT_NOT_FOUND, "node %s has broken off", p->other_node);
    return error_set(err, RESULT_TIMEOUT, "node %s has not taken its next step within %d s: it was "
                     "stopped, or what it writes is not seen here", p->other_node, STEP_MS / 1000);
}

void peer_part(struct peer *p)
{
    char text[PEER_TEXT_BYTES];
    int64_t until_ms = peer_now_ms() + PARTING_MS;
    struct error err;
    struct note n;

    if (!peer_say(p, &err, "bye"))
        while (peer_now_ms() < until_ms && read_note(p, p->other, &n, -1, NULL)) { /* else it has left */
            if (!read_note(p, p->other, &n, (int)p->heard, text))
                peer_pause();
            else if (!strcmp(text, "bye"))
                break;
            else
                p->heard++;
        }
    peer_clean_up();
}
