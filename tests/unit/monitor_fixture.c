/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The monitor under test: where it runs, how it is started, waited for and asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "monitor_fixture.h"
#include "played_wine.h"

struct fixture fix = {.ready_fd = -1, .session = -1};
static char programs[] = "/tmp/test_monitor.XXXXXX"; /* copies of the programs, for one test program */
static char own_dir[PATH_MAX]; /* where that is */

int64_t fixture_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void fixture_pause(void)
{
    poll(NULL, 0, 5);
}

/* A command that must work. */
static void run(const char *format, ...)
{
    char command[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command)) {
        fprintf(stderr, "failed: %s\n", command);
        abort();
    }
}

/*
 * A directory and what is mounted there.  What was killed just now, and what its children have under way,
 * may put files into it until they are gone.
 */
static int removed(const char *mounted, const char *dir)
{
    char command[4096];

    snprintf(command, sizeof(command), "{ ! mountpoint -q '%s' || umount '%s'; } && rm -rf '%s'", mounted,
             mounted, dir);
    for (int left = 300; system(command); left--) {
        if (!left) {
            fprintf(stderr, "failed: %s\n", command);
            return -1;
        }
        poll(NULL, 0, 100);
    }
    return 0;
}

/*
 * Stores, prefixes and all else are in memory, where that may be mounted: a disk that others keep busy may
 * not answer for longer than the bounds that are tested here, and then the monitor is right to end.
 */
static bool move_to_memory(const char *dir)
{
    return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
           !mount("tmpfs", dir, "tmpfs", 0, "mode=711");
}

/* The loader must be named wine64, and the monitor looks for the host beside itself. */
int fixture_group_setup(void **state)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    (void)state;
    /* a test has its directory for itself, and may let others in */
    if (len < 0 || !mkdtemp(programs) || chmod(programs, 0711))
        return -1;
    exe[len] = 0;
    snprintf(own_dir, sizeof(own_dir), "%s", exe);
    *strrchr(own_dir, '/') = 0;
    if (!move_to_memory(programs))
        print_message("the stores are on a disk, and its pauses are theirs: no memory can be mounted\n");
    run("cp '%s' %s/wine64", exe, programs);
    run("cp '%s/../../regckpt-monitor' %s/ && : >%s/regckpt-host.exe.so", own_dir, programs, programs);
    return 0;
}

int fixture_group_teardown(void **state)
{
    (void)state;
    run("umount -l %s 2>/dev/null; rm -rf %s", programs, programs);
    return 0;
}

const char *fixture_own_dir(void)
{
    return own_dir;
}

/* The configuration of a node, and what follows from it. */
static void write_conf(const char *node)
{
    struct error err;
    FILE *conf;

    snprintf(fix.conf, sizeof(fix.conf), "%s/conf.%s", fix.dir, node);
    if (!(conf = fopen(fix.conf, "w")))
        abort();
    fprintf(conf, "store = %s\nrun_dir = %s/run.%s\nstate_dir = %s/state.%s\nnode = %s\nevents = none\n",
            fix.store, fix.dir, node, fix.dir, node, node);
    fclose(conf);
    setenv("REGCKPT_CONF", fix.conf, 1);
    if (settings_read(&fix.settings, NULL, &err))
        abort();
    fix.run_dir = settings_resource_dir(&fix.settings, "app");
}

/* A new directory with a store and a prefix; the configuration names them. */
static int setup(const char *property, const char *value, bool hook_installed)
{
    char wine[64];
    struct resource resource;
    struct error err = {0};
    bool made;

    memset(&fix, 0, sizeof(fix));
    fix.ready_fd = fix.session = -1;
    snprintf(fix.dir, sizeof(fix.dir), "%s/case.XXXXXX", programs);
    if (!mkdtemp(fix.dir))
        return -1;
    snprintf(fix.store, sizeof(fix.store), "%s/store", fix.dir);
    snprintf(fix.prefix, sizeof(fix.prefix), "%s/prefix", fix.dir);
    snprintf(fix.log, sizeof(fix.log), "%s/log", fix.dir);
    write_conf("here");
    unsetenv("REGCKPT_STORE");
    unsetenv("WINEPREFIX");
    run("mkdir -p %s/registry %s/drive_c", fix.prefix, fix.prefix);
    run(hook_installed ? ": >%s/regckpt.dll.so" : "rm -f %s/regckpt.dll.so", programs);
    resource_init(&resource);
    snprintf(wine, sizeof(wine), "%s/wine64", programs);
    if (store_init(fix.store, &made, &err) ||
        resource_set(&resource, property, value, &err) ||
        resource_set(&resource, "prefix", fix.prefix, &err) ||
        resource_set(&resource, "wine", wine, &err) ||
        store_create_resource(fix.store, "app", &resource, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    resource_free(&resource);
    return 0;
}

void fixture_switch(struct fixture *from, const struct fixture *to)
{
    *from = fix;
    fix = *to;
    setenv("REGCKPT_CONF", fix.conf, 1);
}

void fixture_other_node(struct fixture *here)
{
    *here = fix;
    fix.monitor = 0;
    fix.ready_fd = fix.session = -1;
    fix.before_exec = NULL;
    fix.takeover = NULL;
    snprintf(fix.prefix, sizeof(fix.prefix), "%s/prefix.there", fix.dir);
    snprintf(fix.log, sizeof(fix.log), "%s/log.there", fix.dir);
    run("mkdir -p %s/registry %s/drive_c", fix.prefix, fix.prefix);
    write_conf("there");
}

int fixture_setup(void **state)
{
    (void)state;
    return setup("command", "program.exe", false);
}

int fixture_hooked_setup(void **state)
{
    (void)state;
    return setup("command", "program.exe", true);
}

int fixture_service_setup(void **state)
{
    (void)state;
    if (setup("service", "Played", false))
        return -1;
    given_file("service", "C:\\played.exe -k");
    return 0;
}

/* Ends a played process, which may be gone. */
static void end_played(const char *name)
{
    pid_t pid = played_pid(name);

    if (pid > 1)
        kill(pid, SIGKILL);
}

int fixture_teardown(void **state)
{
    (void)state;
    if (fix.monitor) { /* the test failed */
        run("cat %s >&2", fix.log);
        kill(fix.monitor, SIGKILL);
        waitpid(fix.monitor, NULL, 0);
    }
    end_played("agent");
    end_played("program");
    end_played("wineserver");
    if (fix.ready_fd >= 0)
        close(fix.ready_fd);
    if (fix.session >= 0)
        close(fix.session);
    settings_free(&fix.settings);
    free(fix.run_dir);
    return removed(fix.store, fix.dir);
}

void monitor_begin(void)
{
    const char *argv[16] = {NULL, "--resource", "app", "--foreground", "--ready-fd"};
    char program[64], fd_text[16], session_text[16];
    int ends[2], session[2] = {-1, -1}, log, count = 5;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (fix.edit) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, session), 0);
        snprintf(session_text, sizeof(session_text), "%d", session[1]);
        argv[count + 1] = "--edit-fd";
        argv[count + 2] = session_text;
    }
    snprintf(program, sizeof(program), "%s/regckpt-monitor", programs);
    snprintf(fd_text, sizeof(fd_text), "%d", ends[1]);
    argv[0] = program;
    argv[count++] = fd_text;
    count += fix.edit ? 2 : 0;
    if (fix.takeover) {
        argv[count++] = "--takeover";
        argv[count++] = fix.takeover;
    }
    if (fix.prefix_option) {
        argv[count++] = "--prefix";
        argv[count++] = fix.prefix_option;
    }
    if (!(fix.monitor = fork())) {
        log = open(fix.log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(log, 1);
        dup2(log, 2);
        fcntl(ends[1], F_SETFD, 0);
        if (fix.edit)
            fcntl(session[1], F_SETFD, 0);
        if (fix.before_exec)
            fix.before_exec();
        execv(program, (char **)argv);
        _exit(127);
    }
    close(ends[1]);
    if (fix.ready_fd >= 0)
        close(fix.ready_fd);
    fix.ready_fd = ends[0];
    if (fix.session >= 0)
        close(fix.session);
    if (fix.edit)
        close(session[1]);
    fix.session = session[0];
}

int monitor_wait_ready(void)
{
    int64_t end = fixture_now_ms() + WAIT_MS;
    size_t len = 0;
    char *fail;

    *fix.talk = 0;
    for (;;) {
        struct pollfd p = {.fd = fix.ready_fd, .events = POLLIN};
        ssize_t got;

        if (poll(&p, 1, 100) > 0) {
            got = read(fix.ready_fd, fix.talk + len, sizeof(fix.talk) - 1 - len);
            if (got <= 0)
                break;
            len += (size_t)got;
            fix.talk[len] = 0;
        }
        if (fixture_now_ms() > end)
            fail_msg("the monitor says nothing: %s", fix.talk);
    }
    if ((fail = strstr(fix.talk, "fail ")))
        return atoi(fail + 5);
    if (!strstr(fix.talk, "ok\n"))
        fail_msg("the monitor ended without a word: %s", fix.talk);
    return 0;
}

void monitor_online(void)
{
    monitor_begin();
    if (monitor_wait_ready())
        fail_msg("%s", fix.talk);
}

int monitor_wait_end(void)
{
    pid_t pid = fix.monitor;
    int status;

    AWAIT(waitpid(pid, &status, WNOHANG) == pid);
    fix.monitor = 0;
    if (log_has("Sanitizer") || log_has("runtime error"))
        run("cat %s >&2", fix.log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int monitor_fails(void)
{
    monitor_begin();
    assert_int_not_equal(monitor_wait_ready(), 0);
    return monitor_wait_end();
}

void monitor_ends_offline(void)
{
    assert_int_equal(kill(fix.monitor, SIGTERM), 0);
    assert_int_equal(monitor_wait_end(), 0);
}

bool log_has(const char *word)
{
    static char text[1 << 20];
    int fd = open(fix.log, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = 0;
    return strstr(text, word) != NULL;
}

void assert_says(const char *text, const char *word)
{
    if (!strstr(text, word))
        fail_msg("it does not say \"%s\": %s", word, text);
}

int ctl_connect(void)
{
    char path[PATH_MAX];
    struct error err;
    int sock;

    snprintf(path, sizeof(path), "%s/socket", fix.run_dir);
    if ((sock = message_connect(path, &err)) < 0)
        fail_msg("%s", err.text);
    return sock;
}

int ctl_ask(enum ctl_message type, const struct pack *payload, struct message *reply,
            struct unpack *u, struct error *err)
{
    int sock = ctl_connect(), code;
    struct unpack own;
    struct message m;
    char *text;

    assert_int_equal(message_send(sock, type, 7, payload, -1, WAIT_MS), 0);
    do {
        assert_int_equal(message_receive(sock, &m, WAIT_MS), 0);
    } while (m.type == CTL_PROGRESS);
    close(sock);
    assert_int_equal(m.type, CTL_REPLY);
    assert_int_equal(m.tag, 7);
    unpack_init(&own, m.payload, m.len_bytes);
    code = (int)unpack_u32(&own);
    text = unpack_text(&own);
    assert_non_null(text);
    if (err)
        error_set(err, code, "%s", text);
    free(text);
    if (reply) {
        *reply = m;
        *u = own;
    } else {
        message_free(&m);
    }
    return code;
}

void ctl_status(struct monitor_status *status)
{
    struct message reply;
    struct unpack u;

    assert_int_equal(ctl_ask(CTL_STATUS, NULL, &reply, &u, NULL), 0);
    assert_int_equal(unpack_monitor_status(&u, status), 0);
    assert_true(unpack_done(&u));
    message_free(&reply);
}

uint64_t monitor_scans(void)
{
    struct monitor_status status;
    uint64_t count;

    ctl_status(&status);
    count = status.scans;
    monitor_status_free(&status);
    return count;
}

int ctl_plain(enum ctl_message type, struct error *err)
{
    return ctl_ask(type, NULL, NULL, NULL, err);
}

int ctl_add(const char *path, uint32_t flags, struct error *err)
{
    struct registered_key key = {.view = VIEW_64, .path = (char *)path, .flags = flags};
    struct pack p;
    int code;

    pack_init(&p);
    pack_registered_key(&p, &key);
    code = ctl_ask(CTL_ADD, &p, NULL, NULL, err);
    pack_free(&p);
    return code;
}

int ctl_set(const char *name, const char *value, struct error *err)
{
    struct pack p;
    int code;

    pack_init(&p);
    pack_u32(&p, 1);
    pack_text(&p, name);
    pack_text(&p, value);
    code = ctl_ask(CTL_SET, &p, NULL, NULL, err);
    pack_free(&p);
    return code;
}
