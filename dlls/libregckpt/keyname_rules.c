/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be registered: keys that overlap, keys that everybody shares, keys that do not exist.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keyname.h"

/* Keys that everybody shares, by logical path; each counts in both views. */
static const char *const broad_keys[] = {
    "Software",
    "System",
    "Hardware",
    "SAM",
    "Security",
    "Software\\Classes",
    "Software\\Classes\\AppId",
    "Software\\Classes\\CLSID",
    "Software\\Classes\\Interface",
    "Software\\Classes\\TypeLib",
    "Software\\Microsoft",
    "Software\\Microsoft\\Windows",
    "Software\\Microsoft\\Windows\\CurrentVersion",
    "Software\\Microsoft\\Windows NT",
    "Software\\Microsoft\\Windows NT\\CurrentVersion",
    "Software\\Policies",
    "Software\\Wine",
    "Software\\Wow6432Node",
    "System\\ControlSet001",
    "System\\ControlSet001\\Control",
    "System\\ControlSet001\\Enum",
    "System\\ControlSet001\\Hardware Profiles",
    "System\\ControlSet001\\Services",
    "System\\CurrentControlSet",
    "System\\CurrentControlSet\\Control",
    "System\\CurrentControlSet\\Enum",
    "System\\CurrentControlSet\\Hardware Profiles",
    "System\\CurrentControlSet\\Services",
};

/* How two physical paths lie to each other, ignoring case; -1: no memory (or no UTF-8). */
static int path_relation(const char *a, const char *b)
{
    struct utf16 left = {0}, right = {0};
    int relation = KEYS_APART;

    if (utf16_from_utf8(a, strlen(a), &left) || utf16_from_utf8(b, strlen(b), &right)) {
        relation = -1;
    } else {
        size_t common = left.len < right.len ? left.len : right.len;
        struct utf16 x = {left.units, common}, y = {right.units, common};

        if (!utf16_compare_nocase(x, y)) {
            if (left.len == right.len)
                relation = KEYS_SAME;
            else if (left.len < right.len && right.units[common] == '\\')
                relation = KEY_ABOVE;
            else if (left.len > right.len && left.units[common] == '\\')
                relation = KEY_BELOW;
        }
    }
    free((void *)left.units);
    free((void *)right.units);
    return relation;
}

int keyname_relation(const struct registered_key *a, const struct registered_key *b)
{
    char *left = keyname_physical(a->path, a->view), *right = keyname_physical(b->path, b->view);
    int relation = left && right ? path_relation(left, right) : -1;

    free(left);
    free(right);
    return relation;
}

bool keyname_is_broad(const char *path, enum view view)
{
    struct registered_key key = {.view = view, .path = (char *)path};

    for (size_t i = 0; i < sizeof(broad_keys) / sizeof(broad_keys[0]); i++) {
        struct registered_key broad = {.view = VIEW_64, .path = (char *)broad_keys[i]};

        if (keyname_relation(&key, &broad) == KEYS_SAME)
            return true;
        broad.view = VIEW_32;
        if (keyname_relation(&key, &broad) == KEYS_SAME)
            return true;
    }
    return false;
}

/* The message of two keys of which one holds the other. */
static int overlap_error(const struct registered_key *key, const struct registered_key *other,
                         int relation, const char *whose, struct error *err)
{
    bool holds = relation == KEY_ABOVE;

    return error_set(
        err, RESULT_USAGE,
        "The key \"%s\" (%d-bit view) %s the key \"%s\" (%d-bit view), which is registered"
        "%s already. One key may not lie in another: %s.",
        key->path, key->view, holds ? "holds" : "lies in", other->path, other->view, whose,
        holds ? "remove the lower one first (regckpt remove)" : "it follows with the other one");
}

/* The message of a key that is there already, perhaps by another name. */
static int same_error(const struct registered_key *key, const struct registered_key *other,
                      const char *whose, struct error *err)
{
    if (key->view == other->view && !strcasecmp(key->path, other->path))
        return error_set(err, RESULT_EXISTS,
                         "The key \"%s\" (%d-bit view) is registered%s already.", key->path,
                         key->view, whose);
    return error_set(err, RESULT_EXISTS,
                     "The key \"%s\" (%d-bit view) is registered%s already: it is the same key as "
                     "\"%s\" in the %d-bit view.", key->path, key->view, whose, other->path,
                     other->view);
}

int keyname_check(const struct registered_key *key, const struct registered_key *others,
                  size_t count, const char *owner, struct error *err)
{
    char whose[RESOURCE_NAME_MAX + 16] = "";

    if (owner)
        snprintf(whose, sizeof(whose), " for %s", owner);
    if (!(key->flags & KEY_BROAD) && keyname_is_broad(key->path, key->view))
        return error_set(err, RESULT_USAGE,
                         "The key \"%s\" is shared by Windows and by every program: putting it "
                         "back would take changes of others with it. Name the program's own key "
                         "below it, or insist with --broad.",
                         key->path);
    for (size_t i = 0; i < count; i++) {
        int relation = keyname_relation(key, &others[i]);

        if (relation < 0)
            return error_system(err, ENOMEM, "Comparing the key \"%s\" with the others", key->path);
        if (relation == KEYS_SAME)
            return same_error(key, &others[i], whose, err);
        if (relation != KEYS_APART)
            return overlap_error(key, &others[i], relation, whose, err);
    }
    return RESULT_OK;
}

/* Cuts the last component off; false: there was only one. */
static bool cut_last(char *path)
{
    char *last = strrchr(path, '\\');

    if (last)
        *last = 0;
    return last != NULL;
}

/* The first component runs on where HKLM's child should end: "SoftwareVendor\App". */
static bool runs_on(const char *path)
{
    static const char *const names[] = {"Software", "System"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strncasecmp(path, names[i], strlen(names[i])) && path[strlen(names[i])] != '\\' &&
            path[strlen(names[i])])
            return true;
    return false;
}

char *keyname_guess(const char *path, enum view view,
                    bool (*exists)(const char *path, enum view view, void *arg), void *arg)
{
    enum view other = view == VIEW_64 ? VIEW_32 : VIEW_64;
    char *parent = NULL, *guess = NULL;

    if (exists(path, other, arg)) {
        if (asprintf(&guess, "It exists in the %d-bit view: add --view %d.", other, other) < 0)
            guess = NULL;
        return guess;
    }
    if (runs_on(path))
        return strdup("A backslash seems to be missing in it: put the key between single quotes, "
                      "so that the shell leaves them alone.");
    if (!(parent = strdup(path)))
        return NULL;
    while (cut_last(parent) && !exists(parent, view, arg))
        ;
    if (exists(parent, view, arg)) {
        if (asprintf(&guess, "\"%s\" exists, but has no \"%.*s\" below it.", parent,
                     (int)strcspn(path + strlen(parent) + 1, "\\"), path + strlen(parent) + 1) < 0)
            guess = NULL;
    } else {
        guess = strdup("Not even its first component exists.");
    }
    free(parent);
    return guess;
}

bool keyname_is_service(const char *path)
{
    static const char *const sets[] = {"System\\CurrentControlSet\\Services\\",
                                       "System\\ControlSet001\\Services\\"};

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        if (!strncasecmp(path, sets[i], strlen(sets[i])))
            return path[strlen(sets[i])] && !strchr(path + strlen(sets[i]), '\\');
    return false;
}
