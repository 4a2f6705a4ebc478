/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt, the command.  Global options may stand before the verb; they are handed to it, so that
 * there is one place that reads options.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "verbs.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct verb verbs[] = {
    {"init", verb_init, "make a store, and test there what is needed"},
    {"create", verb_create, "make a resource: a service or program to protect"},
    {"set", verb_set, "change a resource's properties"},
    {"delete", verb_delete, "delete a resource with its checkpoints"},
    {"add", verb_add, "register keys"},
    {"remove", verb_remove, "forget registered keys"},
    {"exclude", verb_exclude, "change what a registered key leaves out"},
    {"list", verb_list, "list the resources, or one's registered keys"},
    {"online", verb_online, "restore, then start the program, protected"},
    {"offline", verb_offline, "stop the program, save, release"},
    {"run", verb_run, "online in the foreground, until the program ends"},
    {"save", verb_save, "save a resource that is online now"},
    {"status", verb_status, "how resources are: a verdict each"},
    {"show", verb_show, "print a checkpoint's keys and values"},
    {"diff", verb_diff, "compare the registry with the checkpoint"},
    {"log", verb_log, "print the history of changes"},
    {"rollback", verb_rollback, "put back the content of an earlier time"},
    {"verify", verb_verify, "check checkpoints for damage"},
    {"repair", verb_repair, "save what is whole of a damaged checkpoint"},
    {"edit", verb_edit, "run a command on a resource's registry, and save what it did"},
    {"regedit", verb_regedit, "open Wine's regedit on it"},
    {"export", verb_export, "write a checkpoint as a .reg or hive file"},
    {"import", verb_import, "carry a .reg or hive file into a checkpoint"},
    {"import-mscs", verb_import_mscs, "make resources of a Microsoft cluster's"},
    {"wrap", verb_wrap, "put regckpt-host in front of a Windows service"},
    {"unwrap", verb_unwrap, "take it away again"},
    {"upgrade", verb_upgrade, "bring checkpoints to the newest format"},
    {"doctor", verb_doctor, "can this node run it, and what is missing"},
    {"agent", verb_agent, "for cluster agents: start, stop, monitor, validate"},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

/* What --help says. */
static void print_help(void)
{
    puts("Usage: regckpt VERB [NAME] [OPTION...]\n\n"
         "Keeps the registry keys of a Windows service under Wine with it, from node to node.\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        printf("  %-12s%s\n", verbs[i].name, verbs[i].summary);
    puts("\n"
         "regckpt VERB --help tells more. Every verb takes --store DIR; those with output\n"
         "for programs take --json. Exit codes: 0 done, 1 a difference or a warning,\n"
         "2 damaged, 3 owned elsewhere, 100 usage, 111 the system or Wine refused.\n"
         "See regckpt(1).");
}

/* The exit code of a usage error in front of any verb. */
static int usage(const char *text, const char *word, const char *more)
{
    fprintf(stderr, "regckpt: %s%s%s See \"regckpt --help\".\n", text, word, more);
    return EXIT_USAGE;
}

/* The verb of this name is not known: say which one is near. */
static int unknown_verb(const char *name)
{
    const char *names[VERB_COUNT], *meant;
    char text[80] = "\".";

    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i].name;
    meant = nearest_word(name, names, VERB_COUNT);
    if (meant)
        snprintf(text, sizeof(text), "\". Did you mean \"%s\"?", meant);
    return usage("There is no verb \"", name, text);
}

/* Everything printed must have arrived: a report cut by a full disk is a failure. */
static int finish(int code)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "regckpt: Writing to the standard output: %s\n", strerror(errno));
        return 111;
    }
    return code;
}

/* Puts the options in front of the verb behind it and calls it. */
static int call_verb(const struct verb *verb, int argc, char **argv, int at)
{
    char **args = calloc((size_t)argc + 1, sizeof(*args));
    int count = 0, code;

    if (!args) {
        fprintf(stderr, "regckpt: %s\n", strerror(ENOMEM));
        return 111;
    }
    args[count++] = argv[at];
    for (int i = 1; i < at; i++)
        args[count++] = argv[i];
    for (int i = at + 1; i < argc; i++)
        args[count++] = argv[i];
    code = verb->run(count, args);
    free(args);
    return code;
}

int main(int argc, char **argv)
{
    int at = 1;

    signal(SIGPIPE, SIG_IGN); /* a reader that is gone shows as EPIPE, which finish() tells */
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
            print_help();
            return finish(0);
        }
        if (!strcmp(argv[at], "--version")) {
            puts("regckpt " REGCKPT_VERSION);
            return finish(0);
        }
        if (!strcmp(argv[at], "--store")) {
            if (++at == argc)
                return usage("The option --store needs a value.", "", "");
        } else if (strncmp(argv[at], "--store=", 8) && strcmp(argv[at], "--json")) {
            return usage("There is no option ", argv[at], " in front of the verb.");
        }
    }
    if (at >= argc)
        return usage("A verb is missing.", "", "");
    if (!strcmp(argv[at], "help")) {
        print_help();
        return finish(0);
    }
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (!strcmp(argv[at], verbs[i].name))
            return finish(call_verb(&verbs[i], argc, argv, at));
    return unknown_verb(argv[at]);
}
