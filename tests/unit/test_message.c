/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * message.h: messages arrive whole, with their descriptor, within their bound.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include "checkpoint_fixture.h"
#include "message.h"

/* Two connected sockets. */
static void pair(int socks[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks), 0);
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_message_receive_what_was_sent(void **state)
{
    struct message m;
    struct pack p;
    int s[2];

    (void)state;
    pair(s);
    pack_init(&p);
    pack_text(&p, "payload");
    assert_int_equal(message_send(s[0], 17, 99, &p, -1, 1000), 0);
    assert_int_equal(message_send(s[0], 18, 100, NULL, -1, 1000), 0);
    assert_int_equal(message_receive(s[1], &m, 1000), 0);
    assert_int_equal(m.type, 17);
    assert_int_equal(m.tag, 99);
    assert_int_equal(m.fd, -1);
    assert_int_equal(m.len_bytes, p.len);
    assert_memory_equal(m.payload, p.bytes, p.len);
    message_free(&m);
    assert_int_equal(message_receive(s[1], &m, 1000), 0);
    assert_int_equal(m.type, 18);
    assert_int_equal(m.len_bytes, 0);
    message_free(&m);
    pack_free(&p);
    close(s[0]);
    close(s[1]);
}

static void test_message_receive_descriptor_belongs_to_its_message(void **state)
{
    struct message m;
    int s[2], pipes[2];
    char byte = 0;

    (void)state;
    pair(s);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(message_send(s[0], 1, 1, NULL, -1, 1000), 0);
    assert_int_equal(message_send(s[0], 2, 2, NULL, pipes[1], 1000), 0);
    close(pipes[1]);
    assert_int_equal(message_receive(s[1], &m, 1000), 0);
    assert_int_equal(m.fd, -1);
    message_free(&m);
    assert_int_equal(message_receive(s[1], &m, 1000), 0);
    assert_true(m.fd >= 0);
    assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(m.fd, "x", 1), 1);
    message_free(&m); /* closes the last writing end */
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(read(pipes[0], &byte, 1), 0);
    close(pipes[0]);
    close(s[0]);
    close(s[1]);
}

struct sender {
    int sock;
    struct pack payload;
    int result;
};

static void *send_large(void *arg)
{
    struct sender *sender = arg;

    sender->result = message_send(sender->sock, 5, 6, &sender->payload, -1, 20000);
    return NULL;
}

static void test_message_send_more_than_a_socket_holds(void **state)
{
    struct sender sender = { .result = -1 };
    size_t size = 5u << 20, i;
    struct message m;
    pthread_t thread;
    uint8_t *at;
    int s[2];

    (void)state;
    pair(s);
    pack_init(&sender.payload);
    assert_non_null(at = pack_make_room(&sender.payload, size));
    for (i = 0; i < size; i++) at[i] = (uint8_t)(i * 7 >> 3);
    sender.sock = s[0];
    assert_int_equal(pthread_create(&thread, NULL, send_large, &sender), 0);
    assert_int_equal(message_receive(s[1], &m, 20000), 0);
    pthread_join(thread, NULL);
    assert_int_equal(sender.result, 0);
    assert_int_equal(m.len_bytes, size);
    assert_memory_equal(m.payload, sender.payload.bytes, size);
    message_free(&m);
    pack_free(&sender.payload);
    close(s[0]);
    close(s[1]);
}

static void test_message_receive_times_out(void **state)
{
    struct message m;
    long start = now_ms();
    int s[2];

    (void)state;
    pair(s);
    assert_int_equal(message_receive(s[1], &m, 60), RESULT_TIMEOUT);
    assert_in_range(now_ms() - start, 60, 2000);
    assert_int_equal(write(s[0], "\x08", 1), 1); /* the beginning of a message only */
    assert_int_equal(message_receive(s[1], &m, 60), RESULT_TIMEOUT);
    assert_int_equal(m.fd, -1);
    close(s[0]);
    close(s[1]);
}

static void test_message_send_times_out(void **state)
{
    struct pack p;
    int s[2];

    (void)state;
    pair(s);
    pack_init(&p);
    assert_non_null(memset(pack_make_room(&p, 4u << 20), 0, 4u << 20));
    assert_int_equal(message_send(s[0], 1, 1, &p, -1, 60), RESULT_TIMEOUT);
    pack_free(&p);
    close(s[0]);
    close(s[1]);
}

static void test_message_send_peer_gone(void **state)
{
    struct message m;
    int s[2];

    (void)state;
    signal(SIGPIPE, SIG_DFL); /* it would end the test */
    pair(s);
    close(s[1]);
    assert_int_equal(message_send(s[0], 1, 1, NULL, -1, 1000), EPIPE);
    assert_int_equal(message_receive(s[0], &m, 1000), EPIPE);
    close(s[0]);
}

static void test_message_receive_wrong_length(void **state)
{
    static const uint8_t too_long[12] = { 1, 0, 0, 0xff }, too_short[12] = { 7 };
    struct message m;
    int s[2];

    (void)state;
    pair(s);
    assert_int_equal(write(s[0], too_long, 12), 12);
    assert_int_equal(message_receive(s[1], &m, 1000), RESULT_INVALID);
    assert_int_equal(write(s[0], too_short, 12), 12);
    assert_int_equal(message_receive(s[1], &m, 1000), RESULT_INVALID);
    close(s[0]);
    close(s[1]);
}

/* Listens and connects at a path. */
static void check_path(const char *path)
{
    struct error err = { 0, "" };
    int listening = message_listen(path, &err), one, two;
    struct message m;
    struct stat st;

    if (listening < 0) fail_msg("%s", err.text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    one = message_connect(path, &err);
    if (one < 0) fail_msg("%s", err.text);
    two = accept(listening, NULL, NULL);
    assert_true(two >= 0);
    assert_int_equal(message_send(one, 3, 4, NULL, -1, 1000), 0);
    assert_int_equal(message_receive(two, &m, 1000), 0);
    message_free(&m);
    close(one);
    close(two);
    close(listening);
    assert_int_equal(message_connect(path, &err), -1);
    assert_int_equal(err.code, RESULT_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    /* A second time, over the old socket. */
    listening = message_listen(path, &err);
    assert_true(listening >= 0);
    close(listening);
}

static void test_message_listen_short_path(void **state)
{
    struct fixture *f = fixture_dir();
    char path[200];

    (void)state;
    snprintf(path, sizeof(path), "%s/socket", f->dir);
    check_path(path);
    fixture_free(f);
}

static void test_message_listen_path_over_107_bytes(void **state)
{
    struct fixture *f = fixture_dir();
    char path[400];

    (void)state;
    snprintf(path, sizeof(path), "%s/%0100d", f->dir, 1);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/socket");
    assert_true(strlen(path) > 107);
    check_path(path);
    fixture_free(f);
}

static void test_message_listen_leaves_a_file_alone(void **state)
{
    struct fixture *f = fixture_dir();
    struct error err = { 0, "" };
    FILE *out = fopen(f->path, "w");

    (void)state;
    assert_non_null(out);
    fclose(out);
    assert_int_equal(message_listen(f->path, &err), -1);
    assert_int_equal(err.code, EEXIST);
    assert_int_equal(access(f->path, F_OK), 0);
    fixture_free(f);
}

static void test_message_connect_nobody_there(void **state)
{
    struct error err = { 0, "" };

    (void)state;
    assert_int_equal(message_connect("/nonexistent/socket", &err), -1);
    assert_int_equal(err.code, RESULT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_receive_what_was_sent),
        cmocka_unit_test(test_message_receive_descriptor_belongs_to_its_message),
        cmocka_unit_test(test_message_send_more_than_a_socket_holds),
        cmocka_unit_test(test_message_receive_times_out),
        cmocka_unit_test(test_message_send_times_out),
        cmocka_unit_test(test_message_send_peer_gone),
        cmocka_unit_test(test_message_receive_wrong_length),
        cmocka_unit_test(test_message_listen_short_path),
        cmocka_unit_test(test_message_listen_path_over_107_bytes),
        cmocka_unit_test(test_message_listen_leaves_a_file_alone),
        cmocka_unit_test(test_message_connect_nobody_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
