/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_scan PREFIX KEY ROUNDS: what a scan of a key costs, by the same way as the monitor's: through
 * a regckpt-host in the prefix.  The host must lie beside this program.  Prints medians of
 *     save       NtSaveKey alone: the time wineserver does nothing else
 *     scan       the whole: request, NtSaveKey, the text read and made an image
 *     compare    image_diff of two equal images, which is every scan's end
 *     values, text-bytes   what there was
 */
#include <string.h>

#include "bench_timing.h"
#include "hostlink.h"
#include "settings.h"

#define HOST_MS 60000

/* Counts changes, of which there must be none. */
static int count_change(const struct change *change, void *arg)
{
    (void)change;
    ++*(uint64_t *)arg;
    return 0;
}

/* Scans again and again; the times go into the three arrays. */
static void measure(struct hostlink *link, size_t rounds, int64_t *save, int64_t *scan,
                    int64_t *compare)
{
    struct image images[2];
    struct scan_facts facts;
    uint64_t changes = 0;
    struct error err;

    image_init(&images[0]);
    image_init(&images[1]);
    if (hostlink_scan(link, 1, false, &images[1], &facts, &err))
        die(&err);
    for (size_t round = 0; round < rounds; round++) {
        struct image *now = &images[round % 2], *before = &images[1 - round % 2];
        int64_t began = now_ns();

        image_free(now);
        if (hostlink_scan(link, 1, false, now, &facts, &err))
            die(&err);
        scan[round] = now_ns() - began;
        save[round] = facts.server_ns;
        began = now_ns();
        if (image_diff(before, now, 1, count_change, &changes) || changes) {
            error_set(&err, RESULT_DIFFERENT, "two scans of one key differ");
            die(&err);
        }
        compare[round] = now_ns() - began;
    }
    printf("values %llu\ntext-bytes %llu\n", (unsigned long long)images[0].value_count,
           (unsigned long long)facts.text_bytes);
    image_free(&images[0]);
    image_free(&images[1]);
}

int main(int argc, char **argv)
{
    struct registered_key key = {.id = 1, .view = VIEW_64};
    struct wine_place place;
    struct settings settings;
    struct resource resource;
    struct hostlink link;
    struct error err;
    bool exists;
    int64_t *times;
    size_t rounds;
    char *dir;

    if (argc != 4) {
        fprintf(stderr, "usage: bench_scan PREFIX KEY ROUNDS\n");
        return 100;
    }
    rounds = number_argument(argv[3]);
    key.path = argv[2];
    resource_init(&resource);
    if (settings_read(&settings, NULL, &err) ||
        settings_make_resource_dir(&settings, "bench-scan", &dir, &err) ||
        wine_place_find(&resource, argv[1], &settings, &place, &err) ||
        hostlink_start(&link, &place, dir, -1, HOST_MS, &err) ||
        hostlink_keys(&link, &key, 1, &exists, NULL, &err))
        die(&err);
    if (!exists || !(times = calloc(3 * rounds, sizeof(*times)))) {
        fprintf(stderr, "%s is not there\n", argv[2]);
        return 1;
    }
    measure(&link, rounds, times, times + rounds, times + 2 * rounds);
    print_median("save", times, rounds);
    print_median("scan", times + rounds, rounds);
    print_median("compare", times + 2 * rounds, rounds);
    free(times);
    hostlink_close(&link);
    wine_place_free(&place);
    resource_free(&resource);
    settings_free(&settings);
    free(dir);
    return 0;
}
