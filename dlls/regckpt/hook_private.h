/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of regckpt.dll share.
 *
 * The hooks run in the program's own threads, on its stacks, and such a thread can be ended at any
 * instruction: our locks are ring_word_take's, waited for with a bound, and what they guard is
 * usable after each single store.  No large local arrays: the stack grows a page at a time.
 */
#ifndef REGCKPT_HOOK_PRIVATE_H
#define REGCKPT_HOOK_PRIVATE_H

#include <stdarg.h>
#include <stdbool.h>

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

#include "hook.h"
#include "ring.h"

#define HIDDEN __attribute__((visibility("hidden"))) /* reached without a table of addresses */
#define COLD __attribute__((cold, noinline)) /* apart from the code of the usual case */
/*
 * WINAPI but for the aligning of the stack, which a program might have left unaligned: who needs none of
 * it and goes on to another function in each case, with the same arguments, is a few instructions long.
 */
#ifdef __x86_64__
#define PASSING_ON __attribute__((ms_abi))
#else
#define PASSING_ON __attribute__((stdcall))
#endif

/* --- hook_stub.c --- */

struct hook_row;
/*
 * Puts all hooks in place, or none and says why.  Other threads may run, as long as none of them is
 * just in the first bytes of a stub.
 */
bool hook_stubs_install(const struct hook_row *rows, size_t count, char *why, size_t why_bytes);

/* Those that programs call most: real_... is the real one by a shorter way than real. is. */
enum { QUICK_SET_VALUE, QUICK_CLOSE, QUICK_OPEN, QUICK_OPEN_EX, QUICK_CALLS };
#ifdef __x86_64__
HIDDEN __typeof__(NtSetValueKey) real_NtSetValueKey;
HIDDEN __typeof__(NtClose) real_NtClose;
HIDDEN __typeof__(NtOpenKey) real_NtOpenKey;
HIDDEN __typeof__(NtOpenKeyEx) real_NtOpenKeyEx;
#else
#define real_NtSetValueKey real.NtSetValueKey
#define real_NtClose real.NtClose
#define real_NtOpenKey real.NtOpenKey
#define real_NtOpenKeyEx real.NtOpenKeyEx
#endif

/* --- hook_main.c --- */

#define HOOK_PAGE 4096
#define FIRST_HANDLES 192
#define NOTES_BYTES (2u << 20)

/*
 * What the usual calls touch of ours: the first two cache lines, and beside them on one page the entries
 * of the first handles and the first notes (hook_handles.h).  See ring_quick.h for why.
 */
struct hook_context { /* set before any hook is in place, but for serial, handles and notes */
    struct real_quick {       /* the calls that are made most: hook_stub.c */
        void *rest;           /* the part of ntdll's stub that the jump to us leaves as it is, */
        uint32_t number;      /* and the call's number, which the other part would have loaded */
    } RING_ALIGNED(16) quick[QUICK_CALLS];
    uint32_t process;           /* our place in the ring's table */
    uint32_t serial;            /* the last one of an entry that is not known (hook_handles.h) */
    uintptr_t own_tid;          /* where in a thread's storage ring_own_tid is, x86-64: hook_set_value.c */
    struct ring ring;
    const WCHAR *directory;     /* the run directory, as LoadLibrary takes it */
    const char *installed;      /* the Unix directory that the DLL's link leads to */
    uint64_t first_handles[FIRST_HANDLES] RING_ALIGNED(RING_CACHE_LINE);
    uint8_t notes[NOTES_BYTES] RING_ALIGNED(RING_CACHE_LINE);
};
extern HIDDEN struct hook_context hook RING_ALIGNED(HOOK_PAGE);

/* --- hook_table.c: all that is hooked, in ntdll as Nt... and Zw... --- */

#define HOOK_FUNCTIONS(row) \
    row(NtClose) \
    row(NtCreateKey) \
    row(NtCreateKeyTransacted) \
    row(NtCreateUserProcess) \
    row(NtDeleteKey) \
    row(NtDeleteValueKey) \
    row(NtDuplicateObject) \
    row(NtFlushKey) \
    row(NtLoadKey) \
    row(NtLoadKey2) \
    row(NtLoadKeyEx) \
    row(NtOpenKey) \
    row(NtOpenKeyEx) \
    row(NtOpenKeyTransacted) \
    row(NtOpenKeyTransactedEx) \
    row(NtRenameKey) \
    row(NtReplaceKey) \
    row(NtRestoreKey) \
    row(NtSetValueKey) \
    row(NtUnloadKey)

/* Ours, each of the real one's type. */
#define HOOK_DECLARE(name) __typeof__(name) hook_##name;
HOOK_FUNCTIONS(HOOK_DECLARE)

/* The real ones: copies of ntdll's stubs. */
#define HOOK_MEMBER(name) __typeof__(name) *name;
struct hook_real { HOOK_FUNCTIONS(HOOK_MEMBER) };
extern HIDDEN struct hook_real real;

struct hook_row {
    const char *name; /* without the "Nt" */
    void *function;   /* ours */
    void **real;
};
extern const struct hook_row hook_rows[];
extern const size_t hook_row_count;

/* --- hook_names.c: names of keys --- */

enum key_place {
    PLACE_APART,      /* neither of these: */
    PLACE_ABOVE,      /* a registered key lies below it */
    PLACE_REGISTERED, /* a registered key, or below one */
    PLACE_GONE,       /* deleted */
    PLACE_UNKNOWN,    /* could not be found out */
};

#define KEY_NAME_ROOM 1024 /* bytes: longer names are malloc'ed */

struct key_name {
    enum key_place place;
    uint32_t generation;   /* of the ring, before the name was asked for */
    uint32_t key_id, lane; /* of a registered one, */
    struct utf16 path;     /* relative to the registered key; a view of what is below or a note */
    struct utf16 full;     /* of one that was asked for: from the registry's root */
    void *memory;          /* private: malloc'ed, if room was too small */
    uint8_t room[KEY_NAME_ROOM] __attribute__((aligned(8)));
};

/* Asks for the name of an open key, and where it belongs. */
void key_name_ask(HANDLE key, struct key_name *name);
/* Where a full name belongs; sets place, key_id, lane and path (a view of full). */
void key_name_classify(struct utf16 full, struct key_name *name);
void key_name_free(struct key_name *name);

/* --- hook_handles.c: what is known of handles --- */

/* As key_name_ask, from the table if the handle is known there. */
void key_name_find(HANDLE key, struct key_name *name);
/*
 * Is it known that calls on this handle change no registered key?  A few instructions, and WINAPI
 * like all on the shortest ways: who calls functions of the other convention saves ten registers
 * first.
 */
bool WINAPI handle_is_apart(HANDLE handle);

/* --- hook_values.c --- */

/* NtSetValueKey in every case: hook_set_value.c has the quick one. */
NTSTATUS WINAPI set_value_patiently(HANDLE key, const UNICODE_STRING *name, ULONG index, ULONG type,
                                    const void *data, ULONG size_bytes);

/* --- hook_call.c: one hooked call --- */

enum call_mode {
    CALL_PLAIN,  /* the real call, nothing else */
    CALL_REPORT, /* the lane is held: the real call, then its change into the ring */
    CALL_WAIT,   /* the server reports: the real call, nothing else but waiting for the commit */
    CALL_FLAG,   /* the real call without a lane, then a scan is asked for */
    CALL_REFUSE, /* STATUS_REGISTRY_IO_FAILED instead of the real call */
};

struct hook_call {
    enum call_mode mode;
    enum ring_scan why;   /* of CALL_FLAG */
    uint64_t number;      /* of what was reported or flagged; 0: nothing was */
    uint64_t had;         /* bits of lanes that are held */
    bool laneless;        /* the ring knows that this call is made without a lane */
    int errnum;           /* the caller's errno */
    struct key_name name; /* of the key */
};

/* For a change in an open key.  sure: its name is asked for again with the lane held. */
void call_begin(struct hook_call *call, HANDLE key, bool sure);
/* For a change of many keys: takes all lanes. */
void call_begin_all(struct hook_call *call);
/* For a key that is only known by the last component of its name. */
void call_begin_lane(struct hook_call *call, struct utf16 name);
/* Reports a change; key_id and path are filled in. */
void call_report(struct hook_call *call, struct change *change, uint32_t flags);
void call_flag(struct hook_call *call, enum ring_scan why);
/* After a change that the server has reported by now. */
void call_counted(struct hook_call *call);
/*
 * Waits for the commit of what has this number, if it has to; returns what call_end returns.  Not with
 * a lane.
 */
NTSTATUS call_wait(uint64_t number, NTSTATUS status);
/*
 * Gives back what is held and waits for the commit if it has to; returns what the hook returns:
 * status, or STATUS_REGISTRY_IO_FAILED if it is not known to be committed.
 */
NTSTATUS call_end(struct hook_call *call, NTSTATUS status);

/* Is the ring in use at all?  If not, every hook is just the real call. */
static inline bool ring_in_use(void)
{
    return __atomic_load_n(&hook.ring.shared->state, __ATOMIC_RELAXED) != RING_CLOSED;
}

/* Does wineserver report what changes?  Then we do not. */
static inline bool server_reports(void)
{
    return hook.ring.by_server;
}

static inline bool ring_refuses(void)
{
    return __atomic_load_n(&hook.ring.shared->state, __ATOMIC_RELAXED) == RING_REFUSING;
}

/* Neither of both. */
static inline bool ring_is_open(void)
{
    return __atomic_load_n(&hook.ring.shared->state, __ATOMIC_RELAXED) == RING_OPEN;
}

/* A view of a string of the caller's, without half a unit at its end. */
static inline struct utf16 view_of(const UNICODE_STRING *s)
{
    struct utf16 view = {(const uint16_t *)s->Buffer, s->Length / sizeof(WCHAR)};
    return view;
}

/* --- hook_where.c --- */

/*
 * Where the key belongs that these attributes name, and whether it exists: asked for only where
 * that must be known before the call.
 */
enum key_place attributes_place(const OBJECT_ATTRIBUTES *attr, ACCESS_MASK access, bool *exists);
/* The name in the attributes, checked to be readable; false: the real call will fail. */
bool attributes_name(const OBJECT_ATTRIBUTES *attr, struct utf16 *name);

#endif
