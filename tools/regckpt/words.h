/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guessing what a misspelt word was meant to be.
 */
#ifndef REGCKPT_WORDS_H
#define REGCKPT_WORDS_H

#include <stddef.h>

/* The one of the words that it was probably meant to be, borrowed; NULL: none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
