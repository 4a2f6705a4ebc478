/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * racer: processes and threads that change the same keys under each other's feet, at random.
 *
 *   racer drive MANNER KEY SEED STEPS PROCESSES WIDTHS DONE
 *       starts PROCESSES workers, of both widths in turn if WIDTHS is "both", waits for them,
 *       sets a last value, makes the file DONE ("fine", or what failed), and then waits to be ended.
 *       rough: two doomed ones as well, which do not end by themselves, and as long as one of them is
 *       there the workers go on.
 *   racer steady KEY SEED STEPS    a worker: THREADS threads, STEPS changes each; no key is deleted,
 *                                  and none made after a while: all there is can be reported
 *   racer calm KEY SEED STEPS      the same, and keys are deleted and made again
 *   racer rough KEY SEED STEPS     the same, and renames, values too large for a lane, links, and
 *                                  threads that are suspended for a while
 *   racer doomed KEY SEED STEPS    the same without end, and its threads are terminated
 *   racer idle                     waits to be ended
 *
 * The keys are HKLM\KEY, 64-bit view, and HKLM\KEY, 32-bit view.  Keys named "Volatile" and those
 * below are volatile, and no others are.
 *
 * The threads of a doomed one call nothing that takes the process's heap or the C library's locks, so
 * that one that is terminated cannot leave them locked.
 */
#include "testprogram.h"

#define USAGE "racer drive MANNER KEY SEED STEPS PROCESSES WIDTHS DONE | " \
              "steady|calm|rough|doomed KEY SEED STEPS | idle"
#define THREADS 4
#define SLOTS 6
#define LARGEST (300 * 1024) /* more than a lane of the ring has */
#define PROCESSES_MAX 32
#define SUSPENDED_MS_MAX 45  /* about twice what a call waits for a lane */
#define MOMENTS 5000
#define MOMENTS_PER_SECOND 1000
#define PAUSE_MS_MAX 4       /* the ring is not to be full, or scans would tell more than reports */

NTSTATUS NTAPI NtDeleteKey(HANDLE key);

enum manner { STEADY, CALM, ROUGH, DOOMED };
static const WCHAR *const manners[] = {L"steady", L"calm", L"rough", L"doomed"};

static struct {
    enum manner manner;
    const WCHAR *key;
    unsigned seed, steps;
    HANDLE renaming; /* a mutex of all workers */
    HANDLE over;     /* an event: the doomed ones are gone */
} me;

/* A key that is open, whatever becomes of it. */
struct slot {
    HKEY key; /* NULL: none */
    BOOL is_volatile;
};

struct racer {
    unsigned random;
    LONG running; /* 1: between its first step and its last; who sets it to 0 decides how it ends */
    HANDLE thread;
    HKEY roots[2];
    struct slot slots[SLOTS];
    WCHAR path[200], name[64];
    BYTE data[LARGEST];
};

static struct racer *racers[THREADS];

static unsigned below(unsigned *random, unsigned n)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random % n;
}

/* A start for below(): never 0, and far apart for numbers that are not. */
static unsigned seeded(unsigned seed, unsigned number)
{
    return ((seed * 2654435761u) ^ (number * 0x9e3779b9u)) | 1;
}

/* --- names --- */

static const WCHAR *const key_names[] = {
    L"a", L"B", L"c", L"d e", L"\x00e9\x4e2d", L"Parameters", L"history", L"1", L"{7d}",
    L"\x03a3\x0433", L"x.y"};
static const WCHAR volatile_name[] = L"Volatile"; /* directly below the registered key */
static const WCHAR *const new_names[] = {L"a", L"b", L"b2", L"1", L"0 renamed"};
static const WCHAR *const value_names[] = {L"", L"x", L"Y", L"Counter", L"\x00fc\x3042",
                                           L"a name \\ of some length, with a backslash"};

/* Appends a name, its ASCII letters in a case of their own now and then. */
static void append_name(struct racer *r, WCHAR *to, const WCHAR *name)
{
    BOOL swaps = !below(&r->random, 4);

    for (to += wcslen(to); *name; name++, to++) {
        *to = *name;
        if (swaps && ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z'))) *to ^= 0x20;
    }
    *to = 0;
}

static void pick_value_name(struct racer *r)
{
    r->name[0] = 0;
    append_name(r, r->name, value_names[below(&r->random, ARRAYSIZE(value_names))]);
}

/* A path of one to three names.  TRUE: below a volatile key, or that key itself. */
static BOOL pick_path(struct racer *r)
{
    unsigned depth = 1 + below(&r->random, 3), i;
    BOOL is_volatile = !below(&r->random, 12);

    r->path[0] = 0;
    if (is_volatile) wcscpy(r->path, volatile_name);
    for (i = is_volatile; i < depth; i++) {
        if (i) wcscat(r->path, L"\\");
        append_name(r, r->path, key_names[below(&r->random, ARRAYSIZE(key_names))]);
    }
    return is_volatile;
}

/* --- keys --- */

static HKEY open_root(unsigned index)
{
    REGSAM view = index ? KEY_WOW64_32KEY : KEY_WOW64_64KEY;
    HKEY key;
    LSTATUS error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, me.key, 0, NULL, 0, KEY_ALL_ACCESS | view, NULL,
                                    &key, NULL);

    if (error) testkey_die("RegCreateKeyEx", me.key, error);
    return key;
}

/* One of the two registered keys, made again if somebody has deleted it. */
static HKEY pick_root(struct racer *r)
{
    unsigned index = below(&r->random, 2);

    if (RegQueryInfoKeyW(r->roots[index], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                         NULL)) {
        RegCloseKey(r->roots[index]);
        r->roots[index] = open_root(index);
    }
    return r->roots[index];
}

static struct slot *pick_slot(struct racer *r)
{
    return &r->slots[below(&r->random, SLOTS)];
}

static void take_slot(struct racer *r, HKEY key, BOOL is_volatile)
{
    struct slot *s = pick_slot(r);

    if (s->key) RegCloseKey(s->key);
    s->key = key;
    s->is_volatile = is_volatile;
}

/* A key that is open: mostly one below a registered key. */
static HKEY pick_key(struct racer *r)
{
    struct slot *s = pick_slot(r);

    return s->key ? s->key : pick_root(r);
}

/* --- steps --- */

/* Sizes that programs have mostly, some that are large, and a few that no lane can hold. */
static DWORD pick_size(struct racer *r)
{
    unsigned kind = below(&r->random, 400);

    if (kind < 300 || me.manner == STEADY) return below(&r->random, 40);
    if (kind < 390) return below(&r->random, 1000);
    if (kind < 399 || me.manner <= CALM) return below(&r->random, 20000);
    return LARGEST - below(&r->random, 20000);
}

static void set_value(struct racer *r)
{
    DWORD size = pick_size(r), i;
    unsigned value = below(&r->random, 1u << 30);

    for (i = 0; i < size && i < 64; i++) r->data[i] = (BYTE)(value >> i % 30);
    pick_value_name(r);
    RegSetValueExW(pick_key(r), r->name, 0, below(&r->random, 13), r->data, size);
}

/*
 * All threads set one value at a time, and another one a moment later: which of them was the last is
 * there to see from then on.
 */
static void set_of_the_moment(struct racer *r)
{
    LARGE_INTEGER now, second;
    unsigned value;

    QueryPerformanceFrequency(&second);
    QueryPerformanceCounter(&now);
    swprintf(r->name, ARRAYSIZE(r->name), L"moment %u",
             (unsigned)(now.QuadPart * MOMENTS_PER_SECOND / second.QuadPart % MOMENTS));
    value = below(&r->random, 1u << 30);
    RegSetValueExW(r->roots[0], r->name, 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
}

static void create_key(struct racer *r)
{
    BOOL is_volatile = pick_path(r);
    const WCHAR *class = below(&r->random, 8) ? NULL : below(&r->random, 2) ? L"One class" : L"Another";
    HKEY key;

    if (!RegCreateKeyExW(pick_root(r), r->path, 0, (WCHAR *)class,
                         is_volatile ? REG_OPTION_VOLATILE : REG_OPTION_NON_VOLATILE,
                         KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, &key, NULL))
        take_slot(r, key, is_volatile);
}

static void open_key(struct racer *r)
{
    BOOL is_volatile = pick_path(r);
    HKEY key;

    if (!RegOpenKeyExW(pick_root(r), r->path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key))
        take_slot(r, key, is_volatile);
}

static void duplicate(struct racer *r)
{
    struct slot *s = pick_slot(r);
    BOOL is_volatile = s->is_volatile;
    HANDLE copy;

    if (s->key && DuplicateHandle(GetCurrentProcess(), s->key, GetCurrentProcess(), &copy, 0, FALSE,
                                  DUPLICATE_SAME_ACCESS))
        take_slot(r, copy, is_volatile);
}

static void close_slot(struct racer *r)
{
    struct slot *s = pick_slot(r);

    if (s->key) RegCloseKey(s->key);
    s->key = NULL;
}

/* By its name, or by a handle that may be as old as the program. */
static void delete_key(struct racer *r)
{
    struct slot *s = pick_slot(r);

    if (below(&r->random, 2)) {
        pick_path(r);
        RegDeleteKeyExW(pick_root(r), r->path, KEY_WOW64_64KEY, 0);
    } else if (s->key) {
        NtDeleteKey(s->key);
    }
}

static void delete_value(struct racer *r)
{
    pick_value_name(r);
    RegDeleteValueW(pick_key(r), r->name);
}

/* Calls that take the heap; the registered key itself goes too, where nobody was quicker. */
static void delete_tree(struct racer *r)
{
    HKEY root = pick_root(r);

    if (me.manner == DOOMED) return;
    pick_path(r);
    RegDeleteTreeW(root, below(&r->random, 20) ? r->path : NULL);
    NtDeleteKey(root);
}

/* Would this new name sort before the key's present one? */
static BOOL sorts_lower(HKEY key, const WCHAR *new_name)
{
    struct { ULONG len; WCHAR name[400]; } info; /* KEY_NAME_INFORMATION */
    ULONG needed, len, at;

    if (NtQueryKey(key, (KEY_INFORMATION_CLASS)3, &info, sizeof(info), &needed)) return FALSE;
    len = info.len / sizeof(WCHAR);
    for (at = len; at && info.name[at - 1] != '\\'; at--) ;
    return CompareStringOrdinal(new_name, -1, info.name + at, len - at, TRUE) == CSTR_LESS_THAN;
}

/*
 * Only downwards, one at a time in all processes: where the new name sorts right behind the old one,
 * Wine 8.0's server overwrites the next sibling in its list, and works on with memory that it freed.
 */
static void rename_key(struct racer *r)
{
    struct slot *s = pick_slot(r);
    UNICODE_STRING name;

    if (!s->key || s->is_volatile) return;
    r->name[0] = 0;
    append_name(r, r->name, new_names[below(&r->random, ARRAYSIZE(new_names))]);
    name = testkey_string(r->name, wcslen(r->name));
    WaitForSingleObject(me.renaming, INFINITE);
    if (sorts_lower(s->key, r->name)) NtRenameKey(s->key, &name);
    ReleaseMutex(me.renaming);
}

/* A link to another key of the same tree; its name is none of the others'. */
static void make_link(struct racer *r)
{
    static const WCHAR to[] = L"\\Registry\\Machine\\";
    WCHAR *at = (WCHAR *)r->data;
    HKEY key;

    if (RegCreateKeyExW(pick_root(r), L"link", 0, NULL, REG_OPTION_CREATE_LINK,
                        KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, &key, NULL))
        return;
    pick_path(r);
    at += swprintf(at, 400, L"%ls%ls\\%ls", to, me.key, r->path);
    RegSetValueExW(key, L"SymbolicLinkValue", 0, REG_LINK, r->data,
                   (DWORD)((BYTE *)at - r->data));
    RegCloseKey(key);
}

static void through_link(struct racer *r)
{
    HKEY key;

    wcscpy(r->path, L"link");
    if (below(&r->random, 2)) append_name(r, wcscat(r->path, L"\\"), key_names[0]);
    if (!RegOpenKeyExW(pick_root(r), r->path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key))
        take_slot(r, key, TRUE); /* it may be: never renamed */
}

static void step(struct racer *r, unsigned i)
{
    BOOL opens_only = me.manner == STEADY && i > me.steps / 4;
    unsigned kind = below(&r->random, 1000);

    if (kind < 400 && me.manner == STEADY) set_of_the_moment(r);
    else if (kind < 480) set_value(r);
    else if (kind < 580) delete_value(r);
    else if (kind < 730 && !opens_only) create_key(r);
    else if (kind < 800) open_key(r);
    else if (kind < 830) duplicate(r);
    else if (kind < 860) close_slot(r);
    else if (me.manner == STEADY) set_of_the_moment(r);
    else if (kind < 970) delete_key(r);
    else if (kind < 985) delete_tree(r);
    else if (kind < 987) RegFlushKey(pick_key(r));
    else if (me.manner == CALM) set_value(r);
    else if (kind < 990) make_link(r);
    else if (kind < 995) through_link(r);
    else rename_key(r);
}

/* --- a worker --- */

/* After its steps: a doomed one does always, a rough one as long as there is one of them. */
static BOOL goes_on(void)
{
    return me.manner == DOOMED || (me.manner == ROUGH && WaitForSingleObject(me.over, 0));
}

static DWORD CALLBACK race(void *arg)
{
    struct racer *r = arg;
    unsigned i;

    InterlockedExchange(&r->running, 1);
    for (i = 0; i < me.steps || goes_on(); i++) {
        step(r, i);
        if (me.manner <= CALM) Sleep(below(&r->random, PAUSE_MS_MAX));
    }
    /* somebody is about to terminate it */
    if (!InterlockedCompareExchange(&r->running, 0, 1)) Sleep(INFINITE);
    return 0;
}

static void start(unsigned index, unsigned number)
{
    struct racer *r = racers[index];

    r->random = seeded(me.seed, number);
    r->roots[0] = open_root(0);
    r->roots[1] = open_root(1);
    memset(r->slots, 0, sizeof(r->slots)); /* what a terminated one had open stays so */
    r->thread = CreateThread(NULL, 0, race, r, 0, NULL);
    if (!r->thread) testkey_die("CreateThread", NULL, GetLastError());
}

static void suspend_one(unsigned *random)
{
    HANDLE thread = racers[below(random, THREADS)]->thread;

    SuspendThread(thread);
    Sleep(below(random, SUSPENDED_MS_MAX));
    ResumeThread(thread);
    Sleep(below(random, SUSPENDED_MS_MAX));
}

static void terminate_one(unsigned *random, unsigned number)
{
    unsigned index = below(random, THREADS);
    struct racer *r = racers[index];

    if (InterlockedCompareExchange(&r->running, 0, 1) == 1) {
        TerminateThread(r->thread, 1);
        WaitForSingleObject(r->thread, INFINITE);
        CloseHandle(r->thread);
        start(index, number);
    }
    Sleep(below(random, 20));
}

static void make_event(void)
{
    me.over = CreateEventW(NULL, TRUE, FALSE, L"racer has no doomed ones");
    if (!me.over) testkey_die("CreateEvent", NULL, GetLastError());
}

static int work(void)
{
    unsigned random = seeded(me.seed, 1000000), i;

    me.renaming = CreateMutexW(NULL, FALSE, L"racer is renaming");
    if (!me.renaming) testkey_die("CreateMutex", NULL, GetLastError());
    make_event();
    for (i = 0; i < THREADS; i++) {
        racers[i] = testkey_alloc(NULL, sizeof(*racers[i]));
        memset(racers[i], 0, sizeof(*racers[i]));
        start(i, i);
    }
    for (i = THREADS; me.manner == DOOMED; i++) {
        suspend_one(&random);
        terminate_one(&random, i);
    }
    for (i = 0; i < THREADS; i++)
        while (WaitForSingleObject(racers[i]->thread, me.manner == ROUGH ? 0 : INFINITE))
            suspend_one(&random);
    return 0;
}

/* --- the driver --- */

static HANDLE start_worker(enum manner manner, unsigned number, BOOL both)
{
    WCHAR program[MAX_PATH], line[2 * MAX_PATH];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    size_t len;

    GetModuleFileNameW(NULL, program, ARRAYSIZE(program));
    len = wcslen(program);
    if (both && len > 6) memcpy(program + len - 6, number % 2 ? L"32" : L"64", 2 * sizeof(WCHAR));
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" %ls %ls %u %u", program, manners[manner], me.key,
             seeded(me.seed, 77 + number) >> 1, me.steps);
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info))
        testkey_die("CreateProcess", line, GetLastError());
    CloseHandle(info.hThread);
    return info.hProcess;
}

/* After the workers: both keys are there, and each has a last value. */
static void finish(const WCHAR *file, const char *verdict)
{
    DWORD written;
    unsigned i;
    HANDLE done;

    for (i = 0; i < 2; i++) {
        HKEY root = open_root(i);
        RegSetValueExW(root, L"Done", 0, REG_SZ, (const BYTE *)me.key, sizeof(WCHAR));
        RegCloseKey(root);
    }
    done = CreateFileW(file, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL);
    if (done == INVALID_HANDLE_VALUE) testkey_die("CreateFile", file, GetLastError());
    WriteFile(done, verdict, (DWORD)strlen(verdict), &written, NULL);
    CloseHandle(done);
}

static int drive(unsigned processes, BOOL both, const WCHAR *file)
{
    HANDLE workers[PROCESSES_MAX];
    unsigned doomed = me.manner == ROUGH ? 2 : 0, i;
    char verdict[100] = "fine\n";
    DWORD code;

    if (processes + doomed > PROCESSES_MAX) usage_exit(USAGE);
    make_event();
    for (i = 0; i < processes + doomed; i++)
        workers[i] = start_worker(i < processes ? me.manner : DOOMED, i, both);
    for (i = processes; i < processes + doomed; i++)
        WaitForSingleObject(workers[i], INFINITE);
    SetEvent(me.over);
    for (i = 0; i < processes; i++) {
        WaitForSingleObject(workers[i], INFINITE);
        if (!GetExitCodeProcess(workers[i], &code) || code)
            sprintf(verdict, "worker %u ended with %lu\n", i, (unsigned long)code);
    }
    finish(file, verdict);
    Sleep(INFINITE);
    return 0;
}

static enum manner manner_of(const WCHAR *word)
{
    unsigned i;

    for (i = 0; i < ARRAYSIZE(manners); i++)
        if (!wcscmp(word, manners[i])) return i;
    usage_exit(USAGE);
    return CALM;
}

static int program(int argc, WCHAR *argv[])
{
    int at = 0;
    BOOL drives;
    const WCHAR *word = next_argument(argc, argv, &at, USAGE);

    if (!wcscmp(word, L"idle")) Sleep(INFINITE);
    drives = !wcscmp(word, L"drive");
    if (drives) word = next_argument(argc, argv, &at, USAGE);
    me.manner = manner_of(word);
    me.key = next_argument(argc, argv, &at, USAGE);
    me.seed = next_number(argc, argv, &at, USAGE);
    me.steps = next_number(argc, argv, &at, USAGE);
    if (drives) {
        unsigned processes = next_number(argc, argv, &at, USAGE);
        BOOL both = !wcscmp(next_argument(argc, argv, &at, USAGE), L"both");
        return drive(processes, both, next_argument(argc, argv, &at, USAGE));
    }
    return work();
}
