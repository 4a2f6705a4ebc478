/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registered keys in the live registry: scanned, loaded, changed.
 *
 * A key is opened by its logical path and view, as a program of that view would open it, and from
 * then on known by its handle and its physical path.  A handle can go stale: its key deleted (and
 * perhaps made again) or renamed.  registry_tick asks for the handle's name a few times a second,
 * one cheap request a key, because no notification tells of either (server/registry.c).
 *
 * The main thread and the watch thread both come here: the lock is held throughout.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_key.h"

NTSTATUS CDECL wine_server_fd_to_handle(int fd, unsigned int access, unsigned int attributes,
                                        HANDLE *handle);

static struct host_key *keys;
static uint32_t key_count;
pthread_mutex_t keys_lock = PTHREAD_MUTEX_INITIALIZER;

struct host_key *host_key_find(uint32_t id)
{
    for (uint32_t i = 0; i < key_count; i++)
        if (keys[i].id == id)
            return &keys[i];
    return NULL;
}

/* The full name of an open key, malloc'ed in *name; STATUS_KEY_DELETED if it is gone. */
static NTSTATUS query_name(HANDLE key, UNICODE_STRING *name)
{
    ULONG room = 512, needed = 0;
    NTSTATUS status;

    for (;;) {
        KEY_NAME_INFORMATION *info = malloc(room);
        if (!info)
            return STATUS_NO_MEMORY;
        status = NtQueryKey(key, KeyNameInformation, info, room, &needed);
        if (!status) {
            name->Length = info->NameLength;
            name->MaximumLength = info->NameLength;
            memmove(info, info->Name, info->NameLength);
            name->Buffer = (WCHAR *)info;
            return STATUS_SUCCESS;
        }
        free(info);
        if (status != STATUS_BUFFER_OVERFLOW && status != STATUS_BUFFER_TOO_SMALL)
            return status;
        room = needed;
    }
}

void host_key_close(struct host_key *k)
{
    if (k->key)
        NtClose(k->key);
    free(k->physical.Buffer);
    memset(&k->physical, 0, sizeof(k->physical));
    k->key = 0;
}

NTSTATUS host_key_open_below(HANDLE root, struct utf16 path, ACCESS_MASK access, HANDLE *key)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attr;

    if (path.len > 32767)
        return STATUS_OBJECT_NAME_INVALID;
    name.Buffer = (WCHAR *)path.units;
    name.Length = name.MaximumLength = path.len * sizeof(WCHAR);
    InitializeObjectAttributes(&attr, &name, OBJ_CASE_INSENSITIVE | OBJ_OPENLINK, root, NULL);
    return NtOpenKey(key, access | KEY_WOW64_64KEY, &attr);
}

NTSTATUS host_key_refresh(struct host_key *k)
{
    UNICODE_STRING now = {0};
    HKEY opened;
    LSTATUS error;

    if (k->key && !query_name(k->key, &now)) {
        bool same = now.Length == k->physical.Length &&
                    !memcmp(now.Buffer, k->physical.Buffer, now.Length);
        free(now.Buffer);
        if (same)
            return STATUS_SUCCESS;
    }
    host_key_close(k);
    error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, k->path, 0, KEY_ALL_ACCESS | k->view, &opened);
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_KEY_DELETED)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (error)
        return STATUS_ACCESS_DENIED;
    k->key = opened;
    return query_name(k->key, &k->physical);
}

static void free_key(struct host_key *k)
{
    watch_stop(k->watch);
    host_key_close(k);
    free(k->path);
}

/* Replaces the list, keeping the entries (and their watches) of keys that stay. */
static bool set_keys(struct unpack *u, struct reply *reply)
{
    uint32_t count = unpack_u32(u);
    struct host_key *list;

    if (count > 100000 || !(list = calloc(count + 1, sizeof(*list))))
        return fail_win32(reply, ERROR_NOT_ENOUGH_MEMORY, "making room for the registered keys");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = unpack_u32(u), view = unpack_u32(u);
        char *path = unpack_text(u);
        struct host_key *old = host_key_find(id);

        if (old && old->path) {
            list[i] = *old;
            memset(old, 0, sizeof(*old));
        } else {
            list[i].path = path ? wide_from_utf8(path) : NULL;
        }
        list[i].id = id;
        list[i].view = view == 32 ? KEY_WOW64_32KEY : KEY_WOW64_64KEY;
        free(path);
        if (!list[i].path) {
            free(list);
            return fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the registered keys");
        }
    }
    for (uint32_t i = 0; i < key_count; i++)
        free_key(&keys[i]);
    free(keys);
    keys = list;
    key_count = count;
    return true;
}

bool registry_set_keys(struct unpack *u, struct reply *reply)
{
    bool done;

    pthread_mutex_lock(&keys_lock);
    if ((done = set_keys(u, reply))) {
        pack_u32(&reply->more, key_count);
        for (uint32_t i = 0; i < key_count; i++) {
            NTSTATUS status = host_key_refresh(&keys[i]);
            struct utf16 physical = {0};

            if (!status) {
                physical.units = (const uint16_t *)keys[i].physical.Buffer;
                physical.len = keys[i].physical.Length / sizeof(WCHAR);
            } else if (status != STATUS_OBJECT_NAME_NOT_FOUND) {
                done = fail_nt(reply, status, "opening a registered key");
            }
            pack_u32(&reply->more, keys[i].id);
            pack_u32(&reply->more, !status);
            pack_utf16(&reply->more, physical);
        }
    }
    pthread_mutex_unlock(&keys_lock);
    return done;
}

/* Asks for a notification of what changes from now on. */
static NTSTATUS arm_key(struct host_key *k)
{
    NTSTATUS status = host_key_refresh(k);

    k->watching = true;
    if (status)
        return status;
    if (!k->watch && !(k->watch = watch_start(k->id)))
        return STATUS_NO_MEMORY;
    return watch_arm(k->watch, k->key);
}

/* A scan: of what, and what there is to tell of it beyond its text. */
struct save {
    struct utf16 path; /* below the registered key; "": itself */
    HANDLE file;
    uint64_t ns;
    bool has_nul; /* a subkey is named by one NUL: its section looks like the key's own */
};

static bool has_nul_subkey(HANDLE key)
{
    static const uint16_t nul[1];
    HANDLE subkey;

    if (host_key_open_below(key, (struct utf16){nul, 1}, KEY_QUERY_VALUE, &subkey))
        return false;
    NtClose(subkey);
    return true;
}

/* Arms the notification first, so that a change after the picture is always told. */
static NTSTATUS save_key(struct host_key *k, bool watch, struct save *s)
{
    NTSTATUS status = watch ? arm_key(k) : host_key_refresh(k);
    LARGE_INTEGER begin, end, hz;
    HANDLE key = k->key;

    if (!status && s->path.len)
        status = host_key_open_below(k->key, s->path, KEY_QUERY_VALUE, &key);
    if (status)
        return status;
    QueryPerformanceFrequency(&hz);
    QueryPerformanceCounter(&begin);
    status = NtSaveKey(key, s->file);
    QueryPerformanceCounter(&end);
    s->ns = (uint64_t)((end.QuadPart - begin.QuadPart) * (1e9 / hz.QuadPart));
    s->has_nul = !status && has_nul_subkey(key);
    if (key != k->key)
        NtClose(key);
    return status;
}

bool registry_arm(struct unpack *u, struct reply *reply)
{
    uint32_t id = unpack_u32(u);
    struct host_key *k;
    NTSTATUS status;

    pthread_mutex_lock(&keys_lock);
    k = host_key_find(id);
    status = k ? arm_key(k) : STATUS_INVALID_PARAMETER;
    if (status == STATUS_KEY_DELETED) /* between two requests: look again */
        status = arm_key(k);
    pthread_mutex_unlock(&keys_lock);
    if (status && status != STATUS_OBJECT_NAME_NOT_FOUND)
        return fail_nt(reply, status, "watching a registered key");
    pack_u32(&reply->more, !status);
    return true;
}

bool registry_save(struct unpack *u, int fd, struct reply *reply)
{
    uint32_t id = unpack_u32(u), watch = unpack_u32(u);
    struct save s = {.path = unpack_utf16(u)};
    struct host_key *k;
    NTSTATUS status;

    if ((status = wine_server_fd_to_handle(fd, GENERIC_WRITE | SYNCHRONIZE, 0, &s.file))) {
        free((void *)s.path.units);
        return fail_nt(reply, status, "making a handle of the scan's descriptor");
    }
    pthread_mutex_lock(&keys_lock);
    k = host_key_find(id);
    status = k && !unpack_failed(u) ? save_key(k, watch, &s) : STATUS_INVALID_PARAMETER;
    if (status == STATUS_KEY_DELETED) /* between two requests: look again */
        status = save_key(k, watch, &s);
    pthread_mutex_unlock(&keys_lock);
    NtClose(s.file);
    free((void *)s.path.units);
    if (status && status != STATUS_OBJECT_NAME_NOT_FOUND)
        return fail_nt(reply, status, "NtSaveKey of a registered key");
    pack_u32(&reply->more, !status);
    pack_u64(&reply->more, s.ns);
    pack_u64(&reply->more, marker_read());
    pack_u32(&reply->more, s.has_nul);
    return true;
}

/*
 * Opens the key that the first len characters of a path name, made if it is missing.  Nothing that
 * exists is created again: NtCreateKey without a class would take the class of what is there.
 */
static LSTATUS open_or_create(const WCHAR *path, size_t len, REGSAM view, HKEY *key)
{
    WCHAR *text = malloc((len + 1) * sizeof(WCHAR));
    LSTATUS error;
    HKEY parent;
    size_t above;

    if (!text)
        return ERROR_NOT_ENOUGH_MEMORY;
    memcpy(text, path, len * sizeof(WCHAR));
    text[len] = 0;
    error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, text, 0, KEY_ALL_ACCESS | view, key);
    if (error == ERROR_FILE_NOT_FOUND) {
        for (above = len; above && text[above - 1] != '\\';)
            above--;
        error = above ? open_or_create(path, above - 1, view, &parent) : ERROR_SUCCESS;
        if (!error) {
            error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, text, 0, NULL, REG_OPTION_NON_VOLATILE,
                                    KEY_ALL_ACCESS | view, NULL, key, NULL);
            if (above)
                RegCloseKey(parent);
        }
    }
    free(text);
    return error;
}

LSTATUS host_key_open_parent(const struct host_key *k, HKEY *parent, const WCHAR **last)
{
    size_t at = wide_len(k->path);

    while (at && k->path[at - 1] != '\\')
        at--;
    *last = k->path + at;
    return open_or_create(k->path, at ? at - 1 : 0, k->view, parent);
}

bool registry_load(struct unpack *u, int fd, struct reply *reply)
{
    uint32_t id = unpack_u32(u);
    OBJECT_ATTRIBUTES attr, file_attr;
    UNICODE_STRING name, file_name;
    const WCHAR *last;
    struct host_key *k;
    NTSTATUS status;
    WCHAR *file;
    char text[64];
    HKEY parent;
    LSTATUS error;

    /* wineserver opens it: /proc/self would be its own */
    snprintf(text, sizeof(text), "\\??\\unix\\proc\\%d\\fd\\%d", (int)getpid(), fd);
    if (!(file = wide_from_utf8(text)))
        return fail_win32(reply, ERROR_NOT_ENOUGH_MEMORY, "naming the load's descriptor");
    pthread_mutex_lock(&keys_lock);
    if (!(k = host_key_find(id))) {
        error = ERROR_INVALID_PARAMETER;
    } else {
        host_key_close(k);
        error = host_key_open_parent(k, &parent, &last);
    }
    if (!error) {
        RtlInitUnicodeString(&name, last);
        RtlInitUnicodeString(&file_name, file);
        InitializeObjectAttributes(&attr, &name, OBJ_CASE_INSENSITIVE, parent, NULL);
        InitializeObjectAttributes(&file_attr, &file_name, OBJ_CASE_INSENSITIVE, 0, NULL);
        status = NtLoadKey(&attr, &file_attr);
        RegCloseKey(parent);
        if (!status)
            status = host_key_refresh(k);
    } else {
        status = STATUS_SUCCESS;
    }
    pthread_mutex_unlock(&keys_lock);
    free(file);
    if (error)
        return fail_win32(reply, error, "making the parent of a registered key");
    return status ? fail_nt(reply, status, "NtLoadKey of a registered key") : true;
}

void registry_stop_watching(void)
{
    pthread_mutex_lock(&keys_lock);
    for (uint32_t i = 0; i < key_count; i++) {
        watch_stop(keys[i].watch);
        keys[i].watch = NULL;
        keys[i].watching = false;
    }
    pthread_mutex_unlock(&keys_lock);
}

void registry_tick(void)
{
    pthread_mutex_lock(&keys_lock);
    for (uint32_t i = 0; i < key_count; i++) {
        struct host_key *k = &keys[i];
        bool existed = k->key != 0, stale;
        UNICODE_STRING now = {0};

        if (!k->watching)
            continue;
        if (!existed) {
            stale = !host_key_refresh(k);
        } else {
            stale = query_name(k->key, &now) || now.Length != k->physical.Length ||
                    memcmp(now.Buffer, k->physical.Buffer, now.Length);
            free(now.Buffer);
        }
        if (stale) {
            struct pack p;
            /* told once: what follows is a scan, which asks to watch again */
            k->watching = false;
            pack_init(&p);
            pack_u32(&p, k->id);
            host_send(HOST_CHANGED, 0, &p);
            pack_free(&p);
        }
    }
    pthread_mutex_unlock(&keys_lock);
}
