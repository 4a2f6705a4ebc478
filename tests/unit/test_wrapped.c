/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notes of wrapped services: what is written comes back, nobody speaks for another user, and what is no
 * note is said or left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wrapped.h"

static char dir[PATH_MAX], state_dir[PATH_MAX + 8];
static struct settings settings;
static struct wine_place place;
static struct resource service;

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_wrapped.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
    settings = (struct settings){.store = (char *)"/srv/store", .state_dir = state_dir};
    place = (struct wine_place){.prefix = dir, .user = (char *)""};
    resource_init(&service);
    service.kind = RESOURCE_SERVICE;
    free(service.service);
    service.service = strdup("Erp Server = 2");
    return service.service ? 0 : 1;
}

static int teardown(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    resource_free(&service);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

/* How many notes there are; the list is dropped. */
static size_t count_notes(void)
{
    struct wrapped *list;
    size_t count;

    assert_int_equal(wrapped_list(&settings, &list, &count, NULL), 0);
    wrapped_free(list, count);
    return count;
}

/* Writes a file beside the notes, or in the place of one. */
static void write_file(const char *name, const char *text)
{
    char path[2 * PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s/wrapped/%s", state_dir, name);
    assert_non_null(file = fopen(path, "w"));
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_wrapped_list_nothing(void **state)
{
    (void)state;
    assert_int_equal(count_notes(), 0);
    assert_int_equal(wrapped_forget(&settings, dir, "Erp", NULL), 0);
}

static void test_wrapped_note_comes_back(void **state)
{
    struct wrapped *list;
    size_t count;

    (void)state;
    free(service.wine);
    assert_non_null(service.wine = strdup("/opt/wine"));
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    assert_int_equal(wrapped_list(&settings, &list, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_string_equal(list->name, "erp");
    assert_string_equal(list->store, "/srv/store");
    assert_string_equal(list->resource.service, "Erp Server = 2");
    assert_string_equal(list->resource.prefix, dir);
    assert_string_equal(list->resource.wine, "/opt/wine");
    assert_int_equal(list->bits, 32);
    assert_int_equal(list->resource.kind, RESOURCE_SERVICE);
    assert_int_equal(access(list->file, F_OK), 0);
    wrapped_free(list, count);
}

static void test_wrapped_note_twice(void **state)
{
    struct stat st;

    (void)state;
    umask(077); /* as the monitor's: other users leave notes there all the same */
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    assert_int_equal(stat(state_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(count_notes(), 1);
    assert_int_equal(wrapped_forget(&settings, dir, "ERP server = 2", NULL), 0); /* Windows' case */
    assert_int_equal(count_notes(), 0);
}

static void test_wrapped_note_by_another_path(void **state)
{
    char link_path[PATH_MAX + 8];

    (void)state;
    snprintf(link_path, sizeof(link_path), "%s/link", dir);
    assert_int_equal(symlink(dir, link_path), 0);
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    place.prefix = link_path;
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    assert_int_equal(count_notes(), 1);
    assert_int_equal(wrapped_forget(&settings, link_path, service.service, NULL), 0);
    assert_int_equal(count_notes(), 0);
}

static void test_wrapped_note_line_break(void **state)
{
    struct error err = {0};

    (void)state;
    settings.store = (char *)"/srv/a\nservice = other";
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 0, &err), RESULT_USAGE);
    assert_non_null(strstr(err.text, "line break"));
    assert_int_equal(count_notes(), 0);
}

static void test_wrapped_note_no_directory(void **state)
{
    struct error err = {0};

    (void)state;
    settings.state_dir = (char *)"/dev/null/state";
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 0, &err), ENOTDIR);
    assert_non_null(strstr(err.text, "/dev/null/state"));
}

static void test_wrapped_list_damaged(void **state)
{
    static const char *const texts[] = {
        "", "prefix\n", "prefix = /x\nservice = s\nresource = r\n",
        "prefix = x\nservice = s\nresource = r\nstore = /s\n",
        "prefix = /x\nservice = s\nresource = ../r\nstore = /s\n",
    };
    struct error err = {0};
    struct wrapped *list;
    size_t count;

    (void)state;
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file("0123456789abcdef", texts[i]);
        assert_int_equal(wrapped_list(&settings, &list, &count, &err), RESULT_DAMAGED);
        assert_non_null(strstr(err.text, "0123456789abcdef"));
        assert_null(list);
    }
}

static void test_wrapped_list_half_written(void **state)
{
    (void)state;
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    write_file("0123456789abcdef.77", "prefix = /x\n");
    assert_int_equal(count_notes(), 1);
}

static void test_wrapped_list_symlink(void **state)
{
    char path[2 * PATH_MAX];
    struct wrapped *list;
    size_t count;

    (void)state;
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    snprintf(path, sizeof(path), "%s/wrapped/0123456789abcdef", state_dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(wrapped_list(&settings, &list, &count, NULL), ELOOP);
}

/* Carries the steps out as another user; their asserts end the child. */
static void as_nobody(void (*steps)(void))
{
    int status;
    pid_t pid;

    assert_int_equal(chmod(dir, 0755), 0);
    fflush(NULL);
    if (!(pid = fork())) {
        if (setgid(65534) || setuid(65534))
            _exit(9);
        steps();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void note_as_root(void)
{
    place.user = (char *)"root";
    if (count_notes() != 0 || wrapped_note(&settings, &place, &service, "mine", 64, NULL) != 0 ||
        count_notes() != 1)
        _exit(1);
}

static void test_wrapped_list_of_another_user(void **state)
{
    struct wrapped *list;
    size_t count;

    (void)state;
    if (geteuid())
        skip(); /* only root sees all, and can be another user */
    assert_int_equal(wrapped_note(&settings, &place, &service, "erp", 32, NULL), 0);
    free(service.service);
    assert_non_null(service.service = strdup("Other"));
    as_nobody(note_as_root);
    assert_int_equal(wrapped_list(&settings, &list, &count, NULL), 0);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i].name, "mine"))
            assert_string_equal(list[i].resource.user, "nobody");
    wrapped_free(list, count);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_wrapped_list_nothing),
        TEST(test_wrapped_note_comes_back),
        TEST(test_wrapped_note_twice),
        TEST(test_wrapped_note_by_another_path),
        TEST(test_wrapped_note_line_break),
        TEST(test_wrapped_note_no_directory),
        TEST(test_wrapped_list_damaged),
        TEST(test_wrapped_list_half_written),
        TEST(test_wrapped_list_symlink),
        TEST(test_wrapped_list_of_another_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
