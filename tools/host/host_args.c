/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's command line.  As an agent: --agent SOCKET.  As a service's ImagePath:
 *   "...\regckpt-host.exe.so" --service S --resource R --store D ... -- ORIGINAL IMAGE PATH
 * What stands behind " -- " is the service's own command line, kept to the letter, so that it can
 * be started, and put back by `regckpt unwrap`, without anything being stored elsewhere.
 */
#include <stdio.h>
#include <string.h>

#include "host.h"

static const WCHAR separator[] = {' ', '-', '-', ' ', 0};

/* The first place of a pattern in a text, ignoring the case of ASCII letters; NULL: none. */
static const WCHAR *find_text(const WCHAR *text, const WCHAR *pattern)
{
    for (; *text; text++) {
        size_t i = 0;
        while (pattern[i] && text[i] &&
               (text[i] == pattern[i] || (text[i] | 0x20) == pattern[i]))
            i++;
        if (!pattern[i])
            return text;
    }
    return NULL;
}

/* A wrapped image path names regckpt-host and holds the separator behind it. */
const WCHAR *host_args_wrapped(const WCHAR *image_path)
{
    static const WCHAR host[] = {'r', 'e', 'g', 'c', 'k', 'p', 't', '-', 'h', 'o', 's', 't', 0};
    const WCHAR *at = find_text(image_path, host);

    at = at ? find_text(at, separator) : NULL;
    return at ? at + 4 : NULL;
}

/* Reads the options; a launcher's program comes from the raw command line, with its quotes. */
bool host_args_parse(int argc, char **argv, struct host_args *args)
{
    struct {
        const char *name;
        char **value;
    } options[] = {
        {"--agent", &args->agent_socket}, {"--conf", &args->conf},
        {"--dir", &args->dir},            {"--monitor", &args->monitor},
        {"--resource", &args->resource},  {"--service", &args->service},
        {"--start", NULL},                {"--store", &args->store},
    };
    const size_t count = sizeof(options) / sizeof(options[0]);

    memset(args, 0, sizeof(*args));
    for (int i = 1; i < argc; i++) {
        size_t o = 0;
        if (!strcmp(argv[i], "--"))
            break;
        while (o < count && strcmp(options[o].name, argv[i]))
            o++;
        if (o == count || i + 1 >= argc) {
            fprintf(stderr, "regckpt-host: unknown or incomplete option '%s'; this program is "
                            "started by regckpt, not by hand\n", argv[i]);
            return false;
        }
        i++;
        if (options[o].value)
            *options[o].value = argv[i];
    }
    if (args->agent_socket)
        return true;
    args->program = host_args_wrapped(GetCommandLineW());
    if (args->store && args->resource && args->dir && args->monitor && args->service &&
        args->program)
        return true;
    fprintf(stderr, "regckpt-host: started without --agent and without a service's options; this "
                    "program is started by regckpt, not by hand\n");
    return false;
}
