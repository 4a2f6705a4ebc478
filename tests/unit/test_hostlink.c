/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hostlink.h: whatever the host replies, nothing of it is left behind (the descriptor that rides
 * along with each reply here shows it, and the sanitizers), and half a reply is none.
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "checkpoint_fixture.h"
#include "hostlink.h"

#define DENIED 0xc0000022u

/* A link whose host has already said its one reply. */
struct talk {
    struct hostlink link;
    int host, open_before;
};

/* How many of the first descriptors are open. */
static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 64; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void talk_begin(struct talk *t, uint32_t status, const struct pack *behind)
{
    struct pack p;
    int s[2];

    memset(t, 0, sizeof(*t));
    t->open_before = open_descriptors();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    t->link.sock = s[0];
    t->link.role = HOST_LAUNCHER;
    t->host = s[1];
    pack_init(&p);
    pack_u32(&p, status);
    pack_u32(&p, HOST_ERROR_NTSTATUS);
    pack_text(&p, "The call");
    if (behind) pack_raw(&p, behind->bytes, behind->len);
    assert_int_equal(message_send(t->host, HOST_REPLY, 1, &p, s[0], 1000), 0);
    assert_int_equal(shutdown(t->host, SHUT_WR), 0);
    pack_free(&p);
}

static void talk_end(struct talk *t)
{
    hostlink_close(&t->link);
    close(t->host);
    assert_int_equal(open_descriptors(), t->open_before);
}

static int arm(struct hostlink *link, struct error *err)
{
    bool exists;

    return hostlink_arm(link, 1, &exists, err);
}

static int start(struct hostlink *link, struct error *err)
{
    char *why_not;
    int ret = hostlink_start_program(link, "C:\\a.exe", "", "", -1, 0, &why_not, err);

    free(why_not);
    return ret;
}

/* On failure there is nothing for the caller to free. */
static int query(struct hostlink *link, struct error *err)
{
    struct program_facts facts;
    struct resource r;
    int ret;

    resource_init(&r);
    WORKS(resource_set(&r, "service", "Svc", err));
    ret = hostlink_query_program(link, &r, &facts, err);
    if (!ret) program_facts_free(&facts);
    resource_free(&r);
    return ret;
}

static int keys(struct hostlink *link, struct error *err)
{
    struct registered_key key = { .id = 1, .view = VIEW_64, .path = (char *)"Software\\A" };
    char *physical = NULL;
    bool exists;
    int ret = hostlink_keys(link, &key, 1, &exists, &physical, err);

    free(physical);
    return ret;
}

static int scan(struct hostlink *link, struct error *err)
{
    struct image image;
    int ret = hostlink_scan(link, 1, true, &image, NULL, err);

    image_free(&image);
    return ret;
}

static int (*const asks[])(struct hostlink *link, struct error *err) = { arm, start, query, keys,
                                                                         scan };

static void test_hostlink_refusals_leave_nothing_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct talk t;

        print_message("request %zu\n", i);
        talk_begin(&t, DENIED, NULL);
        FAILS(RESULT_WINE, "The call failed: access denied", asks[i](&t.link, err));
        talk_end(&t);
    }
}

static void test_hostlink_half_a_reply_is_none(void **state)
{
    struct pack nothing, half;

    (void)state;
    pack_init(&nothing);
    pack_init(&half);
    pack_u32(&half, 64);
    pack_u32(&half, 1);
    pack_text(&half, "C:\\svc.exe"); /* a service's start type and more should follow */
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct talk t;

        print_message("request %zu\n", i);
        talk_begin(&t, 0, asks[i] == query ? &half : &nothing);
        FAILS(RESULT_INVALID, "regckpt-host", asks[i](&t.link, err));
        talk_end(&t);
    }
    pack_free(&half);
}

/* A pidfd of a process that has ended, as that of a wineserver that was killed. */
static int ended_process(void)
{
    struct pollfd p = { .events = POLLIN };
    pid_t pid = fork();

    if (!pid) _exit(0);
    p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(p.fd >= 0);
    assert_int_equal(poll(&p, 1, -1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return p.fd;
}

/* The host hangs then, connected: each request would wait until its time is over. */
static void test_hostlink_without_a_server_no_reply_is_awaited(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        int s[2], server_fd = ended_process();
        struct hostlink link = { .role = HOST_LAUNCHER, .server_fd = &server_fd };

        print_message("request %zu\n", i);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
        link.sock = s[0];
        FAILS(RESULT_WINE, "its wineserver did", asks[i](&link, err));
        assert_int_equal(link.sock, -1);
        hostlink_close(&link);
        close(s[1]);
        close(server_fd);
    }
}

/* What it had said before counts. */
static void test_hostlink_without_a_server_a_reply_that_came_counts(void **state)
{
    int server_fd = ended_process();
    struct talk t;

    (void)state;
    talk_begin(&t, DENIED, NULL);
    t.open_before--; /* the pidfd */
    t.link.server_fd = &server_fd;
    FAILS(RESULT_WINE, "The call failed: access denied", scan(&t.link, err));
    close(server_fd);
    talk_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostlink_refusals_leave_nothing_behind),
        cmocka_unit_test(test_hostlink_half_a_reply_is_none),
        cmocka_unit_test(test_hostlink_without_a_server_no_reply_is_awaited),
        cmocka_unit_test(test_hostlink_without_a_server_a_reply_that_came_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
