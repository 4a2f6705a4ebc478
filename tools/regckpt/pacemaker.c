/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pacemaker.h"
#include "query.h"

#define ASK_MS 10000

/*
 * The primitives that are this resource: of our agents, with this store or none named, or a unit.
 * A resource's name needs no quoting in XPath; a store with a quote in its path is not compared.
 */
static char *primitives_path(const struct cli *cli, const char *name)
{
    const char *store = strchr(cli->settings.store, '\'') ? NULL : cli->settings.store;
    char *other = NULL, *path;

    if (store && asprintf(&other, " and not(instance_attributes/nvpair[@name='store' and "
                                  "@value!='%s' and @value!='%s/'])", store, store) < 0)
        return NULL;
    if (asprintf(&path, "//primitive[(@class='ocf' and @provider='regckpt' and "
                        "instance_attributes/nvpair[@name='resource' and @value='%s']%s) or "
                        "(@class='systemd' and (@type='regckpt@%s' or @type='regckpt@%s.service'))]",
                 name, other ? other : "", name, name) < 0)
        path = NULL;
    free(other);
    return path;
}

/* Copies what stands between two texts, the first occurrence behind at; false: it is not there. */
static bool between(const char *at, const char *before, const char *after, char *out, size_t room)
{
    const char *from = strstr(at, before), *to;

    if (!from || !(to = strstr(from += strlen(before), after)) || (size_t)(to - from) >= room)
        return false;
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = 0;
    return true;
}

/* Is it left to the administrator now?  crm_mon tells of the resource, its group and the cluster. */
static bool is_unmanaged(const char *id)
{
    const char *const argv[] = {"crm_mon", "-1", "-r", "--output-as=xml", NULL};
    char *answer, *at, *end, *found = NULL, mark[PACEMAKER_ID_BYTES + 32];
    bool unmanaged;

    if (query_program(argv, ASK_MS, &answer))
        return false;
    snprintf(mark, sizeof(mark), "<resource id=\"%s\"", id);
    if ((at = strstr(answer, mark)) && (end = strchr(at, '>'))) {
        *end = 0;
        found = strstr(at, " managed=\"false\"");
    }
    unmanaged = found != NULL;
    free(answer);
    return unmanaged;
}

bool pacemaker_manages(const struct cli *cli, const char *name, char id[PACEMAKER_ID_BYTES])
{
    char *path = primitives_path(cli, name), *answer = NULL, *last;
    const char *const argv[] = {"cibadmin", "--query", "--node-path", "--xpath", path, NULL};
    bool found = path && !query_program(argv, ASK_MS, &answer);

    /* "/cib/configuration/resources/group[@id='g']/primitive[@id='p']", a line each */
    found = found && (last = strstr(answer, "/primitive[@id='")) &&
            between(last, "'", "'", id, PACEMAKER_ID_BYTES) && !is_unmanaged(id);
    free(answer);
    free(path);
    return found;
}

int pacemaker_guard(const struct cli *cli, const char *name, const char *verb, struct error *err)
{
    char id[PACEMAKER_ID_BYTES];

    if (!pacemaker_manages(cli, name, id))
        return RESULT_OK;
    return error_set(err, RESULT_USAGE,
                     "%s is managed by Pacemaker as \"%s\", which takes it for a failure when somebody "
                     "else starts or stops it. Stop it by \"crm_resource --resource %s --meta "
                     "--set-parameter target-role --parameter-value Stopped\" (pcs resource disable %s; "
                     "crm resource stop %s), start it by the same with Started, move it by "
                     "\"crm_resource --resource %s --move\". To do it by hand, take it from Pacemaker "
                     "first: the same with is-managed and false (pcs resource unmanage %s). \"regckpt "
                     "%s %s --force\" does it all the same",
                     name, id, id, id, id, id, id, verb, name);
}

/* The node and the second in which it became owner, from "... of node NAME since DATE TIME UTC". */
static bool parse_owner(const char *owner, char *node, size_t room, time_t *since)
{
    const char *from = strstr(owner, " of node "), *to = NULL, *at = owner;
    struct tm tm = {0};
    char *rest;

    while ((at = strstr(at, " since ")))
        to = at++;
    if (!from || !to || to <= (from += strlen(" of node ")) || (size_t)(to - from) >= room)
        return false;
    memcpy(node, from, (size_t)(to - from));
    node[to - from] = 0;
    if (!(rest = strptime(to + strlen(" since "), "%Y-%m-%d %H:%M:%S", &tm)))
        return false;
    *since = timegm(&tm) + (*rest == '.'); /* the next whole second */
    return true;
}

/* One <fence_event .../>: did it succeed, and when was it over? */
static bool read_event(const char *event, time_t *completed)
{
    char action[32], status[32], when[64];
    struct tm tm = {0};

    if (!between(event, " action=\"", "\"", action, sizeof(action)) ||
        !between(event, " status=\"", "\"", status, sizeof(status)) ||
        !between(event, " completed=\"", "\"", when, sizeof(when)) || strcmp(status, "success") ||
        (strcmp(action, "off") && strcmp(action, "reboot")))
        return false;
    if (!strptime(when, "%Y-%m-%d %H:%M:%S", &tm) || !strchr(when, 'Z'))
        return false;
    *completed = timegm(&tm);
    return true;
}

/* When the node was last fenced, as this node's fencer remembers, which hears of all; 0: not known. */
static time_t last_fenced(const char *node)
{
    const char *const argv[] = {"stonith_admin", "--history", node, "--verbose",
                                "--output-as=xml", NULL};
    time_t last = 0, completed;
    char *answer, *event, *end;

    if (query_program(argv, ASK_MS, &answer))
        return 0;
    for (event = answer; (event = strstr(event, "<fence_event ")) && (end = strchr(event, '>'));
         event = end + 1) {
        *end = 0;
        if (read_event(event, &completed) && completed > last)
            last = completed;
    }
    free(answer);
    return last;
}

bool pacemaker_fenced_owner(const char *owner, struct error *err)
{
    time_t since, fenced;
    char node[256];

    if (!parse_owner(owner, node, sizeof(node), &since)) {
        error_set(err, RESULT_OWNED, "the lock does not say which node owns it, so no fencing can be "
                                     "confirmed");
        return false;
    }
    if (!(fenced = last_fenced(node))) {
        error_set(err, RESULT_OWNED, "Pacemaker tells of no successful fencing of node %s", node);
        return false;
    }
    if (fenced < since) {
        error_set(err, RESULT_OWNED, "Pacemaker's last fencing of node %s was before it became owner",
                  node);
        return false;
    }
    return true;
}
