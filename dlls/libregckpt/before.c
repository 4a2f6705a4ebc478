/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file: the magic line, then packed: u64 epoch, u32 keys, for each u32 view, text path, u32 does it
 * exist, u64 changes, the changes that make it; at the end u64 the checksum of all before it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "before.h"
#include "checkpoint_record.h"
#include "store_private.h"

#define DIR_NAME "before"
#define CLOSED ".closed"
#define MAGIC "regckpt before 1\n"
#define SUM_BYTES 8

static uint64_t hash_text(uint64_t hash, const char *text)
{
    do /* with its NUL */
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    while (*text++);
    return hash;
}

/* How the names of a resource's files begin: it may have the name of one in another store. */
static int name_front(const struct settings *s, const char *name, char *room, size_t room_bytes)
{
    uint64_t hash = hash_text(hash_text(14695981039346656037u, s->store), s->node); /* FNV-1a */

    return snprintf(room, room_bytes, "%s.%08x.", name, (unsigned)(hash ^ hash >> 32));
}

/* The file's path, malloc'ed; NULL: no memory. */
static char *path_of(const struct settings *s, const char *name, const char *prefix,
                     const char *ending)
{
    char front[RESOURCE_NAME_MAX + 16], *real = realpath(prefix, NULL), *path;
    uint64_t hash = hash_text(14695981039346656037u, real ? real : prefix);

    free(real);
    name_front(s, name, front, sizeof(front));
    return asprintf(&path, "%s/" DIR_NAME "/%s%08x%s", s->state_dir, front,
                    (unsigned)(hash ^ hash >> 32), ending) < 0 ? NULL : path;
}

static int make_dir(const struct settings *s)
{
    char path[PATH_MAX];

    if (mkdir(s->state_dir, 0755) && errno != EEXIST)
        return errno;
    snprintf(path, sizeof(path), "%s/" DIR_NAME, s->state_dir);
    if (!mkdir(path, 01777))
        return chmod(path, 01777) ? errno : 0; /* whatever the umask is */
    return errno == EEXIST ? 0 : errno;
}

/* --- writing --- */

struct packing {
    struct pack *p;
    uint64_t count;
};

/* image_walk's call. */
static int pack_one(const struct change *change, void *arg)
{
    struct packing *packing = arg;

    pack_change(packing->p, change);
    packing->count++;
    return packing->p->failed ? ENOMEM : 0;
}

static int pack_key(struct pack *p, const struct registered_key *key, const struct image *image)
{
    struct packing packing = {.p = p};
    size_t at;
    int error;

    pack_u32(p, key->view);
    pack_text(p, key->path);
    pack_u32(p, image->root != NULL);
    at = p->len;
    pack_u64(p, 0);
    if ((error = image_walk(image, key->id, pack_one, &packing)) || p->failed)
        return error ? error : ENOMEM;
    for (int i = 0; i < 8; i++)
        p->bytes[at + i] = (uint8_t)(packing.count >> 8 * i);
    return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len) {
        ssize_t done = write(fd, bytes, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : ENOSPC;
        bytes += done;
        len -= (size_t)done;
    }
    return 0;
}

/* New, synced, renamed, the directory synced. */
static int write_file(const char *path, const struct pack *p)
{
    char *fresh;
    int fd, error = 0;

    if (asprintf(&fresh, "%s.new", path) < 0)
        return ENOMEM;
    unlink(fresh); /* of a monitor that died while it wrote */
    if ((fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        error = errno;
    } else {
        if (!(error = write_all(fd, p->bytes, p->len)) && fsync(fd))
            error = errno;
        close(fd);
        if (!error && rename(fresh, path))
            error = errno;
        if (error)
            unlink(fresh);
        else
            error = sync_parent(path);
    }
    free(fresh);
    return error;
}

int before_write(const struct settings *s, const char *name, const char *prefix, uint64_t epoch,
                 const struct registered_key *const *keys, const struct image *const *images,
                 size_t count, struct error *err)
{
    char *path = path_of(s, name, prefix, ""), *closed = path_of(s, name, prefix, CLOSED);
    struct pack p;
    int error = path && closed ? make_dir(s) : ENOMEM;

    pack_init(&p);
    pack_raw(&p, MAGIC, strlen(MAGIC));
    pack_u64(&p, epoch);
    pack_u32(&p, (uint32_t)count);
    for (size_t i = 0; !error && i < count; i++)
        error = pack_key(&p, keys[i], images[i]);
    if (!error && p.failed)
        error = ENOMEM;
    if (!error) {
        pack_u64(&p, record_checksum(NULL, 0, p.bytes, p.len));
        error = p.failed ? ENOMEM : write_file(path, &p);
    }
    if (!error)
        unlink(closed);
    if (error)
        error_system(err, error, "Keeping what the registry of %s holds in %s", prefix,
                     path ? path : s->state_dir);
    pack_free(&p);
    free(path);
    free(closed);
    return error;
}

int before_close(const struct settings *s, const char *name, const char *prefix, struct error *err)
{
    char *path = path_of(s, name, prefix, ""), *closed = path_of(s, name, prefix, CLOSED);
    int error = path && closed ? 0 : ENOMEM;

    if (!error && rename(path, closed) && errno != ENOENT)
        error = errno;
    if (error)
        error_system(err, error, "Renaming %s", path ? path : s->state_dir);
    free(path);
    free(closed);
    return error;
}

/* --- reading --- */

/* The whole file, malloc'ed; errno. */
static int read_file(const char *path, uint8_t **bytes, size_t *len)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), error = 0;
    struct stat st;
    ssize_t got;

    *bytes = NULL;
    *len = 0;
    if (fd < 0)
        return errno;
    if (fstat(fd, &st))
        error = errno;
    else if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && geteuid()))
        error = EPERM; /* the directory is everybody's */
    else if (!(*bytes = malloc((size_t)st.st_size + 1)))
        error = ENOMEM;
    while (!error && *len < (size_t)st.st_size) {
        got = read(fd, *bytes + *len, (size_t)st.st_size - *len);
        if (got < 0 && errno != EINTR)
            error = errno;
        if (!got)
            break;
        if (got > 0)
            *len += (size_t)got;
    }
    close(fd);
    if (error) {
        free(*bytes);
        *bytes = NULL;
    }
    return error;
}

static int unpack_key(struct unpack *u, struct before_key *k)
{
    bool exists;
    uint64_t count;
    int error = 0;

    image_init(&k->image);
    k->view = unpack_u32(u);
    k->path = unpack_text(u);
    exists = unpack_u32(u);
    count = unpack_u64(u);
    for (uint64_t i = 0; !error && i < count; i++) {
        struct change change;

        unpack_change(u, &change);
        error = unpack_failed(u) ? RESULT_DAMAGED : image_apply(&k->image, &change);
        change_free(&change);
    }
    if (!error && (unpack_failed(u) || !k->path || exists != (k->image.root != NULL)))
        error = RESULT_DAMAGED;
    return error == EINVAL ? RESULT_DAMAGED : error;
}

/* Is it whole?  *u stands behind the magic then. */
static bool is_whole(const uint8_t *bytes, size_t len, struct unpack *u)
{
    size_t magic = strlen(MAGIC);

    if (len < magic + SUM_BYTES || memcmp(bytes, MAGIC, magic))
        return false;
    unpack_init(u, bytes + len - SUM_BYTES, SUM_BYTES);
    if (unpack_u64(u) != record_checksum(NULL, 0, bytes, len - SUM_BYTES))
        return false;
    unpack_init(u, bytes + magic, len - SUM_BYTES - magic);
    return true;
}

static int unpack_all(const uint8_t *bytes, size_t len, struct before *out)
{
    struct unpack u;
    uint32_t count;
    int error = 0;

    if (!is_whole(bytes, len, &u))
        return RESULT_DAMAGED;
    out->epoch = unpack_u64(&u);
    count = unpack_u32(&u);
    if (unpack_failed(&u) || count > len || !(out->keys = calloc(count + 1, sizeof(*out->keys))))
        return unpack_failed(&u) || count > len ? RESULT_DAMAGED : ENOMEM;
    while (!error && out->key_count < count)
        error = unpack_key(&u, &out->keys[out->key_count++]);
    return !error && !unpack_done(&u) ? RESULT_DAMAGED : error;
}

bool before_is_open(const struct settings *s, const char *name, const char *prefix, uint64_t epoch)
{
    char *path = path_of(s, name, prefix, "");
    uint8_t *bytes = NULL;
    struct unpack u;
    size_t len;
    bool is_open = path && !read_file(path, &bytes, &len) && is_whole(bytes, len, &u) &&
                   unpack_u64(&u) <= epoch;

    free(bytes);
    free(path);
    return is_open;
}

int before_read(const struct settings *s, const char *name, const char *prefix, struct before *out,
                struct error *err)
{
    int error = ENOENT;

    memset(out, 0, sizeof(*out));
    for (int i = 0; error == ENOENT && i < 2; i++) {
        char *path = path_of(s, name, prefix, i ? CLOSED : "");
        uint8_t *bytes;
        size_t len;

        error = path ? read_file(path, &bytes, &len) : ENOMEM;
        if (!error) {
            error = unpack_all(bytes, len, out);
            free(bytes);
        }
        if (error == RESULT_DAMAGED)
            error_set(err, error, "%s is damaged: it is not put back. Remove it.", path);
        else if (error && error != ENOENT)
            error_system(err, error, "Reading %s", path ? path : s->state_dir);
        free(path);
    }
    if (error)
        before_free(out);
    return error == ENOENT ? RESULT_NOT_FOUND : error;
}

const struct before_key *before_find(const struct before *b, const struct registered_key *key)
{
    for (size_t i = 0; i < b->key_count; i++)
        if (b->keys[i].view == (uint32_t)key->view && !strcmp(b->keys[i].path, key->path))
            return &b->keys[i];
    return NULL;
}

void before_free(struct before *b)
{
    for (size_t i = 0; i < b->key_count; i++) {
        free(b->keys[i].path);
        image_free(&b->keys[i].image);
    }
    free(b->keys);
    memset(b, 0, sizeof(*b));
}

int before_remove(const struct settings *s, const char *name, const char *prefix, struct error *err)
{
    int error = 0;

    for (int i = 0; i < 2; i++) {
        char *path = path_of(s, name, prefix, i ? CLOSED : "");

        if (!path || (unlink(path) && errno != ENOENT))
            error = error_system(err, path ? errno : ENOMEM, "Removing %s",
                                 path ? path : s->state_dir);
        free(path);
    }
    return error;
}

void before_forget(const struct settings *s, const char *name)
{
    char front[RESOURCE_NAME_MAX + 16], path[PATH_MAX];
    int len = name_front(s, name, front, sizeof(front));
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/" DIR_NAME, s->state_dir);
    if (!(dir = opendir(path)))
        return;
    while ((entry = readdir(dir)))
        if (!strncmp(entry->d_name, front, (size_t)len))
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}
