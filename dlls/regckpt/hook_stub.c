/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ntdll's system call stubs, diverted to us.
 *
 * Every Nt function of Wine's ntdll is a stub of one shape that differs in the call's number only
 * and does not depend on where it lies: a copy of it is the real call.  A jump to our function over
 * the stub's beginning diverts every caller, whichever way it found the function, ntdll's own code
 * included.  A stub of any other shape (another Wine, another hook) is left alone, and so are all.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hook_private.h"

#define ANY (-1)

#ifdef __x86_64__
#include <emmintrin.h>
static const short shape[] = {
    0x4c, 0x8b, 0xd1,                               /* mov rcx, r10 */
    0xb8, ANY, ANY, ANY, ANY,                       /* mov number, eax */
    0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, /* testb 1, 0x7ffe0308 */
    0x75, 0x03, 0x0f, 0x05, 0xc3, 0xeb, 0x01, 0xc3, /* jne 1f; syscall; ret; jmp 1f; ret */
    0xff, 0x14, 0x25, 0x00, 0x10, 0xfe, 0x7f, 0xc3, /* 1: call *0x7ffe1000; ret */
};
#define NUMBER_AT 4
#define REST_AT 24 /* where 1 is */
#else
static const short shape[] = {
    0xb8, ANY, ANY, ANY, ANY, /* mov number, eax */
    0xba, ANY, ANY, ANY, ANY, /* mov dispatcher, edx */
    0xff, 0xd2,               /* call edx */
    0xc2, ANY, 0x00, 0x90,    /* ret arguments; nop */
};
#endif

#define STUB_BYTES (sizeof(shape) / sizeof(shape[0]))
#define STUB_ALIGN 16

struct patch {
    uint8_t *stub;
    void *function;
};

static bool is_known(const uint8_t *stub)
{
    for (size_t i = 0; i < STUB_BYTES; i++)
        if (shape[i] != ANY && shape[i] != stub[i])
            return false;
    return (uintptr_t)stub % STUB_ALIGN == 0;
}

/*
 * In one store, so that no thread can enter a stub that is half written.  What lies behind the jump
 * stays: calls that are under way return there.
 */
static void divert(const struct patch *p)
{
#ifdef __x86_64__
    static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *(behind this) */
    uint8_t code[16] __attribute__((aligned(16)));

    memcpy(code, p->stub, sizeof(code));
    memcpy(code, jump, sizeof(jump));
    memcpy(code + sizeof(jump), &p->function, sizeof(p->function));
    _mm_store_si128((__m128i *)p->stub, _mm_load_si128((const __m128i *)code));
#else
    uint32_t distance = (uint8_t *)p->function - (p->stub + 5);
    uint8_t code[8] __attribute__((aligned(8)));

    memcpy(code, p->stub, sizeof(code));
    code[0] = 0xe9; /* jmp */
    memcpy(code + 1, &distance, sizeof(distance));
    __atomic_store_n((uint64_t *)p->stub, *(const uint64_t *)code, __ATOMIC_SEQ_CST);
#endif
}

/*
 * The real call by what its stub's first part does and a jump to the rest, which lies in a cache line
 * that was just used: a copy of the stub is on a page that nobody else uses.
 */
#ifdef __x86_64__
#define REAL_QUICK(name, rest, number) \
    __asm__(".text\n" \
            ".hidden real_" #name "\n" \
            ".globl real_" #name "\n" \
            ".type real_" #name ", @function\n" \
            "real_" #name ":\n\t" \
            ".cfi_startproc\n\t" \
            "movq %rcx, %r10\n\t" \
            "movl hook + " #number "(%rip), %eax\n\t" \
            "jmp *hook + " #rest "(%rip)\n\t" \
            ".cfi_endproc\n\t" \
            ".size real_" #name ", . - real_" #name)
__asm__(".text\n\t.balign 64"); /* they fit into one cache line */
REAL_QUICK(NtSetValueKey, 0, 8);
REAL_QUICK(NtClose, 16, 24);
REAL_QUICK(NtOpenKey, 32, 40);
REAL_QUICK(NtOpenKeyEx, 48, 56);
#define AT(call, member) (offsetof(struct hook_context, quick) + (call) * sizeof(struct real_quick) + \
                          offsetof(struct real_quick, member))
_Static_assert(AT(QUICK_SET_VALUE, rest) == 0 && AT(QUICK_SET_VALUE, number) == 8 &&
               AT(QUICK_CLOSE, rest) == 16 && AT(QUICK_OPEN, rest) == 32 &&
               AT(QUICK_OPEN_EX, rest) == 48 && AT(QUICK_OPEN_EX, number) == 56,
               "what these functions take");

static void make_quick(const struct hook_row *row, uint8_t *stub)
{
    static void *const functions[QUICK_CALLS] = {
        [QUICK_SET_VALUE] = hook_NtSetValueKey,
        [QUICK_CLOSE] = hook_NtClose,
        [QUICK_OPEN] = hook_NtOpenKey,
        [QUICK_OPEN_EX] = hook_NtOpenKeyEx,
    };

    for (size_t i = 0; i < QUICK_CALLS; i++)
        if (row->function == functions[i]) {
            memcpy(&hook.quick[i].number, stub + NUMBER_AT, sizeof(hook.quick[i].number));
            hook.quick[i].rest = stub + REST_AT;
        }
}
#else
static void make_quick(const struct hook_row *row, uint8_t *stub)
{
    (void)row;
    (void)stub;
}
#endif

/*
 * Adds the stubs of one row, Nt and Zw being one in all Wines seen so far, and copies the first to
 * be the real call.  A function this ntdll does not have is called by nobody.
 */
static bool add_row(HMODULE ntdll, const struct hook_row *row, uint8_t *copy, struct patch *patches,
                    size_t *count, char *why, size_t why_bytes)
{
    static const char *const prefixes[] = {"Nt", "Zw"};
    uint8_t *first = NULL;

    for (size_t i = 0; i < 2; i++) {
        char name[64];
        uint8_t *stub;

        snprintf(name, sizeof(name), "%s%s", prefixes[i], row->name);
        stub = (uint8_t *)GetProcAddress(ntdll, name);
        if (!stub || stub == first)
            continue;
        if (!is_known(stub)) {
            snprintf(why, why_bytes,
                     "ntdll's %s is not the system call stub that is known here: another version "
                     "of Wine, or another program has hooked it", name);
            return false;
        }
        if (!first) {
            first = stub;
            memcpy(copy, stub, STUB_BYTES);
            *row->real = copy;
            make_quick(row, stub);
        }
        patches[*count].stub = stub;
        patches[(*count)++].function = row->function;
    }
    return true;
}

/* Writes all jumps; they lie close together, so one change of protection serves all, or fails. */
static bool write_patches(const struct patch *patches, size_t count, char *why, size_t why_bytes)
{
    uint8_t *from = patches[0].stub, *to = patches[0].stub;
    DWORD old;

    for (size_t i = 1; i < count; i++) {
        if (patches[i].stub < from)
            from = patches[i].stub;
        if (patches[i].stub > to)
            to = patches[i].stub;
    }
    if (!VirtualProtect(from, to + STUB_BYTES - from, PAGE_EXECUTE_READWRITE, &old)) {
        snprintf(why, why_bytes, "ntdll's code cannot be made writable: Win32 error %u",
                 (unsigned)GetLastError());
        return false;
    }
    for (size_t i = 0; i < count; i++)
        divert(&patches[i]);
    VirtualProtect(from, to + STUB_BYTES - from, old, &old);
    FlushInstructionCache(GetCurrentProcess(), from, to + STUB_BYTES - from);
    return true;
}

bool hook_stubs_install(const struct hook_row *rows, size_t count, char *why, size_t why_bytes)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    size_t bytes = count * STUB_BYTES, patch_count = 0;
    struct patch *patches = HeapAlloc(GetProcessHeap(), 0, 2 * count * sizeof(*patches));
    uint8_t *copies = VirtualAlloc(NULL, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    bool done = patches && copies;
    DWORD old;

    if (!done)
        snprintf(why, why_bytes, "no memory");
    for (size_t i = 0; i < count && done; i++)
        done = add_row(ntdll, &rows[i], copies + i * STUB_BYTES, patches, &patch_count, why,
                       why_bytes);
    if (done && !VirtualProtect(copies, bytes, PAGE_EXECUTE_READ, &old)) {
        snprintf(why, why_bytes, "memory cannot be made executable: Win32 error %u",
                 (unsigned)GetLastError());
        done = false;
    }
    done = done && write_patches(patches, patch_count, why, why_bytes);
    if (!done && copies)
        VirtualFree(copies, 0, MEM_RELEASE);
    HeapFree(GetProcessHeap(), 0, patches);
    return done;
}
