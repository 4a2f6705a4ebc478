/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "statusread.h"
#include "storeask.h"

#define STORE_MS 5000
#define COUNT_BYTES_MAX (32u << 20) /* of a checkpoint that is read as a whole */

/* --- in a child (storeask.h): reads the store and packs what it finds --- */

/*
 * Reads a checkpoint's head; alone, and where that is read in no time: all of it, so that it is checked
 * and counted.
 */
static int read_checkpoint(const struct cli *cli, const char *name, bool alone, struct snapshot *s,
                           bool *whole, struct error *err)
{
    int result = access_read(cli, name, SNAPSHOT_HEAD, s, err);

    *whole = !result && alone && s->file_bytes <= COUNT_BYTES_MAX;
    if (!*whole)
        return result;
    snapshot_free(s);
    result = access_read(cli, name, 0, s, err);
    *whole = !result;
    return result;
}

/* How much it holds. */
static void pack_counts(struct pack *p, const struct snapshot *s, bool whole)
{
    uint64_t keys = 0, values = 0, bytes = 0;

    for (size_t i = 0; whole && i < s->key_count; i++) {
        keys += s->keys[i].image.key_count;
        values += s->keys[i].image.value_count;
        bytes += s->keys[i].image.data_bytes;
    }
    pack_u32(p, whole);
    pack_u64(p, keys);
    pack_u64(p, values);
    pack_u64(p, bytes);
}

/* One resource as the store shows it; alone: it was asked for by its name. */
static void pack_stored(struct pack *p, const struct cli *cli, const char *name,
                        bool alone)
{
    struct error err = {0}, lock_err = {0};
    struct snapshot s = {0};
    bool whole;
    int *pids = NULL, result = read_checkpoint(cli, name, alone, &s, &whole, &err);
    uint32_t uncaptured = 0;
    size_t count = 0;

    for (size_t i = 0; !result && i < s.key_count; i++)
        uncaptured += !(s.keys[i].key.flags & KEY_CAPTURED);
    if (result != RESULT_NOT_FOUND)
        store_lock_holders(cli->settings.store, name, &pids, &count);
    pack_text(p, name);
    pack_u32(p, (uint32_t)result);
    pack_text(p, err.text);
    pack_u64(p, s.state.epoch);
    pack_u64(p, s.state.sequence);
    pack_u32(p, s.state.status);
    pack_text(p, s.state.node);
    pack_u32(p, s.state.pid);
    pack_u64(p, s.state.since);
    pack_u64(p, s.state.saved);
    pack_u32(p, (uint32_t)s.key_count);
    pack_u32(p, uncaptured);
    pack_counts(p, &s, whole);
    pack_u32(p, result == RESULT_NOT_FOUND
                    ? 0 : (uint32_t)store_is_owned(cli->settings.store, name, &lock_err));
    pack_u32(p, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        pack_u32(p, (uint32_t)pids[i]);
    free(pids);
    if (!result)
        snapshot_free(&s);
}

/* All that was asked for; the first number is the result for the store as a whole. */
static void pack_store(struct pack *p, const struct cli *cli, const char *name)
{
    struct error err = {0};
    char **names = NULL;
    size_t count = 0;
    int result = store_check(cli->settings.store, &err);

    if (!result && !name)
        result = store_list(cli->settings.store, &names, &count, &err);
    pack_u32(p, (uint32_t)result);
    pack_text(p, err.text);
    pack_u32(p, result ? 0 : name ? 1 : (uint32_t)count);
    if (!result && name)
        pack_stored(p, cli, name, true);
    for (size_t i = 0; !result && !name && i < count; i++)
        pack_stored(p, cli, names[i], false);
    store_list_free(names, count);
}

/* --- the parent --- */

/* Room for one more resource. */
static struct resource_status *add_status(struct status_list *list, char *name)
{
    struct resource_status *items = realloc(list->items, (list->count + 1) * sizeof(*items));

    if (!items || !name) {
        if (items)
            list->items = items;
        free(name);
        return NULL;
    }
    list->items = items;
    items[list->count] = (struct resource_status){.name = name, .owned = -1};
    return &items[list->count++];
}

/* One resource as the child packed it. */
static int unpack_stored(struct unpack *u, struct status_list *list)
{
    struct resource_status *s = add_status(list, unpack_text(u));
    char *text, *node;
    uint32_t count;
    int result;

    if (!s)
        return ENOMEM;
    s->have_store = true;
    result = (int)unpack_u32(u);
    text = unpack_text(u);
    if (result)
        error_set(&s->store_error, result, "%s", text ? text : "");
    s->state.epoch = unpack_u64(u);
    s->state.sequence = unpack_u64(u);
    s->state.status = unpack_u32(u);
    if ((node = unpack_text(u)))
        snprintf(s->state.node, sizeof(s->state.node), "%s", node);
    s->state.pid = unpack_u32(u);
    s->state.since = unpack_u64(u);
    s->state.saved = unpack_u64(u);
    s->registered = unpack_u32(u);
    s->uncaptured = unpack_u32(u);
    s->counted = unpack_u32(u);
    s->keys = unpack_u64(u);
    s->values = unpack_u64(u);
    s->bytes = unpack_u64(u);
    s->owned = (int)unpack_u32(u);
    count = unpack_u32(u);
    free(text);
    free(node);
    if (unpack_failed(u) || count > (size_t)(u->end - u->at) / 4 ||
        !(s->holders = calloc(count + 1, sizeof(*s->holders))))
        return ENOMEM;
    while (s->holder_count < count)
        s->holders[s->holder_count++] = unpack_u32(u);
    return RESULT_OK;
}

/* Resources that have a directory on this node, for when the store cannot tell their names. */
static void list_local(const struct cli *cli, struct status_list *list)
{
    DIR *dir = opendir(cli->settings.run_dir);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *dot = strrchr(entry->d_name, '.'), *name, *path;

        if (!dot || dot == entry->d_name ||
            !(name = strndup(entry->d_name, (size_t)(dot - entry->d_name))))
            continue;
        path = settings_resource_dir(&cli->settings, name);
        if (path && !strcmp(strrchr(path, '/') + 1, entry->d_name) &&
            !resource_name_check(name, NULL))
            add_status(list, name);
        else
            free(name);
        free(path);
    }
    if (dir)
        closedir(dir);
}

/* Asks the monitor, if one is there. */
static void ask_monitor(const struct cli *cli, struct resource_status *s)
{
    int sock = ctl_connect(cli, s->name, &s->monitor_error);
    struct message reply;
    struct unpack u;

    if (sock < 0)
        return;
    if (!ctl_ask(sock, CTL_STATUS, NULL, NULL, CTL_QUICK_MS, &reply, &u, &s->monitor_error)) {
        if (unpack_monitor_status(&u, &s->monitor))
            error_set(&s->monitor_error, RESULT_INVALID,
                      "The monitor answers in words this version does "
                      "not know: it is another version.");
        else
            s->have_monitor = true;
        message_free(&reply);
    }
    close(sock);
}

int status_read(const struct cli *cli, const char *name, struct status_list *out, struct error *err)
{
    struct unpack u;
    struct pack p;
    char *text;
    int result = name ? resource_name_check(name, err) : RESULT_OK;

    *out = (struct status_list){0};
    if (result)
        return result;
    pack_init(&p);
    if (!store_ask(cli, name, pack_store, false, STORE_MS, &p, &out->store_error)) {
        unpack_init(&u, p.bytes, p.len);
        result = (int)unpack_u32(&u);
        text = unpack_text(&u);
        if (result)
            error_set(&out->store_error, result, "%s", text ? text : "");
        free(text);
        result = RESULT_OK;
        for (uint32_t count = unpack_u32(&u); !result && count && !unpack_failed(&u); count--)
            result = unpack_stored(&u, out);
    }
    pack_free(&p);
    if (!result && !out->count && out->store_error.code) {
        if (!name)
            list_local(cli, out);
        else if (!add_status(out, strdup(name)))
            result = ENOMEM;
    }
    for (size_t i = 0; !result && i < out->count; i++)
        ask_monitor(cli, &out->items[i]);
    if (!result)
        return RESULT_OK;
    status_free(out);
    return error_system(err, result, "Reading the status");
}

void status_free(struct status_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].have_monitor)
            monitor_status_free(&list->items[i].monitor);
        free(list->items[i].name);
        free(list->items[i].holders);
    }
    free(list->items);
    *list = (struct status_list){0};
}
