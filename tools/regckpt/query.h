/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking another program of this node, within a bound: the cluster's own tools.
 */
#ifndef REGCKPT_QUERY_H
#define REGCKPT_QUERY_H

/* More of an answer than this is cut off. */
#define QUERY_BYTES_MAX (1u << 20)

/*
 * Runs a program (found in PATH, and where administrators' programs lie) with the C locale, no input,
 * its errors unseen; answer: what it printed, malloc'ed, never NULL on success.  Its exit code, or -1:
 * it is not installed, was killed, or did not end within timeout_ms, which ends it.
 */
int query_program(const char *const argv[], int timeout_ms, char **answer);

#endif
