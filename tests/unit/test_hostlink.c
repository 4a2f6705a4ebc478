/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hostlink.h: whatever the host replies, nothing of it is left behind (the descriptor that rides
 * along with each reply here shows it, and the sanitizers), and half a reply is none.
 */
#include <sys/socket.h>

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
    int ret = hostlink_start_program(link, "C:\\a.exe", "", "", -1, &why_not, err);

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostlink_refusals_leave_nothing_behind),
        cmocka_unit_test(test_hostlink_half_a_reply_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
