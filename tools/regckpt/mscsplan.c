/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of a cluster's resources here (see mscs.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keyname.h"
#include "mscs.h"
#include "store.h"

/* Decides; the sentence is made unless there is no memory. */
__attribute__((format(printf, 3, 4)))
static void decide(struct mscs_resource *r, enum mscs_action action, const char *format, ...)
{
    va_list args;

    r->action = action;
    va_start(args, format);
    if (vasprintf(&r->why, format, args) < 0)
        r->why = NULL;
    va_end(args);
}

void mscs_map_name(const char *there, char here[RESOURCE_NAME_MAX + 1])
{
    size_t len = 0;

    for (; *there && len < RESOURCE_NAME_MAX; there++) {
        char c = *there;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_';

        if (plain || (len && (c == '.' || c == '-')))
            here[len++] = c;
        else if (len && here[len - 1] != '-')
            here[len++] = '-';
    }
    while (len && here[len - 1] == '-')
        len--;
    here[len] = 0;
    if (!len)
        strcpy(here, "resource");
}

static bool is_service(const struct mscs_resource *r)
{
    return !strcasecmp(r->type, "Generic Service");
}

static bool is_application(const struct mscs_resource *r)
{
    return !strcasecmp(r->type, "Generic Application");
}

/* Is the name one of those before?  What is skipped takes none. */
static bool is_taken(const struct mscs *m, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++)
        if ((is_service(&m->resources[i]) || is_application(&m->resources[i])) &&
            !strcasecmp(m->resources[i].here, name))
            return true;
    return false;
}

/* Gives all resources names of ours, no two the same. */
static int name_all(struct mscs *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct mscs_resource *r = &m->resources[i];
        char name[RESOURCE_NAME_MAX + 1], tried[RESOURCE_NAME_MAX + 1];

        mscs_map_name(r->there, name);
        strcpy(tried, name);
        for (unsigned n = 2; is_taken(m, i, tried); n++) {
            char behind[12];
            size_t len = (size_t)snprintf(behind, sizeof(behind), "-%u", n);

            snprintf(tried, sizeof(tried), "%.*s%s", (int)(RESOURCE_NAME_MAX - len), name, behind);
        }
        if (!(r->here = strdup(tried)))
            return ENOMEM;
    }
    return 0;
}

/* Takes out all that are not named. */
static int keep_named(struct mscs *m, const char *const *names, size_t name_count,
                      struct error *err)
{
    bool *keep = calloc(m->count + 1, sizeof(*keep));
    struct mscs kept = {.room = m->room, .elsewhere = m->elsewhere};
    struct mscs dropped = {0};
    int result = RESULT_OK;

    kept.resources = calloc(m->count + 1, sizeof(*kept.resources));
    dropped.resources = calloc(m->count + 1, sizeof(*dropped.resources));
    if (!keep || !kept.resources || !dropped.resources)
        result = error_system(err, ENOMEM, "Choosing resources");
    for (size_t n = 0; !result && n < name_count; n++) {
        bool found = false;

        for (size_t i = 0; i < m->count; i++)
            if (!strcasecmp(names[n], m->resources[i].there) ||
                !strcasecmp(names[n], m->resources[i].here))
                keep[i] = found = true;
        if (!found)
            result = error_set(err, RESULT_NOT_FOUND, "--resource: there is no resource \"%s\" in the "
                               "file. Without --resource, --dry-run lists all.", names[n]);
    }
    if (result) {
        free(kept.resources);
        free(dropped.resources);
        free(keep);
        return result;
    }
    for (size_t i = 0; i < m->count; i++) {
        struct mscs *to = keep[i] ? &kept : &dropped;

        to->resources[to->count++] = m->resources[i];
    }
    free(m->resources);
    free(keep);
    mscs_free(&dropped);
    *m = kept;
    return RESULT_OK;
}

/* What can be told of the resource by itself. */
static int decide_alone(struct mscs_resource *r)
{
    if (!is_service(r) && !is_application(r)) {
        decide(r, MSCS_SKIP, "it is neither a Generic Service nor a Generic Application");
        return r->keys.count ? mscs_remark(r, "Its %zu registry checkpoints do not come over: its type "
                                           "is not known here.", r->keys.count)
                             : 0;
    }
    r->action = MSCS_CREATE;
    if (is_service(r) && !r->service)
        decide(r, MSCS_REFUSE, "its Parameters name no service (ServiceName)");
    else if (is_application(r) && !r->command)
        decide(r, MSCS_REFUSE, "its Parameters have no CommandLine");
    return 0;
}

/* A key with the resource that it is for. */
struct owned_key {
    struct registered_key key;
    const char *owner;
};

/* Checks a resource's keys against each other and all before. */
static int check_keys(struct mscs_resource *r, struct owned_key *keys, size_t *count, int view,
                      bool broad)
{
    struct error err = {0};

    for (size_t i = 0; i < r->keys.count; i++) {
        struct owned_key k = {{.view = view ? (enum view)view : VIEW_64,
                               .path = keyname_clean(r->keys.items[i], &err),
                               .flags = broad ? KEY_BROAD : 0}, r->here};
        int result = k.key.path ? keyname_check(&k.key, NULL, 0, NULL, &err) : err.code;

        for (size_t n = 0; !result && n < *count; n++)
            result = keyname_check(&k.key, &keys[n].key, 1,
                                   keys[n].owner == r->here ? NULL : keys[n].owner, &err);
        if (result) {
            free(k.key.path);
            if (result == ENOMEM)
                return result;
            decide(r, MSCS_REFUSE, "%s", err.text);
            return 0;
        }
        keys[(*count)++] = k;
    }
    return 0;
}

/* The keys of the store's own resources, by the names of their owners. */
static int collect_stored(const char *store, char **names, size_t name_count,
                          struct owned_key **keys, size_t *count)
{
    for (size_t i = 0; i < name_count; i++) {
        char *path = store_path(store, names[i], STORE_CHECKPOINT);
        struct owned_key *bigger;
        struct snapshot s;
        int result = path ? snapshot_read(path, SNAPSHOT_HEAD, &s, NULL) : ENOMEM;

        free(path);
        if (result) /* adding the keys tells of a damaged one */
            continue;
        if ((bigger = realloc(*keys, (*count + s.key_count + 1) * sizeof(*bigger))))
            *keys = bigger;
        for (size_t n = 0; bigger && n < s.key_count; n++) {
            struct owned_key *k = &bigger[*count];

            *k = (struct owned_key){.owner = names[i]};
            if (registered_key_copy(&k->key, &s.keys[n].key))
                break;
            ++*count;
        }
        snapshot_free(&s);
        if (!bigger)
            return ENOMEM;
    }
    return 0;
}

int mscs_plan(struct mscs *m, const char *const *names, size_t name_count, const char *store,
              int view, bool broad, struct error *err)
{
    struct owned_key *keys = NULL, *bigger;
    size_t count = 0, wanted = 1, stored_count = 0;
    char **stored = NULL;
    int result = name_all(m) ? error_system(err, ENOMEM, "Naming the resources") : RESULT_OK;

    if (result || (name_count && (result = keep_named(m, names, name_count, err))) ||
        (result = store_check(store, err)) ||
        (result = store_list(store, &stored, &stored_count, err)))
        return result;
    for (size_t i = 0; i < m->count; i++)
        wanted += m->resources[i].keys.count;
    if (!(result = collect_stored(store, stored, stored_count, &keys, &count)) &&
        !(bigger = realloc(keys, (count + wanted) * sizeof(*keys))))
        result = ENOMEM;
    else if (!result)
        keys = bigger;
    for (size_t i = 0; !result && i < m->count; i++) {
        struct mscs_resource *r = &m->resources[i];

        result = decide_alone(r);
        for (size_t n = 0; r->action == MSCS_CREATE && n < stored_count; n++)
            if (!strcasecmp(stored[n], r->here))
                decide(r, MSCS_EXISTS, "there is a resource %s already, which is left as it is",
                       stored[n]);
        if (!result && r->action == MSCS_CREATE)
            result = check_keys(r, keys, &count, view, broad);
    }
    for (size_t i = 0; i < count; i++)
        registered_key_free(&keys[i].key);
    free(keys);
    store_list_free(stored, stored_count);
    return result ? error_system(err, result, "Planning the import") : RESULT_OK;
}
