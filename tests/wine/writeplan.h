/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The changes svcwriter makes: the n-th is the same always, so that a log of numbers tells what the
 * registry must hold (tests/replay.py).  Each change is one call that changes the registry.
 *
 * As text, words like regdump's (hex of UTF-16LE or bytes, "-" for empty, PATH "." for the key itself):
 *   set PATH NAME TYPE DATA     the key must exist, else the call fails and nothing happens
 *   delete PATH NAME
 *   create PATH CLASS           with the keys above it, which get no class
 *   remove PATH                 a key without subkeys, with its values
 */
#ifndef REGCKPT_WRITEPLAN_H
#define REGCKPT_WRITEPLAN_H

#include "testkey.h"

#define WRITEPLAN_KINDS 14
#define WRITEPLAN_DATA_BYTES 40000

enum writeplan_op { WRITE_SET, WRITE_DELETE, WRITE_CREATE, WRITE_REMOVE };

struct writeplan {
    enum writeplan_op op;
    WCHAR path[64]; /* empty: the key itself; components separated by '\' */
    WCHAR name[64];
    DWORD type, size;
    BYTE data[WRITEPLAN_DATA_BYTES];
};

/* Sets a string as a plan's data. */
static inline void writeplan_string(struct writeplan *p, DWORD type, const WCHAR *text, size_t len)
{
    p->type = type;
    p->size = (DWORD)((len + 1) * sizeof(WCHAR));
    memcpy(p->data, text, p->size);
}

/* What the n-th change is. */
static inline void writeplan_make(struct writeplan *p, DWORD n)
{
    DWORD round = n / WRITEPLAN_KINDS, i;
    WCHAR text[128];
    ULONGLONG big = n * 0x100000001ull;

    p->op = WRITE_SET;
    p->path[0] = p->name[0] = 0;
    p->type = REG_BINARY;
    p->size = 0;
    switch (n % WRITEPLAN_KINDS) {
    case 0: /* the value that a start goes by */
        wcscpy(p->name, L"Counter");
        p->type = REG_DWORD;
        p->size = sizeof(n);
        memcpy(p->data, &n, sizeof(n));
        break;
    case 1:
        swprintf(p->name, ARRAYSIZE(p->name), L"Name %u", (unsigned)(round % 50));
        i = swprintf(text, ARRAYSIZE(text), L"round %u \x00e9\x4e2d", (unsigned)round);
        writeplan_string(p, REG_SZ, text, i);
        break;
    case 2:
        wcscpy(p->name, L"Blob");
        for (i = 0; i < round * 37 % 301; i++) p->data[i] = (BYTE)(n + i);
        p->size = i;
        break;
    case 3:
        p->op = WRITE_CREATE;
        swprintf(p->path, ARRAYSIZE(p->path), L"Sub\\Key %u", (unsigned)(round % 20));
        /* never in round 0: Wine gives the class to the keys it makes above, too */
        wcscpy(p->name, round % 3 == 1 ? L"Writer's class" : L"");
        break;
    case 4:
        swprintf(p->path, ARRAYSIZE(p->path), L"Sub\\Key %u", (unsigned)(round % 20));
        swprintf(p->name, ARRAYSIZE(p->name), L"value %u", (unsigned)(round % 7));
        p->type = REG_DWORD;
        p->size = sizeof(n);
        memcpy(p->data, &n, sizeof(n));
        break;
    case 5:
        p->op = WRITE_DELETE;
        swprintf(p->name, ARRAYSIZE(p->name), L"Name %u", (unsigned)(round * 7 % 50));
        break;
    case 6: /* the default value, without data now and then */
        i = swprintf(text, ARRAYSIZE(text), L"%u", (unsigned)n);
        writeplan_string(p, REG_SZ, text, i);
        if (round % 2) p->size = 0;
        break;
    case 7:
        wcscpy(p->name, L"List");
        i = swprintf(text, ARRAYSIZE(text), L"first %u|second|", (unsigned)n);
        text[i - 1] = 0;
        text[i - 8] = 0;
        writeplan_string(p, REG_MULTI_SZ, text, i);
        break;
    case 8:
        wcscpy(p->name, L"Big");
        p->size = 20000 + round * 101 % 20000;
        for (i = 0; i < p->size; i++) p->data[i] = (BYTE)(i * 7 + n);
        break;
    case 9:
        p->op = WRITE_REMOVE;
        swprintf(p->path, ARRAYSIZE(p->path), L"Sub\\Key %u", (unsigned)((round + 7) % 20));
        break;
    case 10:
        wcscpy(p->name, L"Path");
        i = swprintf(text, ARRAYSIZE(text), L"%%SystemRoot%%\\%u", (unsigned)n);
        writeplan_string(p, REG_EXPAND_SZ, text, i);
        break;
    case 11:
        wcscpy(p->name, L"Quad");
        p->type = REG_QWORD;
        p->size = sizeof(big);
        memcpy(p->data, &big, sizeof(big));
        break;
    case 12:
        wcscpy(p->name, L"Odd type");
        p->type = 0x1000 + n;
        p->size = round % 5;
        memcpy(p->data, "\xff\x00\x01\x02\x03", p->size);
        break;
    default: /* one more value each round, never overwritten: what was written stays */
        swprintf(p->name, ARRAYSIZE(p->name), L"Record %08u", (unsigned)round);
        p->type = REG_DWORD;
        p->size = sizeof(n);
        memcpy(p->data, &n, sizeof(n));
    }
}

/* Writes hex to out, "-" for none; returns the end. */
static inline char *writeplan_hex(char *out, const void *bytes, size_t len)
{
    const BYTE *p = bytes;
    size_t i;

    if (!len) *out++ = '-';
    for (i = 0; i < len; i++) out += sprintf(out, "%02x", p[i]);
    *out = 0;
    return out;
}

/* Writes a path as regdump does; returns the end. */
static inline char *writeplan_path(char *out, const WCHAR *path)
{
    const WCHAR *end;

    if (!*path) return out + sprintf(out, ".");
    for (;;) {
        for (end = path; *end && *end != '\\'; end++) ;
        out = writeplan_hex(out, path, (end - path) * sizeof(WCHAR));
        if (!*end) return out;
        *out++ = '/';
        path = end + 1;
    }
}

/* The n-th change as text, malloc'ed. */
static inline char *writeplan_text(DWORD n)
{
    static const char *const ops[] = {"set", "delete", "create", "remove"};
    struct writeplan *p = testkey_alloc(NULL, sizeof(*p));
    char *text, *at;

    writeplan_make(p, n);
    text = testkey_alloc(NULL, 1024 + 2 * p->size);
    at = text + sprintf(text, "%s ", ops[p->op]);
    at = writeplan_path(at, p->path);
    if (p->op != WRITE_REMOVE) {
        *at++ = ' ';
        at = writeplan_hex(at, p->name, wcslen(p->name) * sizeof(WCHAR));
    }
    if (p->op == WRITE_SET) {
        at += sprintf(at, " %lu ", (unsigned long)p->type);
        writeplan_hex(at, p->data, p->size);
    }
    free(p);
    return text;
}

/* Makes the n-th change below root; returns the call's result. */
static inline LSTATUS writeplan_do(HKEY root, DWORD n)
{
    struct writeplan *p = testkey_alloc(NULL, sizeof(*p));
    LSTATUS error = 0;
    HKEY key = root;

    writeplan_make(p, n);
    if (p->op == WRITE_CREATE)
        error = RegCreateKeyExW(root, p->path, 0, p->name[0] ? p->name : NULL, 0, KEY_ALL_ACCESS,
                                NULL, &key, NULL);
    else if (p->op == WRITE_REMOVE)
        error = RegDeleteKeyW(root, p->path);
    else if (p->path[0])
        error = RegOpenKeyExW(root, p->path, 0, KEY_ALL_ACCESS, &key);
    if (!error && p->op == WRITE_SET)
        error = RegSetValueExW(key, p->name, 0, p->type, p->data, p->size);
    else if (!error && p->op == WRITE_DELETE)
        error = RegDeleteValueW(key, p->name);
    if (key && key != root) RegCloseKey(key);
    free(p);
    return error;
}

#endif
