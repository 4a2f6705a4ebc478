/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "newfile.h"
#include "statusread.h"
#include "verbs.h"

static const struct verb_text text = {
    .name = "status",
    .usage = "[NAME]",
    .details = "Says in one line how each resource is, or NAME with its numbers. Exit code 1\n"
               "if something needs a look, 2 if a checkpoint is damaged. Never waits longer\n"
               "than a few seconds, whatever the storage does.\n"
               "\n"
               "With --watch it shows them in place, every second, until q or Ctrl-C; where the\n"
               "output is no terminal, all once, and then each verdict that changes.\n"
               "With --metrics it writes them for Prometheus, into a file for node_exporter's\n"
               "textfile collector, which is replaced as a whole, or with - to the standard\n"
               "output. See regckpt-monitoring(7).",
    .least_args = 0,
    .most_args = 1,
    .has_json = true,
};

struct metrics {
    const struct cli *cli;
    const struct status_list *list;
};

static int write_metrics(FILE *out, void *arg, struct error *err)
{
    const struct metrics *m = arg;

    (void)err;
    fchmod(fileno(out), 0644); /* the collector is another user, and nothing of it is secret */
    status_print_metrics(m->cli, m->list, out);
    return 0;
}

/* Prints all; returns the exit code. */
static int report(const struct cli *cli, const struct status_list *list, const char *metrics)
{
    struct metrics m = {cli, list};
    struct error err;

    if (metrics && !strcmp(metrics, "-"))
        status_print_metrics(cli, list, stdout);
    else if (metrics && newfile_write(metrics, write_metrics, &m, &err))
        return cli_fail(cli, &err);
    else if (!metrics)
        (cli->json ? status_print_json : status_print)(cli, list, stdout);
    if (list->store_error.code)
        cli_note(cli, "%s", list->store_error.text);
    return status_list_code(list);
}

/* A question about something that is not there is an error, not a status. */
static const struct error *senseless(const struct cli *cli, const struct status_list *list)
{
    if (list->count && list->items[0].have_monitor)
        return NULL;
    if (list->store_error.code && list->store_error.code != RESULT_STORAGE &&
        (cli->arg_count || !list->count))
        return &list->store_error;
    if (cli->arg_count && list->count && list->items[0].store_error.code == RESULT_NOT_FOUND)
        return &list->items[0].store_error;
    return NULL;
}

/* One look. */
static int look(const struct cli *cli, const char *metrics)
{
    const struct error *wrong;
    struct status_list list;
    struct error err = {0};
    int code;

    if (status_read(cli, cli->arg_count ? cli->args[0] : NULL, &list, &err))
        return cli_fail(cli, &err);
    wrong = metrics ? NULL : senseless(cli, &list); /* a collector wants to hear of it, too */
    code = wrong ? cli_fail(cli, wrong) : report(cli, &list, metrics);
    status_free(&list);
    return code;
}

static int watch_all(const struct cli *cli)
{
    const char *name = cli->arg_count ? cli->args[0] : NULL;
    const struct error *wrong;
    struct status_list list;
    struct error err = {0};
    int code = 0;

    if (status_read(cli, name, &list, &err))
        return cli_fail(cli, &err);
    if ((wrong = senseless(cli, &list)))
        code = cli_fail(cli, wrong);
    status_free(&list);
    return wrong ? code : status_watch(cli, name);
}

int verb_status(int argc, char **argv)
{
    const char *metrics = NULL;
    bool watch = false;
    const struct cli_option options[] = {
        {"watch", OPTION_FLAG, &watch, NULL, "go on, until q or Ctrl-C"},
        {"metrics", OPTION_TEXT, &metrics, "FILE", "for Prometheus, into FILE, or - to print"},
        {0},
    };
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (watch + cli.json + !!metrics > 1)
        code = cli_usage(&cli, "--watch, --metrics and --json exclude each other.");
    else if (metrics && cli.arg_count)
        code = cli_usage(&cli, "--metrics is of all resources: leave out %s.", cli.args[0]);
    else if (watch)
        code = watch_all(&cli);
    else
        code = look(&cli, metrics);
    cli_end(&cli);
    return code;
}
