/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: its marker file, its resources' directories.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"
#include "store_private.h"

#define MARKER "regckpt.store"
#define MARKER_FIRST "regckpt store, format "
#define MARKER_REST "\n\nThis directory holds checkpoints of Windows registry keys, " \
    "one directory a resource.\n" \
    "They hold what the programs keep in their registry, passwords too: mode 0700.\n" \
    "\"regckpt list\" shows them. Do not change anything here by hand.\n"
#define STORE_FORMAT 1

char *store_path(const char *store, const char *resource, enum store_file which)
{
    static const char *const names[] = {
        [STORE_CHECKPOINT] = "/checkpoint.tdb",
        [STORE_LAST_GOOD] = "/last-good.tdb",
        [STORE_LOCK] = "/lock",
        [STORE_RESOURCE_DIR] = "",
    };
    char *path;

    return asprintf(&path, "%s/%s%s", store, resource, names[which]) < 0 ? NULL : path;
}

/* The marker's path, malloc'ed. */
static char *marker_path(const char *store)
{
    char *path;

    return asprintf(&path, "%s/" MARKER, store) < 0 ? NULL : path;
}

/* Reads the marker: RESULT_NOT_FOUND if there is none. */
static int read_marker(const char *store, struct error *err)
{
    char text[64] = "", *path = marker_path(store), *end;
    unsigned long format;
    ssize_t got;
    int fd, ret;

    if (!path) return error_system(err, ENOMEM, "cannot look at the store %s", store);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ret = errno;
    got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        ret = errno;
        close(fd);
    }
    free(path);
    if (fd < 0 && (ret == ENOENT || ret == ENOTDIR))
        return error_set(err, RESULT_NOT_FOUND, "there is no store at %s; \"regckpt init\" makes "
                         "one (or name another by --store, REGCKPT_STORE or the configuration "
                         "file; is the shared file system mounted?)", store);
    if (got < 0) return error_system(err, ret, "cannot read %s/" MARKER, store);
    if (strncmp(text, MARKER_FIRST, strlen(MARKER_FIRST)))
        return error_set(err, RESULT_FOREIGN, "%s is not a store of regckpt: its file " MARKER " "
                         "says something else", store);
    format = strtoul(text + strlen(MARKER_FIRST), &end, 10);
    if (*end != '\n' || !format)
        return error_set(err, RESULT_DAMAGED, "the file %s/" MARKER " is damaged; its first line "
                         "should be \"" MARKER_FIRST "%d\"", store, STORE_FORMAT);
    if (format > STORE_FORMAT)
        return error_set(err, RESULT_NEWER, "the store %s has format %lu, and this version of "
                         "regckpt knows up to %d; use the regckpt that made it, or a newer "
                         "one", store,
                         format, STORE_FORMAT);
    return 0;
}

/* Writes the marker: a new file of a name that no other init has, synced, renamed. */
static int write_marker(const char *store, struct error *err)
{
    char *path = marker_path(store), *temporary = NULL;
    FILE *out = NULL;
    int ret = 0, fd;

    if (!path || asprintf(&temporary, "%s/" STORE_PROBE "marker-XXXXXX", store) < 0) {
        temporary = NULL;
        ret = ENOMEM;
    } else if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0 || !(out = fdopen(fd, "w"))) {
        ret = errno;
        if (fd >= 0) {
            close(fd);
            unlink(temporary);
        }
    } else {
        if (fprintf(out, "%s%d%s", MARKER_FIRST, STORE_FORMAT, MARKER_REST) < 0 || fflush(out) ||
            fsync(fileno(out)))
            ret = errno;
        if (fclose(out) && !ret) ret = errno;
        if (!ret && chmod(temporary, 0600)) ret = errno;
        if (!ret && rename(temporary, path)) ret = errno;
        if (ret) unlink(temporary);
        else ret = sync_parent(path);
    }
    free(path);
    free(temporary);
    return ret ? error_system(err, ret, "cannot write the file " MARKER " in %s", store) : 0;
}

/* Is there nothing in the directory?  What is, is named in the error. */
static int check_empty(const char *store, struct error *err)
{
    DIR *dir = opendir(store);
    struct dirent *entry;
    int ret = 0;

    if (!dir) return error_system(err, errno, "cannot read the directory %s", store);
    while (!ret && (entry = readdir(dir))) {
        /* A new file system has a lost+found; an init that died left what it tested with. */
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
            !strcmp(entry->d_name, "lost+found") || !strcmp(entry->d_name, MARKER) ||
            !strncmp(entry->d_name, STORE_PROBE, strlen(STORE_PROBE)))
            continue;
        ret = error_set(err, RESULT_FOREIGN, "%s cannot become a store: it holds other things "
                        "(\"%s\"); "
                        "name an empty or a new directory", store, entry->d_name);
    }
    closedir(dir);
    return ret;
}

int store_init(const char *store, bool *made, struct error *err)
{
    bool new_dir = false;
    struct stat st;
    int ret;

    *made = false;
    if (mkdir(store, 0700)) {
        if (errno != EEXIST)
            return error_system(err, errno, "cannot make the directory %s for the store", store);
        if (stat(store, &st) || !S_ISDIR(st.st_mode))
            return error_set(err, RESULT_FOREIGN, "%s cannot become a store: it is not a directory",
                             store);
    } else {
        new_dir = true;
    }
    ret = read_marker(store, err);
    if (ret && ret != RESULT_NOT_FOUND) return ret;
    *made = ret == RESULT_NOT_FOUND;
    if (*made && !new_dir && (ret = check_empty(store, err))) {
        *made = false;
        return ret;
    }
    if (!(ret = store_probe(store, err)) && *made) {
        if (chmod(store, 0700))
            ret = error_system(err, errno, "cannot make %s private (mode 0700)", store);
        else
            ret = write_marker(store, err);
        /* also of one that is not new: an init that died may have made it */
        if (!ret && (ret = sync_parent(store)))
            error_system(err, ret, "cannot sync the directory that holds %s", store);
    }
    if (ret) *made = false;
    if (ret && new_dir) rmdir(store);
    return ret;
}

int store_check(const char *store, struct error *err)
{
    return read_marker(store, err);
}

/* Orders names. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is this entry a resource: a directory of a fitting name that has a lock or a checkpoint? */
static bool is_resource(const char *store, const char *name)
{
    char *lock, *checkpoint;
    bool found;

    if (resource_name_check(name, NULL)) return false;
    lock = store_path(store, name, STORE_LOCK);
    checkpoint = store_path(store, name, STORE_CHECKPOINT);
    found = (lock && !access(lock, F_OK)) || (checkpoint && !access(checkpoint, F_OK));
    free(lock);
    free(checkpoint);
    return found;
}

int store_list(const char *store, char ***names, size_t *count, struct error *err)
{
    struct dirent *entry;
    char **bigger;
    DIR *dir;
    int ret;

    *names = NULL;
    *count = 0;
    if ((ret = store_check(store, err))) return ret;
    if (!(dir = opendir(store))) return error_system(err, errno, "cannot read the store %s", store);
    while (!ret && (errno = 0, entry = readdir(dir))) {
        if (!is_resource(store, entry->d_name)) continue;
        if (!(bigger = realloc(*names, (*count + 1) * sizeof(*bigger)))) {
            ret = ENOMEM;
            break;
        }
        *names = bigger;
        if ((bigger[*count] = strdup(entry->d_name))) ++*count;
        else ret = ENOMEM;
    }
    if (!ret) ret = errno;
    closedir(dir);
    if (ret) {
        store_list_free(*names, *count);
        *names = NULL;
        *count = 0;
        return error_system(err, ret, "cannot list the store %s", store);
    }
    if (*count) qsort(*names, *count, sizeof(**names), compare_names);
    return 0;
}

void store_list_free(char **names, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) free(names[i]);
    free(names);
}
