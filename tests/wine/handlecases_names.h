/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scenarios of hook_handles.c in which a handle or a name goes to another key. */
#ifndef REGCKPT_HANDLECASES_NAMES_H
#define REGCKPT_HANDLECASES_NAMES_H

#include "handlecase.h"

/* A handle value goes from a registered key to another one, and back, again and again. */
static void reused(void)
{
    WCHAR name[20];
    HKEY at, first;

    hook();
    first = at = opened(key, L"Child");
    TRY(set(at, L"First"));
    for (int i = 0; i < MANY; i++) {
        swprintf(name, ARRAYSIZE(name), L"Round %d", i);
        RegCloseKey(at);
        at = opened_as(first, i % 2 ? key : other, i % 3 ? L"Child" : L"Second");
        if (set(at, name)) TRY(set(at, name));
    }
    RegCloseKey(at);
    at = opened_as(first, other, L"Child");
    TRY(set(at, L"Not here"));
    TRY(RegDeleteValueW(at, L"Deep"));
    CloseHandle((HANDLE)at);
    at = opened_as(first, key, L"Second");
    TRY(set(at, L"Here"));
    NtClose((HANDLE)at);
    at = opened_as(first, key, L"Child\\Grand");
    TRY(set(at, L"Here too"));
    TRY(RegCloseKey(at));
    TRY(RegCloseKey(at));
    TRY(set(at, L"On a closed handle"));
}

/* DuplicateHandle in the process: a copy, one that closes its source, one onto another key's value. */
static void duplicated(void)
{
    HANDLE process = GetCurrentProcess(), copy;
    HKEY at, elsewhere;

    hook();
    at = opened(key, L"Child");
    TRY(set(at, L"Before"));
    TRY(DuplicateHandle(process, (HANDLE)at, process, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    TRY(set((HKEY)copy, L"By the copy"));
    RegCloseKey(at);
    TRY(set((HKEY)copy, L"By the copy alone"));
    elsewhere = opened_as(at, other, L"Child");
    TRY(set(elsewhere, L"Not here"));
    TRY(DuplicateHandle(process, (HANDLE)elsewhere, process, &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    at = opened(key, L"Second");
    TRY(at == elsewhere || copy == (HANDLE)elsewhere); /* the value is in use again */
    TRY(set(at, L"Here"));
    TRY(set((HKEY)copy, L"Not here either"));
    TRY(DuplicateHandle(process, copy, process, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE));
    at = opened(key, L"Child\\Grand");
    TRY(set(at, L"Here too"));
    TRY(DuplicateHandle(process, (HANDLE)at, process, &copy, KEY_READ, FALSE, 0));
    TRY(set((HKEY)copy, L"Refused"));
}

/* A handle duplicated into another process, which did not open it. */
static void duplicated_out(void)
{
    HANDLE child, thread, theirs, ready = CreateEventW(NULL, TRUE, FALSE, L"regckpt hook_handles");
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 64,
                                        L"regckpt hook_handles value");
    ULONG *shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 64);
    HKEY at;

    hook();
    at = opened(key, L"Child");
    child = start_child(L"set-shared", FALSE, &thread);
    TRY(DuplicateHandle(GetCurrentProcess(), (HANDLE)at, child, &theirs, 0, FALSE,
                        DUPLICATE_SAME_ACCESS));
    *shared = HandleToUlong(theirs);
    SetEvent(ready);
    ResumeThread(thread);
    TRY(end_of(child));
    TRY(set(at, L"By the parent"));
}

/* A handle that the child inherits. */
static void inherited(void)
{
    WCHAR words[100];
    HKEY at;

    hook();
    at = opened(key, L"Child\\Grand");
    SetHandleInformation((HANDLE)at, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    swprintf(words, ARRAYSIZE(words), L"set-handle %lu", HandleToUlong(at));
    TRY(end_of(start_child(words, TRUE, NULL)));
    TRY(set(at, L"By the parent"));
}

/* Another process closes a handle of this one, and its value is used for another key. */
static void closed_by_other(void)
{
    WCHAR words[100];
    HKEY at, again, elsewhere;
    HANDLE copy;

    hook();
    at = opened(key, L"Child");
    TRY(set(at, L"Before"));
    swprintf(words, ARRAYSIZE(words), L"close-in %lu %lu", GetCurrentProcessId(), HandleToUlong(at));
    TRY(run_child(words));
    again = opened_as(at, other, L"Child");
    TRY(set(again, L"Not here"));
    swprintf(words, ARRAYSIZE(words), L"close-in %lu %lu", GetCurrentProcessId(), HandleToUlong(again));
    TRY(run_child(words));
    again = opened_as(at, key, L"Second");
    TRY(set(again, L"Here"));
    TRY(run_child(words));
    at = opened_as(again, other, L"Second");
    TRY(set(at, L"Not here"));
    elsewhere = opened(key, L"Child");
    TRY(run_child(words));
    TRY(DuplicateHandle(GetCurrentProcess(), (HANDLE)elsewhere, GetCurrentProcess(), &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS));
    TRY(copy == (HANDLE)at);
    TRY(set((HKEY)copy, L"By the copy"));
}

/* The same the other way round, with a copy of a key in the old handle's place. */
static void swapped_by_other(void)
{
    HANDLE known = CreateEventW(NULL, TRUE, FALSE, L"regckpt hook_handles known");
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"regckpt hook_handles");
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 64,
                                        L"regckpt hook_handles value");
    ULONG *shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 64);
    HANDLE child, copy, theirs;
    WCHAR words[300];

    hook();
    swprintf(words, ARRAYSIZE(words), L"set-and-wait %ls", other_path);
    child = start_child(words, FALSE, NULL);
    if (WaitForSingleObject(known, 30000)) testkey_die("waiting for the child", words, 0);
    TRY(DuplicateHandle(child, ULongToHandle(*shared), GetCurrentProcess(), &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    TRY(DuplicateHandle(GetCurrentProcess(), (HANDLE)opened(key, L"Child"), child, &theirs, 0, FALSE,
                        DUPLICATE_SAME_ACCESS));
    TRY(HandleToUlong(theirs) == *shared);
    SetEvent(ready);
    TRY(end_of(child));
    TRY(set((HKEY)copy, L"Not here either"));
    TRY(set(key, L"By the parent"));
}

/* A key that is not registered gets the name of a registered one, and loses it. */
static void moved_in(void)
{
    HKEY at;

    hook();
    at = opened(other, L"Child\\Grand");
    TRY(set(at, L"Not here"));
    TRY(RegRenameKey(other, L"Child", L"Third"));
    TRY(set(at, L"Here"));
    TRY(RegRenameKey(other, L"Third", L"Third too"));
    TRY(set(at, L"Not here any more"));
    TRY(set(key, L"After"));
}

/*
 * The new name sorts behind all others: in Wine 8.0 a key that sorts directly behind the new name of
 * its sibling is lost, and the server damaged.
 */
static void renamed(void)
{
    HKEY at;

    hook();
    at = opened(key, L"Child");
    TRY(set(at, L"Before"));
    TRY(RegRenameKey(key, L"Child", L"Third"));
    TRY(set(at, L"After"));
    TRY(set(opened(key, L"Third\\Grand"), L"Opened after"));
}

static void renamed_above(void)
{
    HKEY at;

    hook();
    at = opened(key, L"Child\\Grand");
    TRY(set(at, L"Before"));
    TRY(RegRenameKey(key, L"Child", L"Third"));
    TRY(set(at, L"After"));
}

static void renamed_by_other(void)
{
    WCHAR words[300];
    HKEY at, second;

    hook();
    at = opened(key, L"Child\\Grand");
    second = opened(key, L"Second");
    TRY(set(at, L"Before"));
    TRY(set(second, L"Before"));
    swprintf(words, ARRAYSIZE(words), L"rename %ls Child Third", key_path);
    TRY(run_child(words));
    TRY(set(at, L"After"));
    TRY(set(second, L"After"));
}

#endif
