/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of NFS, what nfs(5) says of its options; of the others, what they are for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "store_fs.h"

static const struct {
    const char *type;
    enum store_fs_grade grade;
    const char *advice;
} kinds[] = {
    {"ext4", STORE_FS_LOCAL, ""},
    {"xfs", STORE_FS_LOCAL, ""},
    {"btrfs", STORE_FS_LOCAL, ""},
    {"ext3", STORE_FS_LOCAL, ""},
    {"zfs", STORE_FS_LOCAL, ""},
    {"f2fs", STORE_FS_LOCAL, ""},
    {"gfs2", STORE_FS_SHARED, ""},
    {"ocfs2", STORE_FS_SHARED, ""},
    {"ceph", STORE_FS_SHARED, ""},
    {"lustre", STORE_FS_SHARED, "it has to be mounted with flock, not localflock"},
    {"gpfs", STORE_FS_SHARED, ""},
    {"fuse.glusterfs", STORE_FS_DOUBT, "its caches have to be off, or a node that was cut off may read a mix of "
                                       "old and new: mount it with direct-io-mode=enable, and \"gluster volume "
                                       "set VOLUME group db-workload\""},
    {"fuse.ceph", STORE_FS_SHARED, ""},
    {"tmpfs", STORE_FS_DOUBT, "it is in memory: a power cut takes the checkpoints with it, and no other "
                            "node sees it"},
    {"ramfs", STORE_FS_DOUBT, "it is in memory: a power cut takes the checkpoints with it, and no other "
                            "node sees it"},
    {"overlay", STORE_FS_DOUBT, "it is one machine's alone, often a container's: whether it stays when that "
                                "goes is not known here"},
    {"9p", STORE_FS_DOUBT, "most of its servers keep locks on their own side of it: try it with "
                           "\"regckpt doctor --peer\""},
    {"virtiofs", STORE_FS_DOUBT, "its locks reach other machines only if the server is told so: try it with "
                                 "\"regckpt doctor --peer\""},
};

/* Has the list of options, separated by commas, this one? */
static bool has(const char *options, const char *one)
{
    size_t len = strlen(one);

    for (const char *at = options; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, one, len) && (!at[len] || at[len] == ','))
            return true;
    return false;
}

static void say(struct store_fs *fs, enum store_fs_grade grade, const char *advice)
{
    fs->grade = grade;
    snprintf(fs->advice, sizeof(fs->advice), "%s", advice);
}

static void judge_nfs(struct store_fs *fs, const char *options)
{
    bool four = !strcmp(fs->type, "nfs4");

    if (has(options, "nolock") || has(options, "local_lock=all") || has(options, "local_lock=posix"))
        say(fs, STORE_FS_BAD, "it is mounted so that locks stay on this node (nolock, local_lock): two nodes "
                              "would run the same program. Mount it without, best as NFS version 4");
    else if (has(options, "soft") || has(options, "softerr"))
        say(fs, STORE_FS_DOUBT, "it is mounted soft: a server that is slow for a while makes writes fail. "
                                "Mount it hard, which is the default");
    else if (!four)
        say(fs, STORE_FS_DOUBT, "version 3 of NFS frees the lock of a node that died only when that node is "
                                "back: a takeover needs --takeover then. Version 4 does not need that");
    else
        say(fs, STORE_FS_SHARED, "");
}

void store_fs_judge(struct store_fs *fs, const char *options)
{
    if (!strncmp(fs->type, "nfs", 3)) {
        judge_nfs(fs, options);
        return;
    }
    if (!strcmp(fs->type, "cifs") || !strcmp(fs->type, "smb3")) {
        if (has(options, "nobrl"))
            say(fs, STORE_FS_BAD, "it is mounted with nobrl: locks stay on this node");
        else
            say(fs, STORE_FS_DOUBT, "SMB was not tried: try it with \"regckpt doctor --peer\"");
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(fs->type, kinds[i].type)) {
            say(fs, kinds[i].grade, kinds[i].advice);
            if (fs->grade == STORE_FS_LOCAL && (has(options, "nobarrier") || has(options, "barrier=0")))
                say(fs, STORE_FS_DOUBT, "it is mounted without barriers: a power cut may take what was synced");
            return;
        }
    if (!strncmp(fs->type, "fuse", 4))
        say(fs, STORE_FS_DOUBT, "many file systems of this kind keep locks on their node: try it with "
                                "\"regckpt doctor --peer\"");
    else
        say(fs, STORE_FS_DOUBT, "nothing is known of this kind: if several nodes use it, try it with "
                                "\"regckpt doctor --peer\"");
}

/* mountinfo writes blanks and their like as \040. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
            *to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 3;
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
}

/*
 * A line of mountinfo (proc(5)): id, parent, major:minor, root, mount point, options, any number of
 * fields, "-", type, source, the file system's options.  The last that fits is the one on top.
 */
static bool take_line(char *line, const struct stat *st, const char *store, size_t *best,
                      struct store_fs *fs, char *options, size_t room)
{
    char *fields[6], *at = line, *rest = strstr(line, " - "), *type, *source, *super;
    unsigned major, minor;
    size_t len;

    for (int i = 0; i < 6; i++)
        if (!(fields[i] = strsep(&at, " ")))
            return false;
    if (!rest || sscanf(fields[2], "%u:%u", &major, &minor) != 2)
        return false;
    rest += 3;
    type = strsep(&rest, " ");
    source = rest ? strsep(&rest, " ") : NULL;
    super = rest ? strsep(&rest, " \n") : NULL;
    unescape(fields[4]);
    len = strlen(fields[4]);
    /* By the device; btrfs and others show another one to stat: then by the longest path. */
    if (makedev(major, minor) != st->st_dev) {
        if (strncmp(store, fields[4], len) || (len > 1 && store[len] && store[len] != '/') || len < *best)
            return false;
        *best = len;
    } else {
        *best = (size_t)-1;
    }
    snprintf(fs->type, sizeof(fs->type), "%s", type ? type : "");
    if (source)
        unescape(source);
    snprintf(fs->source, sizeof(fs->source), "%s", source ? source : "");
    snprintf(options, room, "%s,%s", fields[5], super ? super : "");
    return true;
}

int store_fs_find(const char *store, struct store_fs *fs, struct error *err)
{
    FILE *in = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, options[4096] = "";
    size_t room = 0, best = 0;
    bool found = false;
    struct stat st;

    memset(fs, 0, sizeof(*fs));
    if (!in || stat(store, &st)) {
        int error = errno;
        if (in)
            fclose(in);
        return error_system(err, error, "cannot find out what file system %s is on", store);
    }
    while (getline(&line, &room, in) > 0)
        found |= take_line(line, &st, store, &best, fs, options, sizeof(options));
    free(line);
    fclose(in);
    if (!found)
        return error_set(err, RESULT_NOT_FOUND, "/proc/self/mountinfo has no file system for %s", store);
    store_fs_judge(fs, options);
    return 0;
}
