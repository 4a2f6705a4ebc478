/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions about single names, for what a scan's text cannot say: is there a key or value of exactly
 * this name, or of this name and a NUL behind it?  Links are looked at themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "host_key.h"

/* The key that values were asked for last, kept open: questions come key by key. */
struct asked_key {
    struct utf16 path;
    HANDLE key; /* 0: it is not there */
    bool known;
};

/* A copy of units with a NUL behind them, so that the name may be taken with or without it. */
static WCHAR *with_nul(struct utf16 text)
{
    WCHAR *copy = malloc((text.len + 1) * sizeof(WCHAR));

    if (copy) {
        if (text.len)
            memcpy(copy, text.units, text.len * sizeof(WCHAR));
        copy[text.len] = 0;
    }
    return copy;
}

static HANDLE open_path(HANDLE root, const WCHAR *units, size_t len)
{
    struct utf16 path = {(const uint16_t *)units, len};
    HANDLE key;

    return host_key_open_below(root, path, KEY_QUERY_VALUE, &key) ? 0 : key;
}

/* Does it hold subkeys, and neither values nor a class?  So does what NtSaveKey may leave out. */
static bool holds_keys_alone(HANDLE key)
{
    KEY_CACHED_INFORMATION info;
    ULONG size;

    return !NtQueryKey(key, KeyCachedInformation, &info, sizeof(info), &size) && info.SubKeys &&
           !info.Values;
}

static uint32_t ask_key(HANDLE root, struct utf16 path)
{
    WCHAR *units = path.len < 32767 ? with_nul(path) : NULL;
    uint32_t answer = HOST_ANSWER_NO;
    HANDLE key;

    if (!units)
        return answer;
    if ((key = open_path(root, units, path.len))) {
        answer = HOST_ANSWER_YES | (holds_keys_alone(key) ? HOST_ANSWER_KEYS_ALONE : 0);
        NtClose(key);
    }
    if (path.len && (key = open_path(root, units, path.len + 1))) {
        answer |= HOST_ANSWER_NUL;
        NtClose(key);
    }
    free(units);
    return answer;
}

static bool has_value(HANDLE key, const WCHAR *units, size_t len)
{
    KEY_VALUE_BASIC_INFORMATION info;
    UNICODE_STRING name;
    NTSTATUS status;
    ULONG size;

    name.Buffer = (WCHAR *)units;
    name.Length = name.MaximumLength = len * sizeof(WCHAR);
    status = NtQueryValueKey(key, &name, KeyValueBasicInformation, &info, sizeof(info), &size);
    return !status || status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL;
}

static void forget(struct asked_key *asked)
{
    if (asked->key)
        NtClose(asked->key);
    free((void *)asked->path.units);
    memset(asked, 0, sizeof(*asked));
}

static uint32_t ask_value(HANDLE root, struct utf16 path, struct utf16 name, struct asked_key *asked)
{
    WCHAR *units = name.len < 32767 ? with_nul(name) : NULL;
    uint32_t answer = HOST_ANSWER_NO;

    if (!asked->known || asked->path.len != path.len ||
        (path.len && memcmp(asked->path.units, path.units, path.len * sizeof(WCHAR)))) {
        forget(asked);
        asked->path.units = with_nul(path);
        asked->path.len = path.len;
        asked->known = asked->path.units != NULL;
        asked->key = asked->known && path.len < 32767
                         ? open_path(root, (const WCHAR *)asked->path.units, path.len) : 0;
    }
    if (units && asked->key) {
        if (has_value(asked->key, units, name.len))
            answer = HOST_ANSWER_YES;
        else if (has_value(asked->key, units, name.len + 1))
            answer = HOST_ANSWER_NUL;
    }
    free(units);
    return answer;
}

bool registry_ask(struct unpack *u, struct reply *reply)
{
    uint32_t id = unpack_u32(u), count = unpack_u32(u);
    struct asked_key asked = {.known = false};
    struct host_key *k;
    bool done = true;

    pthread_mutex_lock(&keys_lock);
    k = host_key_find(id);
    if (!k || (host_key_refresh(k) && k->key))
        done = fail_nt(reply, STATUS_INVALID_PARAMETER, "asking for names of a registered key");
    pack_u32(&reply->more, count);
    for (uint32_t i = 0; done && i < count; i++) {
        uint32_t kind = unpack_u32(u);
        struct utf16 path = unpack_utf16(u), name = unpack_utf16(u);
        uint32_t answer = HOST_ANSWER_NO;

        if (unpack_failed(u))
            done = fail_nt(reply, STATUS_INVALID_PARAMETER, "reading questions about names");
        else if (k->key) /* else nothing is there any more */
            answer = kind == HOST_ASK_KEY ? ask_key(k->key, path)
                                          : ask_value(k->key, path, name, &asked);
        pack_u32(&reply->more, answer);
        free((void *)path.units);
        free((void *)name.units);
    }
    forget(&asked);
    pthread_mutex_unlock(&keys_lock);
    return done;
}
