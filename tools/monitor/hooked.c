/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a resource's ring: made before the program starts, told the registered keys, read
 * until the end; and what a monitor that was killed left in it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dlls/libregckpt/keyname.h"
#include "../../dlls/regckpt/hook.h"
#include "monitor.h"

/* What is in the run directory for the program's processes (hook.h). */
static const struct link {
    const char *name, *program;
    unsigned bits;
} links[] = {
    {HOOK_DLL64, HOOK_DLL64, 64},
    {HOOK_DLL32, HOOK_DLL32, 32},
};

/* No checkpoint's: what an edit's ring holds is nobody's to apply but that edit's. */
#define EDIT_SEQUENCE UINT64_MAX

#define LINKS (sizeof(links) / sizeof(links[0]))

static void path_in(const struct monitor *m, const char *name, char *path)
{
    snprintf(path, PATH_MAX, "%s/%s", m->dir, name);
}

/* The DLLs that are installed; the one of the prefix's own width has to be. */
static int make_links(struct monitor *m, struct error *err)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < LINKS; i++) {
        struct error why;
        char *dll = settings_find_program(links[i].program, &why);

        path_in(m, links[i].name, path);
        unlink(path);
        if (!dll && links[i].bits == m->place.bits) {
            *err = why;
            return err->code;
        }
        if (dll && symlink(dll, path)) {
            int error = errno;
            free(dll);
            return error_system(err, error, "cannot make the link %s", path);
        }
        free(dll);
    }
    return 0;
}

static void remove_files(const struct monitor *m)
{
    char path[PATH_MAX];

    path_in(m, HOOK_RING, path);
    unlink(path);
    for (size_t i = 0; i < LINKS; i++) {
        path_in(m, links[i].name, path);
        unlink(path);
    }
}

bool hooked_is_on(const struct monitor *m)
{
    return m->hooked.attached;
}

bool hooked_by_server(const struct monitor *m)
{
    return m->hooked.attached && m->hooked.ring.by_server;
}

static void leave(struct monitor *m)
{
    struct hooked *h = &m->hooked;

    listener_stop(h->listener);
    h->listener = NULL;
    if (h->ring.shared) {
        hooked_drop(m);
        ring_close(&h->ring);
    }
    free(h->pending);
    free(h->index);
    *h = (struct hooked){.why_not = h->why_not};
    for (size_t i = 0; i < m->key_count; i++)
        m->keys[i].touched_number = m->keys[i].armed_number = 0; /* the next ring counts anew */
}

static void set_source(struct monitor *m, const char *source)
{
    free(m->status.source);
    m->status.source = strdup(source);
}

static int refuse(const struct monitor *m, struct error *err)
{
    return error_set(err, RESULT_UNPROTECTED,
                     "%s asks for lag 0 (a change is durable before the call returns), which needs the "
                     "hook: %s 'regckpt doctor %s' shows what is missing; 'regckpt set %s --lag 100' "
                     "runs it with the watch alone", m->name, m->hooked.why_not.text, m->name,
                     m->name);
}

int hooked_check(struct monitor *m, struct error *err)
{
    char *dll = settings_find_program(m->place.bits == 32 ? HOOK_DLL32 : HOOK_DLL64,
                                      &m->hooked.why_not);

    free(dll);
    return dll || m->resource.lag_ms || is_edit(m) ? 0 : refuse(m, err);
}

static int make_ring(struct monitor *m, bool by_server, struct error *err)
{
    struct ring_options options = {.epoch = m->state.epoch, .sequence = m->state.sequence,
                                   .durable = !m->resource.lag_ms && !is_edit(m),
                                   .by_server = by_server,
                                   .uid = m->place.uid, .gid = m->place.gid};
    struct hooked *h = &m->hooked;
    char path[PATH_MAX];
    int error;

    if (is_edit(m))
        options.sequence = EDIT_SEQUENCE;
    path_in(m, HOOK_RING, path);
    if ((error = ring_create(path, &options, &h->ring, err)))
        return error;
    if (!(h->listener = listener_start(&h->ring, m->patience, err))) {
        leave(m);
        return err->code;
    }
    return hooked_tell_keys(m, err);
}

/* Is it a wineserver that can report, and does it?  Whatever stands in the way is said in the log. */
static bool use_server(struct monitor *m)
{
    struct error err = {.code = 0};
    bool can = false;

    if (hostlink_report(m->agent, REPORT_ASK, "", &can, &err)) {
        log_line("%s", err.text);
        return false;
    }
    if (!can)
        return false;
    if (!make_ring(m, true, &err))
        return true;
    log_line("this wineserver reports changes, but not to us: %s", err.text);
    hooked_finish(m);
    return false;
}

const char *hooked_prepare(struct monitor *m)
{
    struct hooked *h = &m->hooked;
    bool by_server = use_server(m), hooks = !make_links(m, &h->why_not);

    if (!by_server && hooks && make_ring(m, false, &h->why_not))
        hooks = false;
    if (!by_server && !hooks)
        hooked_finish(m);
    return hooks ? m->dir : "";
}

/* The ring knows the keys: now wineserver has to. */
static int tell_server(struct monitor *m, struct error *err)
{
    struct hooked *h = &m->hooked;
    char path[PATH_MAX];
    bool can;
    int error;

    if (!h->ring.by_server)
        return 0;
    path_in(m, HOOK_RING, path);
    if ((error = hostlink_report(m->agent, h->reporting ? REPORT_AGAIN : REPORT_BEGIN, path, &can, err)))
        return error;
    if (!__atomic_load_n(&h->ring.shared->server_pid, __ATOMIC_ACQUIRE))
        return error_set(err, RESULT_WINE, "wineserver took the ring %s, but does not write to it", path);
    h->reporting = true;
    return 0;
}

/* Its physical path, malloc'ed: as the registry says, or as it will be. */
static char *physical_of(const struct monitor *m, const struct registered_key *key, char *told)
{
    static const char root[] = "\\REGISTRY\\Machine\\";

    if (told && strlen(told) > sizeof(root) && !strncasecmp(told, root, sizeof(root) - 1))
        return strdup(told + sizeof(root) - 1);
    return m->place.bits == 32 ? strdup(key->path) : keyname_physical(key->path, key->view);
}

static int tell(struct monitor *m, const struct registered_key *list, char **told, struct error *err)
{
    struct ring_key *keys = calloc(m->key_count + 1, sizeof(*keys));
    int error = keys ? 0 : ENOMEM;

    for (size_t i = 0; i < m->key_count && !error; i++) {
        char *path = physical_of(m, &list[i], told[i]);

        keys[i].id = list[i].id;
        error = path ? utf16_from_utf8(path, strlen(path), &keys[i].path) : ENOMEM;
        free(path);
        if (!error && image_has_class(&m->keys[i].image))
            __atomic_store_n(&m->hooked.ring.shared->classes, 1, __ATOMIC_RELAXED);
    }
    if (error)
        error_set(err, error, "no memory to tell the hook the registered keys");
    else
        error = ring_keys_set(&m->hooked.ring, keys, m->key_count, err);
    for (size_t i = 0; keys && i < m->key_count; i++)
        free((void *)keys[i].path.units);
    free(keys);
    return error;
}

int hooked_tell_keys(struct monitor *m, struct error *err)
{
    struct registered_key *list;
    char **told;
    int error = ENOMEM;

    if (!m->hooked.ring.shared)
        return 0;
    list = calloc(m->key_count + 1, sizeof(*list));
    told = calloc(m->key_count + 1, sizeof(*told));
    for (size_t i = 0; list && i < m->key_count; i++)
        list[i] = m->keys[i].key; /* a view */
    if (!list || !told)
        error_set(err, ENOMEM, "no memory to tell the hook the registered keys");
    else if (!(error = hostlink_keys(m->agent, list, m->key_count, NULL, told, err)) &&
             !(error = tell(m, list, told, err)))
        error = tell_server(m, err);
    for (size_t i = 0; told && i < m->key_count; i++)
        free(told[i]);
    free(told);
    free(list);
    return error;
}

/* For the status. */
static void tell_not_hooked(struct monitor *m, const char *why)
{
    free(m->status.not_hooked);
    m->status.not_hooked = strdup(why);
}

int hooked_started(struct monitor *m, const char *why_not, struct error *err)
{
    struct hooked *h = &m->hooked;

    if (!h->why_not.code && *why_not)
        error_set(&h->why_not, RESULT_UNPROTECTED, "The program could not be hooked: %s.", why_not);
    h->in_program = h->ring.shared && !h->why_not.code;
    h->attached = h->in_program || (h->ring.shared && h->ring.by_server);
    if (!h->in_program && !m->resource.lag_ms) {
        hooked_finish(m);
        return refuse(m, err);
    }
    if (h->attached)
        set_source(m, h->ring.by_server ? "server" : "hook");
    else
        hooked_finish(m);
    if (hooked_by_server(m))
        log_line("wineserver %u reports what changes",
                 __atomic_load_n(&h->ring.shared->server_pid, __ATOMIC_ACQUIRE));
    if (h->in_program)
        return 0;
    tell_not_hooked(m, h->why_not.text);
    event(EVENT_UNPROTECTED, "WITHOUT THE HOOK: %s %s", h->why_not.text,
          h->attached ? "Changes are reported by wineserver all the same; a flush of the registry does "
                        "not wait for them"
                      : "The watch alone captures changes, within a second");
    return 0;
}

void hooked_server_lost(struct monitor *m)
{
    log_line("WITHOUT REPORTS: wineserver has stopped reporting what changes. %s",
             m->resource.lag_ms ? "The watch alone captures changes, within a second"
                                : "With lag 0 the program cannot go on");
    hooked_finish(m);
    set_source(m, "watch");
    error_set(&m->hooked.why_not, RESULT_UNPROTECTED, "wineserver has stopped reporting what changes.");
    m->next_full_scan_us = clock_us();
    if (!m->resource.lag_ms && m->ending == ENDING_NONE)
        m->ending = ENDING_STORAGE;
}

void hooked_set_durable(struct monitor *m)
{
    if (m->hooked.ring.shared)
        __atomic_store_n(&m->hooked.ring.shared->durable, !m->resource.lag_ms, __ATOMIC_RELEASE);
}

void hooked_set_sequence(struct monitor *m)
{
    if (m->hooked.ring.shared && !m->hooked.holds_back)
        __atomic_store_n(&m->hooked.ring.shared->sequence, m->state.sequence, __ATOMIC_RELEASE);
}

void hooked_note(struct monitor *m)
{
    const struct hooked *h = &m->hooked;
    struct ring_process process;
    uint32_t unhooked, count = 0;

    if (!h->ring.shared)
        return;
    for (uint32_t i = 0; i < RING_PROCESSES; i++)
        count += ring_process_get(&m->hooked.ring, i, &process) && (process.ready || !h->ring.by_server);
    m->status.hooked = count;
    m->status.waiting = h->pending_count + (ring_last_number(&m->hooked.ring) - h->number);
    unhooked = __atomic_load_n(&h->ring.shared->unhooked, __ATOMIC_ACQUIRE);
    if (unhooked != h->unhooked_told) {
        char name[RING_NAME_BYTES], why[sizeof(h->ring.shared->unhooked_why)];
        char both[sizeof(name) + sizeof(why) + 4];

        memcpy(name, h->ring.shared->unhooked_name, sizeof(name));
        memcpy(why, h->ring.shared->unhooked_why, sizeof(why));
        name[sizeof(name) - 1] = why[sizeof(why) - 1] = 0;
        event(EVENT_UNPROTECTED, "process %s runs without the hook: %s. Its changes are captured by %s", name,
              why, h->ring.by_server ? "wineserver" : "the watch");
        snprintf(both, sizeof(both), "%s: %s", name, why);
        tell_not_hooked(m, both);
        m->hooked.unhooked_told = m->status.unhooked = unhooked;
    }
}

void hooked_finish(struct monitor *m)
{
    if (!m->hooked.ring.shared)
        return;
    ring_set_state(&m->hooked.ring, RING_CLOSED);
    leave(m);
    remove_files(m);
}

/* All that a dead monitor's ring holds, if nothing in it was flagged for a scan nobody can make now. */
static int apply_leftover(struct monitor *m, struct error *err)
{
    struct hooked *h = &m->hooked;
    uint64_t changes = 0;
    int error;

    h->scan_seen = __atomic_load_n(&h->ring.shared->scan_settled, __ATOMIC_ACQUIRE);
    if ((error = hooked_cut(m, NULL, NULL, NULL, err)))
        return error;
    if (hooked_needs_scan(m)) {
        log_line("the last monitor of %s ended when a scan was due: what its ring still held is not "
                 "used, the checkpoint is as of its last commit", m->name);
        return keys_from_file(m, err);
    }
    if (!h->pending_count)
        return 0;
    if ((error = checkpoint_begin(m->checkpoint, err)))
        return error;
    if ((error = hooked_record(m, &changes, err)) ||
        (error = checkpoint_commit(m->checkpoint, err))) {
        checkpoint_cancel(m->checkpoint);
        return error;
    }
    hooked_committed(m, true);
    log_line("saved %llu changes that the last monitor of %s had not: it was killed",
             (unsigned long long)changes, m->name);
    return checkpoint_get_state(m->checkpoint, &m->state, err);
}

int hooked_take_leftover(struct monitor *m, struct error *err)
{
    struct hooked *h = &m->hooked;
    char path[PATH_MAX];
    struct error ignored;
    int error = 0;

    path_in(m, HOOK_RING, path);
    if (ring_open(path, &h->ring, &ignored))
        return 0; /* none: the usual case; or nothing that could be used */
    if (h->ring.shared->epoch == m->state.epoch && m->state.status == CHECKPOINT_ONLINE) {
        if (h->ring.shared->sequence == m->state.sequence)
            error = apply_leftover(m, err);
        else if (h->ring.shared->sequence == EDIT_SEQUENCE)
            log_line("the last edit of %s was broken off: nothing of it is saved", m->name);
        else
            log_line("the checkpoint of %s has been written since its last monitor's ring: what that "
                     "still held is not used", m->name);
    }
    leave(m);
    if (!error)
        remove_files(m);
    return error;
}
