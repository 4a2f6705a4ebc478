/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A played Wine, for tests of the monitor without one.  A test program copies itself to a file
 * "wine64" and names that as the resource's loader; started under that name it plays
 *   wine64 wineboot.exe                  makes sure that the prefix has a "wineserver" process
 *   wine64 .../regckpt-host.exe.so ...   regckpt-host, agent (and launcher of the played service)
 *
 * Everything played is in files of the prefix, so that a test can look at it and change it:
 *   registry/VIEW.PATH       a registered key ('%' for '\'), as packed changes; no file: no such key
 *   marker                   the epoch of the marker key; a new wineserver starts without
 *   script                   lines "REQUEST N ACTION [ARGUMENT]", see below
 *   requests                 what the hosts were asked, a name a line
 *   wineserver.pid, agent.pid, program.pid
 *   ends.early               lines "boot" and "host": each ends one such start with exit code 1
 *   program.exit             a number: the program ends with this exit code (32 bits)
 *   program.leaves           if it is there, the program leaves a child that holds the lock
 *   unhooked                 why the program cannot be hooked; none: it is, if the monitor wants it
 *   calls                    what the hooked program does, a line each, see below
 *   answers                  what came of it, a line for each that was done
 *   quiet                    if it is there, no notification fires (what changed meanwhile fires after)
 *   locked                   how many times more a start finds the service database locked
 *   service                  the image path of the one service "Played"; none: no such service
 * Every played process ends when its prefix directory is gone.
 *
 * A script's REQUEST is keys, save, load, apply, marker, query, start, terminate; N counts them
 * since the script was written, 0 is every one.  ACTION:
 *   hang                     never answers
 *   stop                     stops (SIGSTOP), and goes on when it is told to
 *   die                      ends without an answer
 *   status X                 answers with the NTSTATUS X (hexadecimal), nothing done
 *   garbage                  answers with bytes that are no message
 *   storm N                  sends N notifications before the answer
 *   lose                     apply: leaves the first change out
 *
 * A hooked program does the lines of `calls` one after the other as they come; those that are there
 * when it starts before it is resumed, as static imports would.  A line is "[WHERE] CALL", for what
 * is below KEY in the 64-bit view:
 *   set KEY PATH\NAME=DATA           a REG_BINARY; NAME alone for a value of KEY itself
 *   large KEY PATH\NAME=N            of N bytes 'x'
 *   delete-value KEY PATH\NAME
 *   create KEY [PATH [CLASS]]        create-link KEY PATH, create-volatile KEY PATH
 *   open KEY PATH [CLASS]            by the call that creates: gives the key this class, or none
 *   delete-key KEY [PATH]            with all below it
 *   many N COUNT KEY                 N threads: each sets a value of KEY, t0 ..., to 1 ... COUNT
 *   flag                             flags a scan
 *   end                              the program ends with exit code 0
 *   flush                            waits until all that was reported is committed
 * WHERE: nothing is as it should be, the registry is changed and the ring told; "outside" changes the
 * registry alone (another writer), "report" tells the ring alone.  Only changes of keys that the
 * ring's table has are told.  The registry keeps no volatile keys: `create-volatile` changes nothing
 * there, and calls below one are to be "report".  Answers:
 *   done                     not waited for
 *   committed, timeout, gone what waiting for the commit came to
 *   refused                  that, or the call was refused before it was made
 */
#ifndef REGCKPT_TEST_PLAYED_WINE_H
#define REGCKPT_TEST_PLAYED_WINE_H

#include "image.h"

/* Was the program started as Wine's loader?  Then main returns what played_wine_main does. */
bool played_wine_asked(char **argv);
int played_wine_main(int argc, char **argv);

/* --- files of the prefix, for both sides --- */

/* The path of one of the files above, in a buffer of PATH_MAX bytes. */
void played_path(const char *prefix, const char *name, char *path);
/* Writes a file at once (a new one, renamed); reads one into room, 0 bytes if it is not there. */
void played_write(const char *prefix, const char *name, const void *bytes, size_t len);
size_t played_read(const char *prefix, const char *name, void *bytes, size_t room);
long long played_number(const char *prefix, const char *name, long long without);

/* A registered key; image->root NULL is no key.  Both hold the registry's lock while they work. */
void played_registry_get(const char *prefix, int view, const char *path, struct image *image);
void played_registry_put(const char *prefix, int view, const char *path, const struct image *image);
/* One change, as by one request; false: there is no such key, nothing is done. */
bool played_registry_change(const char *prefix, int view, const char *path,
                            const struct change *change);
/* What tells one state of a key from another: another with every put; 0: no such key. */
unsigned long long played_registry_stamp(const char *prefix, int view, const char *path);

/* played_host.c: regckpt-host on a connected socket, until it ends. */
struct played_host_args {
    const char *prefix;
    const char *service; /* NULL: the agent */
    int sock, server_fd; /* server_fd: a pidfd of the played wineserver */
};
void played_host_run(const struct played_host_args *args) __attribute__((noreturn));
/* Starts the launcher for the played service. */
void played_launcher_start(const char *prefix, int server_fd);

/* --- played_program.c --- */

/*
 * A process for the played program; returns its pid.  lock_fd is what it inherits; hook_dir has the
 * ring ("": it is not hooked).  A hooked one has done the first calls when this returns.
 */
int played_program_start(const char *prefix, int lock_fd, const char *hook_dir);

#endif
