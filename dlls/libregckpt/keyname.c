/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of registered keys.
 *
 * Paths are UTF-8; what compares them goes through UTF-16, because case is ignored there and only
 * there as wineserver does it.  All mapping of views is one pass over the components: Wine has two
 * Wow6432Node keys (below Software and below Software\Classes) and four links around them
 * (loader/wine.inf.in), and no more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keyname.h"

#define NODE32 "Wow6432Node"

/* The length in bytes of a path's first component. */
static size_t component_len(const char *path)
{
    return strcspn(path, "\\");
}

/* Is the path's first component this name?  ASCII names only, so ASCII case is enough. */
static bool component_is(const char *path, const char *name)
{
    size_t len = strlen(name);

    return component_len(path) == len && !strncasecmp(path, name, len);
}

/* What stands behind the path's first component, its end if there is no more. */
static const char *after_component(const char *path)
{
    path += component_len(path);
    return *path ? path + 1 : path;
}

/* Puts formatted text together, malloc'ed; NULL: no memory. */
__attribute__((format(printf, 1, 2)))
static char *text_of(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

/* The other roots, which do not follow a resource. */
static const struct {
    const char *name, *instead;
} other_roots[] = {
    {"HKCU", "the settings of one user stay on the node"},
    {"HKEY_CURRENT_USER", "the settings of one user stay on the node"},
    {"HKU", "the settings of users stay on the node"},
    {"HKEY_USERS", "the settings of users stay on the node"},
    {"HKCR", "name it as Software\\Classes\\..."},
    {"HKEY_CLASSES_ROOT", "name it as Software\\Classes\\..."},
    {"HKCC", "the hardware's configuration belongs to the node"},
    {"HKEY_CURRENT_CONFIG", "the hardware's configuration belongs to the node"},
};

static const char *const top_names[] = {"Software", "System", "Hardware", "Security"};

/* Does it look like a path whose backslashes are gone: "SoftwareVendorApp", "HKLMSoftware..."? */
static bool lost_backslashes(const char *name)
{
    size_t len = component_len(name);

    for (size_t i = 0; i < sizeof(top_names) / sizeof(top_names[0]); i++)
        if (len > strlen(top_names[i]) && !strncasecmp(name, top_names[i], strlen(top_names[i])))
            return true;
    return (len > 4 && !strncasecmp(name, "HKLM", 4)) ||
           (len > 18 && !strncasecmp(name, "HKEY_LOCAL_MACHINE", 18));
}

/* Refuses what stands in front and is not HKLM; moves *path behind HKLM if that stands there. */
static int strip_root(const char *given, const char **path, struct error *err)
{
    if (*given == '\\')
        return error_set(err, RESULT_USAGE,
                         "The key \"%s\" begins with a backslash. Keys are named relative to "
                         "HKEY_LOCAL_MACHINE, without one in front: 'Software\\Vendor\\App'.",
                         given);
    for (size_t i = 0; i < sizeof(other_roots) / sizeof(other_roots[0]); i++)
        if (component_is(given, other_roots[i].name))
            return error_set(err, RESULT_USAGE,
                             "The key \"%s\" is not below HKEY_LOCAL_MACHINE, and only keys there "
                             "follow a resource: %s.", given, other_roots[i].instead);
    if (component_is(given, "HKLM") || component_is(given, "HKEY_LOCAL_MACHINE")) {
        *path = after_component(given);
        *path += strspn(*path, "\\");
        if (!**path)
            return error_set(err, RESULT_USAGE,
                             "\"%s\" names all of HKEY_LOCAL_MACHINE. Name the program's own key "
                             "below it: 'Software\\Vendor\\App'.",
                             given);
    }
    return RESULT_OK;
}

/* The units and the bounds of one component. */
static int check_component(const char *part, size_t len, const char *given, struct error *err)
{
    struct utf16 units = {0};
    int result = utf16_from_utf8(part, len, &units);

    if (!result && units.len > IMAGE_MAX_KEY_NAME_CHARS)
        result = error_set(err, RESULT_USAGE,
                           "The key \"%s\" has a component of %zu characters; the registry takes "
                           "%d.",
                           given, units.len, IMAGE_MAX_KEY_NAME_CHARS);
    else if (result == RESULT_INVALID)
        result = error_set(err, RESULT_USAGE, "The key \"%s\" is not valid UTF-8. Check the "
                           "terminal's or the script's encoding.", given);
    else if (result)
        error_system(err, result, "Reading the key \"%s\"", given);
    for (size_t i = 0; !result && i < units.len; i++)
        if (units.units[i] < 0x20 || units.units[i] == 0x7f)
            result = error_set(err, RESULT_USAGE,
                               "The key \"%s\" holds a control character (U+%04X): the shell may "
                               "have turned a backslash and a letter into one. Put it between "
                               "single quotes.",
                               given, (unsigned)units.units[i]);
    free((void *)units.units);
    return result;
}

/* The remaining rules, on the text as it was given. */
static int check_given(const char *given, struct error *err)
{
    bool separated = strchr(given, '\\');
    const char *slash = strchr(given, '/');

    if (!given[strspn(given, " \t")])
        return error_set(err, RESULT_USAGE, "The name of the key is empty. Name a key below "
                         "HKEY_LOCAL_MACHINE: 'Software\\Vendor\\App'.");
    /* A slash may be part of a key's name, but not of one of HKLM's own children. */
    if (slash && slash < given + component_len(given))
        return error_set(err, RESULT_USAGE,
                         "The key \"%s\" is written with slashes. The registry separates keys by "
                         "backslashes: 'Software\\Vendor\\App', between single quotes.", given);
    if (!separated && lost_backslashes(given))
        return error_set(err, RESULT_USAGE,
                         "The key \"%s\" has no backslash: the shell has eaten them. Put the key "
                         "between single quotes: 'Software\\Vendor\\App'.", given);
    return RESULT_OK;
}

char *keyname_clean(const char *given, struct error *err)
{
    const char *path = given;
    char *out, *to;

    if (check_given(given, err) || strip_root(given, &path, err))
        return NULL;
    if (!(out = to = malloc(strlen(path) + 1))) {
        error_system(err, ENOMEM, "Reading the key \"%s\"", given);
        return NULL;
    }
    while (*path) {
        size_t len = component_len(path);

        if (len && check_component(path, len, given, err)) {
            free(out);
            return NULL;
        }
        if (len && to > out)
            *to++ = '\\';
        memcpy(to, path, len);
        to += len;
        path = after_component(path);
    }
    *to = 0;
    return out;
}

/* Where Software\Wow6432Node\REST is: its Classes is a link, and three of those are links back. */
static char *physical_node32(const char *software, size_t software_len, const char *node,
                             const char *rest)
{
    static const char *const shared[] = {"AppId", "Protocols", "TypeLib"};
    int len = (int)software_len, node_len = (int)component_len(node);
    const char *below;

    if (!component_is(rest, "Classes"))
        return text_of("%.*s\\%.*s%s%s", len, software, node_len, node, *rest ? "\\" : "", rest);
    below = after_component(rest);
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
        if (component_is(below, shared[i]))
            return text_of("%.*s\\Classes\\%s", len, software, below);
    return text_of("%.*s\\Classes\\" NODE32 "%s%s", len, software, *below ? "\\" : "", below);
}

char *keyname_physical(const char *path, enum view view)
{
    const char *rest = after_component(path), *below;

    if (!component_is(path, "Software"))
        return strdup(path);
    if (component_is(rest, NODE32)) /* named outright: the same in both views */
        return physical_node32(path, component_len(path), rest, after_component(rest));
    if (view == VIEW_32)
        return physical_node32(path, component_len(path), NODE32, rest);
    below = after_component(rest);
    if (component_is(rest, "Classes") && component_is(below, NODE32)) {
        char *classes = text_of("Classes\\%s", after_component(below)), *physical = NULL;
        if (classes) {
            if (!*after_component(below))
                classes[strlen("Classes")] = 0;
            physical = physical_node32(path, component_len(path), NODE32, classes);
        }
        free(classes);
        return physical;
    }
    return strdup(path);
}

bool keyname_is_shared_class(const char *path)
{
    static const char *const split[] = {"CLSID", "DirectShow", "Interface", "Media Type",
                                        "MediaFoundation", NODE32};
    const char *classes = after_component(path), *rest;

    if (!component_is(path, "Software") || !component_is(classes, "Classes"))
        return false;
    rest = after_component(classes);
    for (size_t i = 0; i < sizeof(split) / sizeof(split[0]); i++)
        if (component_is(rest, split[i]))
            return false;
    return *rest;
}

int keyname_view(const char *text, int auto_view, enum view *out, struct error *err)
{
    bool automatic = !strcmp(text, "auto");

    if (!automatic && strcmp(text, "64") && strcmp(text, "32"))
        return error_set(err, RESULT_USAGE, "The view \"%s\" is not known. Accepted are 64, 32 and "
                         "auto (the bitness of the program).", text);
    if (automatic && auto_view != VIEW_64 && auto_view != VIEW_32)
        return error_set(err, RESULT_USAGE,
                         "Whether the program is a 64-bit or a 32-bit one could not be found out, "
                         "so the view cannot be chosen. Name it: --view 64 or --view 32.");
    *out = automatic ? (enum view)auto_view : text[0] == '6' ? VIEW_64 : VIEW_32;
    return RESULT_OK;
}
