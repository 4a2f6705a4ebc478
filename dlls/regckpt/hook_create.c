/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that give out handles of keys: the table forgets what it knew of the handle, and a key that
 * was created is reported.
 *
 * What is created where is known for sure only afterwards, from the new handle's name (links,
 * views), and the lane has to be had before: it goes by the name's last component, which is the new
 * key's.
 *
 * wineserver gives an existing key the class that came with the call, and no class if none came
 * (server/registry.c, create_key).  So opening by NtCreateKey is a change where there are classes;
 * the ring says whether any registered key has one.
 */
#include "hook_handles.h"

struct creation { /* NtCreateKey's arguments, and NtCreateKeyTransacted's */
    HANDLE *key;
    ACCESS_MASK access;
    const OBJECT_ATTRIBUTES *attr;
    ULONG index;
    const UNICODE_STRING *class;
    ULONG options;
    ULONG *disposition;
    HANDLE transaction;
    bool transacted;
};

static NTSTATUS real_create(const struct creation *c)
{
    if (c->transacted)
        return real.NtCreateKeyTransacted(c->key, c->access, c->attr, c->index, c->class,
                                          c->options, c->transaction, c->disposition);
    return real.NtCreateKey(c->key, c->access, c->attr, c->index, c->class, c->options,
                            c->disposition);
}

/* The new handle's key belongs to the lane that is held: reports it. */
static void report(struct hook_call *call, const struct creation *c, bool created)
{
    struct change change = {.kind = CHANGE_CREATE_KEY};
    uint32_t flags = created ? 0 : RING_OPENED;

    if (c->class)
        change.class = view_of(c->class);
    if (created && c->options & REG_OPTION_CREATE_LINK)
        change.key_flags |= KEY_FLAG_LINK;
    if (created && c->options & REG_OPTION_VOLATILE)
        flags |= RING_VOLATILE;
    if (change.class.len)
        __atomic_store_n(&hook.ring.shared->classes, 1, __ATOMIC_RELAXED);
    call_report(call, &change, flags);
}

/* After success: finds out what was created, and says so. */
static void created_or_opened(struct hook_call *call, const struct creation *c)
{
    bool created = *c->disposition == REG_CREATED_NEW_KEY;

    if (call->mode == CALL_WAIT && !__atomic_load_n(&hook.ring.shared->durable, __ATOMIC_RELAXED))
        return;
    if (!created && !(c->class && view_of(c->class).len) &&
        !__atomic_load_n(&hook.ring.shared->classes, __ATOMIC_RELAXED))
        return;
    key_name_free(&call->name);
    key_name_find(*c->key, &call->name);
    if (call->name.place == PLACE_UNKNOWN && call->mode != CALL_WAIT)
        call_flag(call, RING_SCAN_NAME);
    else if (call->name.place != PLACE_REGISTERED)
        return;
    else if (call->mode == CALL_WAIT)
        call_counted(call);
    else if (call->had == (uint64_t)1 << call->name.lane)
        report(call, c, created);
    else /* not had, or a link led to a key of another name */
        call_flag(call, RING_SCAN_LOCK);
}

/* In the state RING_REFUSING: would this make a registered key, or one below it? */
static bool is_refused(const struct creation *c)
{
    bool exists;

    return ring_refuses() &&
           attributes_place(c->attr, c->access, &exists) == PLACE_REGISTERED && !exists;
}

static NTSTATUS WINAPI create(struct creation *c)
{
    struct hook_call call;
    struct utf16 name;
    ULONG disposition;
    NTSTATUS status;

    if (!ring_in_use() || !attributes_name(c->attr, &name)) {
        status = real_create(c);
        if (NT_SUCCESS(status))
            handle_forget(*c->key);
        return status;
    }
    if (is_refused(c)) {
        if (!IsBadWritePtr(c->key, sizeof(*c->key))) /* as every call that fails */
            *c->key = 0;
        return STATUS_REGISTRY_IO_FAILED;
    }
    if (!c->disposition)
        c->disposition = &disposition;
    if (name.len)
        call_begin_lane(&call, name);
    else /* the root itself, opened again */
        call_begin(&call, c->attr->RootDirectory, false);
    status = real_create(c);
    if (NT_SUCCESS(status)) {
        handle_forget(*c->key);
        if (status == STATUS_SUCCESS)
            created_or_opened(&call, c);
    }
    status = call_end(&call, status);
    if (status == STATUS_REGISTRY_IO_FAILED && call.number) {
        /* a call that failed gives no handle */
        real.NtClose(*c->key);
        *c->key = 0;
    }
    return status;
}

NTSTATUS WINAPI hook_NtCreateKey(HANDLE *key, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attr,
                                 ULONG index, const UNICODE_STRING *class, ULONG options,
                                 ULONG *disposition)
{
    struct creation c = {key, access, attr, index, class, options, disposition, 0, false};

    return create(&c);
}

NTSTATUS WINAPI hook_NtCreateKeyTransacted(HANDLE *key, ACCESS_MASK access,
                                           const OBJECT_ATTRIBUTES *attr, ULONG index,
                                           const UNICODE_STRING *class, ULONG options,
                                           HANDLE transaction, ULONG *disposition)
{
    struct creation c = {key, access, attr, index, class, options, disposition, transaction, true};

    return create(&c);
}

/* --- handles that are opened, duplicated, closed --- */

static inline NTSTATUS opened(HANDLE *key, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        handle_forget(*key);
    return status;
}

NTSTATUS WINAPI hook_NtOpenKey(HANDLE *key, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attr)
{
    return opened(key, real_NtOpenKey(key, access, attr));
}

NTSTATUS WINAPI hook_NtOpenKeyEx(HANDLE *key, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attr,
                                 ULONG options)
{
    return opened(key, real_NtOpenKeyEx(key, access, attr, options));
}

NTSTATUS WINAPI hook_NtOpenKeyTransacted(HANDLE *key, ACCESS_MASK access,
                                         const OBJECT_ATTRIBUTES *attr, HANDLE transaction)
{
    return opened(key, real.NtOpenKeyTransacted(key, access, attr, transaction));
}

NTSTATUS WINAPI hook_NtOpenKeyTransactedEx(HANDLE *key, ACCESS_MASK access,
                                           const OBJECT_ATTRIBUTES *attr, ULONG options,
                                           HANDLE transaction)
{
    return opened(key, real.NtOpenKeyTransactedEx(key, access, attr, options, transaction));
}

static PASSING_ON NTSTATUS close_handle(HANDLE handle)
{
    handle_forget(handle);
    return real_NtClose(handle);
}

NTSTATUS WINAPI hook_NtClose(HANDLE handle) __attribute__((alias("close_handle")));
