/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model of a disk: what is there for sure, and in their order the pieces that are not.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "disk.h"

#define PAGE_BYTES 4096 /* what the kernel keeps, and writes, as a whole */

const char *const kept_names[KEPT_KINDS] = {
    [KEPT_ALL] = "all",         [KEPT_NOTHING] = "nothing", [KEPT_LAST] = "the last call alone",
    [KEPT_HALF] = "half of the last call", [KEPT_NAMES] = "names alone",
    [KEPT_DATA] = "data alone", [KEPT_RANDOM] = "a part by chance",
};

/* What a file holds for sure. */
struct object {
    uint64_t file;       /* its inode number; 0: a directory */
    uint8_t *bytes;
    size_t size, room;
};

struct name {
    char *path;
    struct object *object;
};

struct names {
    struct name *at;
    size_t count;
};

/* What is not on the disk for sure. */
struct piece {
    unsigned long call;
    enum io_kind kind;
    struct object *object;
    char *path, *to;     /* of a name */
    uint64_t at, len;    /* of a file; at most one sector, or the new size */
    const uint8_t *bytes;/* the recording's */
    bool lost;           /* its sync failed: it comes only with its page */
};

struct disk {
    char dir[128];
    struct object **objects;
    size_t object_count;
    struct names sure, live;
    struct piece *pieces;
    size_t piece_count, piece_room;
    unsigned long calls;
    uint64_t seed;
    uint64_t *made;      /* hashes of states */
    size_t made_count;
};

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* --- names --- */

static struct name *find_name(struct names *n, const char *path)
{
    for (size_t i = 0; i < n->count; i++)
        if (!strcmp(n->at[i].path, path)) return &n->at[i];
    return NULL;
}

static void set_name(struct names *n, const char *path, struct object *object)
{
    struct name *name = find_name(n, path);

    if (!name) {
        n->at = need(realloc(n->at, (n->count + 1) * sizeof(*n->at)));
        name = &n->at[n->count++];
        name->path = need(strdup(path));
    }
    name->object = object;
}

/* Only if it is that one's. */
static void remove_name(struct names *n, const char *path, const struct object *object)
{
    struct name *name = find_name(n, path);

    if (!name || name->object != object) return;
    free(name->path);
    *name = n->at[--n->count];
}

static void free_names(struct names *n)
{
    for (size_t i = 0; i < n->count; i++) free(n->at[i].path);
    free(n->at);
    memset(n, 0, sizeof(*n));
}

static void do_name(struct names *n, const struct piece *p)
{
    switch (p->kind) {
    case IO_CREATE:
    case IO_MKDIR:
        set_name(n, p->path, p->object);
        break;
    case IO_RENAME:
        remove_name(n, p->path, p->object);
        /* fall through */
    case IO_LINK:
        set_name(n, p->to, p->object);
        break;
    default:
        remove_name(n, p->path, p->object);
    }
}

/* --- what files hold --- */

static struct object *new_object(struct disk *d, uint64_t file)
{
    struct object *o = need(calloc(1, sizeof(*o)));

    d->objects = need(realloc(d->objects, (d->object_count + 1) * sizeof(*d->objects)));
    d->objects[d->object_count++] = o;
    o->file = file;
    return o;
}

/* The youngest of that number; one that was made by a call that is not recorded is made here. */
static struct object *find_object(struct disk *d, uint64_t file)
{
    for (size_t i = d->object_count; i-- > 0;)
        if (d->objects[i]->file == file) return d->objects[i];
    return new_object(d, file);
}

static void set_size(struct object *o, size_t size)
{
    if (size > o->room) {
        o->bytes = need(realloc(o->bytes, 2 * size));
        o->room = 2 * size;
    }
    if (size > o->size) memset(o->bytes + o->size, 0, size - o->size);
    o->size = size;
}

static void do_data(struct object *o, const struct piece *p)
{
    if (p->kind == IO_SIZE) {
        set_size(o, p->at);
        return;
    }
    if (p->at + p->len > o->size) set_size(o, p->at + p->len);
    memcpy(o->bytes + p->at, p->bytes, p->len);
}

static bool is_data(const struct piece *p)
{
    return p->kind == IO_WRITE || p->kind == IO_SIZE;
}

/* --- the disk --- */

static struct piece *add_piece(struct disk *d, enum io_kind kind, struct object *object)
{
    struct piece *p;

    if (d->piece_count == d->piece_room) {
        d->piece_room = d->piece_room ? 2 * d->piece_room : 64;
        d->pieces = need(realloc(d->pieces, d->piece_room * sizeof(*d->pieces)));
    }
    p = &d->pieces[d->piece_count++];
    *p = (struct piece){.call = d->calls, .kind = kind, .object = object};
    return p;
}

static void free_piece(struct piece *p)
{
    free(p->path);
    free(p->to);
}

static void add_name(struct disk *d, const struct io *op)
{
    struct name *name = find_name(&d->live, op->path);
    struct piece *p = add_piece(d, op->kind, name ? name->object : NULL);

    if (op->kind == IO_CREATE || op->kind == IO_MKDIR) p->object = new_object(d, op->file);
    if (!p->object) abort(); /* a name that nobody made */
    p->path = need(strdup(op->path));
    if (op->to) p->to = need(strdup(op->to));
    do_name(&d->live, p);
}

/* A page that is written again is written whole, with what of it was lost. */
static void find_again(struct disk *d, const struct object *o, uint64_t at)
{
    for (size_t i = 0; i < d->piece_count; i++)
        if (d->pieces[i].object == o && d->pieces[i].kind == IO_WRITE &&
            d->pieces[i].at / PAGE_BYTES == at / PAGE_BYTES)
            d->pieces[i].lost = false;
}

static void add_data(struct disk *d, const struct io *op)
{
    struct object *o = find_object(d, op->file);
    uint64_t at, next;
    struct piece *p;

    if (op->kind == IO_SIZE) {
        add_piece(d, IO_SIZE, o)->at = op->at;
        return;
    }
    for (at = op->at; at < op->at + op->len; at = next) {
        next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        if (next > op->at + op->len) next = op->at + op->len;
        find_again(d, o, at);
        p = add_piece(d, IO_WRITE, o);
        p->at = at;
        p->len = next - at;
        p->bytes = op->bytes + (at - op->at);
    }
}

/* Is a name's directory this one? */
static bool is_in(const char *path, const char *dir)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    return strlen(dir) == len && !strncmp(path, dir, len);
}

/* What was not sure and is from now on. */
static void make_sure(struct disk *d, const struct object *o, const char *dir)
{
    size_t left = 0;

    for (size_t i = 0; i < d->piece_count; i++) {
        struct piece *p = &d->pieces[i];

        if (!p->lost && (is_data(p) ? o && p->object == o : dir && is_in(p->path, dir))) {
            if (is_data(p)) do_data(p->object, p);
            else do_name(&d->sure, p);
            free_piece(p);
        } else {
            d->pieces[left++] = *p;
        }
    }
    d->piece_count = left;
}

static void lose(struct disk *d, const struct object *o)
{
    for (size_t i = 0; i < d->piece_count; i++)
        if (d->pieces[i].object == o && d->pieces[i].kind == IO_WRITE) d->pieces[i].lost = true;
}

void disk_do(struct disk *d, const struct io *op)
{
    d->calls++;
    switch (op->kind) {
    case IO_WRITE:
    case IO_SIZE:
        add_data(d, op);
        break;
    case IO_SYNC:
        make_sure(d, find_object(d, op->file), NULL);
        break;
    case IO_SYNC_LOST:
        lose(d, find_object(d, op->file));
        break;
    case IO_SYNC_DIR:
        make_sure(d, NULL, op->path);
        break;
    default:
        add_name(d, op);
    }
}

/* --- from and to a directory --- */

static void read_file(struct disk *d, const char *path, const char *name, const struct stat *st)
{
    struct object *o = new_object(d, st->st_ino);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    set_size(o, (size_t)st->st_size);
    if (fd < 0 || read(fd, o->bytes, o->size) != (ssize_t)o->size) abort();
    close(fd);
    set_name(&d->sure, name, o);
    set_name(&d->live, name, o);
}

/* All below a directory; name: behind d->dir. */
static void read_dir(struct disk *d, const char *name)
{
    char path[PATH_MAX], below[PATH_MAX];
    struct dirent *entry;
    struct object *o;
    struct stat st;
    DIR *in;

    snprintf(path, sizeof(path), "%s/%s", d->dir, name);
    in = need(opendir(path));
    while ((entry = readdir(in))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (snprintf(below, sizeof(below), "%s%s%s", name, *name ? "/" : "", entry->d_name) >=
                (int)sizeof(below) ||
            snprintf(path, sizeof(path), "%s/%s", d->dir, below) >= (int)sizeof(path) ||
            lstat(path, &st))
            abort();
        if (S_ISDIR(st.st_mode)) {
            o = new_object(d, 0);
            set_name(&d->sure, below, o);
            set_name(&d->live, below, o);
            read_dir(d, below);
        } else {
            read_file(d, path, below, &st);
        }
    }
    closedir(in);
}

struct disk *disk_new(const char *dir)
{
    struct disk *d = need(calloc(1, sizeof(*d)));

    snprintf(d->dir, sizeof(d->dir), "%s", dir);
    read_dir(d, "");
    return d;
}

void disk_free(struct disk *d)
{
    for (size_t i = 0; i < d->object_count; i++) {
        free(d->objects[i]->bytes);
        free(d->objects[i]);
    }
    for (size_t i = 0; i < d->piece_count; i++) free_piece(&d->pieces[i]);
    free(d->objects);
    free(d->pieces);
    free(d->made);
    free_names(&d->sure);
    free_names(&d->live);
    free(d);
}

void disk_seed(struct disk *d, uint64_t seed)
{
    d->seed = seed;
}

/* xorshift64*: the same on every machine. */
static bool by_chance(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 2685821657736338717u >> 63;
}

/* Is a piece kept?  nth: of how many pieces of its call. */
static bool is_kept(const struct disk *d, const struct piece *p, enum kept kept, size_t nth,
                    size_t of, uint64_t *seed)
{
    bool last = p->call == d->calls;

    switch (kept) {
    case KEPT_ALL:
        return !p->lost;
    case KEPT_NOTHING:
        return false;
    case KEPT_LAST:
        return last && !p->lost;
    case KEPT_HALF:
        return !p->lost && (!last || nth < of / 2);
    case KEPT_NAMES:
        return !is_data(p);
    case KEPT_DATA:
        return is_data(p) && !p->lost;
    default:
        return by_chance(seed) && !p->lost;
    }
}

/* Empties a directory. */
static void wipe(const char *dir)
{
    struct dirent *entry;
    char path[PATH_MAX];
    DIR *in = need(opendir(dir));

    while ((entry = readdir(in))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (!unlinkat(dirfd(in), entry->d_name, 0)) continue;
        if (snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >= (int)sizeof(path)) abort();
        wipe(path);
        if (rmdir(path)) abort();
    }
    closedir(in);
}

/* The names that there will be; a copy. */
static struct names copy_names(const struct names *n)
{
    struct names copy = {NULL, 0};

    for (size_t i = 0; i < n->count; i++) set_name(&copy, n->at[i].path, n->at[i].object);
    return copy;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

/* What each file will hold: what is sure of it, and what is kept of the rest. */
static struct object *make_content(const struct disk *d, const bool *keep)
{
    struct object *content = need(calloc(d->object_count + 1, sizeof(*content)));
    size_t i, o;

    for (o = 0; o < d->object_count; o++) {
        set_size(&content[o], d->objects[o]->size);
        if (content[o].size) memcpy(content[o].bytes, d->objects[o]->bytes, content[o].size);
        for (i = 0; i < d->piece_count; i++)
            if (keep[i] && is_data(&d->pieces[i]) && d->pieces[i].object == d->objects[o])
                do_data(&content[o], &d->pieces[i]);
    }
    return content;
}

static const struct object *content_of(const struct disk *d, const struct object *content,
                                       const struct object *object)
{
    size_t o = 0;

    while (d->objects[o] != object) o++;
    return &content[o];
}

static void write_file(const struct object *content, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, content->bytes, content->size) != (ssize_t)content->size) abort();
    close(fd);
}

/* Makes the names in the directory, sorted: those of directories come before what is in them. */
static void write_names(const struct disk *d, const struct names *n, const struct object *content)
{
    char path[PATH_MAX], first[PATH_MAX];
    struct stat st;
    size_t i, j;

    for (i = 0; i < n->count; i++) {
        char *slash;

        snprintf(path, sizeof(path), "%s/%s", d->dir, n->at[i].path);
        slash = strrchr(path, '/');
        *slash = 0;
        if (stat(path, &st)) continue; /* its directory is not there */
        *slash = '/';
        for (j = 0; j < i && n->at[j].object != n->at[i].object; j++) continue;
        snprintf(first, sizeof(first), "%s/%s", d->dir, n->at[j].path);
        if (!n->at[i].object->file) {
            if (mkdir(path, 0700)) abort();
        } else if (j == i || link(first, path)) {
            write_file(content_of(d, content, n->at[i].object), path);
        }
    }
}

/* Is it a state that was not made yet? */
static bool is_new(struct disk *d, const struct names *n, const struct object *content,
                   uint64_t salt)
{
    uint64_t hash = salt;
    size_t i;

    for (i = 0; i < n->count; i++) {
        const struct object *c = content_of(d, content, n->at[i].object);

        hash = XXH64(n->at[i].path, strlen(n->at[i].path) + 1, hash);
        hash = XXH64(c->size ? (const void *)c->bytes : "", c->size, hash);
    }
    for (i = 0; i < d->made_count; i++)
        if (d->made[i] == hash) return false;
    d->made = need(realloc(d->made, (d->made_count + 1) * sizeof(*d->made)));
    d->made[d->made_count++] = hash;
    return true;
}

int disk_cut(struct disk *d, enum kept kept, uint64_t salt)
{
    struct names names = copy_names(&d->sure);
    bool *keep = need(calloc(d->piece_count + 1, sizeof(*keep))), is = false;
    uint64_t seed = (d->seed + d->calls) * 0x9e3779b97f4a7c15u | 1;
    size_t nth = 0, of = 0, i;
    struct object *content;

    for (i = 0; i < d->piece_count; i++) of += d->pieces[i].call == d->calls;
    for (i = 0; i < d->piece_count; i++) {
        keep[i] = is_kept(d, &d->pieces[i], kept, nth, of, &seed);
        nth += d->pieces[i].call == d->calls;
        if (keep[i] && !is_data(&d->pieces[i])) do_name(&names, &d->pieces[i]);
    }
    if (names.count) qsort(names.at, names.count, sizeof(*names.at), compare_names);
    content = make_content(d, keep);
    if (is_new(d, &names, content, salt)) {
        is = true;
        wipe(d->dir);
        write_names(d, &names, content);
    }
    for (i = 0; i < d->object_count; i++) free(content[i].bytes);
    free(content);
    free(keep);
    free_names(&names);
    return is;
}
