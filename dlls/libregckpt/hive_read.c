/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading hive files (see hive.h): the side that nothing can happen to.
 *
 * The child gets the hive as a file in memory and leaves what it read in another.  It has bounds of
 * time and memory, and it may crash: that is a damaged hive.  What it leaves is checked like any
 * message of a stranger.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hive.h"
#include "hive_format.h"
#include "hive_walk.h"

#define CHILD_SECONDS 60                   /* of a CPU; 100 MB take about one */
#define CHILD_MEMORY ((size_t)512 << 20)   /* besides what the file's size asks for */

/* The sanitizers reserve more addresses than any bound. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

bool hive_is(const void *bytes, size_t len)
{
    return len >= 4 && !memcmp(bytes, "regf", 4);
}

/* What can be told of the first block. */
static int check_base(const uint8_t *bytes, size_t len, struct error *err)
{
    if (!hive_is(bytes, len))
        return error_set(err, RESULT_FOREIGN, "This is no hive file: it does not begin with \"regf\".");
    if (len > HIVE_MAX_BYTES)
        return error_set(err, RESULT_INVALID, "The hive file is larger than %zu MiB.",
                         HIVE_MAX_BYTES >> 20);
    if (len < 2 * HIVE_BLOCK_BYTES)
        return error_set(err, RESULT_DAMAGED, "The hive file is cut: it has %zu bytes.", len);
    if (hive_get32(bytes + HIVE_BASE_SEQUENCE_1) != hive_get32(bytes + HIVE_BASE_SEQUENCE_2))
        return error_set(err, RESULT_DAMAGED, "The hive file was in use when it was copied, and part "
                         "of it is in its .LOG files only. Make it by \"reg save\" on Windows.");
    return RESULT_OK;
}

/* A file in memory; -1 with errno. */
static int memory_file(const void *bytes, size_t len)
{
    int fd = memfd_create("hive", MFD_CLOEXEC);
    const char *at = bytes;

    while (fd >= 0 && len) {
        ssize_t written = write(fd, at, len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            int code = errno;

            close(fd);
            errno = code;
            return -1;
        }
        at += written;
        len -= (size_t)written;
    }
    return fd;
}

static void bound(int what, rlim_t most)
{
    struct rlimit limit;

    if (!getrlimit(what, &limit) && (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)) {
        limit.rlim_cur = limit.rlim_max = most;
        setrlimit(what, &limit);
    }
}

/* The child; what it writes is the items, or, after a failure, the error. */
_Noreturn static void run_child(const uint8_t *bytes, size_t len, int in, int out, pid_t parent)
{
    struct error err = {0};
    char path[40];
    FILE *stream;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    bound(RLIMIT_CORE, 0);
    bound(RLIMIT_CPU, CHILD_SECONDS);
    bound(RLIMIT_FSIZE, 8 * len + (1 << 20));
    if (!SANITIZED)
        bound(RLIMIT_DATA, 4 * len + CHILD_MEMORY);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", in);
    if (!(stream = fdopen(out, "w")))
        _exit(1);
    if (hive_walk(bytes, len, path, stream, &err)) {
        if (ftruncate(out, 0) || pwrite(out, &err, sizeof(err), 0) != (ssize_t)sizeof(err))
            _exit(1);
        _exit(2);
    }
    _exit(0);
}

/* Runs the child to its end. */
static int call_child(const uint8_t *bytes, size_t len, int in, int out, struct error *err)
{
    pid_t parent = getpid(), child = fork();
    struct error told;
    int status;

    if (child < 0)
        return error_system(err, errno, "Making a process that reads the hive file");
    if (!child)
        run_child(bytes, len, in, out, parent);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_system(err, errno, "Waiting for what reads the hive file");
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return RESULT_OK;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2 &&
        pread(out, &told, sizeof(told), 0) == (ssize_t)sizeof(told) && told.code) {
        told.text[sizeof(told.text) - 1] = 0;
        return error_set(err, told.code, "%s", told.text);
    }
    if (WIFSIGNALED(status))
        return error_set(err, RESULT_DAMAGED, "The hive file is damaged: what read it was ended by "
                         "signal %d (%s).", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return error_set(err, RESULT_DAMAGED, "The hive file cannot be read.");
}

/* The image on its way out of the items. */
struct building {
    struct image *image;
    struct image_key *key; /* the open one */
    struct unpack u;
    struct error *err;
};

/* The message of what no registry can hold; name may be empty. */
static int refuse(struct building *b, struct utf16 name, const char *why)
{
    char *shown = utf16_for_display(name);
    int result = error_set(b->err, RESULT_INVALID, "The hive file holds what cannot be taken: \"%.512s"
                           "\" %s.", shown ? shown : "?", why);

    free(shown);
    return result;
}

static int no_memory(struct building *b)
{
    return error_system(b->err, ENOMEM, "Reading a hive file");
}

/* The child did not leave what it should. */
static int not_whole(struct building *b)
{
    return error_set(b->err, RESULT_DAMAGED, "The hive file is damaged: it cannot be read to its "
                     "end.");
}

/* The key that comes next, the root first. */
static int build_key(struct building *b)
{
    uint32_t flags = unpack_u32(&b->u);
    struct utf16 class = unpack_utf16(&b->u), name = unpack_utf16(&b->u);
    uint64_t before = b->image->key_count;
    struct image_key *key = NULL;
    int result = RESULT_OK;

    if (b->u.failed || (!b->key && before))
        result = not_whole(b);
    else if (!(key = image_add_key(b->image, b->key, name)))
        result = errno == EINVAL ? refuse(b, name, "is no name of a key, or too deep")
                                 : no_memory(b);
    else if (b->image->key_count == before)
        result = refuse(b, name, "is the name of two keys side by side");
    else if (class.len && image_set_class(b->image, key, class))
        result = no_memory(b);
    if (!result) {
        key->flags = flags & KEY_FLAG_LINK;
        b->key = key;
    }
    free((void *)class.units);
    free((void *)name.units);
    return result;
}

static int build_value(struct building *b)
{
    struct utf16 name = unpack_utf16(&b->u);
    uint32_t type = unpack_u32(&b->u);
    size_t size;
    const void *data = unpack_bytes(&b->u, &size);
    uint64_t before = b->image->value_count;
    int result = RESULT_OK;

    if (b->u.failed || !b->key)
        result = not_whole(b);
    else if ((result = image_set_value(b->image, b->key, name, type, data, (uint32_t)size)))
        result = result == EINVAL ? refuse(b, name, "is too long a name of a value")
                                  : no_memory(b);
    else if (b->image->value_count == before)
        result = refuse(b, name, "is the name of two values of one key");
    free((void *)name.units);
    return result;
}

/* Makes the image of what the child left. */
static int build(const void *items, size_t len, struct image *image, struct error *err)
{
    struct building b = {.image = image, .err = err};
    int result = RESULT_OK;

    unpack_init(&b.u, items, len);
    while (!result && !unpack_done(&b.u)) {
        uint8_t item = unpack_u8(&b.u);

        if (item == HIVE_KEY)
            result = build_key(&b);
        else if (item == HIVE_VALUE)
            result = build_value(&b);
        else if (item == HIVE_UP && b.key)
            b.key = b.key->parent;
        else
            result = not_whole(&b);
    }
    return !result && (b.key || !image->root) ? not_whole(&b) : result;
}

int hive_read(const void *bytes, size_t len, struct image *image, struct error *err)
{
    int in = -1, out = -1, result = check_base(bytes, len, err);
    struct stat st;
    void *items;

    if (result)
        return result;
    if ((in = memory_file(bytes, len)) < 0 || (out = memory_file(NULL, 0)) < 0)
        result = error_system(err, errno, "Reading a hive file of %zu bytes", len);
    else
        result = call_child(bytes, len, in, out, err);
    if (!result && (fstat(out, &st) || !st.st_size))
        result = error_set(err, RESULT_DAMAGED, "The hive file cannot be read.");
    if (!result) {
        items = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, out, 0);
        if (items == MAP_FAILED) {
            result = error_system(err, errno, "Reading a hive file");
        } else {
            result = build(items, (size_t)st.st_size, image, err);
            munmap(items, (size_t)st.st_size);
        }
    }
    if (result)
        image_free(image);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return result;
}
