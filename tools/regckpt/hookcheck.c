/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dlls/regckpt/hook.h"
#include "hookcheck.h"
#include "ring.h"

#define HOST_MS 30000

/* What a program of the width is hooked with, and a program of Wine that every prefix has. */
static const struct width {
    unsigned bits;
    const char *dll, *program;
} widths[] = {
    {64, HOOK_DLL64, "C:\\windows\\system32\\cmd.exe /c exit"},
    {32, HOOK_DLL32, "C:\\windows\\syswow64\\cmd.exe /c exit"},
};

/* A hook directory (hook.h) for one try. */
struct trial {
    const struct width *width;
    char path[PATH_MAX], ring_path[PATH_MAX + 16], link_path[PATH_MAX + 32];
    struct ring ring;
    struct hostlink host;
};

int hookcheck_installed(const char *resource, unsigned prefix_bits, struct error *err)
{
    struct error why;
    char *dll = settings_find_program(prefix_bits == 32 ? HOOK_DLL32 : HOOK_DLL64, &why);

    free(dll);
    return dll ? RESULT_OK
               : error_set(err, RESULT_UNPROTECTED,
                           "%s has lag 0, which needs the hook in the program's processes: %s "
                           "Install it, or set a lag: regckpt set %s --lag %d.",
                           resource, why.text, resource, DEFAULT_LAG_MS);
}

/* The directory with a ring in it and a link to the DLL, for the prefix's user. */
static int make_trial(struct trial *t, const char *dir, const struct wine_place *place,
                      struct error *err)
{
    struct ring_options options = {.lane_count = 1, .uid = place->uid, .gid = place->gid};
    char *dll = settings_find_program(t->width->dll, err);
    int result = dll ? RESULT_OK : RESULT_UNPROTECTED;

    snprintf(t->path, sizeof(t->path), "%s/hook.XXXXXX", dir);
    if (!result && !mkdtemp(t->path)) {
        result = error_system(err, errno, "Making the directory %s", t->path);
    } else if (!result) {
        snprintf(t->ring_path, sizeof(t->ring_path), "%s/" HOOK_RING, t->path);
        snprintf(t->link_path, sizeof(t->link_path), "%s/%s", t->path, t->width->dll);
        if (chown(t->path, place->uid, place->gid) || symlink(dll, t->link_path))
            result = error_system(err, errno, "Making the link %s", t->link_path);
        else
            result = ring_create(t->ring_path, &options, &t->ring, err);
    }
    free(dll);
    return result;
}

/* Takes away what there is of it. */
static void end_trial(struct trial *t)
{
    if (t->ring.shared)
        ring_close(&t->ring);
    if (*t->ring_path) {
        unlink(t->ring_path);
        unlink(t->link_path);
        rmdir(t->path);
    }
}

/* The host starts the program suspended; when the host ends, so does the program. */
static int start_hooked(struct trial *t, const struct wineside *w, const char *dir,
                        struct error *err)
{
    int none = open("/dev/null", O_RDONLY | O_CLOEXEC), result; /* in place of the lock */
    char *why_not = NULL;
    /* in a prefix of 32 bits there is one width, whose directory is the other's */
    const char *program = widths[w->place.bits == 64 && t->width->bits == 32].program;

    if (none < 0)
        return error_system(err, errno, "Opening /dev/null");
    if (!(result = hostlink_start(&t->host, &w->place, dir, w->log_fd, HOST_MS, err))) {
        result = hostlink_start_program(&t->host, program, "", t->path, none, 0, &why_not, err);
        if (!result && *why_not)
            result = error_set(err, RESULT_UNPROTECTED, "%s", why_not);
        hostlink_close(&t->host);
    }
    free(why_not);
    close(none);
    return result;
}

int hookcheck_try(const struct cli *cli, const char *resource, const struct wineside *w,
                  unsigned bits, struct error *err)
{
    struct trial t = {.width = &widths[bits == 32]};
    char *dir = NULL;
    int result = settings_make_resource_dir(&cli->settings, resource, &dir, err);

    if (!result && !(result = make_trial(&t, dir, &w->place, err)))
        result = start_hooked(&t, w, dir, err);
    end_trial(&t);
    free(dir);
    return result;
}
