/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd is told, as it hears it: a datagram socket in its place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

static int heard_fd = -1;
static char dir[64];
static struct monitor_status status;
static struct resource resource;

/* Plays systemd: path "" is an abstract name. */
static void listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char variable[sizeof(address.sun_path) + 8];
    socklen_t len;

    snprintf(variable, sizeof(variable), "%s", path);
    strcpy(address.sun_path, path);
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (*path == '@')
        address.sun_path[0] = 0;
    else
        len++;
    heard_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(heard_fd >= 0);
    assert_int_equal(bind(heard_fd, (struct sockaddr *)&address, len), 0);
    setenv("NOTIFY_SOCKET", variable, 1);
    notify_begin();
}

/* The next datagram; "" if there is none. */
static const char *heard(void)
{
    static char text[2048];
    ssize_t len = recv(heard_fd, text, sizeof(text) - 1, 0);

    text[len < 0 ? 0 : len] = 0;
    return text;
}

static void phase(uint32_t which)
{
    status.phase = which;
    notify_publish(&status, &resource);
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_notify.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    memset(&status, 0, sizeof(status));
    status.source = (char *)"hook";
    resource = (struct resource){.start_timeout_s = 5000, .stop_timeout_s = 7000};
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    if (heard_fd >= 0)
        close(heard_fd);
    heard_fd = -1;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

static void in_dir(char *path, size_t room)
{
    snprintf(path, room, "%s/notify", dir);
}

static void test_notify_nobody(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_begin();
    phase(PHASE_ONLINE);
    notify_failure("nobody hears this");
}

static void test_notify_life(void **state)
{
    char path[96];

    (void)state;
    in_dir(path, sizeof(path));
    listen_at(path);
    assert_null(getenv("NOTIFY_SOCKET")); /* what is started from here has none */
    phase(PHASE_STARTING);
    assert_non_null(strstr(heard(), "STATUS=Taking"));
    phase(PHASE_RESTORING);
    assert_non_null(strstr(heard(), "STATUS=Restoring"));
    phase(PHASE_LAUNCHING);
    assert_string_equal(heard(), "STATUS=Starting the program\nEXTEND_TIMEOUT_USEC=5060000000");
    phase(PHASE_ONLINE);
    assert_string_equal(heard(), "READY=1\nSTATUS=Online");
    phase(PHASE_ONLINE);
    assert_string_equal(heard(), ""); /* nothing new */
    phase(PHASE_STOPPING);
    assert_string_equal(heard(), "STOPPING=1\nSTATUS=Stopping the program\n"
                                 "EXTEND_TIMEOUT_USEC=7060000000");
    phase(PHASE_SAVING);
    assert_non_null(strstr(heard(), "STATUS=Saving"));
    assert_string_equal(heard(), "");
}

static void test_notify_storage(void **state)
{
    char path[96];

    (void)state;
    in_dir(path, sizeof(path));
    listen_at(path);
    phase(PHASE_ONLINE);
    assert_non_null(strstr(heard(), "READY=1"));
    status.storage_failing_since = 1;
    phase(PHASE_ONLINE);
    assert_string_equal(heard(), "STATUS=RUNNING UNPROTECTED: the storage fails, changes are not saved");
    status.storage_failing_since = 0;
    status.source = (char *)"watch";
    phase(PHASE_ONLINE);
    assert_non_null(strstr(heard(), "STATUS=Online; captured by the watch alone"));
}

static void test_notify_abstract(void **state)
{
    char name[64];

    (void)state;
    snprintf(name, sizeof(name), "@test_notify.%d", (int)getpid());
    listen_at(name);
    phase(PHASE_STARTING);
    assert_non_null(strstr(heard(), "STATUS="));
}

static void test_notify_failure_one_line(void **state)
{
    char path[96];

    (void)state;
    in_dir(path, sizeof(path));
    listen_at(path);
    notify_failure("first\nREADY=1");
    assert_string_equal(heard(), "STATUS=Not online: first READY=1");
}

static void test_notify_wrong_address(void **state)
{
    char name[200];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[0] = '/';
    name[sizeof(name) - 1] = 0;
    for (const char *one = name; one; one = one == name ? "vsock:2:1" : NULL) {
        setenv("NOTIFY_SOCKET", one, 1);
        notify_begin();
        assert_null(getenv("NOTIFY_SOCKET"));
        phase(PHASE_STARTING); /* nobody hears it, and nothing breaks */
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_notify_nobody),   TEST(test_notify_wrong_address),    TEST(test_notify_life),
        TEST(test_notify_storage),  TEST(test_notify_failure_one_line), TEST(test_notify_abstract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
