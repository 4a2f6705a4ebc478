/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store that can be filled up.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "full_store.h"

static char filler[128];

bool store_move_to_small(void)
{
    char command[800];

    snprintf(filler, sizeof(filler), "%s/filler", fix.store);
    snprintf(command, sizeof(command), "cp -a %s %s.was && "
             "mount -t tmpfs -o size=4m,mode=700 tmpfs %s && "
             "cp -a %s.was/. %s/", fix.store, fix.store, fix.store, fix.store, fix.store);
    return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
           !system(command);
}

void store_fill(void)
{
    static char zeros[4096];
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

void store_free_up(void)
{
    assert_int_equal(unlink(filler), 0);
}

char *much_text(char first)
{
    char *text = malloc(MUCH_BYTES);

    assert_non_null(text);
    memset(text, first, MUCH_BYTES);
    memcpy(text, "a=", 2);
    text[MUCH_BYTES - 1] = 0;
    return text;
}

bool checkpoint_has_much(char first)
{
    char *text = much_text(first);
    bool holds = checkpoint_holds(APP, text);

    free(text);
    return holds;
}

uint64_t storage_failing_since(void)
{
    struct monitor_status s;
    uint64_t since;

    ctl_status(&s);
    since = s.storage_failing_since;
    assert_true(!since || *s.last_error);
    monitor_status_free(&s);
    return since;
}
