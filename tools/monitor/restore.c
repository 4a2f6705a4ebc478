/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restore: the live registry is made equal to the checkpoint before the program starts.
 *
 * A key that does not exist is loaded as a whole (NtLoadKey), anything else is changed where it
 * differs, so open handles stay valid.  Then it is scanned again and compared; what NtLoadKey cannot
 * carry (classes, some names) is set singly in the next round.  Equal is the only way out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

#define ROUNDS 3

/* The first difference that is left, for the message. */
struct difference {
    char text[512];
    uint64_t count;
};

static int note_difference(const struct change *c, void *arg)
{
    struct difference *d = arg;

    if (!d->count++) {
        char *path = utf16_for_display(c->path), *name = utf16_for_display(c->name);
        static const char *const kinds[] = {"", "key '%s' is missing or has another class",
                                            "key '%s' cannot be removed",
                                            "value '%2$s' of key '%1$s' is not as it should be",
                                            "value '%2$s' of key '%1$s' cannot be removed"};
        snprintf(d->text, sizeof(d->text), c->kind == CHANGE_CREATE_KEY   ? kinds[1]
                                           : c->kind == CHANGE_DELETE_KEY ? kinds[2]
                                           : c->kind == CHANGE_SET_VALUE  ? kinds[3]
                                                                          : kinds[4],
                 path ? path : "?", name ? name : "?");
        free(path);
        free(name);
    }
    return 0;
}

static int inexact(struct monitor *m, struct held_key *k, struct image *live, struct error *err)
{
    struct difference d = {.count = 0};

    image_diff(live, &k->image, k->key.id, note_difference, &d);
    return error_set(err, RESULT_INEXACT,
                     "HKLM\\%s could not be made equal to the checkpoint in %s: %s (%llu differences). "
                     "The program was not started and nothing was saved. 'regckpt diff %s' shows what "
                     "differs", k->key.path, m->place.prefix, d.text, (unsigned long long)d.count,
                     m->name);
}

static int restore_key(struct monitor *m, struct held_key *k, struct error *err)
{
    struct image live;
    uint64_t applied = 0;
    int error = 0;

    for (int round = 0; round <= ROUNDS; round++) {
        if ((error = capture_scan(m, k, true, &live, err)))
            return error;
        if (image_equal(&live, &k->image)) {
            image_free(&live);
            if (round)
                log_line("restored HKLM\\%s: %llu keys, %llu values, %llu changes", k->key.path,
                         (unsigned long long)k->image.key_count,
                         (unsigned long long)k->image.value_count, (unsigned long long)applied);
            return 0;
        }
        if (round == ROUNDS) {
            error = inexact(m, k, &live, err);
        } else if (!live.root && k->image.root) {
            applied += k->image.value_count;
            error = hostlink_load(m->agent, k->key.id, &k->image, err);
        } else {
            error = hostlink_apply_diff(m->agent, k->key.id, &live, &k->image, &applied, err);
        }
        if (error == RESULT_WINE && round < ROUNDS && m->agent->sock >= 0) {
            /* a change was refused: the comparison tells whether it matters */
            log_line("restoring HKLM\\%s: %s", k->key.path, err->text);
            if (round == ROUNDS - 1)
                error = inexact(m, k, &live, err);
            else
                error = 0;
        }
        image_free(&live);
        if (error)
            return error;
    }
    return error;
}

/* What was registered when nobody could look is captured now, and the tree left as it is. */
static int capture_first(struct monitor *m, struct held_key *k, struct error *err)
{
    uint64_t changes = 0;
    struct image seen;
    int error = capture_scan(m, k, true, &seen, err);

    if (error)
        return error;
    if (!seen.root) {
        log_line("HKLM\\%s does not exist in %s yet: it is captured once it does", k->key.path,
                 m->place.prefix);
        return 0;
    }
    log_line("capturing HKLM\\%s for the first time: %llu values", k->key.path,
             (unsigned long long)seen.value_count);
    error = capture_store(m, k, &seen, "capture", &changes, err);
    image_free(&seen);
    return error;
}

int restore_all(struct monitor *m, struct error *err)
{
    int error = 0;

    for (size_t i = 0; i < m->key_count && !error; i++) {
        struct held_key *k = &m->keys[i];
        report_progress(m, "%s HKLM\\%s (%zu of %zu)",
                        k->key.flags & KEY_CAPTURED ? "restoring" : "capturing", k->key.path, i + 1,
                        m->key_count);
        err->code = 0;
        error = k->key.flags & KEY_CAPTURED ? restore_key(m, k, err) : capture_first(m, k, err);
    }
    return error;
}
