/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A registered key as the host knows it; shared by what scans it and what changes it. */
#ifndef REGCKPT_HOST_KEY_H
#define REGCKPT_HOST_KEY_H

#include <pthread.h>

#include "host.h"

struct host_key {
    uint32_t id;
    REGSAM view;             /* KEY_WOW64_64KEY or KEY_WOW64_32KEY */
    WCHAR *path;             /* relative to HKLM */
    HANDLE key;              /* 0: does not exist, as far as we know */
    UNICODE_STRING physical; /* its name when it was opened */
    struct key_watch *watch;
    bool watching;           /* the native side asked to hear of changes */
};

/* Held around everything below: the main thread and the watch thread both come here. */
extern pthread_mutex_t keys_lock;

struct host_key *host_key_find(uint32_t id);
/* Makes sure that the handle is the key that the path names now; 0, or not found, or an error. */
NTSTATUS host_key_refresh(struct host_key *k);
void host_key_close(struct host_key *k);
/*
 * A key below a registered one's handle, by a relative path, which may hold NULs; links are opened, not
 * followed.
 */
NTSTATUS host_key_open_below(HANDLE root, struct utf16 path, ACCESS_MASK access, HANDLE *key);
/* Opens the key's parent, made if it is missing; *last gets the key's own name within k->path. */
LSTATUS host_key_open_parent(const struct host_key *k, HKEY *parent, const WCHAR **last);

#endif
