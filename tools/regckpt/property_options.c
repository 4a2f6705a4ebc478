/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "property_options.h"

/* What the help says of each property, and when a change of it counts. */
static const struct {
    const char *name, *value, *help;
    bool needs_restart;
} words[] = {
    {"service", "SVC", "protect the Windows service SVC", true},
    {"command", "CMDLINE", "protect a program, started by this Windows command line", true},
    {"directory", "DIR", "its current directory", true},
    {"prefix", "DIR", "the Wine prefix (else WINEPREFIX, ~/.wine)", true},
    {"user", "USER", "the Unix user it runs as", true},
    {"wine", "PATH", "Wine's loader, or a tree that holds lib/wine", true},
    {"lag", "MS", "how long a change may take into the checkpoint (100); 0: the call waits", false},
    {"on-storage-error", "WHAT", "continue or stop when the store fails (continue; lag 0: stop)",
     false},
    {"start-timeout", "S", "seconds until the program must run (60)", true},
    {"stop-timeout", "S", "seconds until it must have stopped (30)", false},
    {"history", "BYTES", "how much history is kept (4M)", false},
};

#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

/* The row of a property; WORD_COUNT: it has none. */
static size_t find_words(const char *name)
{
    size_t i;

    for (i = 0; i < WORD_COUNT; i++)
        if (!strcmp(words[i].name, name))
            break;
    return i;
}

void property_options_init(struct property_options *p)
{
    const char *name;

    memset(p, 0, sizeof(*p));
    for (unsigned i = 0; i < PROPERTY_OPTIONS_MAX && (name = resource_property(i)); i++) {
        size_t row = find_words(name);

        p->options[i] = (struct cli_option){name, OPTION_TEXT, &p->values[i],
                                            row < WORD_COUNT ? words[row].value : "VALUE",
                                            row < WORD_COUNT ? words[row].help : ""};
    }
}

unsigned property_options_count(const struct property_options *p)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PROPERTY_OPTIONS_MAX; i++)
        count += p->values[i] != NULL;
    return count;
}

int property_options_apply(const struct property_options *p, struct resource *resource,
                           struct error *err)
{
    bool service = false, command = false, policy = false;
    int result;

    for (unsigned i = 0; i < PROPERTY_OPTIONS_MAX && p->options[i].name; i++) {
        if (!p->values[i])
            continue;
        service |= !strcmp(p->options[i].name, "service");
        command |= !strcmp(p->options[i].name, "command");
        policy |= !strcmp(p->options[i].name, "on-storage-error");
        if (service && command)
            return error_set(err, RESULT_USAGE,
                             "--service and --command exclude each other: a resource is one "
                             "Windows service or one program.");
        if ((result = resource_set(resource, p->options[i].name, p->values[i], err)))
            return result;
    }
    if (policy && resource->on_storage_error == STORAGE_CONTINUE && !resource->lag_ms)
        return error_set(err, RESULT_USAGE,
                         "--on-storage-error continue does not go with lag 0, where no call "
                         "returns before its change is saved: the program is always stopped. Set "
                         "a lag for it, as --lag %d.", DEFAULT_LAG_MS);
    return RESULT_OK;
}

bool property_needs_restart(const char *name)
{
    size_t row = find_words(name);

    return row == WORD_COUNT || words[row].needs_restart;
}

void property_remarks(const struct cli *cli, const struct resource *resource)
{
    if (!resource->lag_ms)
        cli_note(cli, "Note: with --lag 0 a call that changes a registered key returns when that "
                      "is saved. It needs the hook in the program's processes; a node without it "
                      "refuses to take the resource online.");
    if (!resource->lag_ms && resource->on_storage_error == STORAGE_CONTINUE)
        cli_note(cli, "Note: with --lag 0 a storage error always stops the program; "
                      "on-storage-error counts again with a lag.");
}

bool property_is_overridden(const struct resource *resource, const char *name)
{
    return !resource->lag_ms && !strcmp(name, "on-storage-error");
}

void property_json(struct json *j, const struct resource *resource)
{
    const char *name;

    json_open_object(j, "properties");
    for (unsigned i = 0; (name = resource_property(i)); i++) {
        char *value = resource_get(resource, name);

        json_text(j, name, !value ? "" : property_is_overridden(resource, name) ? "stop" : value);
        free(value);
    }
    json_close_object(j);
}
