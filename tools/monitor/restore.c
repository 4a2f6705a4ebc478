/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restore: the live registry is made equal to the checkpoint before the program starts, and with
 * "offline --restore-local" to what it was before, when the program has ended.
 *
 * First all keys are scanned, and what they hold is kept on this node (before.h); only then the first
 * of them is changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../dlls/libregckpt/before.h"
#include "monitor.h"

struct scanning {
    struct monitor *m;
    struct held_key *key;
    bool watch;
};

static int scan(void *arg, struct image *live, struct error *err)
{
    struct scanning *s = arg;

    return capture_scan(s->m, s->key, s->watch, live, err);
}

/* Makes a key equal to an image; *live, its picture, is used up. */
static int make_equal(struct monitor *m, struct held_key *k, const struct image *want, bool watch,
                      struct image *live, struct error *err)
{
    struct scanning s = {m, k, watch};
    struct hostlink_restore r = {.link = m->agent, .key_id = k->key.id, .want = want, .scan = scan,
                                 .arg = &s};
    int error = hostlink_restore(&r, live, err);

    if (r.refused.code)
        log_line("restoring HKLM\\%s: %s", k->key.path, r.refused.text);
    if (!error && r.rounds)
        log_line("restored HKLM\\%s: %llu keys, %llu values, %llu changes", k->key.path,
                 (unsigned long long)want->key_count, (unsigned long long)want->value_count,
                 (unsigned long long)r.applied);
    return error;
}

static int restore_key(struct monitor *m, struct held_key *k, struct image *live, struct error *err)
{
    struct error why = {.code = 0};
    int error = make_equal(m, k, &k->image, true, live, &why);

    if (error == RESULT_INEXACT)
        return error_set(err, error,
                         "HKLM\\%s could not be made equal to the checkpoint in %s: %s. The program "
                         "was not started and nothing was saved. 'regckpt diff %s' shows what differs",
                         k->key.path, m->place.prefix, why.text, m->name);
    if (error)
        *err = why;
    return error;
}

/* What was registered when nobody could look is captured now, and the tree left as it is. */
static int capture_first(struct monitor *m, struct held_key *k, struct image *seen, struct error *err)
{
    uint64_t changes = 0;

    if (!seen->root) {
        log_line("HKLM\\%s does not exist in %s yet: it is captured once it does", k->key.path,
                 m->place.prefix);
        return 0;
    }
    log_line("capturing HKLM\\%s for the first time: %llu values", k->key.path,
             (unsigned long long)seen->value_count);
    return capture_store(m, k, seen, "capture", &changes, err);
}

/* Keeps what the registry holds, unless an earlier stay has, and did not end in order. */
static void keep_before(struct monitor *m, const struct image *live)
{
    const struct registered_key **keys = calloc(m->key_count + 1, sizeof(*keys));
    const struct image **images = calloc(m->key_count + 1, sizeof(*images));
    struct error err;

    for (size_t i = 0; keys && images && i < m->key_count; i++) {
        keys[i] = &m->keys[i].key;
        images[i] = &live[i];
    }
    if (before_is_open(&m->settings, m->name, m->place.prefix, m->state.epoch))
        log_line("the last stay on this node did not end in order: what the registry held before it "
                 "stays kept");
    else if (!keys || !images)
        log_line("no memory to keep what the registry held before");
    else if (before_write(&m->settings, m->name, m->place.prefix, m->state.epoch, keys, images,
                          m->key_count, &err))
        log_line("%s. 'regckpt offline %s --restore-local' will not find it", err.text, m->name);
    free(keys);
    free(images);
}

static int restore_each(struct monitor *m, struct image *live, struct error *err)
{
    int error = 0;

    for (size_t i = 0; i < m->key_count && !error; i++) {
        report_progress(m, "looking at HKLM\\%s (%zu of %zu)", m->keys[i].key.path, i + 1,
                        m->key_count);
        err->code = 0;
        error = capture_scan(m, &m->keys[i], true, &live[i], err);
    }
    if (!error)
        keep_before(m, live);
    for (size_t i = 0; i < m->key_count && !error; i++) {
        struct held_key *k = &m->keys[i];
        bool captured = k->key.flags & KEY_CAPTURED;

        report_progress(m, "%s HKLM\\%s (%zu of %zu)", captured ? "restoring" : "capturing",
                        k->key.path, i + 1, m->key_count);
        err->code = 0;
        error = captured ? restore_key(m, k, &live[i], err) : capture_first(m, k, &live[i], err);
    }
    return error;
}

int restore_all(struct monitor *m, struct error *err)
{
    struct image *live = calloc(m->key_count + 1, sizeof(*live));
    int error;

    if (!live)
        return error_set(err, ENOMEM, "no memory for what the registry holds");
    error = restore_each(m, live, err);
    for (size_t i = 0; i < m->key_count; i++)
        image_free(&live[i]);
    free(live);
    return error;
}

/* One key as it was before. */
static int put_back_key(struct monitor *m, struct held_key *k, struct before_key *was,
                        struct error *err)
{
    struct image live;
    int error;

    if (image_exclude(&was->image, &k->exclude)) /* it may exclude more by now */
        return error_set(err, ENOMEM, "no memory for HKLM\\%s", k->key.path);
    if ((error = capture_scan(m, k, false, &live, err)) ||
        (error = make_equal(m, k, &was->image, false, &live, err)))
        error_prefix(err, "HKLM\\%s", k->key.path);
    return error;
}

static int put_back_all(struct monitor *m, struct error *err)
{
    struct before b;
    int error = before_read(&m->settings, m->name, m->place.prefix, &b, err);

    if (error == RESULT_NOT_FOUND)
        return error_set(err, error, "nothing is kept of it (the log of its online says why)");
    for (size_t i = 0; i < m->key_count && !error; i++) {
        struct before_key *was = (struct before_key *)before_find(&b, &m->keys[i].key);

        report_progress(m, "putting back HKLM\\%s (%zu of %zu)", m->keys[i].key.path, i + 1,
                        m->key_count);
        if (was)
            error = put_back_key(m, &m->keys[i], was, err);
        else
            log_line("HKLM\\%s was registered later and is left as it is", m->keys[i].key.path);
    }
    before_free(&b);
    return error ? error : before_remove(&m->settings, m->name, m->place.prefix, err);
}

int restore_before(struct monitor *m, struct error *err)
{
    struct error why = {.code = 0};
    int error = put_back_all(m, &why);

    if (!error) {
        log_line("the registry is as it was before %s went online", m->name);
        return 0;
    }
    return error_set(err, error, "%s is saved and offline, but what this node's registry held before "
                     "could not be put back: %s. 'regckpt offline %s --restore-local' tries again",
                     m->name, why.text, m->name);
}

void restore_not_asked(struct monitor *m)
{
    struct error err;

    if (before_close(&m->settings, m->name, m->place.prefix, &err))
        log_line("%s", err.text);
}
