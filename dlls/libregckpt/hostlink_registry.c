/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host is asked about the registry: the list of keys, loads, changes, the marker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostlink_private.h"

#define ASK_MS 10000
#define BATCH_BYTES (1u << 20)   /* of changes in one request */

int hostlink_keys(struct hostlink *link, const struct registered_key *keys, size_t count,
                  bool *exists, char **physical, struct error *err)
{
    struct message reply;
    struct unpack u;
    struct pack p;
    int error;

    pack_init(&p);
    pack_u32(&p, count);
    for (size_t i = 0; i < count; i++) {
        pack_u32(&p, keys[i].id);
        pack_u32(&p, keys[i].view);
        pack_text(&p, keys[i].path);
    }
    reply.payload = NULL;
    reply.fd = -1;
    error = hostlink_ask(link, HOST_KEYS, &p, -1, ASK_MS, &reply, &u, err);
    pack_free(&p);
    if (!error && unpack_u32(&u) != count)
        error = error_set(err, RESULT_INVALID, "regckpt-host lost count of the registered keys");
    for (size_t i = 0; i < count && !error; i++) {
        struct utf16 name;
        uint32_t id = unpack_u32(&u), there = unpack_u32(&u);

        name = unpack_utf16(&u);
        if (unpack_failed(&u) || id != keys[i].id)
            error = error_set(err, RESULT_INVALID, "regckpt-host mixed up the registered keys");
        if (exists)
            exists[i] = there;
        if (physical)
            physical[i] = utf16_to_utf8(name, false, NULL);
        free((void *)name.units);
    }
    message_free(&reply);
    return error;
}

int hostlink_arm(struct hostlink *link, uint32_t key_id, bool *exists, struct error *err)
{
    struct message reply = {.fd = -1};
    struct unpack u;
    struct pack p;
    int error;

    pack_init(&p);
    pack_u32(&p, key_id);
    error = hostlink_ask(link, HOST_ARM, &p, -1, ASK_MS, &reply, &u, err);
    pack_free(&p);
    if (!error) {
        bool there = unpack_u32(&u);

        if (unpack_failed(&u))
            error = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
        else if (exists)
            *exists = there;
    }
    message_free(&reply); /* a refusal is a reply too */
    return error;
}

int hostlink_load(struct hostlink *link, uint32_t key_id, const struct image *image,
                  struct error *err)
{
    int fd = hostlink_memory_file(err), copy = -1, error = 0;
    FILE *out = NULL;
    struct pack p;

    if (fd < 0)
        return EIO;
    if ((copy = dup(fd)) < 0 || !(out = fdopen(copy, "w"))) {
        error = error_system(err, errno, "cannot write the registry text of a load");
        if (copy >= 0)
            close(copy);
    } else {
        error = winereg_write(image, out);
        if (fclose(out) && !error)
            error = errno;
        if (error)
            error_system(err, error, "cannot write the registry text of a load");
        lseek(fd, 0, SEEK_SET);
    }
    if (!error) {
        pack_init(&p);
        pack_u32(&p, key_id);
        error = hostlink_ask(link, HOST_LOAD, &p, fd, HOSTLINK_BULK_MS, NULL, NULL, err);
        pack_free(&p);
    }
    close(fd);
    return error;
}

/* Changes on their way to the host. */
struct batch {
    struct hostlink *link;
    struct pack changes;
    uint32_t count;
    uint64_t applied;
    struct error *err;
};

/* What a change would have done, for a message. */
static void describe(const struct batch *b, uint32_t failed, char *text, size_t room)
{
    static const char *const verbs[] = {"?", "making key", "deleting key", "setting", "deleting"};
    struct unpack u;
    struct change c;

    *text = 0;
    unpack_init(&u, b->changes.bytes, b->changes.len);
    for (uint32_t i = 0; i <= failed && i < b->count; i++) {
        unpack_change(&u, &c);
        if (!unpack_failed(&u) && i == failed) {
            char *path = utf16_for_display(c.path), *name = utf16_for_display(c.name);
            bool value = c.kind == CHANGE_SET_VALUE || c.kind == CHANGE_DELETE_VALUE;
            snprintf(text, room, "%s '%s'%s%s%s", verbs[c.kind <= 4 ? c.kind : 0], path ? path : "?",
                     value ? " value '" : "", value ? (name ? name : "?") : "", value ? "'" : "");
            free(path);
            free(name);
        }
        change_free(&c);
    }
}

static int send_batch(struct batch *b)
{
    struct message reply;
    struct unpack u;
    struct pack p;
    char text[512];
    int error;

    if (!b->count)
        return 0;
    pack_init(&p);
    pack_u32(&p, b->count);
    pack_raw(&p, b->changes.bytes, b->changes.len);
    if (b->changes.failed)
        p.failed = true;
    reply.payload = NULL;
    reply.fd = -1;
    error = hostlink_ask(b->link, HOST_APPLY, &p, -1, HOSTLINK_BULK_MS, &reply, &u, b->err);
    if (error == RESULT_WINE && b->link->sock >= 0) {
        describe(b, unpack_u32(&u), text, sizeof(text));
        error_prefix(b->err, "%s", text);
    }
    message_free(&reply);
    pack_free(&p);
    b->applied += b->count;
    b->count = 0;
    pack_reset(&b->changes);
    return error;
}

static int add_to_batch(const struct change *change, void *arg)
{
    struct batch *b = arg;

    pack_change(&b->changes, change);
    b->count++;
    return b->changes.len >= BATCH_BYTES || b->changes.failed ? send_batch(b) : 0;
}

int hostlink_apply_diff(struct hostlink *link, uint32_t key_id, const struct image *from,
                        const struct image *to, uint64_t *applied, struct error *err)
{
    struct error own;
    struct batch b = {.link = link, .err = err ? err : &own};
    int error;

    memset(b.err, 0, sizeof(*b.err));
    pack_init(&b.changes);
    error = image_diff(from, to, key_id, add_to_batch, &b);
    if (!error)
        error = send_batch(&b);
    else if (!b.err->code)
        error_system(b.err, error, "comparing the registry with the checkpoint");
    pack_free(&b.changes);
    if (applied)
        *applied += b.applied;
    return error;
}

int hostlink_report(struct hostlink *link, enum host_report what, const char *ring, bool *can,
                    struct error *err)
{
    struct message reply = {.fd = -1};
    struct unpack u;
    struct pack p;
    int error;

    pack_init(&p);
    pack_u32(&p, what);
    pack_text(&p, ring);
    error = hostlink_ask(link, HOST_REPORT, &p, -1, ASK_MS, &reply, &u, err);
    pack_free(&p);
    if (!error) {
        *can = unpack_u32(&u);
        if (unpack_failed(&u))
            error = error_set(err, RESULT_INVALID, "regckpt-host sent a reply that cannot be read");
        else if (!*can && what != REPORT_ASK)
            error = error_set(err, RESULT_WINE, "this wineserver does not report changes");
    }
    message_free(&reply); /* a refusal is a reply too */
    return error;
}

int hostlink_marker(struct hostlink *link, const char *resource, uint64_t epoch, struct error *err)
{
    struct pack p;
    int error;

    pack_init(&p);
    pack_text(&p, resource);
    pack_u64(&p, epoch);
    error = hostlink_ask(link, HOST_MARKER, &p, -1, ASK_MS, NULL, NULL, err);
    pack_free(&p);
    return error;
}
