/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading Wine's registry text: lines and sections (see winereg.h; values: winereg_value.c).
 *
 * NtSaveKey writes a key before its subkeys, and a key without values that has subkeys not at all.
 * So a section whose key is there already is a second key of that name.  Wine has two reasons for
 * it: a key whose name ends in NUL, which is written without, and a key that its NtRenameKey left
 * in the list of subkeys twice.  The second is harmless, both sections are alike; the first mixes
 * two keys: who can ask the registry is told of it, and to others it is refused.
 */
#include "winereg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "winereg_reader.h"

int winereg_malformed(struct winereg_reader *r, const char *why)
{
    return error_set(r->err, RESULT_INVALID,
                     "line %lu of Wine's registry text is not as NtSaveKey writes it: %s; nothing "
                     "of the text was used",
                     r->line_number, why);
}

/* How many keys lie between a key and the image's own, with one of them. */
static unsigned levels_above(const struct image_key *key)
{
    unsigned levels = 0;

    for (; key->parent; key = key->parent)
        levels++;
    return levels;
}

/* Wine knows no limit, and so can hold what no registry of Windows can. */
static int too_deep(struct winereg_reader *r, const struct image_key *key)
{
    struct utf16 path = {0};
    char *shown = NULL;

    if (!image_key_path(key, &path))
        shown = utf16_for_display(path);
    free((void *)path.units);
    error_set(r->err, RESULT_INVALID,
              "there are keys more than %u levels below the registered one, which is the most that "
              "Windows has and a checkpoint takes: those in \"%.100s%s\". Delete them, or register a key nearer to them",
              IMAGE_MAX_DEPTH, shown ? shown : "?", shown && strlen(shown) > 100 ? "..." : "");
    free(shown);
    return RESULT_INVALID;
}

int winereg_no_memory(struct winereg_reader *r)
{
    return error_system(r->err, ENOMEM, "cannot read line %lu of Wine's registry text",
                        r->line_number);
}

int winereg_conflict(struct winereg_reader *r, struct image_key *key, const char *why)
{
    if (!r->facts)
        return winereg_malformed(r, why);
    key->doubt = WINEREG_CONFLICT;
    r->facts->doubts = true;
    return 0;
}

bool winereg_next_line(struct winereg_reader *r)
{
    const char *end;

    if (r->next == r->end)
        return false;
    end = memchr(r->next, '\n', r->end - r->next); /* the text ends in a newline */
    r->line = r->next;
    r->line_end = end;
    r->next = end + 1;
    r->line_number++;
    return true;
}

int winereg_reserve_units(struct winereg_reader *r, size_t count)
{
    uint16_t *bigger;

    if (count <= r->units_room)
        return 0;
    if (!(bigger = realloc(r->units, count * 2 * sizeof(*bigger))))
        return winereg_no_memory(r);
    r->units = bigger;
    r->units_room = count * 2;
    return 0;
}

/* Is the line exactly this? */
static bool line_is(const struct winereg_reader *r, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(r->line_end - r->line) == len && !memcmp(r->line, text, len);
}

/* Does the line begin so? */
static bool line_starts(const struct winereg_reader *r, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(r->line_end - r->line) >= len && !memcmp(r->line, text, len);
}

/* Goes to the next line if it begins so. */
static bool take_line(struct winereg_reader *r, const char *text)
{
    struct winereg_reader before = *r;

    if (winereg_next_line(r) && line_starts(r, text))
        return true;
    r->line = before.line;
    r->line_end = before.line_end;
    r->next = before.next;
    r->line_number = before.line_number;
    return false;
}

/* The last part of the saved key's path. */
static void note_name(struct winereg_facts *facts, struct utf16 path)
{
    size_t at = path.len;

    while (at && path.units[at - 1] != '\\')
        at--;
    if (at == path.len || path.len - at > IMAGE_MAX_KEY_NAME_CHARS)
        return;
    facts->name_len = path.len - at;
    memcpy(facts->name, path.units + at, facts->name_len * sizeof(*facts->name));
}

/* The lines before the first section. */
static int read_header(struct winereg_reader *r)
{
    const char *path;
    size_t len;
    int result;

    if (!winereg_next_line(r) || !line_is(r, WINEREG_FIRST_LINE))
        return error_set(r->err, RESULT_FOREIGN,
                         "this is no registry text of Wine: the first line is not \"%s\"",
                         WINEREG_FIRST_LINE);
    if (!winereg_next_line(r) || !line_starts(r, WINEREG_SECOND_LINE))
        return winereg_malformed(r, "no comment that says which key was saved");
    path = r->line + strlen(WINEREG_SECOND_LINE);
    if ((result = winereg_reserve_units(r, r->line_end - path)))
        return result;
    if (winereg_unescape(path, r->line_end, WINEREG_KEY, r->units, &len) != r->line_end)
        return winereg_malformed(r, "the name of the saved key is malformed");
    if (r->facts)
        note_name(r->facts, (struct utf16){ r->units, len });
    if (r->end - r->next < 2 || r->next[0] != '\n' || r->next[1] != '#')
        return 0;
    winereg_next_line(r);
    winereg_next_line(r);
    if (!line_is(r, "#arch=win32") && !line_is(r, "#arch=win64"))
        return winereg_malformed(r, "not an architecture that is known (win32 or win64)");
    return 0;
}

/*
 * Finds the key of a path, makes what is missing of it.  *made: something was.  An empty path is the
 * saved key's own, or that of its subkey named by one NUL, which of a second one is certain: the saved
 * key comes first and once.
 */
static int enter_key(struct winereg_reader *r, struct utf16 path, bool *made)
{
    static const uint16_t nul[1];
    struct image_key *key = r->image->root;
    bool more = path.len || r->own_seen;

    *made = !more;
    while (more) {
        struct utf16 name = { path.units, 0 };
        struct image_key *child;
        uint32_t at;
        bool found;

        while (name.len < path.len && path.units[name.len] != '\\')
            name.len++;
        more = name.len < path.len;
        path.units += name.len + more;
        path.len -= name.len + more;
        if (!name.len) /* Wine's server leaves a NUL at a name's end out, and here it is all of it */
            name = (struct utf16){ nul, 1 };
        at = image_search_key(key, name, &found);
        if (found) {
            child = key->keys[at];
            if (!utf16_equal(child->name, name) &&
                winereg_conflict(r, child, "two keys whose names differ in case only"))
                return RESULT_INVALID;
        } else {
            *made = true;
            if (winereg_spend(r, (key->key_count - at) * sizeof(*key->keys)))
                return winereg_malformed(r, "the keys are far from sorted");
            if (!(child = image_insert_key(r->image, key, at, name)))
                return levels_above(key) >= IMAGE_MAX_DEPTH ? too_deep(r, key)
                       : errno == ENOMEM
                           ? winereg_no_memory(r)
                           : winereg_malformed(r, "a key's name is longer than 256 units");
        }
        key = child;
    }
    r->key = key;
    return 0;
}

/* The rest of the line "[PATH] SECONDS" and of the line "#time=" that goes with it. */
static int read_times(struct winereg_reader *r, const char *at)
{
    if (at == r->line_end) /* our own texts have no times */
        return 0;
    if (*at++ != ' ' || at == r->line_end || r->line_end - at > 10)
        return winereg_malformed(r, "no time behind a key's path");
    for (; at < r->line_end; at++)
        if (*at < '0' || *at > '9')
            return winereg_malformed(r, "the time behind a key's path is not a number");
    if (!take_line(r, "#time="))
        return winereg_malformed(r, "no #time= line below a key's path");
    at = r->line + 6;
    if (r->line_end - at < 9 || r->line_end - at > 16)
        return winereg_malformed(r, "#time= has not 9 to 16 hex digits");
    for (; at < r->line_end; at++)
        if (winereg_hex_digit(*at) < 0)
            return winereg_malformed(r, "#time= is not a hex number");
    return 0;
}

/* The class and the link mark, if there are any. */
static int read_options(struct winereg_reader *r)
{
    struct utf16 class = { NULL, 0 };
    uint32_t flags = 0;
    int result;

    r->classed = false;
    if (take_line(r, "#class=\"")) {
        const char *at = r->line + 8;

        if ((result = winereg_reserve_units(r, r->line_end - at + 1)))
            return result;
        at = winereg_unescape(at, r->line_end, WINEREG_QUOTED, r->units, &class.len);
        if (!at || at + 1 != r->line_end)
            return winereg_malformed(r, "a malformed class");
        /*
         * Empty: every NtCreateKey without a class on a key that has one takes its length away, and
         * the mark stays.  (A class of one NUL looks the same: a NUL at the end is not written.)
         */
        class.units = r->units;
        r->classed = true;
    }
    if (take_line(r, "#link")) {
        if (!line_is(r, "#link"))
            return winereg_malformed(r, "an option that is not known");
        flags = KEY_FLAG_LINK;
    }
    if (r->again)
        return utf16_equal(r->key->class, class) && r->key->flags == flags
                   ? 0 : winereg_conflict(r, r->key, WINEREG_OTHER_KEY);
    r->key->flags = flags;
    return class.len && image_set_class(r->image, r->key, class) ? winereg_no_memory(r) : 0;
}

/* One key: its path in brackets, its options, its values. */
static int read_section(struct winereg_reader *r)
{
    struct utf16 path;
    const char *at;
    bool made;
    int result;

    if (r->line_end != r->line)
        return winereg_malformed(r, "no empty line before a key");
    if (!winereg_next_line(r) || *r->line != '[')
        return winereg_malformed(r, "no key's path in brackets behind an empty line");
    if ((result = winereg_reserve_units(r, r->line_end - r->line)))
        return result;
    at = winereg_unescape(r->line + 1, r->line_end, WINEREG_KEY, r->units, &path.len);
    if (!at || at == r->line_end)
        return winereg_malformed(r, "a malformed key's path");
    path.units = r->units;
    if ((result = enter_key(r, path, &made)))
        return result;
    r->again = !made;
    if (r->facts && !path.len)
        *(r->own_seen ? &r->facts->nul_section : &r->facts->own_section) = true;
    r->own_seen |= !path.len;
    if (r->facts && r->again && r->key->doubt != WINEREG_CONFLICT) {
        r->key->doubt = WINEREG_TWICE;
        r->facts->doubts = true;
    }
    r->values_seen = 0;
    if ((result = read_times(r, at + 1)) || (result = read_options(r)))
        return result;
    while (r->next < r->end && *r->next != '\n') {
        winereg_next_line(r);
        if ((result = winereg_read_value(r)))
            return result;
    }
    /* a key that is written without values or options has no subkeys */
    if (r->again && (r->values_seen != r->key->value_count ||
                     (r->key->key_count && !r->key->value_count && !r->classed &&
                      !r->key->flags && r->key->parent)))
        return winereg_conflict(r, r->key, WINEREG_OTHER_KEY);
    return 0;
}

int winereg_parse(const char *text, size_t len_bytes, struct image *image,
                  struct winereg_facts *facts, struct error *err)
{
    struct winereg_reader r = { .next = text, .end = text + len_bytes, .image = image,
                                .facts = facts, .err = err };
    int result;

    if (facts)
        memset(facts, 0, sizeof(*facts));
    if (len_bytes && text[len_bytes - 1] != '\n') {
        size_t len = strlen(WINEREG_FIRST_LINE "\n");

        if (len_bytes >= len && !memcmp(text, WINEREG_FIRST_LINE "\n", len))
            return error_set(err, RESULT_INVALID,
                             "Wine's registry text does not end in a newline, so it is not whole; "
                             "save it again");
        r.end = text; /* not one whole line: foreign */
    }
    result = read_header(&r);
    if (!result && !image_add_key(image, NULL, (struct utf16){ NULL, 0 }))
        result = winereg_no_memory(&r);
    while (!result && winereg_next_line(&r))
        result = read_section(&r);
    free(r.units);
    free(r.bytes);
    if (result)
        image_free(image);
    return result;
}
