/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the ring share among themselves: sleeping, and who is dead.
 */
#ifndef REGCKPT_RING_PRIVATE_H
#define REGCKPT_RING_PRIVATE_H

#include "ring.h"

#define RING_BUFFERS_AT 4096 /* the lanes' buffers begin at a multiple of it */

int64_t ring_now_us(void); /* CLOCK_MONOTONIC */

/* Sleeps while *word is `seen`: until woken, interrupted, or the time is over.  Keeps errno. */
void ring_sleep(uint32_t *word, uint32_t seen, int64_t timeout_us);
void ring_wake(uint32_t *word, int count); /* keeps errno */

/* No such thread any more, or a zombie. One that may not be asked (EPERM) is alive.  Keep errno. */
bool ring_thread_is_dead(uint32_t tid);
/* The same of a whole process: one whose first thread has ended while others go on is alive. */
bool ring_process_is_dead(uint32_t pid);

/* Copies a text, NUL-terminated, cut before a character that does not fit. */
void ring_put_text(char *to, size_t room_bytes, const char *text);

#endif
