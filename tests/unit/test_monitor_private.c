/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another user: reads nothing of a resource, and has no answer from its monitor.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostproto.h"
#include "monitor_hooked.h"

#define NOBODY 65534

static struct error err;

static void given_online_as_root(void)
{
    if (geteuid())
        skip(); /* nobody else can be tried */
    given_hooked();
    assert_int_equal(chmod(fix.dir, 0755), 0); /* of the test's own making */
}

/* How many files below a directory another user can open; says which. */
static unsigned open_all(const char *dir)
{
    struct dirent *entry;
    char path[PATH_MAX];
    unsigned count = 0;
    DIR *in = opendir(dir);
    int fd;

    if (!in)
        return 0;
    while ((entry = readdir(in))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) >= 0 ||
            (errno != EACCES && (fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0)) {
            fprintf(stderr, "another user can open %s\n", path);
            count++;
            close(fd);
        }
        count += open_all(path);
    }
    closedir(in);
    return count;
}

/* In a process of another user; what it returns, up to 255. */
static int as_another(int (*act)(void))
{
    pid_t pid = fork();
    int status;

    if (!pid) {
        if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
            _exit(255);
        _exit(act());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int try_to_read(void)
{
    char names[3][PATH_MAX];
    unsigned count = open_all(fix.store) + open_all(fix.run_dir);
    int fd;

    /* also by names that are known, where a directory cannot be listed */
    snprintf(names[0], sizeof(names[0]), "%s/app/checkpoint.tdb", fix.store);
    snprintf(names[1], sizeof(names[1]), "%s/app/lock", fix.store);
    snprintf(names[2], sizeof(names[2]), "%s/ring", fix.run_dir);
    for (int i = 0; i < 3; i++)
        if ((fd = open(names[i], O_RDONLY | O_CLOEXEC)) >= 0 || errno != EACCES)
            count++;
    return (int)count;
}

static int try_to_connect(void)
{
    char path[PATH_MAX];
    struct error why;

    snprintf(path, sizeof(path), "%s/socket", fix.run_dir);
    return message_connect(path, &why) >= 0;
}

/* Asks for everything there is; how many requests had another answer than that it is not allowed. */
static int try_to_talk(void)
{
    static const uint32_t requests[] = {CTL_STATUS, CTL_OFFLINE, CTL_SAVE, CTL_ADD, CTL_REMOVE, CTL_SET,
                                        CTL_EXCLUDE, CTL_DIFF, HOST_HELLO, 999};
    int answered = 0;

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        char path[PATH_MAX];
        struct message m;
        struct unpack u;
        int sock;

        snprintf(path, sizeof(path), "%s/socket", fix.run_dir);
        if ((sock = message_connect(path, NULL)) < 0)
            return 200;
        if (!message_send(sock, requests[i], 1, NULL, -1, WAIT_MS) &&
            !message_receive(sock, &m, WAIT_MS)) {
            unpack_init(&u, m.payload, m.len_bytes);
            answered += m.type != CTL_REPLY || unpack_u32(&u) != EPERM || m.len_bytes > 300;
            message_free(&m);
        }
        close(sock);
    }
    return answered;
}

static void test_another_user_reads_nothing(void **state)
{
    (void)state;
    given_online_as_root();
    assert_int_equal(as_another(try_to_read), 0);
    assert_int_equal(as_another(try_to_connect), 0);
    monitor_ends_offline();
    assert_int_equal(as_another(try_to_read), 0); /* last-good.tdb too */
}

/* Where somebody has loosened the rights, the peer is checked all the same. */
static void test_another_user_has_no_answer(void **state)
{
    char command[PATH_MAX];

    (void)state;
    given_online_as_root();
    snprintf(command, sizeof(command), "chmod 777 %s %s/.. %s/socket", fix.run_dir, fix.run_dir,
             fix.run_dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(as_another(try_to_connect), 1);
    assert_int_equal(as_another(try_to_talk), 0);
    assert_true(played_pid("program") > 0);
    assert_does("set " APP " a=2", "done");
    assert_int_equal(ctl_plain(CTL_SAVE, &err), 0);
    assert_checkpoint(APP, "a=2");
    monitor_ends_offline();
}

static const struct CMUnitTest tests[] = {
    HOOKED_TEST(test_another_user_reads_nothing),
    HOOKED_TEST(test_another_user_has_no_answer),
};

MONITOR_TESTS_MAIN(tests)
