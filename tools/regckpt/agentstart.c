/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "pacemaker.h"
#include "startmonitor.h"

#define PAUSE_MS 200
#define FENCING_MS 2000 /* between two questions about it */

/* Does the agent want another user or Wine than the resource has?  Then *r has them. */
static bool want_other(const struct agent *a, struct resource *r)
{
    bool user = a->user && strcmp(a->user, r->user) && !resource_set(r, "user", a->user, NULL);
    bool wine = a->wine && strcmp(a->wine, r->wine) && !resource_set(r, "wine", a->wine, NULL);

    return user || wine;
}

/*
 * The owner's token, if he may be displaced: the node that the lock names was fenced since.  The token
 * is read first, so that it is no later owner's.
 */
static bool may_displace(const struct agent *a, char token[OWNER_TOKEN_BYTES], struct error *why)
{
    const char *store = a->cli.settings.store;
    char owner[OWNER_TEXT_BYTES];

    if (takeover_token(store, a->name, token, why))
        return false;
    takeover_owner_text(store, a->name, owner);
    return pacemaker_fenced_owner(owner, why);
}

/*
 * Waits, for half of the time at most, until nobody owns it, or until who does may be displaced: a
 * node that is cut off stops its resources itself, and a fencing may be known a little later.
 */
static int wait_for_owner(const struct agent *a, struct start *start, char token[OWNER_TOKEN_BYTES],
                          struct error *err)
{
    int64_t until = a->deadline_ms - a->timeout_ms / 2, ask_at = 0;
    struct error why = {0};
    bool told = false;
    int owned;

    while ((owned = store_is_owned(a->cli.settings.store, a->name, err)) == 1) {
        if (progress_now_ms() >= ask_at) {
            if (may_displace(a, token, &why)) {
                start->takeover = token;
                return RESULT_OK;
            }
            ask_at = progress_now_ms() + FENCING_MS;
        }
        if (!told)
            cli_note(&a->cli, "%s is owned by another; waiting for it. Not taken by force: %s", a->name,
                     why.text);
        told = true;
        if (progress_now_ms() >= until)
            break;
        usleep(PAUSE_MS * 1000);
    }
    return owned < 0 ? err->code : RESULT_OK; /* still owned: the monitor's own message says by whom */
}

/* Owns it and brings it online. */
static int bring_online(const struct agent *a, struct resource *r, struct error *err)
{
    struct start start = {.prefix = a->prefix};
    char token[OWNER_TOKEN_BYTES];
    struct progress p;
    int result = wait_for_owner(a, &start, token, err);

    if (result)
        return result;
    if (want_other(a, r) && (result = offline_set(&a->cli, a->name, r, err))) {
        if (start.takeover)
            error_prefix(err, "the user or Wine of %s was changed while its owner went: take it over by "
                         "\"regckpt online %s --takeover --force\", and offline again", a->name, a->name);
        return result;
    }
    progress_begin(&p, 1);
    start.timeout_ms = agent_left_ms(a);
    if (!(result = monitor_start(&a->cli, a->name, &start, &p, err)) && *start.displaced)
        cli_note(&a->cli, "%s was taken over by force, as Pacemaker has fenced its owner; before, it was "
                 "%s", a->name, start.displaced);
    return result;
}

enum ocf_code agent_start(const struct agent *a)
{
    enum ocf_code code = agent_monitor(a);
    struct resource resource;
    struct error err = {0};

    if (code != OCF_NOT_RUNNING)
        return code == OCF_DEGRADED ? OCF_SUCCESS : code;
    if ((code = agent_validate(a, &resource)) != OCF_SUCCESS)
        return code;
    if (bring_online(a, &resource, &err))
        code = agent_fail(a, &err);
    resource_free(&resource);
    return code;
}
