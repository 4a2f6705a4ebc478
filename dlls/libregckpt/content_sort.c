/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sorting records in image order.
 *
 * Most of what a comparison would look at is the same for all: registered key, path, the first
 * letters of a name.  So eight bytes at a time are taken out of each key, as one number in which
 * image order is the order of numbers, and sorted by a three-way quicksort; only where these are
 * equal the next eight are fetched.  For 100,000 values this takes a sixth of what qsort() does,
 * which fetches two keys for each comparison.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"

#define FEW 12     /* sorted by insertion */
#define STEP 8     /* bytes in a number */
#define BUDGET 80  /* levels of recursion before qsort takes over: a file may be made to be slow */

struct entry {
    uint64_t number;
    uint32_t text;  /* where in the texts its own begins */
    uint32_t place; /* in the list */
};

/*
 * The texts are copies, byte by byte in image order and each filled up to whole steps: the records
 * lie all over the file, and to go there again for each number is what takes most of the time.
 */
struct sorter {
    const struct item *items;
    struct entry *entries;
    uint8_t *texts;
};

/*
 * The place of a byte in image order, which is that of folded UTF-16 units.  The zero byte ends a
 * value's path and '\' a component, so they come first; C0 begins U+0000; F0 and up begin surrogate
 * pairs, whose units come before U+E000 (EE) and what follows.
 */
static inline uint8_t rank(uint8_t byte)
{
    if (!byte) return 0;
    if (byte == '\\') return 1;
    if (byte == 0xc0) return 2;
    if (byte < '\\') return byte + 2;
    if (byte < 0xc0) return byte + 1;
    if (byte < 0xee) return byte;
    return byte < 0xf0 ? byte + 0x10 : byte - 2;
}

int content_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t len = a_len < b_len ? a_len : b_len, i = 0;
    uint64_t x, y;

    for (; i + 8 <= len; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) break;
    }
    while (i < len && a[i] == b[i]) i++;
    if (i < len) return rank(a[i]) < rank(b[i]) ? -1 : 1;
    return (a_len > b_len) - (a_len < b_len);
}

/* What of a TDB key takes part: ids stand before the rest, as digits and a colon. */
static size_t text_len(const struct item *item)
{
    return item->rest_len + ID_DIGITS + 1;
}

/* Room for a text: at least one byte behind its end is zero. */
static size_t text_room(const struct item *item)
{
    return (text_len(item) / STEP + 1) * STEP;
}

/* Compares two entries whole. */
static int compare(const void *left, const void *right, void *arg)
{
    const struct entry *a = left, *b = right;
    const struct sorter *s = arg;
    size_t x = text_len(&s->items[a->place]), y = text_len(&s->items[b->place]);
    int order = memcmp(s->texts + a->text, s->texts + b->text, x < y ? x : y);

    return order ? order : (x > y) - (x < y);
}

/* Fetches the number at a depth. */
static inline void fetch(const struct sorter *s, struct entry *e, size_t depth)
{
    uint64_t number;

    memcpy(&number, s->texts + e->text + depth, STEP);
    e->number = __builtin_bswap64(number);
}

/* Has one of these texts ended at a depth? */
static bool has_ended(const struct sorter *s, const struct entry *e, size_t count, size_t depth)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (depth >= text_room(&s->items[e[i].place])) return true;
    return false;
}

/* Sorts a few. */
static void sort_few(struct sorter *s, struct entry *e, size_t count)
{
    struct entry moved;
    size_t i, j;

    for (i = 1; i < count; i++) {
        moved = e[i];
        for (j = i; j && (e[j - 1].number > moved.number ||
                          (e[j - 1].number == moved.number && compare(&e[j - 1], &moved, s) > 0));
             j--)
            e[j] = e[j - 1];
        e[j] = moved;
    }
}

/* The middle one of three numbers. */
static uint64_t middle(uint64_t a, uint64_t b, uint64_t c)
{
    if (a > b) return c > a ? a : c > b ? c : b;
    return c > b ? b : c > a ? c : a;
}

/* Sorts entries that are equal up to a depth and whose numbers of that depth are fetched. */
static void sort_entries(struct sorter *s, struct entry *e, size_t count, size_t depth, int budget)
{
    size_t less, i, more;
    struct entry swap;
    uint64_t pivot;

    while (count > FEW) {
        if (!budget--) {
            qsort_r(e, count, sizeof(*e), compare, s);
            return;
        }
        pivot = middle(e[0].number, e[count / 2].number, e[count - 1].number);
        for (less = i = 0, more = count; i < more;) {
            swap = e[i];
            if (swap.number < pivot) {
                e[i++] = e[less];
                e[less++] = swap;
            } else if (swap.number > pivot) {
                e[i] = e[--more];
                e[more] = swap;
            } else {
                i++;
            }
        }
        sort_entries(s, e, less, depth, budget);
        sort_entries(s, e + more, count - more, depth, budget);
        /* The equal ones go on here, so that long keys do not need a deep stack. */
        e += less;
        count = more - less;
        depth += STEP;
        /* A text ends in a zero, but so can a path in the middle of it. */
        if (!(pivot & 0xff) && has_ended(s, e, count, depth)) break;
        for (i = 0; i < count; i++) fetch(s, &e[i], depth);
        budget++;
    }
    if (count > FEW) qsort_r(e, count, sizeof(*e), compare, s);
    else sort_few(s, e, count);
}

/* Makes the copies of the texts and the entries. */
static int prepare(struct sorter *s, const struct items *list)
{
    const struct item *item;
    const uint8_t *from;
    uint8_t ranks[256], *to;
    size_t i, j, len, room = 0;

    for (i = 0; i < 256; i++) ranks[i] = rank((uint8_t)i);
    for (i = 0; i < list->count; i++) room += text_room(&list->at[i]);
    s->items = list->at;
    s->entries = malloc(list->count * sizeof(*s->entries));
    s->texts = to = malloc(room);
    if (!s->entries || !s->texts) return ENOMEM;
    for (i = 0; i < list->count; i++) {
        item = &list->at[i];
        from = item->rest - ID_DIGITS - 1;
        len = text_len(item);
        for (j = 0; j < len; j++) to[j] = ranks[from[j]];
        memset(to + len, 0, text_room(item) - len);
        s->entries[i].text = (uint32_t)(to - s->texts);
        s->entries[i].place = (uint32_t)i;
        fetch(s, &s->entries[i], 0);
        to += text_room(item);
    }
    return 0;
}

int content_sort(struct items *list)
{
    struct sorter s = { NULL, NULL, NULL };
    struct item *sorted = NULL;
    size_t i;

    if (list->count < 2) return 0;
    if (!prepare(&s, list) && (sorted = malloc(list->count * sizeof(*sorted)))) {
        sort_entries(&s, s.entries, list->count, 0, BUDGET);
        for (i = 0; i < list->count; i++) sorted[i] = list->at[s.entries[i].place];
        free(list->at);
        list->at = sorted;
        list->room = list->count;
    }
    free(s.entries);
    free(s.texts);
    return sorted ? 0 : ENOMEM;
}
