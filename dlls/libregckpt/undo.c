/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoing the history.  An entry holds what its record was before, so each step is one change the
 * other way round; a step back to data that were not kept leaves a hole, which an older step may
 * fill again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "undo.h"

/* "2026-11-23 12:30:05" in local time; room for 40 bytes. */
static const char *time_of(uint64_t unix_us, char *room)
{
    time_t seconds = (time_t)(unix_us / 1000000);
    struct tm tm;

    if (!localtime_r(&seconds, &tm) || !strftime(room, 40, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(room, 40, "@%llu", (unsigned long long)seconds);
    return room;
}

/* Says how far the history reaches. */
static int too_far(const struct snapshot *s, const char *wanted, struct error *err)
{
    char when[40];

    if (!s->history_count)
        return error_set(err, RESULT_DIFFERENT, "the history does not reach back to %s: it holds "
                         "no change (the property \"history\" says how many bytes of it are "
                         "kept)", wanted);
    return error_set(err, RESULT_DIFFERENT, "the history does not reach back to %s: the oldest "
                     "change it holds is %llu, of %s, so it reaches back to the content after change %llu",
                     wanted, (unsigned long long)s->history[0].index + 1,
                     time_of(s->history[0].time, when), (unsigned long long)s->history[0].index);
}

/* The place of a value in the list of holes, or its end. */
static size_t find_hole(const struct undone *u, const struct change *c)
{
    size_t i;

    for (i = 0; i < u->hole_count; i++)
        if (u->holes[i].key_id == c->key_id &&
            !utf16_compare_nocase(u->holes[i].path, c->path) &&
            !utf16_compare_nocase(u->holes[i].name, c->name))
            break;
    return i;
}

static void free_hole(struct undo_hole *h)
{
    free((void *)h->path.units);
    free((void *)h->name.units);
}

/* What was a hole has data again, or is gone. */
static void close_hole(struct undone *u, const struct change *c)
{
    size_t i = find_hole(u, c);

    if (i == u->hole_count) return;
    free_hole(&u->holes[i]);
    u->holes[i] = u->holes[--u->hole_count];
}

/* A copy of a string. false: no memory. */
static bool copy_units(struct utf16 s, struct utf16 *out)
{
    uint16_t *units = malloc((s.len ? s.len : 1) * sizeof(*units));

    if (!units) return false;
    if (s.len) memcpy(units, s.units, s.len * sizeof(*units));
    *out = (struct utf16){ units, s.len };
    return true;
}

/* Notes that a value's data are not known. */
static int open_hole(struct undone *u, const struct change *c, uint32_t size_bytes)
{
    struct undo_hole hole = { .key_id = c->key_id, .size_bytes = size_bytes }, *bigger;
    size_t i = find_hole(u, c);

    if (i < u->hole_count) {
        u->holes[i].size_bytes = size_bytes;
        return 0;
    }
    if (!(bigger = realloc(u->holes, (u->hole_count + 1) * sizeof(*bigger)))) return ENOMEM;
    u->holes = bigger;
    if (!copy_units(c->path, &hole.path)) return ENOMEM;
    if (!copy_units(c->name, &hole.name)) {
        free((void *)hole.path.units);
        return ENOMEM;
    }
    u->holes[u->hole_count++] = hole;
    return 0;
}

/* Brings a key back that an entry deleted, with the case its name had. */
static int restore_key(struct image *image, const struct history_entry *e)
{
    struct change back = { .kind = CHANGE_CREATE_KEY, .path = e->change.path,
                           .key_flags = e->old_flags, .class = e->old_class };
    size_t above = e->change.path.len;
    uint16_t *units;
    int ret;

    while (above && e->change.path.units[above - 1] != '\\') above--;
    if (!(units = malloc((above + e->old_name.len + 1) * sizeof(*units)))) return ENOMEM;
    if (above) memcpy(units, e->change.path.units, above * sizeof(*units));
    if (e->old_name.len)
        memcpy(units + above, e->old_name.units, e->old_name.len * sizeof(*units));
    back.path = (struct utf16){ units, above + e->old_name.len };
    ret = image_apply(image, &back);
    free(units);
    return ret;
}

/* One change of a value the other way round. */
static int undo_value(struct image *image, const struct history_entry *e, struct undone *u)
{
    struct change back = { .kind = CHANGE_DELETE_VALUE, .key_id = e->change.key_id,
                           .path = e->change.path, .name = e->change.name };
    int ret = 0;

    if (e->had_old) {
        back.kind = CHANGE_SET_VALUE;
        back.name = e->old_name;
        back.type = e->old_type;
        if (!e->old_data_left_out) {
            back.data = e->old_data;
            back.size_bytes = e->old_size_bytes;
        }
    }
    if (e->had_old && e->old_data_left_out) ret = open_hole(u, &back, e->old_size_bytes);
    else close_hole(u, &back);
    return ret ? ret : image_apply(image, &back);
}

/* One change the other way round. */
static int undo(struct image *image, const struct history_entry *e, struct undone *u)
{
    struct change back = e->change;

    switch (e->change.kind) {
    case CHANGE_SET_VALUE:
    case CHANGE_DELETE_VALUE:
        return undo_value(image, e, u);
    case CHANGE_DELETE_KEY:
        return e->had_old ? restore_key(image, e) : 0;
    case CHANGE_CREATE_KEY:
        if (!e->had_old) back.kind = CHANGE_DELETE_KEY;
        back.class = e->old_class;
        return image_apply(image, &back);
    }
    return RESULT_DAMAGED;
}

/* The image of a captured registered key, NULL: there is none of this id any more. */
static struct image *image_of(struct snapshot *s, uint32_t id)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (s->keys[i].key.id == id)
            return s->keys[i].key.flags & KEY_CAPTURED ? &s->keys[i].image : NULL;
    return NULL;
}

int snapshot_undo(struct snapshot *s, uint64_t number, struct undone *out, struct error *err)
{
    char wanted[64];
    struct image *image;
    size_t i = s->history_count;
    int ret;

    memset(out, 0, sizeof(*out));
    snprintf(wanted, sizeof(wanted), "change %llu", (unsigned long long)number);
    if (number > s->history_next)
        return error_set(err, RESULT_NOT_FOUND, "there is no %s: the last one is change %llu",
                         wanted, (unsigned long long)s->history_next);
    if (number < s->history_first) return too_far(s, wanted, err);
    while (i && s->history[i - 1].index >= number) {
        i--;
        image = image_of(s, s->history[i].change.key_id);
        if (!image || !strcmp(s->history[i].who, UNDO_CAPTURE)) continue;
        if ((ret = undo(image, &s->history[i], out))) {
            undone_free(out);
            return ret == ENOMEM ? error_system(err, ret, "undoing the history")
                : error_set(err, RESULT_DAMAGED, "the history cannot be undone: its change %llu is "
                            "malformed", (unsigned long long)s->history[i].index + 1);
        }
        out->count++;
    }
    return 0;
}

void undone_free(struct undone *u)
{
    for (size_t i = 0; i < u->hole_count; i++) free_hole(&u->holes[i]);
    free(u->holes);
    memset(u, 0, sizeof(*u));
}

int snapshot_change_at(const struct snapshot *s, uint64_t time, uint64_t *number, struct error *err)
{
    size_t i = s->history_count;
    char when[40];

    /* From the newest on: where a clock was set back, what came after that moment is undone. */
    while (i && s->history[i - 1].time > time) i--;
    *number = i < s->history_count ? s->history[i].index : s->history_next;
    if (!i && s->history_first) return too_far(s, time_of(time, when), err);
    return 0;
}
