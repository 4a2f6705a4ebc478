/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Windows programs of the bench ask of Linux itself, by its system calls on x86-64: Windows has
 * no call for it, or one that goes through wineserver, which is being measured.
 */
#ifndef REGCKPT_UNIXCALL_H
#define REGCKPT_UNIXCALL_H

#include "benchprogram.h"

#define CALL_FUTEX 202
#define CALL_CLOCK_GETTIME 228
#define CPU_CLOCK_OF(pid) ((~(LONGLONG)(pid) << 3) | 2) /* of a process; 0: the caller */

static inline LONGLONG unix_call(LONGLONG number, LONGLONG a, LONGLONG b, LONGLONG c, LONGLONG d)
{
    register LONGLONG r10 __asm__("r10") = d;
    LONGLONG result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

/* How long a Unix process has been on a CPU, in nanoseconds. */
static inline LONGLONG cpu_ns(unsigned pid)
{
    struct { LONGLONG s, ns; } t;
    LONGLONG result = unix_call(CALL_CLOCK_GETTIME, CPU_CLOCK_OF(pid), (LONGLONG)&t, 0, 0);

    if (result) testkey_die("clock_gettime of a process", NULL, (DWORD)-result);
    return t.s * 1000000000 + t.ns;
}

/* Sleeps while *word is value, a second at most; and wakes all who do.  The word may be of a shared file. */
static inline void unix_wait(volatile LONG *word, LONG value)
{
    struct { LONGLONG s, ns; } second = {1, 0};

    unix_call(CALL_FUTEX, (LONGLONG)word, 0, value, (LONGLONG)&second); /* FUTEX_WAIT */
}

static inline void unix_wake(volatile LONG *word)
{
    unix_call(CALL_FUTEX, (LONGLONG)word, 1, MAXLONG, 0); /* FUTEX_WAKE */
}

#endif
