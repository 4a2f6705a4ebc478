/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wine's registry text in files (see winereg.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "winereg.h"

#define FIRST_BYTES 65536

/* Reads a file from its start until its end, whatever its size was before. */
static int read_all(int fd, char **text, size_t *len_bytes)
{
    struct stat st;
    size_t room, len = 0;
    char *buffer = NULL, *bigger;

    if (fstat(fd, &st))
        return errno;
    room = st.st_size > 0 ? (size_t)st.st_size + 1 : FIRST_BYTES;
    for (;;) {
        ssize_t got;

        if (!buffer || len == room) {
            if (buffer)
                room *= 2;
            if (!(bigger = realloc(buffer, room))) {
                free(buffer);
                return ENOMEM;
            }
            buffer = bigger;
        }
        got = pread(fd, buffer + len, room - len, len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int errnum = errno;

            free(buffer);
            return errnum;
        }
        if (!got)
            break;
        len += got;
    }
    *text = buffer;
    *len_bytes = len;
    return 0;
}

int winereg_parse_fd(int fd, const char *path, struct image *image, struct winereg_facts *facts,
                     struct error *err)
{
    char *text = NULL;
    size_t len = 0;
    int result;

    if ((result = read_all(fd, &text, &len))) {
        image_free(image);
        return error_system(err, result, "cannot read Wine's registry text %s", path);
    }
    if ((result = winereg_parse(text, len, image, facts, err)))
        error_prefix(err, "%s", path);
    free(text);
    return result;
}

/* Does a text of a file begin so? */
static bool starts(const char *text, const char *end, const char *with)
{
    size_t len = strlen(with);

    return (size_t)(end - text) >= len && !memcmp(text, with, len);
}

int winereg_file_arch(const char *path)
{
    char text[FIRST_BYTES]; /* the line stands before the first key, within the first few */
    const char *at = text, *end, *newline;
    size_t len = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    while (got && len < sizeof(text)) {
        got = read(fd, text + len, sizeof(text) - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int errnum = errno;

            close(fd);
            errno = errnum;
            return -1;
        }
        len += got;
    }
    close(fd);
    for (end = text + len; at < end && *at != '['; at = newline + 1) {
        if (!(newline = memchr(at, '\n', end - at)))
            break;
        if (starts(at, newline, "#arch=win64"))
            return 64;
        if (starts(at, newline, "#arch=win32"))
            return 32;
    }
    return 0;
}
