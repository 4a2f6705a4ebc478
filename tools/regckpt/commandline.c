/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commandline.h"

/* Does the name end in one of these? */
static const char *ending_of(const char *word, const char *const *endings)
{
    size_t len = strlen(word);

    for (; *endings; endings++) {
        size_t n = strlen(*endings);
        if (len > n && !strcasecmp(word + len - n, *endings))
            return *endings;
    }
    return NULL;
}

static bool has_program_name(const char *word)
{
    static const char *const endings[] = {".exe", ".com", ".bat", ".cmd", NULL};

    return ending_of(word, endings) != NULL;
}

/* What people hand over as a program that is none: what opens it. */
static int check_opened_by(const char *word, struct error *err)
{
    static const char *const endings[] = {".msi", ".reg", NULL};
    const char *ending = ending_of(word, endings);

    if (!ending)
        return RESULT_OK;
    return error_set(err, RESULT_USAGE, "\"%s\" is no program. Name the one that opens it: %s %s", word,
                     strcmp(ending, ".msi") ? "regedit" : "msiexec /i", word);
}

static bool is_windows_file(const char *path)
{
    char magic[2] = "";
    FILE *file = fopen(path, "re");
    bool is = file && fread(magic, 1, 2, file) == 2 && magic[0] == 'M' && magic[1] == 'Z';

    if (file)
        fclose(file);
    return is || has_program_name(path);
}

static int kind_of_file(const char *path, enum command_kind *kind, struct error *err)
{
    struct stat st;

    if (stat(path, &st))
        return errno == ENOENT || errno == ENOTDIR
                   ? error_set(err, RESULT_PROGRAM, "There is no file \"%s\" to run.", path)
                   : error_system(err, errno, "Looking at \"%s\"", path);
    if (S_ISDIR(st.st_mode))
        return error_set(err, RESULT_USAGE, "\"%s\" is a directory, not a command.", path);
    if (is_windows_file(path))
        *kind = COMMAND_WINDOWS;
    else if (!access(path, X_OK))
        *kind = COMMAND_UNIX;
    else
        return error_set(err, RESULT_USAGE, "\"%s\" is no Windows program, and may not be executed as "
                         "a Unix command either.", path);
    return RESULT_OK;
}

int command_kind(const char *word, enum command_kind *kind, struct error *err)
{
    int result;

    if (!*word)
        return error_set(err, RESULT_USAGE, "The command is empty.");
    if ((result = check_opened_by(word, err)))
        return result;
    if (strchr(word, '\\') || (isalpha((unsigned char)word[0]) && word[1] == ':'))
        *kind = COMMAND_WINDOWS;
    else if (strchr(word, '/'))
        return kind_of_file(word, kind, err);
    else
        *kind = has_program_name(word) ? COMMAND_WINDOWS : COMMAND_BARE;
    return RESULT_OK;
}

bool command_in_path(const char *name)
{
    const char *path = getenv("PATH");
    char file[PATH_MAX];
    struct stat st;

    if (!path)
        return false;
    for (;;) {
        size_t len = strcspn(path, ":");

        if (len && snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, name) < (int)sizeof(file) &&
            !stat(file, &st) && S_ISREG(st.st_mode) && !access(file, X_OK))
            return true;
        if (!path[len])
            return false;
        path += len + 1;
    }
}

/* A backslash is itself except in front of a quotation mark, where it takes two. */
static void put_quoted(FILE *out, const char *word)
{
    size_t backslashes = 0;

    if (*word && !strpbrk(word, " \t\n\v\"")) {
        fputs(word, out);
        return;
    }
    putc('"', out);
    for (; *word; word++) {
        if (*word == '"')
            for (size_t i = 0; i <= backslashes; i++)
                putc('\\', out);
        backslashes = *word == '\\' ? backslashes + 1 : 0;
        putc(*word, out);
    }
    while (backslashes--)
        putc('\\', out);
    putc('"', out);
}

/* The program is read up to the closing mark, without any escapes. */
static void put_program(FILE *out, const char *word)
{
    bool by_unix_path = strchr(word, '/') && !strchr(word, '\\');
    char *full = by_unix_path ? realpath(word, NULL) : NULL;
    const char *path = full ? full : word, *mark = strpbrk(path, " \t") ? "\"" : "";

    fprintf(out, "%s%s", mark, full ? "Z:" : "");
    for (; *path; path++)
        putc(full && *path == '/' ? '\\' : *path, out);
    fputs(mark, out);
    free(full);
}

char *command_line(char *const *words)
{
    char *line = NULL;
    size_t len;
    FILE *out = open_memstream(&line, &len);
    bool failed;

    if (!out)
        return NULL;
    put_program(out, words[0]);
    for (words++; *words; words++) {
        putc(' ', out);
        put_quoted(out, *words);
    }
    failed = ferror(out);
    if (fclose(out) || failed) {
        free(line);
        return NULL;
    }
    return line;
}
