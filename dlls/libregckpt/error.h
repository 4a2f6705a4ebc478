/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Results and error texts.
 *
 * Every function that can fail returns an int in one space:
 *   0            done
 *   negative     one of enum result below: something this project decided
 *   positive     an errno value: something the system decided
 *
 * A function that fails also says what was tried, on what, why it failed and what to do, in the
 * struct error its caller lends it.  The text is complete: callers print it, they add nothing.
 * A caller that does not care passes NULL.
 */
#ifndef REGCKPT_ERROR_H
#define REGCKPT_ERROR_H

#define ERROR_TEXT_BYTES 2048

enum result {
    RESULT_OK = 0,
    RESULT_DIFFERENT = -1,    /* a difference was found, or something needs a look */
    RESULT_DAMAGED = -2,      /* a file that is ours is damaged */
    RESULT_OWNED = -3,        /* the resource is owned elsewhere */
    RESULT_USAGE = -4,        /* the user's words are off */
    RESULT_NOT_FOUND = -5,    /* no such resource, key, value, file */
    RESULT_EXISTS = -6,       /* already there (ERROR_ALREADY_EXISTS) */
    RESULT_NEWER = -7,        /* made by a newer version of regckpt */
    RESULT_FOREIGN = -8,      /* not a file of regckpt */
    RESULT_INVALID = -9,      /* malformed content: a text, a message, a name */
    RESULT_STORAGE = -10,     /* the shared storage refused, or does not answer */
    RESULT_WINE = -11,        /* Wine, the prefix or its registry refused */
    RESULT_INEXACT = -12,     /* after a restore the registry was not equal to the checkpoint */
    RESULT_PROGRAM = -13,     /* the program or service could not be started or stopped */
    RESULT_TIMEOUT = -14,     /* no answer within the bound */
    RESULT_UNPROTECTED = -15, /* what was asked for needs a part that this node lacks */
    RESULT_NOT_INSTALLED = -16, /* the program or service is not installed on this node */
    RESULT_FORBIDDEN = -17,   /* it is another user's, and we cannot become that one */
};

struct error {
    int code;                    /* the result; 0: none */
    char text[ERROR_TEXT_BYTES]; /* UTF-8, one or more sentences, no final newline */
};

/* Sets code and text, returns code.  err may be NULL.  A text too long is cut. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with ": " and strerror(errnum) behind the text; returns errnum (EIO if it is 0). */
int error_system(struct error *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Puts "TEXT: " in front of an error that is set.  Returns its code; with NULL EIO, so that a
 * failure whose text nobody wants is not taken for success.
 */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts more behind the text of an error that is set (err may be NULL); what does not fit is cut off. */
void error_add(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A short name of any result, never NULL ("damaged", "No space left on device"). */
const char *result_name(int result);

/*
 * The exit code of the command for a result: 0 done, 1 a difference or a warning, 2 damaged (also
 * newer and foreign), 3 owned elsewhere, 100 usage (also not found, exists, invalid), 111 anything
 * the system or Wine refused.
 */
int result_exit_code(int result);

#endif
