/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the monitor tells the journal or syslog: the test plays either, by a socket of its own; and
 * its log, which stays short.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "full_store.h"
#include "monitor.h"
#include "played_wine.h"
#include "takeover.h"

#define LOG_BYTES (4 << 20) /* what the log may grow to */

static int sock;
static char heard[65536]; /* all messages so far, an empty line behind each */

/* From now on this node's events go to a socket of the test, as `how` ("journal", "syslog"). */
static void given_socket(const char *how, int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    FILE *conf;

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/events", fix.dir);
    sock = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(sock, (struct sockaddr *)&at, sizeof(at)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(sock, 16), 0);
    assert_non_null(conf = fopen(fix.conf, "w"));
    fprintf(conf, "store = %s\nrun_dir = %.*s\nnode = here\nevents = %s:%s\n", fix.store,
            (int)(strrchr(fix.run_dir, '/') - fix.run_dir), fix.run_dir, how, at.sun_path);
    fclose(conf);
    *heard = 0;
}

static void take(int from)
{
    size_t len = strlen(heard);
    ssize_t got;

    while ((got = recv(from, heard + len, sizeof(heard) - len - 3, 0)) > 0) {
        len += (size_t)got;
        while (len && (!heard[len - 1] || heard[len - 1] == '\n'))
            len--;
        strcpy(heard + len, "\n\n");
        len += 2;
    }
}

/* Has any message these words? */
static bool hears(const char *words)
{
    int one = accept4(sock, NULL, NULL, SOCK_CLOEXEC);

    if (one >= 0) {
        take(one);
        close(one);
    } else if (errno == EINVAL || errno == EOPNOTSUPP) {
        take(sock);
    }
    return strstr(heard, words) != NULL;
}

static int setup(void **state)
{
    sock = -1;
    return fixture_setup(state);
}

static int teardown(void **state)
{
    if (sock >= 0)
        close(sock);
    return fixture_teardown(state);
}

static void test_journal_hears_with_fields(void **state)
{
    (void)state;
    given_socket("journal", SOCK_DGRAM);
    monitor_online();
    AWAIT(hears("REGCKPT_EVENT=online\n"));
    assert_says(heard, "MESSAGE=app: app is online, epoch 1\nPRIORITY=5\nSYSLOG_FACILITY=3\n"
                       "SYSLOG_IDENTIFIER=regckpt\nSYSLOG_PID=");
    assert_says(heard, "\nREGCKPT_RESOURCE=app\nREGCKPT_NODE=here\nREGCKPT_STORE=/");
    assert_true(log_has("app is online, epoch 1"));
    program_ends(3);
    monitor_wait_end();
    AWAIT(hears("REGCKPT_EVENT=offline\n"));
    assert_says(heard, "MESSAGE=app: the program ended with exit code 3\nPRIORITY=4\n");
    assert_says(heard, "REGCKPT_EVENT=program-ended\n");
}

static void test_syslog_hears_as_from_syslog_3(void **state)
{
    (void)state;
    given_socket("syslog", SOCK_DGRAM);
    monitor_online();
    AWAIT(hears("app: online: app is online, epoch 1\n"));
    assert_says(heard, "<29>"); /* daemon, notice */
    assert_says(heard, " regckpt[");
    monitor_ends_offline();
    AWAIT(hears(": app: offline: app is offline\n"));
    assert_null(strstr(heard, "program-ended")); /* it was told to */
}

static void test_syslog_of_streams_is_served_too(void **state)
{
    (void)state;
    given_socket("syslog", SOCK_STREAM);
    monitor_online();
    AWAIT(hears("app: online: app is online, epoch 1\n"));
    monitor_ends_offline();
}

static void test_nobody_takes_events_and_nobody_waits(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int full;

    (void)state;
    given_socket("journal", SOCK_DGRAM);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/events", fix.dir);
    assert_true((full = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) >= 0);
    while (sendto(full, "x", 1, 0, (struct sockaddr *)&at, sizeof(at)) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
    monitor_online();
    monitor_ends_offline();
    assert_true(log_has("app is online, epoch 1"));
    close(full);
}

/* As systemd does with the standard error of a service. */
static void stderr_is_the_journal(void)
{
    char stream[64];
    struct stat st;

    fstat(2, &st);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
}

static void test_journal_is_told_once_where_it_has_the_log(void **state)
{
    (void)state;
    given_socket("journal", SOCK_DGRAM);
    fix.before_exec = stderr_is_the_journal;
    monitor_online();
    AWAIT(hears("REGCKPT_EVENT=online\n"));
    assert_false(log_has("app is online, epoch 1"));
    assert_true(log_has("booting Wine")); /* no event, and without the time that the journal has */
    assert_false(log_has("regckpt-monitor["));
    monitor_ends_offline();
}

static void test_failed_restore_is_told(void **state)
{
    (void)state;
    given_socket("journal", SOCK_DGRAM);
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=0");
    given_script("apply 0 lose\n");
    assert_int_equal(monitor_fails(), 121);
    AWAIT(hears("REGCKPT_EVENT=restore-failed\n"));
    assert_says(heard, "\nPRIORITY=2\n");
    assert_null(strstr(heard, "REGCKPT_EVENT=offline")); /* it never was online */
}

static void test_takeover_after_a_death_is_told(void **state)
{
    (void)state;
    monitor_online();
    kill(fix.monitor, SIGKILL);
    monitor_wait_end();
    AWAIT(resource_is_free());
    given_socket("journal", SOCK_DGRAM);
    monitor_online();
    AWAIT(hears("REGCKPT_EVENT=takeover\n"));
    assert_says(heard, "MESSAGE=app: took app over from node here, whose owner is gone\n");
    monitor_ends_offline();
}

static void test_displaced_owner_tells(void **state)
{
    char token[OWNER_TOKEN_BYTES];
    struct owner other = {.store = fix.store, .resource = "app", .node = "there", .lock_fd = -1};
    struct error err;

    (void)state;
    given_socket("journal", SOCK_DGRAM);
    monitor_online();
    assert_int_equal(takeover_token(fix.store, "app", token, &err), 0);
    assert_int_equal(takeover_displace(&other, token, &err), 0);
    AWAIT(hears("REGCKPT_EVENT=displaced\n"));
    assert_int_equal(monitor_wait_end(), 120);
    takeover_release(&other);
}

static void test_failing_storage_is_told_and_that_it_is_back(void **state)
{
    char *much;

    (void)state;
    if (!store_move_to_small())
        skip();
    given_socket("journal", SOCK_DGRAM);
    given_key(APP, KEY_CAPTURED, "a=1", NULL);
    given_registry(APP, "a=1");
    monitor_online();
    AWAIT(monitor_scans() >= 2);
    store_fill();
    much = much_text('x');
    given_registry(APP, much);
    free(much);
    AWAIT(hears("REGCKPT_EVENT=storage-failed\n"));
    assert_says(heard, "The program goes on, unprotected");
    assert_null(strstr(heard, "storage-back"));
    store_free_up();
    AWAIT(hears("REGCKPT_EVENT=storage-back\n"));
    monitor_ends_offline();
}

/* In a process of its own, whose standard error is the log. */
static void fill_log(const char *path, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    char line[1024];

    dup2(fd, 2);
    log_keep_short(path);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (size_t done = 0; done < bytes; done += sizeof(line))
        if (write(2, line, sizeof(line)) != sizeof(line))
            _exit(1);
    log_line("the last line");
    log_shorten();
    log_line("the first line");
    _exit(0);
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : st.st_size;
}

static void test_log_stays_short(void **state)
{
    static const size_t bytes[] = {LOG_BYTES - 4096, LOG_BYTES + 4096, 5 * LOG_BYTES};
    char log[128], old[160], end[64] = "";
    int status, fd;

    (void)state;
    snprintf(log, sizeof(log), "%s/some log", fix.dir);
    snprintf(old, sizeof(old), "%s.old", log);
    for (size_t i = 0; i < 3; i++) {
        pid_t pid = fork();

        if (!pid)
            fill_log(log, bytes[i]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        if (!i) {
            assert_true(size_of(log) > (off_t)bytes[i]);
            assert_int_equal(size_of(old), -1);
            unlink(log);
            continue;
        }
        assert_true(size_of(log) > 0 && size_of(log) < 100);
        assert_true(size_of(old) >= LOG_BYTES && size_of(old) <= 2 * LOG_BYTES);
        assert_true((fd = open(old, O_RDONLY | O_CLOEXEC)) >= 0);
        assert_true(pread(fd, end, 14, size_of(old) - 14) == 14);
        assert_string_equal(end, "the last line\n");
        close(fd);
    }
}

#define EVENT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
    EVENT_TEST(test_journal_hears_with_fields),
    EVENT_TEST(test_syslog_hears_as_from_syslog_3),
    EVENT_TEST(test_syslog_of_streams_is_served_too),
    EVENT_TEST(test_nobody_takes_events_and_nobody_waits),
    EVENT_TEST(test_journal_is_told_once_where_it_has_the_log),
    EVENT_TEST(test_failed_restore_is_told),
    EVENT_TEST(test_takeover_after_a_death_is_told),
    EVENT_TEST(test_displaced_owner_tells),
    EVENT_TEST(test_failing_storage_is_told_and_that_it_is_back),
    EVENT_TEST(test_log_stays_short),
};

MONITOR_TESTS_MAIN(tests)
