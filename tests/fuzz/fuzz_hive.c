/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of hive files.  What it could read is written and read once more: that must work, and
 * give the same.
 *
 * Its child is walked through here as well, where the fuzzer sees which ways are taken: what the
 * library does not survive ends there as a damaged hive, but is a finding all the same.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "hive.h"
#include "hive_walk.h"

/* The child's part, in this process. */
static void walk(const uint8_t *bytes, size_t len)
{
    struct error err = { 0, "" };
    char *items = NULL;
    size_t items_len = 0;
    FILE *out = open_memstream(&items, &items_len);
    int ret = hive_walk(bytes, len, fuzz_file(bytes, len), out, &err);

    FUZZ_HOLDS(ret == err.code);
    fclose(out);
    FUZZ_HOLDS(items_len <= 8 * len + (1 << 20));
    free(items);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static unsigned count;
    struct error err = { 0, "" };
    struct image image, again;
    int open_before, ret;
    uint8_t *written;
    size_t written_len;

    walk(bytes, len);
    open_before = fuzz_open_descriptors();
    image_init(&image);
    if (count++ % 8) /* a process takes longer than all the rest */
        return 0;
    ret = hive_read(bytes, len, &image, &err);
    FUZZ_HOLDS(ret == err.code);
    FUZZ_HOLDS(!ret == (image.root != NULL));
    if (!ret && !hive_write(&image, (struct utf16){ 0 }, 0, &written, &written_len, &err)) {
        image_init(&again);
        FUZZ_HOLDS(!hive_read(written, written_len, &again, &err));
        FUZZ_HOLDS(image_equal(&image, &again));
        image_free(&again);
        free(written);
    }
    image_free(&image);
    FUZZ_HOLDS(fuzz_open_descriptors() == open_before);
    return 0;
}
