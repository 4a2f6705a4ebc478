/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt-cluster: the checkpoint options of Microsoft's cluster.exe, for scripts that have them.
 * What they do is regckpt add, remove and list; what they say is the number of a Windows error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "add.h"
#include "keymatch.h"
#include "mscs.h"
#include "remove.h"
#include "table.h"

/* From Windows' public list of errors; those that the documentation of cluster.exe names first. */
#define ERROR_FILE_NOT_FOUND 2
#define ERROR_ALREADY_EXISTS 183
#define ERROR_GEN_FAILURE 31
#define ERROR_INVALID_PARAMETER 87
#define ERROR_RESOURCE_NOT_FOUND 5007
#define ERROR_HOST_NODE_NOT_RESOURCE_OWNER 5015

#define LARGEST_EXIT_CODE 255
#define EXIT_ABOVE 125 /* for a number that no exit code can be */

enum option { OPTION_NONE, OPTION_ADD, OPTION_REMOVE, OPTION_SHOW };

/* An option may be cut down to so many letters. */
static const struct {
    const char *name;
    size_t least;
    enum option option;
} options[] = {
    {"addcheckpoints", sizeof("addcheck") - 1, OPTION_ADD},
    {"removecheckpoints", sizeof("removecheck") - 1, OPTION_REMOVE},
    {"checkpoints", sizeof("check") - 1, OPTION_SHOW},
};

struct call {
    struct cli cli;
    const char *view, *store; /* options of our own */
    enum option option;
    char name[RESOURCE_NAME_MAX + 1]; /* the resource's */
    char **keys;                      /* malloc'ed */
    size_t count;
};

static void print_help(void)
{
    puts("Usage: regckpt-cluster [--store DIR] [--view 64|32|auto] res \"NAME\" OPTION\n\n"
         "  /addcheckpoints:\"KEY\"[,\"KEY\"...]     register keys below HKEY_LOCAL_MACHINE\n"
         "  /removecheckpoints:\"KEY\"[,\"KEY\"...]  forget registered keys\n"
         "  /checkpoints                         list them\n\n"
         "The options of cluster.exe for registry checkpoints, on regckpt's resources; case does\n"
         "not count, and /addcheck, /removecheck and /check do. The exit code is the number of a\n"
         "Windows error: 0 done, 2 there is no such key or it is not registered, 183 it is\n"
         "registered already, 87 wrong usage, 31 anything else; 125: a number above 255, which\n"
         "the message has. See regckpt-cluster(1).");
}

/* The Windows error that a result is. */
static unsigned windows_error(int result)
{
    switch (result) {
    case RESULT_OK: return 0;
    case RESULT_NOT_FOUND: return ERROR_FILE_NOT_FOUND;
    case RESULT_EXISTS: return ERROR_ALREADY_EXISTS;
    case RESULT_USAGE: return ERROR_INVALID_PARAMETER;
    case RESULT_OWNED: return ERROR_HOST_NODE_NOT_RESOURCE_OWNER;
    default: return ERROR_GEN_FAILURE;
    }
}

/* Says it and makes an exit code of it. */
static int fail(unsigned number, const char *text)
{
    fprintf(stderr, "System error %u has occurred: %s\n", number, text);
    return number > LARGEST_EXIT_CODE ? EXIT_ABOVE : (int)number;
}

static int fail_of(const struct error *err)
{
    return fail(windows_error(err->code), err->text);
}

static int wrong_usage(const char *format, const char *word)
{
    char text[ERROR_TEXT_BYTES / 2], all[ERROR_TEXT_BYTES];

    snprintf(text, sizeof(text), format, word);
    snprintf(all, sizeof(all), "%s See \"regckpt-cluster --help\".", text);
    return fail(ERROR_INVALID_PARAMETER, all);
}

/* Takes what stands between commas, without the quotation marks in which commas do not count. */
static int split_keys(struct call *c, const char *list)
{
    char *text = malloc(strlen(list) + 1);
    char **keys;
    size_t len = 0;
    bool quoted = false;

    if (!text)
        return ENOMEM;
    for (;; list++) {
        if (*list == '"') {
            quoted = !quoted;
        } else if (*list && (quoted || *list != ',')) {
            text[len++] = *list;
        } else {
            text[len] = 0;
            if (len) {
                if (!(keys = realloc(c->keys, (c->count + 1) * sizeof(*keys))))
                    break;
                c->keys = keys;
                if (!(c->keys[c->count] = strdup(text)))
                    break;
                c->count++;
            }
            len = 0;
            if (!*list) {
                free(text);
                return 0;
            }
        }
    }
    free(text);
    return ENOMEM;
}

/* The option that a word is, and what stands behind its colon (NULL: no colon). */
static enum option find_option(const char *word, const char **behind)
{
    const char *name = word + 1, *colon = strchr(name, ':');
    size_t len = colon ? (size_t)(colon - name) : strlen(name);

    *behind = colon ? colon + 1 : NULL;
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        if (len >= options[i].least && len <= strlen(options[i].name) &&
            !strncasecmp(name, options[i].name, len))
            return options[i].option;
    return OPTION_NONE;
}

/* The option with its keys, which blanks may cut into several words.  0 or an exit code. */
static int read_option(struct call *c, char **words)
{
    const char *behind = NULL, *word = *words++;

    c->option = *word == '/' ? find_option(word, &behind) : OPTION_NONE;
    if (c->option == OPTION_NONE)
        return wrong_usage("\"%s\" is no option for checkpoints; all else is done by regckpt.",
                           word);
    if (behind && split_keys(c, behind))
        return fail(ERROR_GEN_FAILURE, strerror(ENOMEM));
    for (; *words; words++) {
        if (**words == '/')
            return wrong_usage("One option at a time: \"%s\" is one more.", *words);
        if (!behind)
            return wrong_usage("\"%s\" stands behind no colon.", *words);
        if (split_keys(c, *words))
            return fail(ERROR_GEN_FAILURE, strerror(ENOMEM));
    }
    if (c->option == OPTION_SHOW && behind)
        return wrong_usage("\"%s\" takes no keys.", word);
    if (c->option != OPTION_SHOW && !c->count)
        return wrong_usage("\"%s\" names no key.", word);
    return 0;
}

/* The resource of this name, as it is here or as it was called in the cluster; case does not count
 * unless it has to. */
static int find_resource(struct call *c, const char *name)
{
    char mapped[RESOURCE_NAME_MAX + 1], text[ERROR_TEXT_BYTES];
    const char *store = c->cli.settings.store, *found = NULL;
    struct error err = {0};
    char **names;
    size_t count;
    int result = access_store(&c->cli, NULL, &err);

    if (result || (result = store_list(store, &names, &count, &err)))
        return fail(windows_error(result), err.text);
    mscs_map_name(name, mapped);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name) ||
            (!found && (!strcasecmp(names[i], name) || !strcasecmp(names[i], mapped))))
            found = names[i];
    if (found)
        snprintf(c->name, sizeof(c->name), "%s", found);
    store_list_free(names, count);
    if (found)
        return 0;
    snprintf(text, sizeof(text), "There is no resource \"%s\" in the store %s.", name, store);
    return fail(ERROR_RESOURCE_NOT_FOUND, text);
}

/* In a cluster, both views share one list of names. */
static int check_names(const struct call *c, struct error *err)
{
    const struct snapshot_key *key;
    struct snapshot s;
    int result = access_read(&c->cli, c->name, SNAPSHOT_HEAD, &s, err);

    if (result)
        return result;
    for (size_t i = 0; !result && i < c->count; i++)
        if (!key_find(&s, c->name, c->keys[i], "", &key, NULL))
            result = error_set(err, RESULT_EXISTS, "The key \"%s\" (%d-bit view) is registered "
                               "already.", key->key.path, key->key.view);
    snapshot_free(&s);
    return result;
}

static int add_keys(struct call *c, struct error *err)
{
    struct add a = {.cli = &c->cli, .name = c->name, .words = c->keys, .word_count = c->count,
                    .view = c->view};
    int result = check_names(c, err);

    if (result)
        return result;
    result = add_run(&a, err);
    if (!result && !a.have_wine && a.no_wine.code)
        cli_note(&c->cli, "Not captured yet, the first online does it: %s", a.no_wine.text);
    add_free(&a);
    return result;
}

/* The columns that are known from Get-ClusterCheckpoint. */
static int list_keys(const struct call *c, struct error *err)
{
    static const char *const headings[] = {"Resource", "Name"};
    struct snapshot s;
    struct table t;
    int result = access_read(&c->cli, c->name, SNAPSHOT_HEAD, &s, err);

    if (result)
        return result;
    table_begin(&t, 2, headings);
    for (size_t i = 0; i < s.key_count; i++) {
        table_cell(&t, "%s", c->name);
        table_cell(&t, "%s", s.keys[i].key.path);
    }
    table_print(&t, stdout, "");
    table_free(&t);
    snapshot_free(&s);
    if (fflush(stdout) || ferror(stdout))
        return error_system(err, errno, "Writing to the standard output");
    return RESULT_OK;
}

static int carry_out(struct call *c)
{
    const char *view = !strcmp(c->view, "auto") ? "" : c->view;
    struct error err = {0};
    int result = c->option == OPTION_ADD      ? add_keys(c, &err)
                 : c->option == OPTION_REMOVE ? remove_run(&c->cli, c->name, c->keys, c->count, view,
                                                           &err)
                                              : list_keys(c, &err);

    return result ? fail(windows_error(result), err.text) : 0;
}

/* Our own options in front; the rest is at *words.  0 or an exit code. */
static int read_front(struct call *c, char ***words)
{
    char **at = *words;

    for (; *at && !strncmp(*at, "--", 2); at++) {
        const char **to = !strcmp(*at, "--store") ? &c->store : !strcmp(*at, "--view") ? &c->view
                                                                                       : NULL;

        if (!to)
            return wrong_usage("There is no option %s.", *at);
        if (!at[1])
            return wrong_usage("The option %s needs a value.", *at);
        *to = *++at;
    }
    if (strcmp(c->view, "64") && strcmp(c->view, "32") && strcmp(c->view, "auto"))
        return wrong_usage("--view: \"%s\" is none of 64, 32 and auto.", c->view);
    *words = at;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct verb_text text = {.name = "cluster"};
    struct call c = {.cli = {.text = &text, .fail = fail_of}, .view = "auto"};
    struct error err = {0};
    char **words = argv + 1;
    int code;

    signal(SIGPIPE, SIG_IGN);
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "/?"))) {
        print_help();
        return fflush(stdout) ? ERROR_GEN_FAILURE : 0;
    }
    if ((code = read_front(&c, &words)))
        return code;
    if (!*words || (strcasecmp(*words, "res") && strcasecmp(*words, "resource")))
        return wrong_usage("%s", *words ? "Only resources are known here: res \"NAME\"."
                                        : "Something is missing: res \"NAME\" OPTION.");
    if (!words[1] || !words[2])
        return wrong_usage("%s", "Something is missing: res \"NAME\" OPTION.");
    if (!(code = read_option(&c, words + 2))) {
        if (settings_read(&c.cli.settings, c.store, &err)) {
            code = fail_of(&err);
        } else {
            if (!(code = find_resource(&c, words[1])))
                code = carry_out(&c);
            cli_end(&c.cli);
        }
    }
    for (size_t i = 0; i < c.count; i++)
        free(c.keys[i]);
    free(c.keys);
    return code;
}
