/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporthive.h"
#include "keyname.h"
#include "newfile.h"
#include "regfile.h"
#include "verbs.h"

#define MOST_REMARKS 20 /* of what is missing; the rest is counted */

static const struct verb_text text = {
    .name = "export",
    .usage = "NAME [FILE]",
    .details =
        "Writes what the checkpoint of NAME holds as a .reg file (version 5.00, UTF-16), to be\n"
        "read by regedit and reg.exe of Windows and Wine, and by regckpt import; without FILE,\n"
        "or to -, to the standard output (on a terminal as UTF-8, to be looked at). Keys of the\n"
        "32-bit view stand there by the names that 64-bit programs know them by. Works on any\n"
        "node, without Wine, and while the resource is online. Exit code 1: the file does not\n"
        "say all; what is missing is a comment in it and a message here.\n\n"
        "With --hive, one registered key becomes a hive file, to be read by reg load and reg\n"
        "restore of Windows. It holds all, classes and symbolic links too.",
    .least_args = 1,
    .most_args = 2,
};

/* One export. */
struct exporting {
    const struct cli *cli;
    const struct snapshot *s;
    bool leave_out;
    unsigned remarks; /* what the file does not say */
};

/* Says on the standard error what the file does not say; the file itself says all of it. */
static void tell_remark(const char *sentence, void *arg)
{
    struct exporting *e = arg;

    if (e->remarks++ < MOST_REMARKS)
        cli_note(e->cli, "%s", sentence);
}

/* One registered key, or why it is not there. */
static int write_key(struct exporting *e, struct regfile_writer *w, const struct snapshot_key *k,
                     struct error *err)
{
    char *path = keyname_physical(k->key.path, k->key.view), *comment = NULL;
    bool captured = k->key.flags & KEY_CAPTURED;
    int result = RESULT_OK;

    if (!path)
        return error_system(err, ENOMEM, "Exporting the key \"%s\"", k->key.path);
    if (k->image.root) {
        result = regfile_write_tree(w, path, &k->image, err);
    } else if (asprintf(&comment, REGFILE_ROOT "\\%s: %s", path,
                        captured ? "does not exist in the checkpoint."
                                 : "is not captured yet; the first online does it.") < 0) {
        result = error_system(err, ENOMEM, "Exporting the key \"%s\"", k->key.path);
    } else {
        regfile_write_comment(w, comment);
        if (!captured && w->remark)
            tell_remark(comment, e);
        free(comment);
    }
    free(path);
    return result;
}

/* All keys into a stream; out NULL: only looks whether that can be done. */
static int write_all(struct exporting *e, FILE *out, bool terminal, struct error *err)
{
    struct regfile_writer *w = malloc(sizeof(*w));
    int result = RESULT_OK, end;

    if (!w)
        return error_system(err, ENOMEM, "Writing the .reg file");
    regfile_write_begin(w, out, terminal);
    w->leave_out = e->leave_out;
    w->remark = out ? tell_remark : NULL;
    w->arg = e;
    for (size_t i = 0; !result && i < e->s->key_count; i++)
        result = write_key(e, w, &e->s->keys[i], err);
    end = regfile_write_end(w, result ? NULL : err);
    free(w);
    return result ? result : end;
}

/* newfile_write's call. */
static int write_file(FILE *out, void *arg, struct error *err)
{
    return write_all(arg, out, false, err);
}

/* Where to it goes. */
static int write_out(struct exporting *e, const char *file, struct error *err)
{
    bool terminal = isatty(STDOUT_FILENO);

    if (file && strcmp(file, "-"))
        return newfile_write(file, write_file, e, err);
    if (terminal)
        cli_note(e->cli, "This is shown as UTF-8, with what a terminal would act on replaced. Name "
                         "a file to get one for regedit.");
    return write_all(e, stdout, terminal, err);
}

/* What the options say. */
struct form {
    bool hive, leave_out;
    const char *key, *view; /* of a hive */
};

/* Reads the checkpoint and writes the file. */
static int export(const struct cli *cli, const struct form *form, unsigned *remarks,
                  struct error *err)
{
    const char *file = cli->arg_count > 1 ? cli->args[1] : NULL;
    struct snapshot s;
    struct exporting e = {cli, &s, form->leave_out, 0};
    int result = access_read(cli, cli->args[0], 0, &s, err);

    if (result)
        return result;
    if (form->hive)
        result = export_hive(&s, cli->args[0], form->key, form->view, file, err);
    else if (!(result = write_all(&e, NULL, false, err)))
        result = write_out(&e, file, err);
    if (!result && e.remarks > MOST_REMARKS)
        cli_note(cli, "and %u more, which are comments in the file.", e.remarks - MOST_REMARKS);
    *remarks = e.remarks;
    snapshot_free(&s);
    return result;
}

int verb_export(int argc, char **argv)
{
    struct form form = {.view = ""};
    const struct cli_option options[] = {
        {"leave-out", OPTION_FLAG, &form.leave_out, NULL,
         "leave out what a .reg file cannot carry, instead of refusing"},
        {"hive", OPTION_FLAG, &form.hive, NULL, "a hive file of one registered key"},
        {"key", OPTION_TEXT, &form.key, "KEY", "which, if several are registered (--hive)"},
        {"view", OPTION_TEXT, &form.view, "64|32", "which, if it is in both views (--hive)"},
        {0},
    };
    struct error err = {0};
    unsigned remarks = 0;
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (*form.view && strcmp(form.view, "64") && strcmp(form.view, "32"))
        code = cli_usage(&cli, "--view: \"%s\" is neither 64 nor 32.", form.view);
    else if (!form.hive && (form.key || *form.view))
        code = cli_usage(&cli, "--key and --view are for --hive: a .reg file has all keys.");
    else if (form.hive && form.leave_out)
        code = cli_usage(&cli, "--leave-out is for .reg files: a hive file carries all names.");
    else if (export(&cli, &form, &remarks, &err))
        code = cli_fail(&cli, &err);
    else
        code = remarks ? 1 : 0;
    cli_end(&cli);
    return code;
}
