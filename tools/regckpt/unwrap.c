/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "unwrap.h"

int unwrap_service(const struct cli *cli, struct wineside *wine, const struct resource *resource,
                   bool *changed, struct error *err)
{
    int result = hostlink_unwrap(&wine->link, resource, changed, err);

    return result ? result
                  : wrapped_forget(&cli->settings, wine->place.prefix, resource->service, err);
}

/* Is there no prefix any more, as far as can be seen from here? */
static bool is_gone(const char *prefix)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/system.reg", prefix);
    if (!access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR))
        return false;
    snprintf(path, sizeof(path), "%s/drive_c", prefix);
    return access(path, F_OK) && (errno == ENOENT || errno == ENOTDIR);
}

/* A note whose prefix is not there: deleted, or its file system is not mounted; only the caller knows. */
static int unwrap_gone(const struct cli *cli, const struct unwrap_all *how, const struct wrapped *w,
                       const char **what, struct error *err)
{
    *what = "forgotten";
    if (how->gone)
        return wrapped_forget(&cli->settings, w->resource.prefix, w->resource.service, err);
    return error_set(err, RESULT_NOT_FOUND,
                     "The prefix %s of the service \"%s\" is not there. Mount its file system and try "
                     "again; if it was deleted, \"regckpt unwrap --all --gone\" forgets it.",
                     w->resource.prefix, w->resource.service);
}

/* A service that was deleted is as good as unwrapped. */
static int unwrap_in(const struct cli *cli, struct wineside *wine, const struct wrapped *w,
                     const char **what, struct error *err)
{
    struct program_facts facts = {0};
    bool changed;
    int result = hostlink_query_program(&wine->link, &w->resource, &facts, err);

    if (result)
        return result;
    if (!facts.exists || !facts.wrapped) {
        *what = facts.exists ? "was without it already" : "is not installed any more";
        result = wrapped_forget(&cli->settings, wine->place.prefix, w->resource.service, err);
    } else {
        *what = "unwrapped";
        result = unwrap_service(cli, wine, &w->resource, &changed, err);
    }
    program_facts_free(&facts);
    return result;
}

/* One service; its resource may be in another store, or in none that can be reached. */
static int unwrap_one(const struct cli *cli, const struct unwrap_all *how, struct wrapped *w,
                      struct progress *p, const char **what, struct error *err)
{
    struct cli there = *cli; /* with the note's store, which names the run directory */
    struct wineside wine;
    int sock, result;

    there.settings.store = w->store;
    if (is_gone(w->resource.prefix))
        return unwrap_gone(cli, how, w, what, err);
    if ((sock = ctl_connect(&there, w->name, err)) >= 0) {
        close(sock);
        return error_set(err, RESULT_OWNED, "%s is online on this node. Take it offline first: regckpt "
                         "offline %s --store %s.", w->name, w->name, w->store);
    }
    if (err->code || (result = wineside_open(&there, w->name, &w->resource, NULL, p, &wine, err)))
        return err->code;
    result = unwrap_in(cli, &wine, w, what, err);
    wineside_close(&wine);
    return result;
}

/* What became of one, or would have to be done. */
static void tell(const struct wrapped *w, const char *what, const struct error *err, struct json *j)
{
    if (j) {
        json_open_object(j, NULL);
        json_text(j, "service", w->resource.service);
        json_text(j, "prefix", w->resource.prefix);
        json_text(j, "resource", w->name);
        json_text(j, "store", w->store);
        json_number(j, "bits", w->bits);
        json_text(j, "what", err->code ? "failed" : what);
        if (err->code)
            json_text(j, "error", err->text);
        json_close_object(j);
    } else if (!err->code) {
        printf("The service \"%s\" in the prefix %s (resource %s): %s.\n", w->resource.service,
               w->resource.prefix, w->name, what);
    }
    if (err->code)
        fprintf(stderr, "regckpt unwrap: %s\n", err->text);
}

int unwrap_all(const struct cli *cli, const struct unwrap_all *how)
{
    struct json writer, *j = cli->json ? &writer : NULL;
    struct error err = {0};
    struct wrapped *list;
    struct progress p;
    size_t count;
    int code = 0;

    if (wrapped_list(&cli->settings, &list, &count, &err))
        return cli_fail(cli, &err);
    progress_begin(&p, cli->json);
    if (j) {
        json_begin(j, stdout);
        json_open_object(j, NULL);
        json_open_array(j, "services");
    } else if (!count) {
        printf("No service on this node is known to be behind regckpt-host.\n");
    }
    for (size_t i = 0; i < count; i++) {
        const char *what = is_gone(list[i].resource.prefix) ? "wrapped; its prefix is not there"
                                                            : "wrapped";

        err = (struct error){0};
        if (how->dry_run)
            code = 1;
        else if (unwrap_one(cli, how, &list[i], &p, &what, &err) && code < result_exit_code(err.code))
            code = result_exit_code(err.code);
        tell(&list[i], what, &err, j);
    }
    if (j) {
        json_close_array(j);
        json_close_object(j);
        json_end(j);
    }
    wrapped_free(list, count);
    return code;
}
