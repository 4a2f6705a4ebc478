/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registry notifications.  They are one-shot and say nothing but "something changed below"; each
 * fires an event on which a thread pool wait sends HOST_CHANGED.  A key is armed again by the scan
 * that follows (registry_save), and never twice: wineserver would collect the events.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "host.h"

#define TICK_MS 250 /* how soon a deleted, renamed or new registered key is noticed */

struct key_watch {
    uint32_t id;
    HANDLE event, wait;
    IO_STATUS_BLOCK io;
    atomic_bool armed;
};

static void CALLBACK notification_fired(void *arg, BOOLEAN timed_out)
{
    struct key_watch *watch = arg;
    struct pack p;

    (void)timed_out;
    atomic_store(&watch->armed, false);
    pack_init(&p);
    pack_u32(&p, watch->id);
    host_send(HOST_CHANGED, 0, &p);
    pack_free(&p);
}

struct key_watch *watch_start(uint32_t key_id)
{
    struct key_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    watch->id = key_id;
    if (!(watch->event = CreateEventW(NULL, FALSE, FALSE, NULL)) ||
        !RegisterWaitForSingleObject(&watch->wait, watch->event, notification_fired, watch,
                                     INFINITE, WT_EXECUTEDEFAULT)) {
        if (watch->event)
            CloseHandle(watch->event);
        free(watch);
        return NULL;
    }
    return watch;
}

NTSTATUS watch_arm(struct key_watch *watch, HANDLE key)
{
    const ULONG filter = REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET |
                         REG_NOTIFY_CHANGE_ATTRIBUTES;
    NTSTATUS status;

    if (atomic_exchange(&watch->armed, true))
        return STATUS_SUCCESS;
    status = NtNotifyChangeKey(key, watch->event, NULL, NULL, &watch->io, filter, TRUE, NULL, 0,
                               TRUE);
    if (status == STATUS_PENDING)
        return STATUS_SUCCESS;
    atomic_store(&watch->armed, false);
    return status;
}

void watch_stop(struct key_watch *watch)
{
    if (!watch)
        return;
    UnregisterWaitEx(watch->wait, INVALID_HANDLE_VALUE);
    CloseHandle(watch->event);
    free(watch);
}

static DWORD WINAPI tick(void *arg)
{
    (void)arg;
    for (;;) {
        Sleep(TICK_MS);
        registry_tick();
    }
    return 0;
}

bool watch_begin_ticks(void)
{
    HANDLE thread = CreateThread(NULL, 0, tick, NULL, 0, NULL);

    if (!thread)
        return false;
    CloseHandle(thread);
    return true;
}
