/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the harnesses, fuzz_NAME.c: each is a program of its own whose main is libFuzzer's.  That
 * calls LLVMFuzzerTestOneInput with what it made out of the seeds (corpus/NAME), again and again; a
 * crash, a sanitizer's complaint, an input that takes too long or too much memory is a finding.
 *
 * Pauses (nanosleep) and syncs are skipped in these programs: nobody else writes what they read,
 * and nothing has to last.
 */
#ifndef REGCKPT_TEST_FUZZ_H
#define REGCKPT_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The bytes as a file: its path, good until the next call. */
const char *fuzz_file(const uint8_t *bytes, size_t len);

/*
 * A socket whose other end says the bytes, with so many descriptors riding along, and then nothing
 * more; what is sent to it goes nowhere.  fuzz_socket_end closes both.
 */
int fuzz_socket(const uint8_t *bytes, size_t len, unsigned riding);
void fuzz_socket_end(int sock);

/* Reads all of it, so that a view that leads elsewhere is found. */
void fuzz_use(const void *bytes, size_t len);

/* How many of the first descriptors are open: as many after a call as before. */
int fuzz_open_descriptors(void);

/* A condition that has to hold whatever the input: a finding if it does not. */
#define FUZZ_HOLDS(condition) \
    do { \
        if (!(condition)) fuzz_fail(#condition, __FILE__, __LINE__); \
    } while (0)
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

#endif
