/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process does to the files below a directory, call by call, written down while it runs: what a
 * model of a disk (disk.h) can be given up to any point.  The process is traced (iotrace.h), by its
 * main thread; a call that failed is not recorded.  Writing through a mapping is not seen.
 */
#ifndef REGCKPT_TEST_IORECORD_H
#define REGCKPT_TEST_IORECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum io_kind {
    IO_CREATE,    /* path, file */
    IO_MKDIR,     /* path */
    IO_RENAME,    /* path, to */
    IO_LINK,      /* path, to */
    IO_UNLINK,    /* path */
    IO_RMDIR,     /* path */
    IO_WRITE,     /* file, at, len, bytes */
    IO_SIZE,      /* file, at: the new size */
    IO_SYNC,      /* file */
    IO_SYNC_LOST, /* the same, failed: what was not on the disk before never comes there */
    IO_SYNC_DIR,  /* path */
};

struct io {
    enum io_kind kind;
    char *path, *to;  /* NULL: it has none; else behind the directory, without a slash in front */
    uint64_t file;    /* inode number; a file that is created is another than had that number before */
    uint64_t at, len;
    uint8_t *bytes;
    uint8_t *seen;    /* the watched memory before the call */
};

struct iorecord {
    char dir[128];
    const void *watched; /* shared with the process; copied before each call */
    size_t watched_len;
    struct io *ops;
    size_t count;
    uint8_t *last_seen;  /* when the process had ended */
    int status;          /* as wait gives it */
};

/* In the process: says that a sync of a file failed, for IO_SYNC_LOST. */
void iorecord_sync_is_lost(int fd);

/* Records a child that has called iotrace_me, until it ends. */
void iorecord_run(struct iorecord *r, pid_t pid, const char *dir, const void *watched,
                  size_t watched_len);
void iorecord_free(struct iorecord *r);

#endif
