/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host is asked about the program or service, and wrapping: regckpt-host in front of a
 * service's program, by its ImagePath (tools/host/host_args.c has the other end).
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostlink.h"
#include "store.h"

#define ASK_MS 10000
#define START_MS 30000 /* CreateProcess and the hook, by a prefix under load */
#define SERVICE_NO_CHANGE 0xffffffffu
#define SERVICE_AUTO_START 2u
#define SERVICE_DEMAND_START 3u

int hostlink_query_program(struct hostlink *link, const struct resource *resource,
                           struct program_facts *out, struct error *err)
{
    bool service = resource->kind == RESOURCE_SERVICE;
    struct message reply = {.fd = -1};
    struct unpack u;
    struct pack p;
    int error;

    memset(out, 0, sizeof(*out));
    pack_init(&p);
    pack_u32(&p, service ? HOST_SERVICE : HOST_APPLICATION);
    pack_text(&p, service ? resource->service : resource->command);
    error = hostlink_ask(link, HOST_QUERY_PROGRAM, &p, -1, ASK_MS, &reply, &u, err);
    pack_free(&p);
    if (!error) {
        out->bits = unpack_u32(&u);
        out->exists = unpack_u32(&u);
        out->image_path = unpack_text(&u);
        out->start_type = unpack_u32(&u);
        out->state = unpack_u32(&u);
        out->wrapped = unpack_u32(&u);
        if (unpack_failed(&u)) {
            program_facts_free(out);
            error = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
        }
    }
    message_free(&reply);
    return error;
}

void program_facts_free(struct program_facts *f)
{
    free(f->image_path);
    f->image_path = NULL;
}

int hostlink_runs_32bit(struct hostlink *link, const struct wine_place *place, bool *runs,
                        struct error *err)
{
    struct message reply = {.fd = -1};
    struct unpack u;
    int error;

    *runs = place->bits == 32 || wine_place_has_32bit(place);
    if (*runs)
        return 0;
    error = hostlink_ask(link, HOST_TRY_32BIT, NULL, -1, START_MS, &reply, &u, err);
    if (!error) {
        *runs = unpack_u32(&u);
        if (unpack_failed(&u))
            error = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
    }
    message_free(&reply);
    return error;
}

int hostlink_start_program(struct hostlink *link, const char *command, const char *directory,
                           const char *hook_dir, int lock_fd, uint32_t flags, char **why_not,
                           struct error *err)
{
    struct message reply = {.fd = -1};
    struct unpack u;
    struct pack p;
    int error;

    *why_not = NULL;
    pack_init(&p);
    pack_text(&p, command);
    pack_text(&p, directory);
    pack_text(&p, hook_dir);
    pack_u32(&p, flags);
    error = hostlink_ask(link, HOST_START, &p, lock_fd, START_MS, &reply, &u, err);
    pack_free(&p);
    if (!error) {
        unpack_u32(&u); /* its Windows pid */
        if (!(*why_not = unpack_text(&u)))
            error = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
    }
    message_free(&reply); /* a refusal is a reply too */
    return error;
}

int hostlink_prepare_regedit(struct hostlink *link, const char *key, const char *title,
                             struct error *err)
{
    struct pack p;
    int error;

    pack_init(&p);
    pack_text(&p, key);
    pack_text(&p, title);
    error = hostlink_ask(link, HOST_PREPARE_REGEDIT, &p, -1, ASK_MS, NULL, NULL, err);
    pack_free(&p);
    return error;
}

int hostlink_resume(struct hostlink *link, struct error *err)
{
    return hostlink_ask(link, HOST_RESUME, NULL, -1, ASK_MS, NULL, NULL, err);
}

/* The command line behind " -- " of a wrapped image path, and the start type that was there. */
static const char *wrapped_command(const char *image_path, uint32_t *start_type)
{
    const char *separator = strstr(image_path, " -- "), *start = strstr(image_path, " --start ");

    *start_type = SERVICE_NO_CHANGE;
    if (start && separator && start < separator)
        *start_type = strtoul(start + strlen(" --start "), NULL, 10);
    return separator ? separator + strlen(" -- ") : image_path;
}

static int configure(struct hostlink *link, const char *service, const char *image_path,
                     uint32_t start_type, struct error *err)
{
    struct pack p;
    int error;

    pack_init(&p);
    pack_text(&p, service);
    pack_text(&p, image_path);
    pack_u32(&p, start_type);
    error = hostlink_ask(link, HOST_CONFIGURE_SERVICE, &p, -1, ASK_MS, NULL, NULL, err);
    pack_free(&p);
    return error;
}

/* A Unix path as services.exe can start it: Z: is the root in every prefix Wine makes. */
static void dos_path(const char *unix_path, char *out, size_t room)
{
    snprintf(out, room, "Z:%s", unix_path);
    for (; *out; out++)
        if (*out == '/')
            *out = '\\';
}

/* The image path that puts the host in front; 0, or an error where a path cannot be quoted. */
static int wrapped_image_path(const struct resource *resource, const char *name,
                              const struct settings *settings, uint32_t bits, uint32_t start_type,
                              const char *command, char *out, size_t room, struct error *err)
{
    char host_dos[PATH_MAX + 2];
    char *host = settings_find_program(bits == 32 ? "regckpt-host32.exe.so" : "regckpt-host.exe.so", err);
    char *monitor = host ? settings_find_program("regckpt-monitor", err) : NULL;
    char *dir = settings_resource_dir(settings, name);
    int error = host && monitor ? dir ? 0 : ENOMEM : RESULT_UNPROTECTED;

    if (!error) {
        dos_path(host, host_dos, sizeof(host_dos));
        if (strchr(settings->store, '"') || strchr(dir, '"') || strchr(monitor, '"'))
            error = error_set(err, RESULT_USAGE, "the path of the store, the run directory or the "
                              "programs holds a quotation mark, which a service's ImagePath cannot");
        else if (snprintf(out, room, "\"%s\" --service \"%s\" --resource %s --store \"%s\" --dir \"%s\" "
                          "--monitor \"%s\" --conf \"%s\" --start %u -- %s", host_dos,
                          resource->service, name, settings->store, dir, monitor, settings->conf,
                          start_type, command) >= (int)room)
            error = error_set(err, RESULT_USAGE, "the service's command line gets too long with "
                              "regckpt-host in front of it");
    }
    free(dir);
    free(monitor);
    free(host);
    return error;
}

static int require_service(const struct resource *resource, const struct program_facts *facts,
                           struct error *err)
{
    if (resource->kind != RESOURCE_SERVICE)
        return error_set(err, RESULT_USAGE, "the resource is an application, not a service: nothing "
                         "has to be wrapped");
    if (!facts->exists)
        return error_set(err, RESULT_NOT_FOUND,
                         "the service '%s' is not installed in this prefix: install it here as on the "
                         "other nodes (its setup program, or 'sc create')", resource->service);
    return 0;
}

int hostlink_wrap(struct hostlink *link, const struct resource *resource, const char *name,
                  const struct settings *settings, bool autostart, bool *changed, struct error *err)
{
    char image_path[3 * PATH_MAX];
    struct program_facts facts;
    const char *command;
    uint32_t start_type, new_start = autostart ? SERVICE_AUTO_START : SERVICE_DEMAND_START;
    int error;

    *changed = false;
    if ((error = hostlink_query_program(link, resource, &facts, err)))
        return error;
    error = require_service(resource, &facts, err);
    if (!error) {
        command = facts.wrapped ? wrapped_command(facts.image_path, &start_type) : facts.image_path;
        if (!facts.wrapped || start_type == SERVICE_NO_CHANGE)
            start_type = facts.start_type;
        error = wrapped_image_path(resource, name, settings, link->bits, start_type, command,
                                   image_path, sizeof(image_path), err);
    }
    if (!error && (strcmp(image_path, facts.image_path) || facts.start_type != new_start)) {
        error = configure(link, resource->service, image_path, new_start, err);
        *changed = !error;
    }
    program_facts_free(&facts);
    return error;
}

int hostlink_unwrap(struct hostlink *link, const struct resource *resource, bool *changed,
                    struct error *err)
{
    struct program_facts facts;
    const char *command;
    uint32_t start_type;
    int error;

    *changed = false;
    if ((error = hostlink_query_program(link, resource, &facts, err)))
        return error;
    error = require_service(resource, &facts, err);
    if (!error && facts.wrapped) {
        command = wrapped_command(facts.image_path, &start_type);
        error = configure(link, resource->service, command, start_type, err);
        *changed = !error;
    }
    program_facts_free(&facts);
    return error;
}
