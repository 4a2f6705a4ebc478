/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "access.h"
#include "excludekey.h"
#include "keymatch.h"
#include "keytext.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "exclude",
    .usage = "NAME KEY",
    .details =
        "Changes what the registered key KEY of the resource NAME leaves out. What is left out\n"
        "from now on goes from the checkpoint and stays in the registry: each node keeps its\n"
        "own. What no longer is, is captured from this node's registry, for which NAME has to\n"
        "be online here. Patterns (* ? [..]) match paths below the key: --exclude those of\n"
        "subkeys, with all below them, --exclude-value those of values (Sub\\Name; Name alone is\n"
        "a value of the key itself). --include and --include-value take one away as it was\n"
        "written (regckpt list NAME).",
    .least_args = 2,
    .most_args = 2,
    .has_json = true,
};

struct patterns {
    struct text_list exclude, exclude_value, include, include_value;
};

static bool is_in(char *const *list, size_t count, const char *pattern)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], pattern))
            return true;
    return false;
}

int exclude_read(struct exclude *e, const struct text_list *keys, const struct text_list *values,
                 struct error *err)
{
    int result = RESULT_OK;

    for (size_t i = 0; !result && i < keys->count; i++) {
        if ((result = exclude_check(keys->items[i], false, err)))
            return result;
        if (!is_in(e->keys, e->key_count, keys->items[i]))
            result = exclude_add_key(e, keys->items[i]);
    }
    for (size_t i = 0; !result && i < values->count; i++) {
        if ((result = exclude_check(values->items[i], true, err)))
            return result;
        if (!is_in(e->values, e->value_count, values->items[i]))
            result = exclude_add_value(e, values->items[i]);
    }
    return result ? error_system(err, result, "Reading the patterns") : RESULT_OK;
}

/* Changes the excludes of *key as the options say. */
static int apply(const struct patterns *p, struct registered_key *key, struct error *err)
{
    for (size_t i = 0; i < p->include.count; i++)
        if (!exclude_drop_key(&key->exclude, p->include.items[i]))
            return error_set(err, RESULT_NOT_FOUND, "--include: the key \"%s\" does not exclude \"%s\". "
                             "regckpt list shows its patterns.", key->path, p->include.items[i]);
    for (size_t i = 0; i < p->include_value.count; i++)
        if (!exclude_drop_value(&key->exclude, p->include_value.items[i]))
            return error_set(err, RESULT_NOT_FOUND, "--include-value: the key \"%s\" does not exclude "
                             "the value \"%s\". regckpt list shows its patterns.", key->path,
                             p->include_value.items[i]);
    return exclude_read(&key->exclude, &p->exclude, &p->exclude_value, err);
}

/* Has the monitor do it. */
static int exclude_online(const struct cli *cli, const struct registered_key *key, struct progress *p,
                          uint64_t *count, struct error *err)
{
    struct message reply;
    struct pack payload;
    struct unpack u;
    int result;

    pack_init(&payload);
    pack_registered_key(&payload, key);
    if (!(result = ctl_call(cli, cli->args[0], CTL_EXCLUDE, &payload, p, CTL_WHILE_STORAGE_ANSWERS, &reply, &u,
                            err))) {
        *count = unpack_u64(&u);
        message_free(&reply);
    }
    pack_free(&payload);
    return result;
}

struct writing {
    struct checkpoint *c;
    struct checkpoint_origin origin;
    uint64_t count;
    struct error *err;
};

/* image_walk's and image_diff's calls. */
static int copy_change(const struct change *change, void *arg)
{
    return image_apply(arg, change);
}
static int write_change(const struct change *change, void *arg)
{
    struct writing *w = arg;

    w->count++;
    return checkpoint_change(w->c, change, &w->origin, w->err);
}

/* Takes what is excluded now out of the checkpoint. */
static int write_content(const struct snapshot_key *k, const struct registered_key *key,
                         struct writing *w, struct error *err)
{
    struct exclude exclude = {0};
    struct image after;
    int result;

    image_init(&after);
    if (!(result = registered_key_effective_exclude(key, &exclude)) &&
        !(result = image_walk(&k->image, key->id, copy_change, &after)) &&
        !(result = image_exclude(&after, &exclude)))
        result = image_diff(&k->image, &after, key->id, write_change, w);
    if (result && !err->code)
        error_system(err, result, "Leaving out what is excluded of \"%s\"", key->path);
    exclude_free(&exclude);
    image_free(&after);
    return result;
}

/* One transaction: the patterns, and the content without what they exclude. */
static int write_all(const struct cli *cli, const struct snapshot_key *k, struct registered_key *key,
                     struct checkpoint *c, uint64_t *count, struct error *err)
{
    struct writing w = {c, {.who = "exclude", .node = cli->settings.node}, 0, err};
    struct checkpoint_state state;
    struct timeval now;
    int result = checkpoint_begin(c, err);

    gettimeofday(&now, NULL);
    w.origin.time = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
    w.origin.pid = (uint32_t)getpid();
    if (!result && !(result = checkpoint_put_key(c, key, err)))
        result = write_content(k, key, &w, err);
    if (!result && w.count && !(result = checkpoint_get_state(c, &state, err))) {
        state.saved = w.origin.time;
        result = checkpoint_set_state(c, &state, err);
    }
    *count = w.count;
    return result ? result : checkpoint_commit(c, err);
}

/* Finds the key and changes a copy of it. */
static int find(const struct cli *cli, const struct snapshot *s, const char *view,
                const struct patterns *p, const struct snapshot_key **found,
                struct registered_key *key, struct error *err)
{
    int result = key_find(s, cli->args[0], cli->args[1], view, found, err);

    if (result)
        return result;
    if (registered_key_copy(key, &(*found)->key))
        return error_system(err, ENOMEM, "Reading the key \"%s\"", (*found)->key.path);
    return apply(p, key, err);
}

/* While it is owned, what is read is what is changed. */
static int exclude_offline(const struct cli *cli, const char *view, const struct patterns *p,
                           struct registered_key *key, uint64_t *count, struct error *err)
{
    const struct snapshot_key *found;
    struct snapshot s;
    struct offline o;
    int result = offline_open(cli, cli->args[0], &o, err);

    if (result)
        return result;
    if (!(result = access_read(cli, cli->args[0], 0, &s, err))) {
        result = find(cli, &s, view, p, &found, key, err);
        if (!result && (p->include.count || p->include_value.count) && key->flags & KEY_CAPTURED)
            result = error_set(err, RESULT_USAGE,
                               "%s is offline: what the pattern left out of \"%s\" is not in the "
                               "checkpoint, and the next online would remove it from the registry. "
                               "Take it online first (regckpt online %s); or remove the key and add "
                               "it again.", cli->args[0], key->path, cli->args[0]);
        if (!result)
            result = write_all(cli, found, key, o.c, count, err);
        snapshot_free(&s);
    }
    offline_close(&o);
    return result;
}

static int exclude(const struct cli *cli, const char *view, const struct patterns *p,
                   struct registered_key *key, uint64_t *count, struct error *err)
{
    const struct snapshot_key *found;
    struct progress progress;
    struct snapshot s;
    int sock, result;

    if (!(p->exclude.count + p->exclude_value.count + p->include.count + p->include_value.count))
        return error_set(err, RESULT_USAGE, "Nothing to change: name a pattern, as --exclude Cache. "
                         "See \"regckpt exclude --help\".");
    if (*view && strcmp(view, "64") && strcmp(view, "32"))
        return error_set(err, RESULT_USAGE, "--view: \"%s\" is neither 64 nor 32.", view);
    progress_begin(&progress, cli->json);
    if ((sock = ctl_connect(cli, cli->args[0], err)) < 0)
        return err->code ? err->code : exclude_offline(cli, view, p, key, count, err);
    close(sock);
    if ((result = access_read(cli, cli->args[0], SNAPSHOT_HEAD, &s, err)))
        return result;
    if (!(result = find(cli, &s, view, p, &found, key, err)))
        result = exclude_online(cli, key, &progress, count, err);
    snapshot_free(&s);
    return result;
}

/* Tells what it leaves out now. */
static void report(const struct cli *cli, const struct registered_key *key, uint64_t count)
{
    char *excluded = keytext_excluded(key);
    struct json j;

    if (cli->json) {
        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", cli->args[0]);
        keytext_json(&j, key);
        json_number(&j, "changes", count);
        json_close_object(&j);
        json_end(&j);
    } else {
        printf("%s: \"%s\" (%d-bit view) leaves out %s; %llu changes of the checkpoint.\n",
               cli->args[0], key->path, key->view, excluded ? excluded : "nothing",
               (unsigned long long)count);
    }
    free(excluded);
}

int verb_exclude(int argc, char **argv)
{
    struct registered_key key = {0};
    struct patterns p = {0};
    const char *view = "";
    const struct cli_option options[] = {
        {"view", OPTION_TEXT, &view, "64|32", "which, if the key is registered in both views"},
        {"exclude", OPTION_LIST, &p.exclude, "GLOB", "leave out subkeys; may be repeated"},
        {"exclude-value", OPTION_LIST, &p.exclude_value, "GLOB", "leave out values; the same"},
        {"include", OPTION_LIST, &p.include, "GLOB", "take a pattern of --exclude away"},
        {"include-value", OPTION_LIST, &p.include_value, "GLOB",
         "take a pattern of --exclude-value away"},
        {0},
    };
    struct error err = {0};
    uint64_t count = 0;
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code == CLI_GO_ON) {
        code = 0;
        if (exclude(&cli, view, &p, &key, &count, &err))
            code = cli_fail(&cli, &err);
        else
            report(&cli, &key, count);
        cli_end(&cli);
    }
    registered_key_free(&key);
    text_list_free(&p.exclude);
    text_list_free(&p.exclude_value);
    text_list_free(&p.include);
    text_list_free(&p.include_value);
    return code;
}
