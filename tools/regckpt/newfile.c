/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newfile.h"

/* A new file beside the named one, then in its place. */
static int write_new(const char *file, newfile_fn *fn, void *arg, struct error *err)
{
    char *made = NULL;
    FILE *out = NULL;
    int fd, result;

    if (asprintf(&made, "%s.XXXXXX", file) < 0)
        return error_system(err, ENOMEM, "Making the file %s", file);
    if ((fd = mkostemp(made, O_CLOEXEC)) < 0 || !(out = fdopen(fd, "w"))) {
        result = error_system(err, errno, "Making a new file beside %s", file);
        if (fd >= 0) {
            close(fd);
            unlink(made);
        }
        free(made);
        return result;
    }
    result = fn(out, arg, err);
    if (!result && (fflush(out) || fsync(fd)))
        result = error_system(err, errno, "Writing the file %s", made);
    if (fclose(out) && !result)
        result = error_system(err, errno, "Writing the file %s", made);
    if (!result && rename(made, file))
        result = error_system(err, errno, "Renaming %s to %s", made, file);
    if (result)
        unlink(made);
    free(made);
    return result;
}

/* What is no regular file. */
static int write_device(const char *file, newfile_fn *fn, void *arg, struct error *err)
{
    FILE *out = fopen(file, "we");
    int result;

    if (!out)
        return error_system(err, errno, "Opening %s", file);
    result = fn(out, arg, err);
    if (fclose(out) && !result)
        result = error_system(err, errno, "Writing to %s", file);
    return result;
}

int newfile_write(const char *file, newfile_fn *fn, void *arg, struct error *err)
{
    struct stat st;
    bool special = !stat(file, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);

    return (special ? write_device : write_new)(file, fn, arg, err);
}
