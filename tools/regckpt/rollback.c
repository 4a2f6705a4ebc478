/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "access.h"
#include "checkpoint_repair.h"
#include "compare.h"
#include "rollback_plan.h"
#include "verbs.h"
#include "way_out.h"

static const struct verb_text text = {
    .name = "rollback",
    .usage = "NAME",
    .details =
        "Gives the checkpoint of NAME the content it had at an earlier point, as one new\n"
        "commit that is in the history itself, so that it can be undone. The next online\n"
        "restores it. NAME must be offline.\n\n"
        "POINT is the number of a change (regckpt log NAME; the content just after it; 0:\n"
        "before all), a time (10m, 2h, 3d: so long ago; 2026-11-23, \"2026-11-23 12:30\"), or\n"
        "last-good: the content at the last clean offline. The first capture of a key is\n"
        "never undone. One that is lost, damaged or cannot be read can be rolled back to\n"
        "last-good only; what was there is kept as checkpoint.damaged.N.",
    .least_args = 1,
    .most_args = 1,
    .has_json = true,
};

struct rollback_options {
    const char *point, *key;
    bool dry_run;
};

/* Unix microseconds. */
static uint64_t now_us(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec;
}

/* The changes of one commit on their way. */
struct writing {
    struct checkpoint *c;
    struct checkpoint_origin origin;
    struct error *err;
    uint64_t count;
};

/* image_diff's call for each change. */
static int write_change(const struct change *change, void *arg)
{
    struct writing *w = arg;

    w->count++;
    return checkpoint_change(w->c, change, &w->origin, w->err);
}

/* Writes all of the plan as one commit; nothing if nothing differs. */
static int write_plan(const struct cli *cli, const struct rollback_plan *plan,
                      struct checkpoint *c, uint64_t *count, struct error *err)
{
    struct writing w = {c, {.who = "rollback", .node = cli->settings.node}, err, 0};
    struct checkpoint_state state;
    int result = checkpoint_begin(c, err);

    w.origin.time = now_us();
    w.origin.pid = (uint32_t)getpid();
    for (size_t i = 0; !result && i < plan->now.key_count; i++)
        if ((result = image_diff(&plan->now.keys[i].image, &plan->then[i],
                                 plan->now.keys[i].key.id, write_change, &w)) && !err->code)
            error_system(err, result, "Rolling back the key \"%s\"", plan->now.keys[i].key.path);
    if (!result && w.count && !(result = checkpoint_get_state(c, &state, err))) {
        state.saved = w.origin.time;
        result = checkpoint_set_state(c, &state, err);
    }
    if (result || !w.count) {
        checkpoint_cancel(c);
        return result;
    }
    *count = w.count;
    return checkpoint_commit(c, err);
}

/* What would come, and what goes. */
static int preview(const struct cli *cli, const struct rollback_plan *plan, struct error *err)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    struct compare_totals totals = {0};
    int result = RESULT_OK;

    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_text(j, "resource", cli->args[0]);
        json_text(j, "point", plan->point);
        json_bool(j, "dry_run", true);
        json_open_array(j, "differences");
    }
    for (size_t i = 0; !result && i < plan->now.key_count; i++) {
        struct snapshot_key then = {plan->now.keys[i].key, plan->then[i]};

        result = compare_key(&then, &plan->now.keys[i].image, j, &totals, err);
    }
    if (j && result) {
        json_drop(j);
    } else if (j) {
        json_close_array(j);
        json_number(j, "changes", totals.added + totals.changed + totals.removed);
        json_close_object(j);
        json_end(j);
    } else if (!result) {
        printf("%s would go back to %s: - now, + then: %llu added, %llu changed, %llu removed.\n",
               cli->args[0], plan->point, (unsigned long long)totals.added,
               (unsigned long long)totals.changed, (unsigned long long)totals.removed);
    }
    return result;
}

/* Tells what was done, and the way back from it. */
static void report(const struct cli *cli, const struct rollback_plan *plan, uint64_t count)
{
    uint64_t before = plan->now.history_next;
    const char *name = cli->args[0];
    struct snapshot after;
    bool undoable;

    undoable = !access_read(cli, name, SNAPSHOT_HEAD, &after, NULL);
    if (undoable) {
        undoable = after.history_first <= before;
        snapshot_free(&after);
    }
    if (cli->json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", name);
        json_text(&j, "point", plan->point);
        json_number(&j, "changes", count);
        if (undoable)
            json_number(&j, "undo", before);
        json_close_object(&j);
        json_end(&j);
    } else if (!count) {
        printf("%s: nothing to do, its content is %s already.\n", name, plan->point);
    } else {
        printf("%s is rolled back to %s: %llu changes. The next online restores it.\n", name,
               plan->point, (unsigned long long)count);
    }
    if (count && undoable && !cli->json)
        printf("To undo this: regckpt rollback %s --to %llu\n", name, (unsigned long long)before);
    if (count && !undoable)
        cli_note(cli, "The history is too small to hold this rollback, so it cannot be undone by "
                      "another one. \"regckpt set %s --history BYTES\" makes room.", name);
    if (plan->passed_over)
        cli_note(cli, "%u of the registered keys of %s came after that point and stay as they "
                      "are.", plan->passed_over, name);
}

/* The checkpoint cannot be read: the last good one takes its place, as a whole. */
static int put_back(const struct cli *cli, const struct rollback_options *o,
                    const struct error *damage, struct error *err)
{
    const char *name = cli->args[0];
    char *path = store_path(cli->settings.store, name, STORE_CHECKPOINT),
         *good = store_path(cli->settings.store, name, STORE_LAST_GOOD), *kept = NULL;
    int lock_fd, result;

    if (!path || !good)
        result = error_system(err, ENOMEM, "Rolling back %s", name);
    else if (strcmp(o->point, "last-good") || o->key)
        result = error_set(err, damage->code, "%s Only all of it can go back, and only to there: leave "
                           "--to and --key out.", damage->text);
    else if (o->dry_run)
        result = checkpoint_verify(good, NULL, NULL, err);
    else if (!(result = store_own(cli->settings.store, name, &lock_fd, err))) {
        result = checkpoint_put_back(path, good, &kept, err);
        store_disown(lock_fd);
    }
    if (result == RESULT_NOT_FOUND)
        *err = *damage; /* says that, and what else can be done */
    if (!result && cli->json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_text(&j, "resource", name);
        json_text(&j, "point", "last-good");
        json_bool(&j, "dry_run", o->dry_run);
        json_bool(&j, "damaged", true);
        if (kept)
            json_text(&j, "kept", kept);
        json_close_object(&j);
        json_end(&j);
    } else if (!result && o->dry_run) {
        printf("%s\nThe last good checkpoint can take its place: without --dry-run it does.\n",
               damage->text);
    } else if (!result) {
        printf("%s has its last good checkpoint again, with its properties, registered keys and history of "
               "then. The next online restores it.\n", name);
        if (kept)
            printf("What was in its place is kept as %s\n", kept);
    }
    free(path);
    free(good);
    free(kept);
    return err->code;
}

/* Is it offline, as far as this node can tell? */
static int check_offline(const struct cli *cli, struct error *err)
{
    int sock = ctl_connect(cli, cli->args[0], err);

    if (sock < 0)
        return err->code;
    close(sock);
    return error_set(err, RESULT_OWNED,
                     "%s is online on this node, and a rollback would be overwritten by what the "
                     "program has. Take it offline first: regckpt offline %s.", cli->args[0],
                     cli->args[0]);
}

/* Makes the plan while the resource is owned, and carries it out. */
static int rollback(const struct cli *cli, const struct rollback_options *o, struct error *err)
{
    struct offline held = {.owner.lock_fd = -1};
    struct rollback_plan plan;
    struct error damage;
    bool damaged = false;
    uint64_t count = 0;
    int result = resource_name_check(cli->args[0], err);

    if (result || (!o->dry_run && (result = check_offline(cli, err))))
        return result;
    if (!o->dry_run) {
        result = offline_open(cli, cli->args[0], &held, err);
        damaged = way_out_is_last_good(result);
    }
    if (!result)
        result = rollback_plan_make(cli, o->point, o->key, &plan, &damaged, err);
    if (result) {
        offline_close(&held);
        if (!damaged)
            return result;
        damage = *err;
        *err = (struct error){0};
        return put_back(cli, o, &damage, err);
    }
    result = o->dry_run ? preview(cli, &plan, err) : write_plan(cli, &plan, held.c, &count, err);
    offline_close(&held);
    if (!result && !o->dry_run)
        report(cli, &plan, count);
    rollback_plan_free(&plan);
    return result;
}

int verb_rollback(int argc, char **argv)
{
    struct rollback_options o = {.point = "last-good"};
    const struct cli_option options[] = {
        {"to", OPTION_TEXT, &o.point, "POINT", "go back to this point (last-good)"},
        {"key", OPTION_TEXT, &o.key, "KEY", "only what is at or below this key"},
        {"dry-run", OPTION_FLAG, &o.dry_run, NULL, "show what would change, change nothing"},
        {0},
    };
    struct error err = {0};
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    code = rollback(&cli, &o, &err) ? cli_fail(&cli, &err) : 0;
    cli_end(&cli);
    return code;
}
