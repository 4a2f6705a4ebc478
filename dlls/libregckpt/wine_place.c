/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a prefix is, and how Wine programs are started in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hostlink.h"
#include "winereg.h"

/* Where Debian keeps the loaders; `wine` alone would be the 32-bit one where that is installed. */
static const char *const loaders64[] = {"/usr/lib/wine/wine64", "/usr/bin/wine64", NULL};
static const char *const loaders32[] = {"/usr/lib/wine/wine", "/usr/bin/wine", NULL};

bool wine_place_has_32bit(const struct wine_place *p)
{
    const char *slash = strrchr(p->wine, '/');
    unsigned char head[5] = {0};
    char path[PATH_MAX];
    FILE *file;
    bool is_32bit;

    snprintf(path, sizeof(path), "%.*s/wine", slash ? (int)(slash - p->wine) : 0, p->wine);
    if (!(file = fopen(path, "re")))
        return false;
    is_32bit = fread(head, 1, sizeof(head), file) == sizeof(head) && !memcmp(head, "\177ELF", 4) &&
               head[4] == 1; /* ELFCLASS32 */
    fclose(file);
    return is_32bit;
}

void wine_place_free(struct wine_place *p)
{
    free(p->prefix);
    free(p->wine);
    free(p->user);
    memset(p, 0, sizeof(*p));
}

/* Who Wine runs as: the resource's user, whom only root can become, or who we are. */
static int find_user(const char *user, struct wine_place *place, char **home, struct error *err)
{
    struct passwd *pw;

    place->uid = geteuid();
    place->gid = getegid();
    place->user = strdup(user);
    if (*user) {
        if (!(pw = getpwnam(user)))
            return error_set(err, RESULT_NOT_FOUND,
                             "there is no user '%s' on this node: make the user here too, or change "
                             "the resource with 'regckpt set NAME --user USER'", user);
        if (pw->pw_uid != geteuid() && geteuid() != 0)
            return error_set(err, RESULT_FORBIDDEN,
                             "the resource runs as user %s, and only root can become that user: run "
                             "regckpt as root or as %s", user, user);
        place->uid = pw->pw_uid;
        place->gid = pw->pw_gid;
    }
    pw = getpwuid(place->uid);
    if (!*user && getenv("HOME"))
        *home = strdup(getenv("HOME"));
    else
        *home = strdup(pw ? pw->pw_dir : "/");
    return place->user && *home ? 0 : ENOMEM;
}

static int find_prefix(const struct resource *resource, const char *option, const char *home,
                       struct wine_place *place, struct error *err)
{
    const char *env = getenv("WINEPREFIX"), *source, *given;
    char path[PATH_MAX], registry[PATH_MAX + 16];
    struct stat st;

    if (option && *option) {
        source = "--prefix";
        given = option;
    } else if (resource && *resource->prefix) {
        source = "the resource";
        given = resource->prefix;
    } else if (env && *env && !(resource && *resource->user)) {
        source = "WINEPREFIX";
        given = env;
    } else {
        snprintf(path, sizeof(path), "%s/.wine", home);
        source = "the default";
        given = path;
    }
    if (*given != '/')
        return error_set(err, RESULT_USAGE, "the Wine prefix '%s' (from %s) is not an absolute path",
                         given, source);
    if (stat(given, &st) && errno == ENOENT)
        return error_set(err, RESULT_NOT_FOUND,
                         "there is no Wine prefix at %s (from %s): make it on this node with "
                         "'WINEPREFIX=%s wine wineboot' and install the program there, or name another "
                         "with --prefix", given, source, given);
    if (stat(given, &st))
        return error_system(err, errno, "cannot look at the Wine prefix %s (from %s)", given, source);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, RESULT_USAGE, "the Wine prefix %s (from %s) is not a directory", given,
                         source);
    if (st.st_uid != place->uid) {
        struct passwd *owner = getpwuid(st.st_uid);
        return error_set(err, RESULT_FORBIDDEN,
                         "the Wine prefix %s (from %s) belongs to user %s (%u), and Wine would run as "
                         "user %u, which it refuses: set the resource's user with 'regckpt set NAME "
                         "--user %s', or run regckpt as that user", given, source,
                         owner ? owner->pw_name : "?", (unsigned)st.st_uid, place->uid,
                         owner ? owner->pw_name : "USER");
    }
    /* Wine would make a prefix there: on a mount point whose disk is missing, say. */
    snprintf(registry, sizeof(registry), "%s/system.reg", given);
    if (access(registry, F_OK)) {
        snprintf(registry, sizeof(registry), "%s/drive_c", given);
        if (access(registry, F_OK))
            return error_set(err, RESULT_NOT_FOUND,
                             "%s (from %s) is no Wine prefix, there is neither a system.reg nor a drive_c: "
                             "is its file system mounted? Make one on this node with 'WINEPREFIX=%s wine "
                             "wineboot' and install the program there", given, source, given);
    }
    if (!(place->prefix = strdup(given)))
        return error_set(err, ENOMEM, "no memory for the prefix's path");
    snprintf(registry, sizeof(registry), "%s/system.reg", given);
    place->bits = winereg_file_arch(registry) == 32 ? 32 : 64;
    return 0;
}

/* A loader: what was asked for (a file, or a tree that holds one), else the system's. */
static int find_loader(const char *given, struct wine_place *place, struct error *err)
{
    const char *const *list = place->bits == 32 ? loaders32 : loaders64;
    const char *name = place->bits == 32 ? "wine" : "wine64";
    char path[PATH_MAX];
    struct stat st;

    if (*given) {
        for (int i = 0; i < 3; i++) {
            if (i == 0)
                snprintf(path, sizeof(path), "%s", given);
            else if (i == 1)
                snprintf(path, sizeof(path), "%s/lib/wine/%s", given, name);
            else
                snprintf(path, sizeof(path), "%s/bin/%s", given, name);
            if (!stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK))
                return (place->wine = strdup(path)) ? 0 : ENOMEM;
        }
        return error_set(err, RESULT_WINE,
                         "no Wine loader at %s, nor %s/lib/wine/%s, nor %s/bin/%s (the setting 'wine'): "
                         "correct it, or leave it out to use the system's", given, given, name, given,
                         name);
    }
    for (; *list; list++)
        if (!access(*list, X_OK))
            return (place->wine = strdup(*list)) ? 0 : ENOMEM;
    return error_set(err, RESULT_WINE,
                     "Wine's %u-bit loader is not installed (looked for %s and %s): install Debian's "
                     "package %s, or name a Wine with 'regckpt set NAME --wine TREE'", place->bits,
                     place->bits == 32 ? loaders32[0] : loaders64[0],
                     place->bits == 32 ? loaders32[1] : loaders64[1],
                     place->bits == 32 ? "wine32:i386" : "wine64");
}

int wine_place_find(const struct resource *resource, const char *prefix_option,
                    const struct settings *settings, struct wine_place *out, struct error *err)
{
    const char *wine = resource && *resource->wine ? resource->wine : settings ? settings->wine : "";
    char *home = NULL;
    int error;

    memset(out, 0, sizeof(*out));
    error = find_user(resource ? resource->user : "", out, &home, err);
    if (!error)
        error = find_prefix(resource, prefix_option, home, out, err);
    if (!error)
        error = find_loader(wine, out, err);
    free(home);
    if (error) {
        wine_place_free(out);
        if (error == ENOMEM)
            error_set(err, ENOMEM, "no memory to look for Wine");
    }
    return error;
}

void wine_become(const struct wine_place *place, int log_fd, int keep_fd)
{
    static const char *const wines_own[] = {"WINELOADERNOEXEC", "WINEPRELOADRESERVE", "WINESERVERSOCKET",
                                            "WINEUSERNAME", "WINEUSERLOCALE", "WINEUNIXCP",
                                            "WINECONFIGDIR", "WINEDATADIR", "WINEHOMEDIR",
                                            "WINEBUILDDIR", NULL};
    int null = open("/dev/null", O_RDWR);
    bool detached = log_fd != WINE_OUR_STREAMS;
    struct passwd *pw;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (detached) {
        setsid();
        dup2(null, 0);
        dup2(log_fd >= 0 ? log_fd : null, 1);
        dup2(log_fd >= 0 ? log_fd : null, 2);
    }
    for (int fd = 3, max = (int)sysconf(_SC_OPEN_MAX); fd < (max > 0 && max < 65536 ? max : 65536); fd++)
        if (fd != keep_fd)
            close(fd);
    if (place->uid != geteuid() && (pw = getpwuid(place->uid))) {
        if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
            _exit(126);
        setenv("HOME", pw->pw_dir, 1);
        setenv("USER", pw->pw_name, 1);
        setenv("LOGNAME", pw->pw_name, 1);
        unsetenv("XDG_RUNTIME_DIR");
    }
    for (size_t i = 0; wines_own[i]; i++)
        unsetenv(wines_own[i]);
    setenv("WINEPREFIX", place->prefix, 1);
    if (detached && chdir("/"))
        _exit(126);
}

pid_t wine_start(const struct wine_place *place, char *const argv[], int log_fd, struct error *err)
{
    char *args[32] = {place->wine};
    size_t n = 0;
    pid_t pid;

    while (argv[n] && n < 30) {
        args[n + 1] = argv[n];
        n++;
    }
    if ((pid = fork()) < 0) {
        error_system(err, errno, "cannot start %s", place->wine);
        return -1;
    }
    if (!pid) {
        wine_become(place, log_fd, -1);
        execv(place->wine, args);
        _exit(127);
    }
    return pid;
}

pid_t wine_boot_begin(const struct wine_place *place, int log_fd, struct error *err)
{
    char *argv[] = {(char *)"wineboot.exe", NULL};

    return wine_start(place, argv, log_fd, err);
}

int wine_boot_result(const struct wine_place *place, int status, struct error *err)
{
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return 0;
    return error_set(err, RESULT_WINE,
                     "Wine could not boot the prefix %s (%s ended with %s %d): try 'WINEPREFIX=%s %s "
                     "wineboot' by hand to see why", place->prefix, place->wine,
                     WIFEXITED(status) ? "exit code" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), place->prefix,
                     place->wine);
}

/* Exit code 1 before main: server_protocol_error of Wine's dlls/ntdll/unix/server.c. */
bool wine_server_was_ending(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

int wine_boot(const struct wine_place *place, int log_fd, int timeout_ms, struct error *err)
{
    const struct timespec pause = {0, 10000000};
    pid_t pid = wine_boot_begin(place, log_fd, err);
    int waited_ms, status = 0, tries = WINE_TRIES;

    if (pid < 0)
        return err ? err->code : EIO;
    for (waited_ms = 0; waited_ms < timeout_ms; waited_ms += 10) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            if (!wine_server_was_ending(status) || !--tries)
                return wine_boot_result(place, status, err);
            if ((pid = wine_boot_begin(place, log_fd, err)) < 0)
                return err ? err->code : EIO;
        }
        nanosleep(&pause, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return error_set(err, RESULT_TIMEOUT,
                     "Wine did not boot the prefix %s within %d s; try 'WINEPREFIX=%s %s wineboot' by "
                     "hand to see why", place->prefix, timeout_ms / 1000, place->prefix, place->wine);
}
