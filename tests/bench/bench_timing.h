/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the native programs of the bench share: the clock, and the middle and the worst of several
 * measurements.  Each prints lines "NAME NUMBER", times in microseconds.
 */
#ifndef REGCKPT_BENCH_TIMING_H
#define REGCKPT_BENCH_TIMING_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "error.h"

/* Monotonic, in nanoseconds. */
static inline int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Prints the median of times in nanoseconds as NAME, which sorts them. */
static inline void print_median(const char *name, int64_t *ns, size_t count)
{
    qsort(ns, count, sizeof(*ns), compare_times);
    printf("%s %.3f\n", name, ns[count / 2] / 1e3);
}

/* Ends the program with what failed. */
static inline _Noreturn void die(const struct error *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(111);
}

/* A number above 0 from the command line, or the end of the program. */
static inline size_t number_argument(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end || !n) {
        fprintf(stderr, "'%s' is no number above 0\n", text);
        exit(100);
    }
    return n;
}

#endif
