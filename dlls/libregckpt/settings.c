/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings: the command line over the environment over the configuration file over the defaults.
 *
 * Paths are tidied as text only (doubled and trailing slashes), never resolved: asking the file
 * system about the store would hang with it, and status must not.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"

#define DEFAULT_STORE "/var/lib/regckpt"
#define DEFAULT_STATE_DIR "/var/lib/regckpt-node"
#define PATH_BYTES_MAX (PATH_MAX - 256) /* leaves room for what is put behind */
#define EVENTS_BYTES_MAX 100            /* a socket's path has 107 at most */

/* The path without doubled and trailing slashes, malloc'ed. */
static char *tidy_path(const char *path)
{
    char *out = malloc(strlen(path) + 1), *to = out;

    if (!out)
        return NULL;
    for (const char *p = path; *p; p++)
        if (*p != '/' || to == out || to[-1] != '/')
            *to++ = *p;
    if (to > out + 1 && to[-1] == '/')
        to--;
    *to = 0;
    return out;
}

/* Gives a path setting a value unless it has one already; where: for the message. */
static int set_path(char **setting, const char *value, const char *where, struct error *err)
{
    if (*setting)
        return RESULT_OK;
    if (value[0] != '/')
        return error_set(err, RESULT_USAGE,
                         "%s: \"%s\" is not an absolute path. Write it from the root on, with a "
                         "'/' in front.",
                         where, value);
    if (strlen(value) > PATH_BYTES_MAX)
        return error_set(err, RESULT_USAGE, "%s: the path is longer than %d bytes.", where,
                         PATH_BYTES_MAX);
    *setting = tidy_path(value);
    return *setting ? RESULT_OK : error_system(err, ENOMEM, "Reading the settings");
}

/* Where events go: a word, or one of the two with its socket behind a colon. */
static int set_events(struct settings *s, const char *value, const char *where, struct error *err)
{
    static const char *const words[] = {"auto", "none", "journal", "syslog"};
    size_t len = strcspn(value, ":");
    bool known = false;

    for (size_t i = 0; i < 4 && !known; i++)
        known = strlen(words[i]) == len && !strncmp(value, words[i], len) &&
                (!value[len] || i >= 2);
    if (!known || (value[len] && value[len + 1] != '/') || strlen(value) > EVENTS_BYTES_MAX)
        return error_set(err, RESULT_USAGE, "%s: events can be auto, none, journal or syslog, the "
                         "last two with another socket behind a colon (syslog:/path), of at most %d "
                         "bytes.", where, EVENTS_BYTES_MAX);
    if (!s->events && !(s->events = strdup(value)))
        return error_system(err, ENOMEM, "Reading the settings");
    return RESULT_OK;
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    char *end;

    text += strspn(text, " \t\r");
    end = text + strlen(text);
    while (end > text && strchr(" \t\r\n", end[-1]))
        end--;
    *end = 0;
    return text;
}

/* Whole seconds. */
static int set_timeout(struct settings *s, const char *value, const char *where, struct error *err)
{
    char *end;
    unsigned long seconds = strtoul(value, &end, 10);

    if (!isdigit((unsigned char)*value) || *end || seconds < 1 || seconds > 3600)
        return error_set(err, RESULT_USAGE,
                         "%s: storage_timeout is a number of seconds from 1 to 3600, not \"%s\".",
                         where, value);
    if (!s->storage_timeout_s)
        s->storage_timeout_s = (unsigned)seconds;
    return RESULT_OK;
}

/* One "name = value" line. */
static int read_setting(struct settings *s, const char *name, const char *value, const char *where,
                        struct error *err)
{
    int result;

    if (!*value)
        return error_set(err, RESULT_USAGE,
                         "%s: \"%s\" has no value. Give it one or delete the line.", where, name);
    if (!strcmp(name, "store")) {
        bool first = !s->store;
        if (!(result = set_path(&s->store, value, where, err)) && first)
            s->store_source = s->conf;
        return result;
    }
    if (!strcmp(name, "run_dir"))
        return set_path(&s->run_dir, value, where, err);
    if (!strcmp(name, "state_dir"))
        return set_path(&s->state_dir, value, where, err);
    if (!strcmp(name, "wine"))
        return set_path(&s->wine, value, where, err);
    if (!strcmp(name, "events"))
        return set_events(s, value, where, err);
    if (!strcmp(name, "storage_timeout"))
        return set_timeout(s, value, where, err);
    if (strcmp(name, "node"))
        return error_set(err, RESULT_USAGE,
                         "%s: unknown setting \"%s\". There are: store, run_dir, "
                         "state_dir, node, wine, events, storage_timeout.",
                         where, name);
    if (strlen(value) > 255)
        return error_set(err, RESULT_USAGE, "%s: a node's name has at most 255 bytes.", where);
    if (!s->node && !(s->node = strdup(value)))
        return error_system(err, ENOMEM, "Reading the settings");
    return RESULT_OK;
}

/* One line of the file; a comment runs from a '#' at its start to its end. */
static int read_line(struct settings *s, char *line, unsigned number, struct error *err)
{
    char where[PATH_MAX + 32], *equals, *text = trim(line);

    if (!*text || *text == '#')
        return RESULT_OK;
    snprintf(where, sizeof(where), "%s, line %u", s->conf, number);
    if (!(equals = strchr(text, '=')))
        return error_set(err, RESULT_USAGE,
                         "%s: \"%s\" has no '='. A line is \"name = value\" or begins with '#'.",
                         where, text);
    *equals = 0;
    return read_setting(s, trim(text), trim(equals + 1), where, err);
}

/* Reads the configuration file; named: REGCKPT_CONF asked for it, so it has to be there. */
static int read_file(struct settings *s, bool named, struct error *err)
{
    int result = RESULT_OK;
    unsigned number = 0;
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(s->conf, "re");

    if (!file && errno == ENOENT && !named)
        return RESULT_OK;
    if (!file && errno == ENOENT)
        return error_set(err, RESULT_NOT_FOUND,
                         "There is no configuration file %s, which REGCKPT_CONF names. Write it, "
                         "or unset REGCKPT_CONF to use %s.",
                         s->conf, SETTINGS_FILE);
    if (!file)
        return error_system(err, errno, "Reading the configuration file %s", s->conf);
    errno = 0;
    while (!result && getline(&line, &room, file) >= 0)
        result = read_line(s, line, ++number, err);
    if (!result && ferror(file))
        result = error_system(err, errno, "Reading the configuration file %s", s->conf);
    free(line);
    fclose(file);
    return result;
}

/* What --store said, made absolute. */
static int set_store_option(struct settings *s, const char *option, struct error *err)
{
    char cwd[PATH_MAX], *whole = NULL;
    int result;

    if (!*option)
        return error_set(err, RESULT_USAGE, "--store: an empty path. Name the store's directory.");
    if (option[0] != '/') {
        if (!getcwd(cwd, sizeof(cwd)))
            return error_system(err, errno, "Finding the current directory, which --store %s is "
                                "relative to", option);
        if (asprintf(&whole, "%s/%s", cwd, strncmp(option, "./", 2) ? option : option + 2) < 0)
            return error_system(err, ENOMEM, "Reading --store");
        option = whole;
    }
    result = set_path(&s->store, option, "--store", err);
    s->store_source = "--store";
    free(whole);
    return result;
}

/* The defaults of what nobody has set. */
static int set_defaults(struct settings *s, struct error *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char host[256];

    if (!s->store) {
        s->store = strdup(DEFAULT_STORE);
        s->store_source = "default";
    }
    if (!s->run_dir) {
        if (!geteuid())
            s->run_dir = strdup("/run/regckpt");
        else if ((runtime && runtime[0] == '/'
                  ? asprintf(&s->run_dir, "%s/regckpt", runtime)
                  : asprintf(&s->run_dir, "/tmp/regckpt-%u", (unsigned)geteuid())) < 0)
            s->run_dir = NULL;
    }
    if (!s->state_dir)
        s->state_dir = strdup(DEFAULT_STATE_DIR);
    if (!s->node) {
        if (gethostname(host, sizeof(host)))
            return error_system(err, errno, "Finding this node's name");
        host[sizeof(host) - 1] = 0;
        s->node = strdup(host);
    }
    if (!s->storage_timeout_s)
        s->storage_timeout_s = 30;
    if (!s->wine)
        s->wine = strdup("");
    if (!s->events)
        s->events = strdup("auto");
    return s->store && s->run_dir && s->state_dir && s->node && s->wine && s->events
               ? RESULT_OK : error_system(err, ENOMEM, "Reading the settings");
}

int settings_read(struct settings *s, const char *store_option, struct error *err)
{
    const char *conf = getenv("REGCKPT_CONF"), *store = getenv("REGCKPT_STORE");
    bool named = conf && *conf;
    int result = RESULT_OK;

    memset(s, 0, sizeof(*s));
    if (named && conf[0] != '/')
        return error_set(err, RESULT_USAGE, "REGCKPT_CONF: \"%s\" is not an absolute path.", conf);
    if (!(s->conf = strdup(named ? conf : SETTINGS_FILE)))
        return error_system(err, ENOMEM, "Reading the settings");
    if (store_option)
        result = set_store_option(s, store_option, err);
    else if (store && *store) {
        result = set_path(&s->store, store, "REGCKPT_STORE", err);
        s->store_source = "REGCKPT_STORE";
    }
    if (!result)
        result = read_file(s, named, err);
    if (!result)
        result = set_defaults(s, err);
    if (result)
        settings_free(s);
    return result;
}

void settings_free(struct settings *s)
{
    free(s->store);
    free(s->run_dir);
    free(s->state_dir);
    free(s->node);
    free(s->wine);
    free(s->events);
    free(s->conf);
    memset(s, 0, sizeof(*s));
}

char *settings_resource_dir(const struct settings *s, const char *resource)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a: two stores may have resources of one name */
    char *dir;

    for (const char *p = s->store; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    return asprintf(&dir, "%s/%s.%08x", s->run_dir, resource, (unsigned)(hash ^ hash >> 32)) < 0
               ? NULL : dir;
}

/* Makes one directory, or finds it: a real directory, ours unless any owner will do. */
static int make_run_dir(const char *path, mode_t mode, bool any_owner, struct error *err)
{
    struct stat st;

    if (mkdir(path, mode) && errno != EEXIST)
        return error_system(err, errno, "Making the run directory %s (run_dir in the configuration "
                            "file names another)", path);
    if (lstat(path, &st))
        return error_system(err, errno, "Looking at the run directory %s", path);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ENOTDIR, "%s is in the place of the run directory and is not a "
                         "directory. Remove it, or set run_dir in the configuration file.", path);
    if (st.st_uid != geteuid() && !any_owner)
        return error_set(err, EPERM,
                         "The run directory %s belongs to user %u, and this is user %u. "
                         "Run as that user, or set run_dir in the configuration file.",
                         path, (unsigned)st.st_uid, (unsigned)geteuid());
    return RESULT_OK;
}

int settings_make_resource_dir(const struct settings *s, const char *resource, char **dir,
                               struct error *err)
{
    bool root = !geteuid();
    int result = make_run_dir(s->run_dir, root ? 0711 : 0700, false, err);

    *dir = NULL;
    if (result)
        return result;
    if (!(*dir = settings_resource_dir(s, resource)))
        return error_system(err, ENOMEM, "Naming the run directory of %s", resource);
    /* Root gives it to the user whose prefix it is, so that the host reaches its socket. */
    if ((result = make_run_dir(*dir, 0700, root, err))) {
        free(*dir);
        *dir = NULL;
    }
    return result;
}

char *settings_find_program(const char *name, struct error *err)
{
    static const char *const places[] = {"", PKGLIBDIR_FROM_BINDIR "/"};
    char exe[PATH_MAX], *path, *slash, *real;
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (len < 0) {
        error_system(err, errno, "Finding %s: where this program itself lies", name);
        return NULL;
    }
    exe[len] = 0;
    if ((slash = strrchr(exe, '/')))
        *slash = 0;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (asprintf(&path, "%s/%s%s", exe, places[i], name) < 0)
            break;
        real = access(path, R_OK) ? NULL : realpath(path, NULL);
        free(path);
        if (real)
            return real;
    }
    error_set(err, RESULT_UNPROTECTED,
              "The program %s is not there: neither in %s nor in %s/%s. Install regckpt whole "
              "(make install).", name, exe, exe, PKGLIBDIR_FROM_BINDIR);
    return NULL;
}
