/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "words.h"

/* How many changes of letters, or swaps of two neighbours, make one word of the other. */
static unsigned word_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    unsigned rows[3][32], *now = rows[0], *above = rows[1], *before = rows[2];

    if (a_len > 31 || b_len > 31)
        return 99;
    for (unsigned j = 0; j <= b_len; j++)
        now[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *oldest = before;

        before = above;
        above = now;
        now = oldest;
        now[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            now[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < now[j])
                now[j] = above[j] + 1;
            if (now[j - 1] + 1 < now[j])
                now[j] = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return now[b_len];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    unsigned best = strlen(word) / 3 + 1;
    const char *found = NULL;

    for (size_t i = 0; i < count; i++) {
        unsigned distance = word_distance(word, words[i]);

        if (distance <= best && (!found || distance < best)) {
            best = distance;
            found = words[i];
        }
    }
    return found;
}
