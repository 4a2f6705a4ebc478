/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"

/* Numbers of the long options: the global ones, then the verb's by their place in its table. */
enum { GLOBAL_STORE = 256, GLOBAL_JSON, GLOBAL_HELP, VERB_OPTIONS };

/* How many options a table has. */
static size_t count_options(const struct cli_option *options)
{
    size_t count = 0;

    while (options && options[count].name)
        count++;
    return count;
}

/* One line of the list of options. */
static void print_option(const char *name, const char *value, const char *help)
{
    int width = printf("  --%s%s%s", name, value ? " " : "", value ? value : "");

    printf("%*s%s\n", width < 28 ? 28 - width : 2, "", help);
}

/* What --help of a verb says. */
static void print_help(const struct verb_text *text, const struct cli_option *options)
{
    printf("Usage: regckpt %s %s%s[OPTION...]\n\n%s\n\nOptions:\n", text->name, text->usage,
           *text->usage ? " " : "", text->details);
    for (size_t i = 0; i < count_options(options); i++)
        print_option(options[i].name, options[i].value, options[i].help);
    print_option("store", "DIR", "the store (else REGCKPT_STORE, " SETTINGS_FILE ", the default)");
    if (text->has_json)
        print_option("json", NULL, "output for programs");
    print_option("help", NULL, "this help");
}

/* The options in getopt_long's form, malloc'ed. */
static struct option *long_options(const struct cli_option *options)
{
    size_t count = count_options(options);
    struct option *list = calloc(count + 4, sizeof(*list));

    if (!list)
        return NULL;
    list[0] = (struct option){"store", required_argument, NULL, GLOBAL_STORE};
    list[1] = (struct option){"json", no_argument, NULL, GLOBAL_JSON};
    list[2] = (struct option){"help", no_argument, NULL, GLOBAL_HELP};
    for (size_t i = 0; i < count; i++)
        list[3 + i] = (struct option){
            options[i].name, options[i].kind == OPTION_FLAG ? no_argument : required_argument, NULL,
            VERB_OPTIONS + (int)i};
    return list;
}

/* Puts a given option where its table row says. */
static int take_option(const struct cli_option *option, const char *value, struct error *err)
{
    if (option->kind == OPTION_FLAG) {
        *(bool *)option->target = true;
    } else if (option->kind == OPTION_TEXT) {
        *(const char **)option->target = value;
    } else {
        struct text_list *list = option->target;
        const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

        if (!items)
            return error_system(err, ENOMEM, "Reading the command line");
        items[list->count++] = value;
        list->items = items;
    }
    return RESULT_OK;
}

/* The word of the command line that getopt_long could not take. */
static int bad_option(const struct cli *cli, int argc, char **argv, int found)
{
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

    if (found == ':')
        return cli_usage(cli, "The option %s needs a value.", word);
    if (optopt >= GLOBAL_STORE)
        return cli_usage(cli, "The option %s takes no value.", word);
    if (optopt)
        return cli_usage(cli, "There is no option -%c.", optopt);
    return cli_usage(cli, "There is no option %s, or it is short for several.", word);
}

/* Reads all options. */
static int read_options(struct cli *cli, int argc, char **argv, const struct cli_option *options,
                        const char **store)
{
    struct option *list = long_options(options);
    struct error err = {0};
    int found, code = CLI_GO_ON;

    if (!list) {
        error_system(&err, ENOMEM, "Reading the command line");
        return cli_fail(cli, &err);
    }
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while (code == CLI_GO_ON && (found = getopt_long(argc, argv, ":", list, NULL)) != -1) {
        if (found == GLOBAL_STORE) {
            *store = optarg;
        } else if (found == GLOBAL_JSON) {
            cli->json = true;
        } else if (found == GLOBAL_HELP) {
            print_help(cli->text, options);
            code = 0;
        } else if (found == '?' || found == ':') {
            code = bad_option(cli, argc, argv, found);
        } else if (take_option(&options[found - VERB_OPTIONS], optarg, &err)) {
            code = cli_fail(cli, &err);
        }
    }
    free(list);
    return code;
}

int cli_begin(struct cli *cli, int argc, char **argv, const struct verb_text *text,
              const struct cli_option *options)
{
    const char *store = NULL;
    struct error err = {0};
    int code;

    *cli = (struct cli){.text = text};
    if ((code = read_options(cli, argc, argv, options, &store)) != CLI_GO_ON)
        return code;
    cli->args = argv + optind;
    cli->arg_count = argc - optind;
    if (cli->json && !text->has_json) {
        cli->json = false;
        return cli_usage(cli, "--json has no meaning here: there is no output for programs.");
    }
    if (cli->arg_count < text->least_args)
        return cli_usage(cli, "Something is missing: regckpt %s %s.", text->name, text->usage);
    if (text->most_args >= 0 && cli->arg_count > text->most_args)
        return cli_usage(cli, "\"%s\" is one word too many.", cli->args[text->most_args]);
    if (settings_read(&cli->settings, store, &err))
        return cli_fail(cli, &err);
    return CLI_GO_ON;
}

void cli_end(struct cli *cli)
{
    settings_free(&cli->settings);
}

void text_list_free(struct text_list *list)
{
    free(list->items);
    *list = (struct text_list){0};
}

int cli_fail(const struct cli *cli, const struct error *err)
{
    const char *text = err->text[0] ? err->text : result_name(err->code);

    if (cli->json) {
        struct json j;

        json_begin(&j, stdout);
        json_open_object(&j, NULL);
        json_open_object(&j, "error");
        json_text(&j, "result", result_name(err->code));
        json_text(&j, "text", text);
        json_close_object(&j);
        json_close_object(&j);
        json_end(&j);
    }
    fprintf(stderr, "regckpt %s: %s\n", cli->text->name, text);
    return cli->exit_code ? cli->exit_code(err) : result_exit_code(err->code);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES / 2];
    struct error err = {0};
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(&err, RESULT_USAGE, "%s See \"regckpt %s --help\".", text, cli->text->name);
    return cli_fail(cli, &err);
}

void cli_note(const struct cli *cli, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "regckpt %s: ", cli->text->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int cli_seconds(const char *option, const char *value, int *ms, struct error *err)
{
    char *end;
    long seconds;

    errno = 0;
    seconds = strtol(value, &end, 10);
    if (errno || end == value || *end || seconds < 1 || seconds > 86400)
        return error_set(err, RESULT_USAGE,
                         "--%s: \"%s\" is not a number of seconds from 1 to 86400.", option, value);
    *ms = (int)seconds * 1000;
    return RESULT_OK;
}
