/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is there a display?  An X server is played by a socket that listens.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
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

#include "display.h"

#define X_PORT 6000

/* What becomes of this DISPLAY (NULL: not set); an error says the words. */
static void expect(const char *display, int result, const char *words)
{
    struct error err = {.code = 0};

    if (display)
        setenv("DISPLAY", display, 1);
    else
        unsetenv("DISPLAY");
    print_message("DISPLAY %s\n", display ? display : "(not set)");
    assert_int_equal(display_check(&err), result);
    if (result)
        assert_non_null(strstr(err.text, words));
}

/* One at a port that the system chose; *number is the display that it stands for. */
static int listen_at_port(unsigned *number)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(sock >= 0);
    assert_int_equal(bind(sock, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(sock, 8), 0);
    assert_int_equal(getsockname(sock, (struct sockaddr *)&address, &len), 0);
    *number = ntohs(address.sin_port) - X_PORT;
    return sock;
}

static void test_display_check_not_set(void **state)
{
    (void)state;
    expect(NULL, RESULT_UNPROTECTED, "DISPLAY is not set");
    expect("", RESULT_UNPROTECTED, "DISPLAY is not set");
}

static void test_display_check_malformed(void **state)
{
    static const char *const malformed[] = {"0", "host", ":", ":x", ":0x", ": 0", ":+0", ":-1", "host:", ":0:",
                                            ":59536", ":99999999999999999999", "host:1x.0"};
    char long_host[400];

    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
        expect(malformed[i], RESULT_UNPROTECTED, "names no display");
    memset(long_host, 'h', sizeof(long_host));
    strcpy(long_host + sizeof(long_host) - 3, ":0");
    expect(long_host, RESULT_UNPROTECTED, "names no display");
}

static void test_display_check_by_port(void **state)
{
    static const char *const forms[] = {"127.0.0.1:%u", "127.0.0.1:%u.0", "localhost:%u", ":%u", "unix:%u.1"};
    char display[64];
    unsigned number;
    int sock = listen_at_port(&number);

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        snprintf(display, sizeof(display), forms[i], number);
        expect(display, RESULT_OK, NULL);
    }
    close(sock);
    expect(display, RESULT_UNPROTECTED, "No X server answers");
    snprintf(display, sizeof(display), "127.0.0.1:%u", number);
    expect(display, RESULT_UNPROTECTED, "No X server answers");
}

static void test_display_check_by_local_socket(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unsigned number = 10000 + (unsigned)getpid() % 10000;
    int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "/tmp/.X11-unix/X%u", number);
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char display[32];

    (void)state;
    assert_true(sock >= 0);
    assert_int_equal(bind(sock, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)), 0);
    assert_int_equal(listen(sock, 8), 0);
    snprintf(display, sizeof(display), ":%u.0", number);
    expect(display, RESULT_OK, NULL);
    snprintf(display, sizeof(display), "unix:%u", number);
    expect(display, RESULT_OK, NULL);
    close(sock);
    expect(display, RESULT_UNPROTECTED, "No X server answers");
}

static void test_display_check_rarer_forms(void **state)
{
    (void)state;
    expect("tcp/127.0.0.1:0", RESULT_OK, NULL);
    expect("/run/x/socket:0", RESULT_OK, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_display_check_not_set),
        cmocka_unit_test(test_display_check_malformed),
        cmocka_unit_test(test_display_check_by_port),
        cmocka_unit_test(test_display_check_by_local_socket),
        cmocka_unit_test(test_display_check_rarer_forms),
    };

    return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
