/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every hooked change has around its real call: the lane, the report, the wait.
 *
 * A name that was found out before the lane was had can be wrong by then, because a key above it
 * was renamed.  Who renames holds all lanes and raises the generation before giving them back: with
 * the lane held and the generation unchanged the name is right, and stays right until the lane is
 * given.  Where the server reports, a wrong name does no more than wait, or not.
 */
#include <errno.h>
#include <string.h>

#include "hook_private.h"

#define BEGIN_TRIES 4

static uint64_t bit(uint32_t lane)
{
    return (uint64_t)1 << lane;
}

static void init(struct hook_call *call)
{
    call->errnum = errno;
    call->mode = CALL_PLAIN;
    call->number = 0;
    call->had = 0;
    call->laneless = false;
    call->name.memory = NULL;
}

static void give_lanes(struct hook_call *call)
{
    if (call->had && !(call->had & (call->had - 1)))
        ring_lane_give(&hook.ring, __builtin_ctzll(call->had));
    else if (call->had)
        ring_all_give(&hook.ring, call->had);
    call->had = 0;
}

/* No cut is whole while a call is under way that should hold a lane and does not. */
static void go_without(struct hook_call *call, enum ring_scan why)
{
    call->mode = CALL_FLAG;
    call->why = why;
    call->laneless = true;
    ring_laneless_begin(&hook.ring, hook.process);
}

static bool take_lane(struct hook_call *call, uint32_t lane)
{
    if (!ring_lane_take(&hook.ring, lane)) {
        go_without(call, RING_SCAN_LOCK);
        return false;
    }
    call->had = bit(lane);
    call->mode = CALL_REPORT;
    return true;
}

/* Is the name with whose lane we are here still the key's? */
static bool still_so(struct hook_call *call, HANDLE key, bool sure)
{
    uint32_t lane = call->name.lane;

    if (!sure)
        return call->name.generation ==
               __atomic_load_n(&hook.ring.shared->generation, __ATOMIC_ACQUIRE);
    key_name_free(&call->name);
    key_name_ask(key, &call->name);
    return call->name.place == PLACE_REGISTERED && call->name.lane == lane;
}

void call_begin(struct hook_call *call, HANDLE key, bool sure)
{
    init(call);
    if (!ring_in_use())
        return;
    for (int i = 0; i < BEGIN_TRIES; i++) {
        key_name_free(&call->name);
        key_name_find(key, &call->name);
        call->mode = CALL_PLAIN;
        if (call->name.place == PLACE_UNKNOWN && !server_reports())
            /* mostly no key at all: the real call fails too */
            go_without(call, RING_SCAN_NAME);
        if (call->name.place != PLACE_REGISTERED)
            return;
        if (ring_refuses()) {
            call->mode = CALL_REFUSE;
            return;
        }
        if (server_reports()) {
            call->mode = CALL_WAIT;
            return;
        }
        if (!take_lane(call, call->name.lane) || still_so(call, key, sure))
            return;
        give_lanes(call);
        if (call->name.place == PLACE_GONE) {
            call->mode = CALL_PLAIN;
            return;
        }
    }
    go_without(call, RING_SCAN_NAME);
}

void call_begin_all(struct hook_call *call)
{
    init(call);
    if (server_reports())
        call->mode = CALL_WAIT;
    else if (!ring_all_take(&hook.ring, &call->had))
        go_without(call, RING_SCAN_TREE);
}

void call_begin_lane(struct hook_call *call, struct utf16 name)
{
    init(call);
    if (server_reports())
        call->mode = CALL_WAIT;
    else
        take_lane(call, ring_lane_of(&hook.ring, name));
}

void call_report(struct hook_call *call, struct change *change, uint32_t flags)
{
    change->key_id = call->name.key_id;
    change->path = call->name.path;
    call->number = ring_append(&hook.ring, call->name.lane, hook.process, change, flags);
}

void call_flag(struct hook_call *call, enum ring_scan why)
{
    call->number = ring_flag_scan(&hook.ring, why);
}

void call_counted(struct hook_call *call)
{
    call->number = ring_last_number(&hook.ring);
}

NTSTATUS call_wait(uint64_t number, NTSTATUS status)
{
    if (number && __atomic_load_n(&hook.ring.shared->durable, __ATOMIC_RELAXED) &&
        ring_wait_durable(&hook.ring, number) != RING_WAIT_DONE && NT_SUCCESS(status))
        status = STATUS_REGISTRY_IO_FAILED;
    return status;
}

NTSTATUS call_end(struct hook_call *call, NTSTATUS status)
{
    give_lanes(call);
    if (call->laneless)
        ring_laneless_end(&hook.ring, hook.process);
    key_name_free(&call->name);
    status = call_wait(call->number, status);
    errno = call->errnum;
    return status;
}
