/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings: which source wins, what a configuration file may say, where a resource's files go.
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
#include <unistd.h>

#include <cmocka.h>

#include "settings.h"

static char dir[] = "/tmp/test_settings.XXXXXX";
static char conf[sizeof(dir) + 16];

/* A path below the test's own directory; valid until the next call. */
static const char *below(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

/* Writes the configuration file and names it. */
static void write_conf(const char *text)
{
    FILE *file = fopen(conf, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("REGCKPT_CONF", conf, 1), 0);
}

static int setup_group(void **state)
{
    (void)state;
    snprintf(conf, sizeof(conf), "%s/conf", mkdtemp(dir) ? dir : "");
    return 0;
}

static int teardown_group(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

/* An empty configuration file and nothing in the environment. */
static int setup(void **state)
{
    (void)state;
    unsetenv("REGCKPT_STORE");
    unsetenv("XDG_RUNTIME_DIR");
    write_conf("");
    return 0;
}

/* settings_read fails with this result and a message that holds a word. */
static void expect_failure(const char *option, int code, const char *word)
{
    struct settings s;
    struct error err = {0};

    assert_int_equal(settings_read(&s, option, &err), code);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, word))
        fail_msg("the message does not say \"%s\": %s", word, err.text);
    assert_null(s.store);
}

static void test_settings_read_defaults(void **state)
{
    struct settings s;
    char host[256];

    (void)state;
    assert_int_equal(settings_read(&s, NULL, NULL), 0);
    assert_string_equal(s.store, "/var/lib/regckpt");
    assert_string_equal(s.store_source, "default");
    assert_int_equal(gethostname(host, sizeof(host)), 0);
    assert_string_equal(s.node, host);
    assert_string_equal(s.wine, "");
    assert_string_equal(s.conf, conf);
    assert_string_equal(s.state_dir, "/var/lib/regckpt-node");
    if (!geteuid())
        assert_string_equal(s.run_dir, "/run/regckpt");
    else
        assert_non_null(strstr(s.run_dir, "/tmp/regckpt-"));
    settings_free(&s);
}

static void test_settings_read_file(void **state)
{
    struct settings s;

    (void)state;
    write_conf("# a comment\n\n  store = /srv//ck/ \nrun_dir=/srv/run\n\tnode =\tone two\t\n"
               "state_dir = /srv/state\nwine=/opt/wine\n# end");
    assert_int_equal(settings_read(&s, NULL, NULL), 0);
    assert_string_equal(s.store, "/srv/ck");
    assert_string_equal(s.store_source, conf);
    assert_string_equal(s.run_dir, "/srv/run");
    assert_string_equal(s.state_dir, "/srv/state");
    assert_string_equal(s.node, "one two");
    assert_string_equal(s.wine, "/opt/wine");
    settings_free(&s);
}

static void test_settings_read_environment_before_file(void **state)
{
    struct settings s;

    (void)state;
    write_conf("store = /srv/file\nnode = n\n");
    setenv("REGCKPT_STORE", "/srv/env/", 1);
    assert_int_equal(settings_read(&s, NULL, NULL), 0);
    assert_string_equal(s.store, "/srv/env");
    assert_string_equal(s.store_source, "REGCKPT_STORE");
    assert_string_equal(s.node, "n");
    settings_free(&s);
}

static void test_settings_read_option_before_environment(void **state)
{
    struct settings s;

    (void)state;
    write_conf("store = /srv/file\n");
    setenv("REGCKPT_STORE", "/srv/env", 1);
    assert_int_equal(settings_read(&s, "/srv/option", NULL), 0);
    assert_string_equal(s.store, "/srv/option");
    assert_string_equal(s.store_source, "--store");
    settings_free(&s);
}

static void test_settings_read_empty_environment(void **state)
{
    struct settings s;

    (void)state;
    write_conf("store = /srv/file\n");
    setenv("REGCKPT_STORE", "", 1);
    assert_int_equal(settings_read(&s, NULL, NULL), 0);
    assert_string_equal(s.store, "/srv/file");
    settings_free(&s);
}

static void test_settings_read_relative_option(void **state)
{
    struct settings s;
    char expected[PATH_MAX];

    (void)state;
    assert_int_equal(chdir(dir), 0);
    snprintf(expected, sizeof(expected), "%s/a/b", dir);
    assert_int_equal(settings_read(&s, "./a/b/", NULL), 0);
    assert_string_equal(s.store, expected);
    settings_free(&s);
    expect_failure("", RESULT_USAGE, "--store");
}

static void test_settings_read_relative_path(void **state)
{
    (void)state;
    write_conf("node = x\nstore = srv\n");
    expect_failure(NULL, RESULT_USAGE, "line 2");
    write_conf("run_dir = run\n");
    expect_failure(NULL, RESULT_USAGE, "absolute");
    write_conf("wine = wine\n");
    expect_failure(NULL, RESULT_USAGE, "absolute");
    write_conf("");
    setenv("REGCKPT_STORE", "srv", 1);
    expect_failure(NULL, RESULT_USAGE, "REGCKPT_STORE");
}

static void test_settings_read_unknown_name(void **state)
{
    (void)state;
    write_conf("store = /srv\n\nstroe = /srv\n");
    expect_failure(NULL, RESULT_USAGE, "line 3: unknown setting \"stroe\"");
    expect_failure(NULL, RESULT_USAGE, conf);
}

static void test_settings_read_no_equals(void **state)
{
    (void)state;
    write_conf("store /srv\n");
    expect_failure(NULL, RESULT_USAGE, "line 1");
    expect_failure("/srv", RESULT_USAGE, "no '='");
    write_conf("store =\n");
    expect_failure(NULL, RESULT_USAGE, "no value");
}

static void test_settings_read_missing_file(void **state)
{
    (void)state;
    setenv("REGCKPT_CONF", below("missing"), 1);
    expect_failure(NULL, RESULT_NOT_FOUND, "missing");
    setenv("REGCKPT_CONF", "conf", 1);
    expect_failure(NULL, RESULT_USAGE, "REGCKPT_CONF");
    setenv("REGCKPT_CONF", dir, 1);
    expect_failure(NULL, EISDIR, dir);
}

static void test_settings_read_default_file_may_be_missing(void **state)
{
    struct settings s;

    (void)state;
    unsetenv("REGCKPT_CONF");
    if (!access(SETTINGS_FILE, F_OK))
        skip();
    assert_int_equal(settings_read(&s, NULL, NULL), 0);
    assert_string_equal(s.conf, SETTINGS_FILE);
    settings_free(&s);
}

static void test_settings_resource_dir_two_stores(void **state)
{
    struct settings one, two, same;
    char *a, *b, *c;

    (void)state;
    write_conf("run_dir = /srv/run\n");
    assert_int_equal(settings_read(&one, "/srv/one/x", NULL), 0);
    assert_int_equal(settings_read(&two, "/srv/two/x", NULL), 0);
    assert_int_equal(settings_read(&same, "/srv//one/x/", NULL), 0);
    a = settings_resource_dir(&one, "web");
    b = settings_resource_dir(&two, "web");
    c = settings_resource_dir(&same, "web");
    assert_int_equal(strncmp(a, "/srv/run/web.", 13), 0);
    assert_string_not_equal(a, b);
    assert_string_equal(a, c);
    free(a);
    free(b);
    free(c);
    settings_free(&one);
    settings_free(&two);
    settings_free(&same);
}

/* Settings whose run directory is below the test's own directory. */
static void read_with_run_dir(struct settings *s, const char *name)
{
    char text[PATH_MAX + 16];

    snprintf(text, sizeof(text), "run_dir = %s\n", below(name));
    write_conf(text);
    assert_int_equal(settings_read(s, NULL, NULL), 0);
}

static void test_settings_make_resource_dir_private(void **state)
{
    struct settings s;
    struct stat st;
    char *path;

    (void)state;
    read_with_run_dir(&s, "run");
    assert_int_equal(settings_make_resource_dir(&s, "web", &path, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    free(path);
    assert_int_equal(settings_make_resource_dir(&s, "web", &path, NULL), 0);
    free(path);
    settings_free(&s);
}

static void test_settings_make_resource_dir_refuses(void **state)
{
    struct settings s;
    struct error err = {0};
    char *path = (char *)"poison";

    (void)state;
    read_with_run_dir(&s, "link");
    assert_int_equal(symlink("/", s.run_dir), 0);
    assert_int_equal(settings_make_resource_dir(&s, "web", &path, &err), ENOTDIR);
    assert_null(path);
    settings_free(&s);
    if (geteuid())
        return;
    read_with_run_dir(&s, "others");
    assert_int_equal(mkdir(s.run_dir, 0777), 0);
    assert_int_equal(chown(s.run_dir, 65534, 65534), 0);
    assert_int_equal(settings_make_resource_dir(&s, "web", &path, &err), EPERM);
    assert_non_null(strstr(err.text, "65534"));
    settings_free(&s);
}

static void test_settings_find_program_beside_us(void **state)
{
    struct error err = {0};
    char exe[PATH_MAX], *path, *name;
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    (void)state;
    assert_true(len > 0);
    exe[len] = 0;
    name = strrchr(exe, '/') + 1;
    path = settings_find_program(name, &err);
    assert_non_null(path);
    assert_string_equal(path, exe);
    free(path);
}

static void test_settings_find_program_missing(void **state)
{
    struct error err = {0};

    (void)state;
    assert_null(settings_find_program("no-such-program", &err));
    assert_int_equal(err.code, RESULT_UNPROTECTED);
    assert_non_null(strstr(err.text, "no-such-program"));
    assert_non_null(strstr(err.text, PKGLIBDIR_FROM_BINDIR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_settings_read_defaults, setup),
        cmocka_unit_test_setup(test_settings_read_file, setup),
        cmocka_unit_test_setup(test_settings_read_environment_before_file, setup),
        cmocka_unit_test_setup(test_settings_read_option_before_environment, setup),
        cmocka_unit_test_setup(test_settings_read_empty_environment, setup),
        cmocka_unit_test_setup(test_settings_read_relative_option, setup),
        cmocka_unit_test_setup(test_settings_read_relative_path, setup),
        cmocka_unit_test_setup(test_settings_read_unknown_name, setup),
        cmocka_unit_test_setup(test_settings_read_no_equals, setup),
        cmocka_unit_test_setup(test_settings_read_missing_file, setup),
        cmocka_unit_test_setup(test_settings_read_default_file_may_be_missing, setup),
        cmocka_unit_test_setup(test_settings_resource_dir_two_stores, setup),
        cmocka_unit_test_setup(test_settings_make_resource_dir_private, setup),
        cmocka_unit_test_setup(test_settings_make_resource_dir_refuses, setup),
        cmocka_unit_test_setup(test_settings_find_program_beside_us, setup),
        cmocka_unit_test_setup(test_settings_find_program_missing, setup),
    };
    return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
