/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keymatch.h"
#include "remove.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "remove",
    .usage = "NAME KEY...",
    .details = "Forgets registered keys of the resource NAME and what is checkpointed of\n"
               "them. The nodes' registries are left as they are. Several keys are removed\n"
               "all or none, as far as they can be found.",
    .least_args = 2,
    .most_args = -1,
};

/* Has the monitor forget the keys. */
static int remove_online(const struct cli *cli, const char *name, const uint32_t *ids, size_t count,
                         struct error *err)
{
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < count; i++) {
        struct message reply;
        struct pack payload;

        pack_init(&payload);
        pack_u32(&payload, ids[i]);
        if (!(result = ctl_call(cli, name, CTL_REMOVE, &payload, NULL, 6 * CTL_QUICK_MS,
                                &reply, NULL, err)))
            message_free(&reply);
        pack_free(&payload);
    }
    return result;
}

/* Forgets them in one transaction. */
static int remove_offline(const struct cli *cli, const char *name, const uint32_t *ids, size_t count,
                          struct error *err)
{
    struct offline o;
    int result = offline_open(cli, name, &o, err);

    if (result)
        return result;
    result = checkpoint_begin(o.c, err);
    for (size_t i = 0; !result && i < count; i++)
        result = checkpoint_remove_key(o.c, ids[i], err);
    if (!result)
        result = checkpoint_commit(o.c, err);
    offline_close(&o);
    return result;
}

int remove_run(const struct cli *cli, const char *name, char *const *words, size_t count,
               const char *view, struct error *err)
{
    size_t found = 0;
    uint32_t *ids = calloc(count, sizeof(*ids));
    const struct snapshot_key *key;
    struct snapshot s;
    int sock, result;

    if (!ids)
        return error_system(err, ENOMEM, "Reading the keys");
    if (*view && strcmp(view, "64") && strcmp(view, "32"))
        result = error_set(err, RESULT_USAGE, "--view: \"%s\" is neither 64 nor 32.", view);
    else
        result = access_read(cli, name, SNAPSHOT_HEAD, &s, err);
    if (!result) {
        while (!result && found < count) {
            if (!(result = key_find(&s, name, words[found], view, &key, err)))
                ids[found] = key->key.id;
            for (size_t i = 0; !result && i < found; i++)
                if (ids[i] == ids[found])
                    result = error_set(err, RESULT_USAGE, "The key \"%s\" is named twice.",
                                       words[found]);
            found++;
        }
        snapshot_free(&s);
    }
    if (!result) {
        if ((sock = ctl_connect(cli, name, err)) >= 0) {
            close(sock);
            result = remove_online(cli, name, ids, count, err);
        } else {
            result = err->code ? err->code : remove_offline(cli, name, ids, count, err);
        }
    }
    free(ids);
    return result;
}

int verb_remove(int argc, char **argv)
{
    const char *view = "";
    const struct cli_option options[] = {
        {"view", OPTION_TEXT, &view, "64|32", "which, if the key is registered in both views"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (remove_run(&cli, cli.args[0], cli.args + 1, (size_t)cli.arg_count - 1, view,
                   &err)) {
        code = cli_fail(&cli, &err);
    } else {
        code = 0;
        for (int i = 1; i < cli.arg_count; i++)
            printf("%s: removed \"%s\".\n", cli.args[0], cli.args[i]);
    }
    cli_end(&cli);
    return code;
}
