/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all verbs of the command share: options, usage, failures.
 *
 * A verb describes its words in a struct verb_text and a table of struct cli_option; parsing,
 * --help and the messages of wrong usage come from these alone.
 */
#ifndef REGCKPT_CLI_H
#define REGCKPT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "settings.h"

#define EXIT_USAGE 100
#define CLI_GO_ON (-1) /* of cli_begin: no exit code yet */

struct verb_text {
    const char *name;
    const char *usage;   /* the words behind the verb: "NAME KEY..." */
    const char *details; /* paragraphs for --help, lines of at most 80 columns */
    int least_args, most_args; /* most -1: any number */
    bool has_json;       /* --json means something */
};

enum option_kind {
    OPTION_FLAG, /* target: bool * */
    OPTION_TEXT, /* target: const char ** */
    OPTION_LIST, /* target: struct text_list *, may be given more than once */
};

/* Texts from the command line, borrowed; the array is freed by text_list_free. */
struct text_list {
    const char **items;
    size_t count;
};
void text_list_free(struct text_list *list);

/* A table of options ends with a row without a name. */
struct cli_option {
    const char *name;
    enum option_kind kind;
    void *target;
    const char *value; /* the value's name in the help, NULL for flags */
    const char *help;
};

struct cli {
    const struct verb_text *text;
    struct settings settings;
    bool json;
    char **args; /* what is not an option, behind the verb's name */
    int arg_count;
    int (*fail)(const struct error *err); /* in place of cli_fail, where work is given up; or NULL */
    int (*exit_code)(const struct error *err); /* of a failure, where the verb has its own; or NULL */
};

/*
 * Reads a verb's command line (argv[0] is the verb) and the settings.  CLI_GO_ON, or the exit code
 * when all is said already: --help, wrong usage, wrong settings.  cli_end in the first case only.
 */
int cli_begin(struct cli *cli, int argc, char **argv, const struct verb_text *text,
              const struct cli_option *options);
void cli_end(struct cli *cli);

/* Tells a failure (with --json on the standard output too) and returns its exit code. */
int cli_fail(const struct cli *cli, const struct error *err);
/* cli_fail for wrong usage found by the verb itself. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A remark for people, on the standard error, that changes nothing. */
void cli_note(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number of seconds, 1 to 86400, in milliseconds; RESULT_USAGE names the option. */
int cli_seconds(const char *option, const char *value, int *ms, struct error *err);

#endif
