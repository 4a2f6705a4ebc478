/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrapped.h"

#define DIR_NAME "wrapped"
#define NAME_DIGITS 16
#define NOTE_MAX_BYTES (4 * PATH_MAX)

/* A prefix has one name here, however it was reached. */
static char *real_prefix(const char *prefix)
{
    char *real = realpath(prefix, NULL);

    return real ? real : strdup(prefix);
}

/* The note's path, malloc'ed. */
static char *note_path(const struct settings *settings, const char *prefix, const char *service)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    char *real = real_prefix(prefix), *path;

    if (!real)
        return NULL;
    for (const char *p = real; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    hash *= 1099511628211u; /* a zero byte between them */
    for (const char *p = service; *p; p++) /* Windows knows no case here */
        hash = (hash ^ (uint8_t)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p)) * 1099511628211u;
    free(real);
    return asprintf(&path, "%s/" DIR_NAME "/%0*llx", settings->state_dir, NAME_DIGITS,
                    (unsigned long long)hash) < 0 ? NULL : path;
}

/* The directory for the notes of all users; the package brings it along. */
static int make_dir(const struct settings *settings)
{
    char path[PATH_MAX];

    if (!mkdir(settings->state_dir, 0755)) {
        if (chmod(settings->state_dir, 0755)) /* whatever the umask is */
            return errno;
    } else if (errno != EEXIST) {
        return errno;
    }
    snprintf(path, sizeof(path), "%s/" DIR_NAME, settings->state_dir);
    if (!mkdir(path, 01777))
        return chmod(path, 01777) ? errno : 0;
    return errno == EEXIST ? 0 : errno;
}

/* A small file as text, malloc'ed, with its owner; NULL with errno. */
static char *read_small(int dir_fd, const char *path, uid_t *owner)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *text = NULL;
    ssize_t got = -1;
    struct stat st;

    if (fd < 0)
        return NULL;
    errno = EINVAL;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (text = calloc(1, NOTE_MAX_BYTES + 1)))
        got = read(fd, text, NOTE_MAX_BYTES);
    if (got < 0) {
        int error = errno;

        free(text);
        text = NULL;
        errno = error;
    } else if (owner) {
        *owner = st.st_uid;
    }
    close(fd);
    return text;
}

/* New, synced, renamed. */
static int write_note(const char *path, const char *text)
{
    size_t len = strlen(text);
    char *temporary;
    int fd, error = 0;

    if (asprintf(&temporary, "%s.%d", path, (int)getpid()) < 0)
        return ENOMEM;
    unlink(temporary);
    if ((fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        error = errno;
    else if (write(fd, text, len) != (ssize_t)len || fsync(fd))
        error = errno ? errno : ENOSPC;
    if (fd >= 0)
        close(fd);
    if (!error && rename(temporary, path))
        error = errno;
    if (error)
        unlink(temporary);
    free(temporary);
    return error;
}

int wrapped_note(const struct settings *settings, const struct wine_place *place,
                 const struct resource *resource, const char *name, uint32_t program_bits,
                 struct error *err)
{
    char *path = note_path(settings, place->prefix, resource->service), *text = NULL, *there = NULL;
    char *real = real_prefix(place->prefix);
    int error = 0;

    errno = 0;
    if (!path || !real ||
        asprintf(&text, "prefix = %s\nservice = %s\nresource = %s\nstore = %s\nuser = %s\nwine = %s\n"
                 "bits = %u\n", real, resource->service, name, settings->store, place->user,
                 resource->wine, (unsigned)(place->bits == 32 ? 32 : program_bits)) < 0) {
        text = NULL;
        error = error_system(err, ENOMEM, "Noting that service %s is wrapped", resource->service);
    } else if (strchr(real, '\n') || strchr(resource->service, '\n') ||
               strchr(settings->store, '\n') || strchr(resource->wine, '\n')) {
        error = error_set(err, RESULT_USAGE, "The path of the prefix, of the store or of Wine, or the "
                          "service's name, holds a line break.");
    } else if (!(there = read_small(AT_FDCWD, path, NULL)) || strcmp(there, text)) {
        if ((error = make_dir(settings)) || (error = write_note(path, text)))
            error = error_system(err, error, "Writing the note %s that service %s is wrapped", path,
                                 resource->service);
    }
    free(there);
    free(text);
    free(real);
    free(path);
    return error;
}

int wrapped_forget(const struct settings *settings, const char *prefix, const char *service,
                   struct error *err)
{
    char *path = note_path(settings, prefix, service);
    int error = 0;

    if (!path)
        error = error_system(err, ENOMEM, "Forgetting that service %s was wrapped", service);
    else if (unlink(path) && errno != ENOENT && errno != ENOTDIR)
        error = error_system(err, errno, "Removing the note %s", path);
    free(path);
    return error;
}

/* Takes the lines apart; the text is changed. */
static int parse(char *text, struct wrapped *w)
{
    const struct {
        const char *name;
        char **to;
    } fields[] = {
        {"prefix", &w->resource.prefix}, {"service", &w->resource.service},
        {"resource", &w->name}, {"store", &w->store},
        {"user", &w->resource.user}, {"wine", &w->resource.wine},
    };
    char *next = text, *line;

    resource_init(&w->resource);
    w->resource.kind = RESOURCE_SERVICE;
    while ((line = strsep(&next, "\n"))) {
        char *value = strstr(line, " = ");

        if (!*line)
            continue;
        if (!value)
            return RESULT_DAMAGED;
        *value = 0;
        if (!strcmp(line, "bits"))
            w->bits = (uint32_t)strtoul(value + 3, NULL, 10);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
            if (!strcmp(line, fields[i].name)) {
                free(*fields[i].to);
                if (!(*fields[i].to = strdup(value + 3)))
                    return ENOMEM;
            }
    }
    return w->name && w->store && *w->resource.prefix == '/' && *w->resource.service &&
           *w->store == '/' && !resource_name_check(w->name, NULL) ? 0 : RESULT_DAMAGED;
}

static void free_one(struct wrapped *w)
{
    resource_free(&w->resource);
    free(w->name);
    free(w->store);
    free(w->file);
}

/* One note; 0, ENOENT: not ours to act on, or an error with err. */
static int read_note(int dir_fd, const char *dir, const char *file, struct wrapped *w,
                     struct error *err)
{
    uid_t owner = 0;
    char *text = read_small(dir_fd, file, &owner);
    struct passwd *pw;
    int error;

    memset(w, 0, sizeof(*w));
    if (!text && (errno == ENOENT || (errno == EACCES && geteuid())))
        return ENOENT;
    if (!text)
        return error_system(err, errno, "Reading the note %s/%s", dir, file);
    if (geteuid() && owner != geteuid()) {
        free(text);
        return ENOENT;
    }
    error = parse(text, w);
    free(text);
    if (!error && owner && (pw = getpwuid(owner))) { /* nobody speaks for another */
        free(w->resource.user);
        if (!(w->resource.user = strdup(pw->pw_name)))
            error = ENOMEM;
    }
    if (!error && asprintf(&w->file, "%s/%s", dir, file) < 0) {
        w->file = NULL;
        error = ENOMEM;
    }
    if (!error)
        return 0;
    free_one(w);
    if (error == RESULT_DAMAGED)
        return error_set(err, error, "The note %s/%s says nothing that can be understood. Look at it, "
                         "and remove it if there is no wrapped service behind it.", dir, file);
    return error_system(err, error, "Reading the note %s/%s", dir, file);
}

int wrapped_list(const struct settings *settings, struct wrapped **list, size_t *count,
                 struct error *err)
{
    char path[PATH_MAX];
    struct dirent *entry;
    int error = 0;
    DIR *dir;

    *list = NULL;
    *count = 0;
    snprintf(path, sizeof(path), "%s/" DIR_NAME, settings->state_dir);
    if (!(dir = opendir(path)))
        return errno == ENOENT ? 0 : error_system(err, errno, "Reading the directory %s", path);
    while (!error && (entry = readdir(dir))) {
        struct wrapped one, *more;

        if (strlen(entry->d_name) != NAME_DIGITS) /* ".", "..", one that is just being written */
            continue;
        if ((error = read_note(dirfd(dir), path, entry->d_name, &one, err))) {
            error = error == ENOENT ? 0 : error;
        } else if ((more = realloc(*list, (*count + 1) * sizeof(**list)))) {
            *list = more;
            more[(*count)++] = one;
        } else {
            free_one(&one);
            error = error_system(err, ENOMEM, "Reading the directory %s", path);
        }
    }
    closedir(dir);
    if (error) {
        wrapped_free(*list, *count);
        *list = NULL;
        *count = 0;
    }
    return error;
}

void wrapped_free(struct wrapped *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free_one(&list[i]);
    free(list);
}
