/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prefix_processes.h"
#include "query.h"
#include "winetree.h"

#define STAMP "regckpt-wineserver" /* server_patch/build knows it too */
#define ASK_MS 10000
#define REPLACED " (deleted)" /* as the kernel says it of a program whose file is gone */

/* The tree is three names above the loader: TREE/lib/wine/wine64. */
static bool tree_of(const char *loader, char tree[PATH_MAX])
{
    char *slash;

    if (snprintf(tree, PATH_MAX, "%s", loader) >= PATH_MAX)
        return false;
    for (int i = 0; i < 3; i++) {
        if (!(slash = strrchr(tree, '/')))
            return false;
        *slash = 0;
    }
    return true;
}

/* The first line of a tree's stamp is "Wine VERSION". */
static bool made_for(const char *tree, char version[128])
{
    char path[PATH_MAX + 32];
    bool found;
    FILE *file;

    snprintf(path, sizeof(path), "%s/" STAMP, tree);
    if (!(file = fopen(path, "re")))
        return false;
    found = fscanf(file, "Wine %127s", version) == 1;
    fclose(file);
    return found;
}

enum winetree winetree_look(const char *loader, struct error *text)
{
    static const char *const ask[] = {"dpkg-query", "-W", "-f", "${source:Version}\n", "libwine", NULL};
    char tree[PATH_MAX], version[128], *answer = NULL, *installed = NULL;
    enum winetree found;

    if (!tree_of(loader, tree) || !made_for(tree, version))
        return WINETREE_NONE;
    /* a line each architecture, all of one version */
    if (!query_program(ask, ASK_MS, &answer))
        installed = strtok(answer, "\n");
    if (!installed) {
        error_set(text, 0, "%s: made for Debian's Wine %s; whether that is installed is not known", tree,
                  version);
        found = WINETREE_UNKNOWN;
    } else if (strcmp(version, installed)) {
        error_set(text, 0,
                  "%s: made for Wine %s, but %s is installed, which may not work with its wineserver. "
                  "Make it again: server_patch/build %s, or install the package regckpt-wineserver for "
                  "that Wine. Without it: regckpt set NAME --wine ''",
                  tree, version, installed, tree);
        found = WINETREE_STALE;
    } else {
        error_set(text, 0, "%s: made for Wine %s, which is installed", tree, version);
        found = WINETREE_FITS;
    }
    free(answer);
    return found;
}

/* The program of a process: a path, as the kernel says it. */
static bool program_of(int pid, char exe[PATH_MAX])
{
    char link[40];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/%d/exe", pid);
    if ((len = readlink(link, exe, PATH_MAX - 1)) <= 0)
        return false;
    exe[len] = 0;
    return true;
}

/* Takes off what is said of a replaced file. */
static bool take_replaced(char *exe)
{
    size_t len = strlen(exe), mark = strlen(REPLACED);

    if (len < mark || strcmp(exe + len - mark, REPLACED))
        return false;
    exe[len - mark] = 0;
    return true;
}

bool winetree_serves(const struct wine_place *place, struct error *text)
{
    char tree[PATH_MAX], version[128], real[PATH_MAX], exe[PATH_MAX];
    int pid = wineserver_pid(place);
    bool replaced;
    size_t len;

    if (!pid || !tree_of(place->wine, tree) || !made_for(tree, version) || !realpath(tree, real) ||
        !program_of(pid, exe))
        return true;
    replaced = take_replaced(exe);
    len = strlen(real);
    if (!replaced && !strncmp(exe, real, len) && exe[len] == '/')
        return true;
    error_set(text, 0,
              "the prefix runs with %s%s (process %d), not with what is in %s now. That one is used "
              "once all that runs in the prefix has ended: take its resources offline, then "
              "WINEPREFIX=%s %s/lib/wine/wineserver -k", exe,
              replaced ? ", which has been replaced or removed since" : "", pid, tree, place->prefix, tree);
    return false;
}

bool winetree_trouble(const struct wine_place *place, struct error *text)
{
    return winetree_look(place->wine, text) == WINETREE_STALE || !winetree_serves(place, text);
}
