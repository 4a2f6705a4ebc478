/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The played registry and the other files by which a test and its played Wine meet.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "pack.h"
#include "played_wine.h"

#define REGISTRY_BYTES_MAX (16u << 20)

void played_path(const char *prefix, const char *name, char *path)
{
    if (snprintf(path, PATH_MAX, "%s/%s", prefix, name) >= PATH_MAX)
        abort();
}

void played_write(const char *prefix, const char *name, const void *bytes, size_t len)
{
    char path[PATH_MAX], temporary[PATH_MAX + 32];
    int fd;

    played_path(prefix, name, path);
    snprintf(temporary, sizeof(temporary), "%s.new%d", path, (int)getpid());
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) || rename(temporary, path))
        _exit(70); /* the prefix is gone: the test is over */
}

size_t played_read(const char *prefix, const char *name, void *bytes, size_t room)
{
    char path[PATH_MAX];
    ssize_t len = 0;
    int fd;

    played_path(prefix, name, path);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        len = read(fd, bytes, room);
        close(fd);
    }
    return len > 0 ? (size_t)len : 0;
}

long long played_number(const char *prefix, const char *name, long long without)
{
    char text[32];
    size_t len = played_read(prefix, name, text, sizeof(text) - 1);

    text[len] = 0;
    return len ? strtoll(text, NULL, 10) : without;
}

/* The file of a key, relative to the prefix. */
static void key_file(int view, const char *path, char *name)
{
    if (snprintf(name, PATH_MAX, "registry/%d.%s", view, path) >= PATH_MAX)
        abort();
    for (; *name; name++)
        if (*name == '\\')
            *name = '%';
}

/* The whole registry is locked, as wineserver does one request at a time. */
static int lock_registry(const char *prefix)
{
    char path[PATH_MAX];
    int fd;

    played_path(prefix, "registry", path);
    if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || flock(fd, LOCK_EX))
        _exit(70);
    return fd;
}

static void load(const char *prefix, int view, const char *path, struct image *image)
{
    uint8_t *bytes = malloc(REGISTRY_BYTES_MAX);
    char name[PATH_MAX];
    struct change change;
    struct unpack u;

    if (!bytes)
        abort();
    key_file(view, path, name);
    image_init(image);
    unpack_init(&u, bytes, played_read(prefix, name, bytes, REGISTRY_BYTES_MAX));
    if (!unpack_done(&u))
        unpack_u64(&u); /* the stamp */
    while (!unpack_done(&u)) {
        unpack_change(&u, &change);
        if (unpack_failed(&u) || image_apply(image, &change))
            abort();
        change_free(&change);
    }
    free(bytes);
}

static int pack_one(const struct change *change, void *arg)
{
    pack_change(arg, change);
    return 0;
}

static void store(const char *prefix, int view, const char *path, const struct image *image)
{
    char name[PATH_MAX], file[PATH_MAX];
    struct pack p;

    key_file(view, path, name);
    if (image->root) {
        unsigned long long stamp = (unsigned long long)played_number(prefix, "registry/stamp", 0) + 1;
        char text[32];

        played_write(prefix, "registry/stamp", text,
                     (size_t)snprintf(text, sizeof(text), "%llu", stamp));
        pack_init(&p);
        pack_u64(&p, stamp);
        if (image_walk(image, 1, pack_one, &p) || p.failed)
            abort();
        played_write(prefix, name, p.bytes, p.len);
        pack_free(&p);
    } else {
        played_path(prefix, name, file);
        unlink(file);
    }
}

void played_registry_get(const char *prefix, int view, const char *path, struct image *image)
{
    int lock = lock_registry(prefix);

    load(prefix, view, path, image);
    close(lock);
}

void played_registry_put(const char *prefix, int view, const char *path, const struct image *image)
{
    int lock = lock_registry(prefix);

    store(prefix, view, path, image);
    close(lock);
}

bool played_registry_change(const char *prefix, int view, const char *path,
                            const struct change *change)
{
    int lock = lock_registry(prefix);
    struct image image;
    bool there;

    load(prefix, view, path, &image);
    there = image.root || (change->kind == CHANGE_CREATE_KEY && !change->path.len);
    if (there) {
        if (image_apply(&image, change))
            _exit(75);
        store(prefix, view, path, &image);
    }
    image_free(&image);
    close(lock);
    return there;
}

unsigned long long played_registry_stamp(const char *prefix, int view, const char *path)
{
    char name[PATH_MAX];
    uint8_t bytes[8];
    struct unpack u;

    key_file(view, path, name);
    unpack_init(&u, bytes, played_read(prefix, name, bytes, sizeof(bytes)));
    return unpack_u64(&u);
}
