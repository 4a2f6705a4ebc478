/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command for regckpt edit: whose it is, and its command line, which the rules of Windows' C library for
 * argv must take apart into the same words.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "commandline.h"

#define WORDS_MAX 16
#define ROUNDS 20000

/* A directory with a file of each sort, and the current one. */
static char dir[] = "/tmp/commandline.XXXXXX";
static const struct {
    const char *name, *content;
    mode_t mode;
} files[] = {
    {"script", "#!/bin/sh\n", 0755},      {"plain", "text", 0644},     {"empty", "", 0755},
    {"setup", "MZ...", 0644},             {"one byte", "M", 0755},     {"setup.bat", "@echo", 0644},
    {"SETUP.EXE", "not a program", 0644}, {"package.MSI", "", 0644},   {"settings.reg", "", 0644},
    {".exe", "#!/bin/sh\n", 0755},        {"a b.exe", "MZ", 0644},
};

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || chdir(dir) || mkdir("directory", 0755))
        return -1;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        int fd = open(files[i].name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, files[i].mode);
        size_t len = strlen(files[i].content);

        if (fd < 0 || write(fd, files[i].content, len) != (ssize_t)len || close(fd))
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        unlink(files[i].name);
    rmdir("directory");
    return chdir("/") || rmdir(dir);
}

static void expect_kind(const char *word, enum command_kind expected)
{
    struct error err = {.code = 0};
    enum command_kind kind = (enum command_kind)-1;

    print_message("%s\n", word);
    assert_int_equal(command_kind(word, &kind, &err), RESULT_OK);
    assert_int_equal(kind, expected);
}

static void expect_refused(const char *word, int result, const char *words)
{
    struct error err = {.code = 0};
    enum command_kind kind;

    print_message("%s\n", word);
    assert_int_equal(command_kind(word, &kind, &err), result);
    assert_int_equal(err.code, result);
    assert_non_null(strstr(err.text, words));
}

static void test_command_kind_names(void **state)
{
    (void)state;
    expect_kind("regedit", COMMAND_BARE);
    expect_kind("bash", COMMAND_BARE);
    expect_kind("regedit.exe", COMMAND_WINDOWS);
    expect_kind("REGEDIT.Exe", COMMAND_WINDOWS);
    expect_kind("more.com", COMMAND_WINDOWS);
    expect_kind("setup.cmd", COMMAND_WINDOWS);
    expect_kind(".exe", COMMAND_BARE); /* a name that is nothing but an ending */
    expect_kind("exe", COMMAND_BARE);
    expect_kind("setup.exe.sh", COMMAND_BARE);
}

static void test_command_kind_windows_paths(void **state)
{
    (void)state;
    expect_kind("C:\\windows\\regedit.exe", COMMAND_WINDOWS);
    expect_kind("z:setup", COMMAND_WINDOWS);
    expect_kind("C:/windows/regedit.exe", COMMAND_WINDOWS);
    expect_kind("\\\\server\\share\\setup", COMMAND_WINDOWS);
    expect_kind("sub\\setup", COMMAND_WINDOWS);
}

static void test_command_kind_files(void **state)
{
    char path[PATH_MAX];

    (void)state;
    snprintf(path, sizeof(path), "%s/setup", dir);
    expect_kind(path, COMMAND_WINDOWS); /* by its first bytes */
    expect_kind("./setup", COMMAND_WINDOWS);
    expect_kind("./setup.bat", COMMAND_WINDOWS);
    expect_kind("./SETUP.EXE", COMMAND_WINDOWS);
    expect_kind("./script", COMMAND_UNIX);
    expect_kind("./empty", COMMAND_UNIX);
    expect_kind("./one byte", COMMAND_UNIX);
}

static void test_command_kind_refused(void **state)
{
    (void)state;
    expect_refused("", RESULT_USAGE, "empty");
    expect_refused("./directory", RESULT_USAGE, "is a directory");
    expect_refused("./plain", RESULT_USAGE, "may not be executed");
    expect_refused("./nothing", RESULT_PROGRAM, "no file");
    expect_refused("./plain/below", RESULT_PROGRAM, "no file");
    expect_refused("./package.MSI", RESULT_USAGE, "msiexec /i ./package.MSI");
    expect_refused("settings.reg", RESULT_USAGE, "regedit settings.reg");
    expect_refused("C:\\a\\package.msi", RESULT_USAGE, "msiexec /i");
}

static void test_command_in_path(void **state)
{
    char *before = strdup(getenv("PATH")), path[PATH_MAX];

    (void)state;
    snprintf(path, sizeof(path), "/nowhere::%s", dir);
    setenv("PATH", path, 1);
    assert_true(command_in_path("script"));
    assert_false(command_in_path("plain"));     /* not to be executed */
    assert_false(command_in_path("directory")); /* no file */
    assert_false(command_in_path("nothing"));
    setenv("PATH", "/nowhere:", 1); /* an empty part is not the current directory */
    assert_false(command_in_path("script"));
    unsetenv("PATH");
    assert_false(command_in_path("script"));
    setenv("PATH", before, 1);
    free(before);
}

static void expect_line(char *const *words, const char *expected)
{
    char *line = command_line(words);

    assert_non_null(line);
    assert_string_equal(line, expected);
    free(line);
}
#define EXPECT_LINE(expected, ...) expect_line((char *const[]){__VA_ARGS__, NULL}, expected)

static void test_command_line_program(void **state)
{
    char expected[PATH_MAX], *real = realpath(dir, NULL);

    (void)state;
    EXPECT_LINE("reg", (char *)"reg");
    EXPECT_LINE("\"C:\\Program Files\\x.exe\"", (char *)"C:\\Program Files\\x.exe");
    EXPECT_LINE("C:/x/y.exe", (char *)"C:/x/y.exe"); /* no such Unix path: as it is */
    snprintf(expected, sizeof(expected), "Z:%s\\setup", real);
    for (char *p = expected; *p; p++)
        if (*p == '/')
            *p = '\\';
    EXPECT_LINE(expected, (char *)"./setup");
    EXPECT_LINE(expected, (char *)"directory/../setup");
    snprintf(expected, sizeof(expected), "\"Z:%s\\a b.exe\" \"c d\"", real);
    for (char *p = expected; *p; p++)
        if (*p == '/')
            *p = '\\';
    EXPECT_LINE(expected, (char *)"./a b.exe", (char *)"c d");
    free(real);
}

static void test_command_line_quoting(void **state)
{
    (void)state;
    EXPECT_LINE("reg add HKLM\\X", (char *)"reg", (char *)"add", (char *)"HKLM\\X");
    EXPECT_LINE("reg \"\"", (char *)"reg", (char *)"");
    EXPECT_LINE("reg \"a b\" c", (char *)"reg", (char *)"a b", (char *)"c");
    EXPECT_LINE("reg \"a\\\"b\"", (char *)"reg", (char *)"a\"b");
    EXPECT_LINE("reg \"a b\\\\\"", (char *)"reg", (char *)"a b\\");
    EXPECT_LINE("reg a\\\\", (char *)"reg", (char *)"a\\\\");
    EXPECT_LINE("reg \"\\\\\\\"\"", (char *)"reg", (char *)"\\\"");
    EXPECT_LINE("reg %PATH% ^&", (char *)"reg", (char *)"%PATH%", (char *)"^&"); /* no shell reads it */
}

/*
 * The words of a command line, by Microsoft's documented rules: blanks part words outside of marks; 2n
 * backslashes and a mark are n backslashes and a mark that opens or closes; 2n+1 are n and a mark itself;
 * other backslashes are themselves.
 */
static size_t take_apart(const char *line, char words[WORDS_MAX][64])
{
    size_t count = 0;

    for (;;) {
        bool quoted = false;
        char *out;

        while (*line == ' ' || *line == '\t')
            line++;
        if (!*line)
            return count;
        assert_true(count < WORDS_MAX);
        out = words[count++];
        while (*line && (quoted || (*line != ' ' && *line != '\t'))) {
            size_t backslashes = strspn(line, "\\");

            line += backslashes;
            for (size_t i = *line == '"' ? backslashes / 2 : backslashes; i; i--)
                *out++ = '\\';
            if (*line == '"' && backslashes % 2 == 0)
                quoted = !quoted;
            else if (*line && (*line == '"' || quoted || (*line != ' ' && *line != '\t')))
                *out++ = *line;
            else
                continue;
            line++;
        }
        *out = 0;
    }
}

static void test_command_line_round_trip(void **state)
{
    static const char letters[] = "a \\\"\t\\\"x";
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)getpid();

    (void)state;
    print_message("SEED=%u\n", seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char words[WORDS_MAX][64] = {"reg"}, back[WORDS_MAX][64], *list[WORDS_MAX + 1], *line;
        size_t count = 1 + (size_t)rand_r(&seed) % 4;

        for (size_t i = 1; i < count; i++) {
            size_t len = (size_t)rand_r(&seed) % 8;

            for (size_t c = 0; c < len; c++)
                words[i][c] = letters[(size_t)rand_r(&seed) % (sizeof(letters) - 1)];
        }
        for (size_t i = 0; i < count; i++)
            list[i] = words[i];
        list[count] = NULL;
        assert_non_null(line = command_line(list));
        assert_int_equal(take_apart(line, back), count);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(back[i], words[i]);
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_kind_names),
        cmocka_unit_test(test_command_kind_windows_paths),
        cmocka_unit_test(test_command_kind_files),
        cmocka_unit_test(test_command_kind_refused),
        cmocka_unit_test(test_command_in_path),
        cmocka_unit_test(test_command_line_program),
        cmocka_unit_test(test_command_line_quoting),
        cmocka_unit_test(test_command_line_round_trip),
    };

    return cmocka_run_group_tests_name("commandline", tests, setup, teardown);
}
