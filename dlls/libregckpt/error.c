/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Results and error texts (see error.h).
 */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Takes the first bytes of a character away that was cut at the end of a full text. */
static void trim_cut_character(char *text)
{
    size_t len = strlen(text), start = len, want;
    unsigned char lead;

    while (start && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (!start)
        return;
    lead = (unsigned char)text[--start];
    want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (len - start < want)
        text[start] = 0;
}

/* Formats into a text of ERROR_TEXT_BYTES. */
__attribute__((format(printf, 2, 0)))
static void format_text(char *text, const char *format, va_list args)
{
    int len = vsnprintf(text, ERROR_TEXT_BYTES, format, args);

    if (len < 0)
        text[0] = 0;
    else if (len >= ERROR_TEXT_BYTES)
        trim_cut_character(text);
}

/* Puts what follows behind a text, as far as there is room. */
static void append_text(char *text, const char *more)
{
    size_t len = strlen(text), room = ERROR_TEXT_BYTES - len;

    if ((size_t)snprintf(text + len, room, "%s", more) >= room)
        trim_cut_character(text);
}

void error_add(struct error *err, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;

    if (!err)
        return;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(err->text, text);
}

int error_set(struct error *err, int code, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES]; /* the arguments may be the text that is there */
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    err->code = code;
    memcpy(err->text, text, strlen(text) + 1);
    return code;
}

int error_system(struct error *err, int errnum, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;

    if (errnum <= 0) /* never 0, which would say that nothing failed */
        errnum = EIO;
    if (!err)
        return errnum;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(text, ": ");
    append_text(text, strerror(errnum));
    err->code = errnum;
    memcpy(err->text, text, strlen(text) + 1);
    return errnum;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;

    if (!err)
        return EIO;
    if (!err->code)
        return 0;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(text, ": ");
    append_text(text, err->text);
    memcpy(err->text, text, strlen(text) + 1);
    return err->code;
}

/* What a result is called and which exit code it means. */
struct result_info {
    const char *name;
    int exit_code;
};

static const struct result_info infos[] = {
    [-RESULT_OK] = { "done", 0 },
    [-RESULT_DIFFERENT] = { "different", 1 },
    [-RESULT_DAMAGED] = { "damaged", 2 },
    [-RESULT_OWNED] = { "owned elsewhere", 3 },
    [-RESULT_USAGE] = { "wrong usage", 100 },
    [-RESULT_NOT_FOUND] = { "not found", 100 },
    [-RESULT_EXISTS] = { "already there", 100 },
    [-RESULT_NEWER] = { "made by a newer version", 2 },
    [-RESULT_FOREIGN] = { "not a file of regckpt", 2 },
    [-RESULT_INVALID] = { "malformed", 100 },
    [-RESULT_STORAGE] = { "storage failed", 111 },
    [-RESULT_WINE] = { "Wine failed", 111 },
    [-RESULT_INEXACT] = { "restore not exact", 111 },
    [-RESULT_PROGRAM] = { "program failed", 111 },
    [-RESULT_TIMEOUT] = { "timed out", 111 },
    [-RESULT_UNPROTECTED] = { "unprotected", 111 },
    [-RESULT_NOT_INSTALLED] = { "not installed", 111 },
    [-RESULT_FORBIDDEN] = { "another user's", 111 },
};

const char *result_name(int result)
{
    if (result > 0)
        return strerror(result);
    /* compared as negative numbers: -INT_MIN does not exist */
    if (result <= -(int)(sizeof(infos) / sizeof(infos[0])))
        return "unknown result";
    return infos[-result].name;
}

int result_exit_code(int result)
{
    if (result > 0 || result <= -(int)(sizeof(infos) / sizeof(infos[0])))
        return 111;
    return infos[-result].exit_code;
}
