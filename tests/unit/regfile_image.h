/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * .reg files and images for tests: writing one to memory, reading one into an image.
 */
#ifndef REGCKPT_TEST_REGFILE_IMAGE_H
#define REGCKPT_TEST_REGFILE_IMAGE_H

#include "random_image.h"
#include "regfile.h"

#define TREE "Software\\Tree" /* what the image's own key is called in the file */

/* Writes an image to memory; bytes are the caller's to free. */
static inline int write_regfile(const struct image *image, bool leave_out, regfile_remark_fn *fn,
                                void *arg, char **bytes, size_t *len, struct error *err)
{
    struct regfile_writer *w = malloc(sizeof(*w));
    FILE *out = open_memstream(bytes, len);
    int result, end;

    if (!w || !out)
        abort();
    regfile_write_begin(w, out, false);
    w->leave_out = leave_out;
    w->remark = fn;
    w->arg = arg;
    result = regfile_write_tree(w, TREE, image, err);
    end = regfile_write_end(w, err);
    fclose(out);
    free(w);
    return result ? result : end;
}

/* regfile_read's call that carries a statement out on an image of TREE. */
static inline int apply_regfile_entry(const struct regfile_entry *e, void *arg)
{
    struct utf16 root = U("" REGFILE_ROOT "\\" TREE), key = e->key;
    struct change change = {.kind = e->kind == REGFILE_KEY          ? CHANGE_CREATE_KEY
                                    : e->kind == REGFILE_DELETE_KEY ? CHANGE_DELETE_KEY
                                    : e->kind == REGFILE_SET_VALUE  ? CHANGE_SET_VALUE
                                                                    : CHANGE_DELETE_VALUE,
                            .name = e->name, .type = e->type, .data = e->data,
                            .size_bytes = e->size_bytes};

    if (key.len < root.len || (key.len > root.len && key.units[root.len] != '\\'))
        return RESULT_NOT_FOUND;
    key.units += key.len > root.len ? root.len + 1 : root.len;
    key.len -= key.len > root.len ? root.len + 1 : root.len;
    change.path = key;
    return image_apply(arg, &change);
}

/* Reads a file into an image (which may hold something). */
static inline int read_regfile(const void *bytes, size_t len, struct image *image,
                               struct error *err)
{
    return regfile_read(bytes, len, apply_regfile_entry, image, err);
}

#endif
