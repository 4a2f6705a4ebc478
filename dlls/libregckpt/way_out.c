/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store.h"
#include "way_out.h"

#define USER_BYTES 64

/* Begins a new sentence. */
static void end_sentence(struct error *err)
{
    size_t len = strlen(err->text);

    if (len && err->text[len - 1] != '.')
        error_add(err, ".");
    error_add(err, " ");
}

/* A user's name, or number. */
static const char *user_name(uid_t uid, char room[USER_BYTES])
{
    const struct passwd *user = getpwuid(uid);

    if (user)
        snprintf(room, USER_BYTES, "%s", user->pw_name);
    else
        snprintf(room, USER_BYTES, "%u", (unsigned)uid);
    return room;
}

/* Whose a file is that this user may not open. */
static void tell_rights(const char *path, struct error *err)
{
    char owner[USER_BYTES], user[USER_BYTES];
    struct stat st;

    if (stat(path, &st)) {
        end_sentence(err);
        error_add(err, "Run the command as the user who owns the store.");
        return;
    }
    end_sentence(err);
    user_name(st.st_uid, owner);
    user_name(geteuid(), user);
    error_add(err, "It is user %s's, with mode %04o, and this is user %s. ", owner, st.st_mode & 07777u, user);
    if (st.st_uid != geteuid())
        error_add(err, "Run the command as user %s, or give the file back: chown %s %s.", owner, user, path);
    else if ((st.st_mode & 0600) != 0600)
        error_add(err, "Allow it again: chmod 600 %s.", path);
    else
        error_add(err, "The storage itself refuses: see its server's or its security module's log.");
}

/* The last good one: from when it is, or why it is none. */
static void tell_last_good(const char *store, const char *name, const char *instead, struct error *err)
{
    char *path = store_path(store, name, STORE_LAST_GOOD), when[40] = "";
    struct error why = {.code = ENOMEM};
    struct snapshot good;
    time_t seconds;
    struct tm tm;

    end_sentence(err);
    if (path && !snapshot_read(path, SNAPSHOT_HEAD, &good, &why)) {
        seconds = (time_t)(good.state.since / 1000000);
        if (seconds && localtime_r(&seconds, &tm))
            strftime(when, sizeof(when), ", of %Y-%m-%d %H:%M:%S,", &tm);
        snapshot_free(&good);
        error_add(err, "\"regckpt rollback %s\" puts the last good checkpoint%s in its place%s.", name, when,
            instead);
    } else if (why.code == RESULT_NOT_FOUND) {
        error_add(err, "There is no last good checkpoint of it; the first clean offline makes one. Put "
            "checkpoint.tdb back from a backup of %s/%s, or give the resource up: \"regckpt delete %s\".",
            store, name, name);
    } else {
        error_add(err, "Its last good checkpoint cannot be used either: %s.", *why.text ? why.text : strerror(ENOMEM));
    }
    free(path);
}

bool way_out_is_last_good(int code)
{
    return code == RESULT_DAMAGED || code == RESULT_FOREIGN || code == EACCES || code == EPERM;
}

int way_out_tell(const char *store, const char *name, bool repairable, struct error *err)
{
    char *path = store_path(store, name, STORE_CHECKPOINT), *dir = store_path(store, name, STORE_RESOURCE_DIR);
    const char *kept = ", and keeps this one beside it";
    struct stat st;

    if (!path || !dir)
        goto done;
    if (err->code == RESULT_NOT_FOUND) {
        if (!stat(path, &st) || errno != ENOENT || stat(dir, &st) || !S_ISDIR(st.st_mode))
            goto done;
        error_set(err, RESULT_DAMAGED, "The checkpoint of \"%s\" is gone: there is no checkpoint.tdb in %s",
                  name, dir);
        kept = "";
    } else if (err->code == EACCES || err->code == EPERM) {
        if (!access(path, R_OK | W_OK))
            goto done;
        tell_rights(path, err);
        if (access(dir, R_OK | W_OK | X_OK))
            goto done;
    } else if (err->code == RESULT_DAMAGED && repairable) {
        end_sentence(err);
        error_add(err, "\"regckpt repair %s\" saves what is whole of it.", name);
    } else if (err->code != RESULT_FOREIGN && err->code != RESULT_DAMAGED) {
        goto done;
    }
    tell_last_good(store, name, kept, err);
done:
    free(path);
    free(dir);
    return err->code;
}
