/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wineside.h"

#define BOOT_MS 120000 /* a young prefix, on a slow disk */
#define AGENT_MS 30000

/* The log of the resource on this node, where Wine's own messages go too. */
static int open_log(const char *dir, struct error *err)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/log", dir);
    if ((fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        error_system(err, errno, "Opening the log %s", path);
    return fd;
}

int wineside_open(const struct cli *cli, const char *name, const struct resource *resource,
                  const char *prefix, struct progress *p, struct wineside *w, struct error *err)
{
    char *dir = NULL;
    int result;

    memset(w, 0, sizeof(*w));
    w->log_fd = -1;
    if ((result = wine_place_find(resource, prefix, &cli->settings, &w->place, err)))
        return result;
    if (p)
        progress_say(p, "Asking Wine in the prefix");
    result = settings_make_resource_dir(&cli->settings, name, &dir, err);
    if (!result && (w->log_fd = open_log(dir, err)) < 0)
        result = err->code;
    if (!result)
        result = wine_boot(&w->place, w->log_fd, BOOT_MS, err);
    if (p)
        progress_tick(p);
    if (!result)
        result = hostlink_start(&w->link, &w->place, dir, w->log_fd, AGENT_MS, err);
    w->linked = !result;
    free(dir);
    if (result)
        wineside_close(w);
    return result;
}

void wineside_close(struct wineside *w)
{
    if (w->linked)
        hostlink_close(&w->link);
    wine_place_free(&w->place);
    if (w->log_fd >= 0)
        close(w->log_fd);
    memset(w, 0, sizeof(*w));
    w->log_fd = -1;
}

int wineside_scan(struct wineside *w, const struct registered_key *key, const struct image *known,
                  struct image *image, struct error *err)
{
    struct exclude exclude = {0};
    int result = hostlink_scan(&w->link, key->id, false, image, NULL, err);

    if (result)
        return result;
    if (registered_key_effective_exclude(key, &exclude) || image_exclude(image, &exclude))
        result = error_system(err, ENOMEM, "Reading the key \"%s\"", key->path);
    else
        result = hostlink_settle_names(&w->link, key->id, known, &exclude, image, err);
    exclude_free(&exclude);
    return result;
}
