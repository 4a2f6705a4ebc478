/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader of Wine's registry text.  What it could read is written and read once more: that must
 * work, and give the same but for what the text for NtLoadKey leaves out.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "winereg.h"

/* Writes an image and reads it into another. */
static void write_and_read(const struct image *image, struct image *again)
{
    struct error err = { 0, "" };
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);

    FUZZ_HOLDS(out && !winereg_write(image, out) && !fclose(out));
    image_init(again);
    if (winereg_parse(bytes, len, again, NULL, &err)) {
        fprintf(stderr, "%s\n", err.text);
        FUZZ_HOLDS(!"what was written can be read");
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct image image, mixed, again, last;
    struct winereg_facts facts;
    struct error err = { 0, "" };
    int ret, lenient;

    image_init(&image);
    image_init(&mixed);
    ret = winereg_parse((const char *)bytes, len, &image, NULL, &err);
    FUZZ_HOLDS(ret == err.code);
    FUZZ_HOLDS(!ret == !!image.root);
    /* who can ask about doubtful keys reads all that others do, and more only with doubts */
    lenient = winereg_parse((const char *)bytes, len, &mixed, &facts, &err);
    FUZZ_HOLDS(ret ? lenient || facts.doubts : !lenient && image_equal(&image, &mixed));
    image_free(&mixed);
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
