/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * chainer: values that depend on each other, over threads, keys and processes.
 *
 *   chainer drive KEY CHAINS LENGTH PROCESSES WIDTHS LOGS
 *       starts PROCESSES processes, of both widths in turn if WIDTHS is "both", and waits for ever.
 *   chainer link KEY CHAINS LENGTH PROCESSES INDEX LOGS      one of them
 *
 * Link E of chain C is the value "N", a number, of the key HKLM\KEY\C-E (64-bit view), written by a
 * thread of its own in process (C + E) modulo PROCESSES.  It is set to N after link E-1 was read and
 * was N; link 0 is set to the next number after the last link was read and has the present one.
 * Chain CHAINS + INDEX is a process's own: one thread sets its links to N, one after the other.
 *
 * So whenever one looks: no link is ahead of the one before it.
 *
 * When a link's call has returned, its number is a line in the file LOGS\C-E, written without a buffer.
 * A start goes on with the numbers that it finds.
 */
#include "testprogram.h"

#define USAGE "chainer drive KEY CHAINS LENGTH PROCESSES WIDTHS LOGS | " \
              "link KEY CHAINS LENGTH PROCESSES INDEX LOGS"
#define LINKS_MAX 256
#define LOOKS 20 /* at the link before, until it sleeps for a moment */

static struct {
    const WCHAR *key, *logs;
    unsigned chains, length, processes, index;
} me;

struct link {
    unsigned chain, element;
    HKEY key, before; /* before: the one it waits for */
    HANDLE log;
    DWORD number;
};

static HKEY open_link(unsigned chain, unsigned element)
{
    WCHAR path[MAX_PATH];
    LSTATUS error;
    HKEY key;

    swprintf(path, ARRAYSIZE(path), L"%ls\\%u-%u", me.key, chain, element);
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY,
                            NULL, &key, NULL);
    if (error) testkey_die("RegCreateKeyEx", path, error);
    return key;
}

static DWORD number_of(HKEY key)
{
    DWORD number = 0, size = sizeof(number);

    return RegQueryValueExW(key, L"N", NULL, NULL, (BYTE *)&number, &size) ? 0 : number;
}

static void init(struct link *l, unsigned chain, unsigned element)
{
    WCHAR path[MAX_PATH];

    l->chain = chain;
    l->element = element;
    l->key = open_link(chain, element);
    l->before = open_link(chain, (element + me.length - 1) % me.length);
    l->number = number_of(l->key);
    swprintf(path, ARRAYSIZE(path), L"%ls\\%u-%u", me.logs, chain, element);
    l->log = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS,
                         0, NULL);
    if (l->log == INVALID_HANDLE_VALUE) testkey_die("CreateFile", path, GetLastError());
}

/* Sets a link; a call that was not acknowledged is its last. */
static void set(struct link *l, DWORD number)
{
    char line[16];
    DWORD written;

    l->number = number;
    if (RegSetValueExW(l->key, L"N", 0, REG_DWORD, (const BYTE *)&number, sizeof(number)))
        Sleep(INFINITE);
    WriteFile(l->log, line, sprintf(line, "%lu\n", (unsigned long)number), &written, NULL);
}

/* The number that the link before has, when it is this link's turn. */
static DWORD turn(const struct link *l)
{
    unsigned looks;
    DWORD before;

    for (looks = 1;; looks++) {
        before = number_of(l->before);
        if (!l->element && before >= l->number) return l->number + 1;
        if (l->element && before > l->number) return before;
        if (looks % LOOKS) SwitchToThread();
        else Sleep(1);
    }
}

static DWORD CALLBACK run_link(void *arg)
{
    struct link *l = arg;

    for (;;) set(l, turn(l));
    return 0;
}

/* A process's own chain; the number of its links is the last one's argument. */
static DWORD CALLBACK run_chain(void *arg)
{
    struct link *links = arg;
    DWORD number = links[0].number;
    unsigned i;

    for (;;) {
        number++;
        for (i = 0; i < me.length; i++) set(&links[i], number);
    }
    return 0;
}

static void start(LPTHREAD_START_ROUTINE routine, struct link *l)
{
    HANDLE thread = CreateThread(NULL, 0, routine, l, 0, NULL);

    if (!thread) testkey_die("CreateThread", NULL, GetLastError());
    CloseHandle(thread);
}

static int run_links(void)
{
    struct link *links = testkey_alloc(NULL, LINKS_MAX * sizeof(*links));
    unsigned count = 0, chain, element, i;

    for (chain = 0; chain < me.chains; chain++)
        for (element = 0; element < me.length; element++)
            if ((chain + element) % me.processes == me.index) init(&links[count++], chain, element);
    for (element = 0; element < me.length; element++)
        init(&links[count + element], me.chains + me.index, element);
    for (i = 0; i < count; i++) start(run_link, &links[i]);
    start(run_chain, &links[count]);
    Sleep(INFINITE);
    return 0;
}

static int drive(BOOL both)
{
    WCHAR program[MAX_PATH], line[4 * MAX_PATH];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    unsigned i;
    size_t len;

    GetModuleFileNameW(NULL, program, ARRAYSIZE(program));
    len = wcslen(program);
    for (i = 0; i < me.processes; i++) {
        if (both && len > 6) memcpy(program + len - 6, i % 2 ? L"32" : L"64", 2 * sizeof(WCHAR));
        swprintf(line, ARRAYSIZE(line), L"\"%ls\" link %ls %u %u %u %u \"%ls\"", program, me.key,
                 me.chains, me.length, me.processes, i, me.logs);
        if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info))
            testkey_die("CreateProcess", line, GetLastError());
    }
    Sleep(INFINITE);
    return 0;
}

static int program(int argc, WCHAR *argv[])
{
    int at = 0;
    const WCHAR *verb = next_argument(argc, argv, &at, USAGE);
    BOOL drives = !wcscmp(verb, L"drive"), both = FALSE;

    if (!drives && wcscmp(verb, L"link")) usage_exit(USAGE);
    me.key = next_argument(argc, argv, &at, USAGE);
    me.chains = next_number(argc, argv, &at, USAGE);
    me.length = next_number(argc, argv, &at, USAGE);
    me.processes = next_number(argc, argv, &at, USAGE);
    if (drives) both = !wcscmp(next_argument(argc, argv, &at, USAGE), L"both");
    else me.index = next_number(argc, argv, &at, USAGE);
    me.logs = next_argument(argc, argv, &at, USAGE);
    if (!me.processes || (me.chains + 1) * me.length > LINKS_MAX) usage_exit(USAGE);
    return drives ? drive(both) : run_links();
}
