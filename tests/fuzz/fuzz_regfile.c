/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of .reg files.  What it could read is written and read once more: that must work, and
 * give the same.
 */
#include "fuzz.h"
#include "regfile_image.h"

/* Looks at all of a statement, then carries it out. */
static int use_entry(const struct regfile_entry *e, void *arg)
{
    fuzz_use(e->key.units, 2 * e->key.len);
    fuzz_use(e->name.units, 2 * e->name.len);
    fuzz_use(e->data, e->size_bytes);
    apply_regfile_entry(e, arg); /* another tree's, or beyond the limits: left out */
    return 0;
}

/* Writes an image and reads it into another; what a .reg file cannot carry is left out. */
static void write_and_read(const struct image *image, struct image *again)
{
    struct error err = { 0, "" };
    char *bytes = NULL;
    size_t len = 0;

    FUZZ_HOLDS(!write_regfile(image, true, NULL, NULL, &bytes, &len, &err));
    image_init(again);
    if (image->root && read_regfile(bytes, len, again, &err)) {
        fprintf(stderr, "%s\n", err.text);
        FUZZ_HOLDS(!"what was written can be read");
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct image image, again, last;
    struct error err = { 0, "" };
    int ret;

    image_init(&image);
    ret = regfile_read(bytes, len, use_entry, &image, &err);
    FUZZ_HOLDS(ret == err.code);
    if (!ret) {
        write_and_read(&image, &again);
        write_and_read(&again, &last);
        FUZZ_HOLDS(image_equal(&again, &last));
        image_free(&again);
        image_free(&last);
    }
    image_free(&image);
    return 0;
}
