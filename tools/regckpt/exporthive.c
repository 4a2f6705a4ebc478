/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "exporthive.h"
#include "hive.h"
#include "keymatch.h"
#include "newfile.h"

/* A hive on its way into a file. */
struct bytes {
    uint8_t *at;
    size_t len;
};

/* newfile_write's call. */
static int write_bytes(FILE *out, void *arg, struct error *err)
{
    const struct bytes *b = arg;

    errno = 0;
    if (fwrite(b->at, 1, b->len, out) != b->len || fflush(out))
        return error_system(err, errno, "Writing the hive file");
    return RESULT_OK;
}

/* The key that is meant: the one named, or the only one there is. */
static int choose_key(const struct snapshot *s, const char *name, const char *word,
                      const char *view, const struct snapshot_key **found, struct error *err)
{
    char list[ERROR_TEXT_BYTES / 2];

    if (word)
        return key_find(s, name, word, view, found, err);
    if (!s->key_count)
        return error_set(err, RESULT_NOT_FOUND, "No key is registered for %s.", name);
    if (s->key_count > 1)
        return error_set(err, RESULT_USAGE, "A hive file holds one key, and several are registered "
                         "for %s. Say which by --key: %s.", name,
                         key_list(s, list, sizeof(list)));
    *found = &s->keys[0];
    return RESULT_OK;
}

/* Makes the hive and reads it back: what anybody gets is known to be readable and equal. */
static int make_hive(const struct snapshot_key *k, struct bytes *b, struct error *err)
{
    const char *last = strrchr(k->key.path, '\\');
    struct utf16 root_name = {0};
    struct image back;
    struct timeval now;
    int result;

    last = last ? last + 1 : k->key.path;
    if ((result = utf16_from_utf8(last, strlen(last), &root_name)))
        return error_system(err, result < 0 ? EILSEQ : result, "Exporting the key \"%s\"",
                            k->key.path);
    gettimeofday(&now, NULL);
    result = hive_write(&k->image, root_name, (uint64_t)now.tv_sec * 1000000, &b->at, &b->len, err);
    free((void *)root_name.units);
    if (result)
        return error_prefix(err, "Exporting the key \"%s\"", k->key.path);
    image_init(&back);
    if ((result = hive_read(b->at, b->len, &back, err)))
        error_prefix(err, "Reading back the hive file of the key \"%s\"", k->key.path);
    else if (!image_equal(&k->image, &back))
        result = error_set(err, RESULT_INEXACT, "The hive file of the key \"%s\" does not read back "
                           "as what was written. Export a .reg file.", k->key.path);
    image_free(&back);
    if (result)
        free(b->at);
    return result;
}

int export_hive(const struct snapshot *s, const char *name, const char *word, const char *view,
                const char *file, struct error *err)
{
    bool to_stdout = !file || !strcmp(file, "-");
    const struct snapshot_key *k;
    struct bytes b;
    int result;

    if (to_stdout && isatty(STDOUT_FILENO))
        return error_set(err, RESULT_USAGE, "A hive file is not for a terminal. Name a file for it.");
    if ((result = choose_key(s, name, word, view, &k, err)))
        return result;
    if (!k->image.root)
        return error_set(err, RESULT_NOT_FOUND, "The key \"%s\" %s, and a hive file cannot say that.",
                         k->key.path, k->key.flags & KEY_CAPTURED
                             ? "does not exist in the checkpoint"
                             : "is not captured yet; the first online does it");
    if ((result = make_hive(k, &b, err)))
        return result;
    result = to_stdout ? write_bytes(stdout, &b, err) : newfile_write(file, write_bytes, &b, err);
    free(b.at);
    return result;
}
