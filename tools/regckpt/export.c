/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "keyname.h"
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
        "say all; what is missing is a comment in it and a message here.",
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

/*
 * Into a new file that takes the place of the old one when it is whole.  It is for its owner only,
 * as the store is: there may be passwords in it.
 */
static int write_new(struct exporting *e, const char *file, struct error *err)
{
    char *made = NULL;
    FILE *out = NULL;
    int fd, result;

    if (asprintf(&made, "%s.XXXXXX", file) < 0)
        return error_system(err, ENOMEM, "Making the file %s", file);
    if ((fd = mkostemp(made, O_CLOEXEC)) < 0 || !(out = fdopen(fd, "w"))) {
        result = error_system(err, errno, "Making a new file beside %s", file);
        if (fd >= 0) {
            close(fd);
            unlink(made);
        }
        free(made);
        return result;
    }
    result = write_all(e, out, false, err);
    if (!result && fsync(fd))
        result = error_system(err, errno, "Writing the file %s", made);
    if (fclose(out) && !result)
        result = error_system(err, errno, "Writing the file %s", made);
    if (!result && rename(made, file))
        result = error_system(err, errno, "Renaming %s to %s", made, file);
    if (result)
        unlink(made);
    free(made);
    return result;
}

/* Into what is no regular file (a device, a pipe), as it is. */
static int write_device(struct exporting *e, const char *file, struct error *err)
{
    FILE *out = fopen(file, "we");
    int result;

    if (!out)
        return error_system(err, errno, "Opening %s", file);
    result = write_all(e, out, false, err);
    if (fclose(out) && !result)
        result = error_system(err, errno, "Writing to %s", file);
    return result;
}

/* Where to it goes. */
static int write_out(struct exporting *e, const char *file, struct error *err)
{
    bool terminal = isatty(STDOUT_FILENO);
    struct stat st;

    if (file && strcmp(file, "-"))
        return !stat(file, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)
                   ? write_device(e, file, err)
                   : write_new(e, file, err);
    if (terminal)
        cli_note(e->cli, "This is shown as UTF-8, with what a terminal would act on replaced. Name "
                         "a file to get one for regedit.");
    return write_all(e, stdout, terminal, err);
}

/* Reads the checkpoint and writes the file. */
static int export(const struct cli *cli, bool leave_out, unsigned *remarks, struct error *err)
{
    struct snapshot s;
    struct exporting e = {cli, &s, leave_out, 0};
    int result = access_read(cli, cli->args[0], 0, &s, err);

    if (result)
        return result;
    if (!(result = write_all(&e, NULL, false, err)))
        result = write_out(&e, cli->arg_count > 1 ? cli->args[1] : NULL, err);
    if (!result && e.remarks > MOST_REMARKS)
        cli_note(cli, "and %u more, which are comments in the file.", e.remarks - MOST_REMARKS);
    *remarks = e.remarks;
    snapshot_free(&s);
    return result;
}

int verb_export(int argc, char **argv)
{
    bool leave_out = false;
    const struct cli_option options[] = {
        {"leave-out", OPTION_FLAG, &leave_out, NULL,
         "leave out names that a .reg file cannot carry, instead of refusing"},
        {0},
    };
    struct error err = {0};
    unsigned remarks = 0;
    struct cli cli;
    int code = cli_begin(&cli, argc, argv, &text, options);

    if (code != CLI_GO_ON)
        return code;
    if (export(&cli, leave_out, &remarks, &err))
        code = cli_fail(&cli, &err);
    else
        code = remarks ? 1 : 0;
    cli_end(&cli);
    return code;
}
