/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * killwriter: a program and its child processes that keep making numbered changes, each thread its own,
 * and note outside of the registry what was acknowledged.  Made to be killed (killtest.py).
 *
 *   killwriter KEY DIR         process 0; it starts the others, then says what it found, then writes
 *   killwriter KEY DIR CHILD   process 1, 2, ...
 *
 * Each writes below HKLM\KEY as a program of its width sees it.  What thread T of process P has as its
 * change N is a function of P, T and N alone (killjudge.py has the same one):
 *   N % 8 = 0 to 4   the value vR of the key pPtT, R being N % 8, is set to N and some text
 *   5                the value pPtT of KEY itself is set to N and some text
 *   6                the key pPtT\s is made (N % 16 = 6) or deleted (14)
 *   7                the value vR of the key pPtT is deleted, R being (N / 8 + 1) % 5
 *
 * Files in DIR:
 *   found   by process 0, before anybody writes: one line for each key and value below HKLM\KEY,
 *           "WIDTH PATH" and "WIDTH PATH NAME TYPE DATA", PATH being "." for KEY itself
 *   go      awaited before the first change: the pause in ms after every 16 changes, then for each
 *           thread of each process the number of its last change that is there
 *   pPtT    a thread's log, appended to: "t N US" before a change, "d N US" when the call has returned 0,
 *           "e N US ERROR" when it has failed, which is the thread's end.  Microseconds since 1970.
 */
#include "testprogram.h"

#define USAGE "killwriter KEY DIR [CHILD]"
#define PROCESSES 3
#define THREADS 3
#define VALUES 5
#define TEXT_MOST 200
#define VIEW (sizeof(void *) == 8 ? KEY_WOW64_64KEY : KEY_WOW64_32KEY)

static struct {
    const WCHAR *key, *dir;
    unsigned process, pause_ms;
    unsigned last[PROCESSES][THREADS];
} me;

struct writer {
    unsigned thread, next;
    WCHAR name[16];
    HKEY root, key;
    HANDLE log;
};

static const WCHAR *in_dir(const WCHAR *name)
{
    static WCHAR path[MAX_PATH]; /* used by one thread: before the others start */

    swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", me.dir, name);
    return path;
}

static ULONGLONG now_us(void)
{
    FILETIME t;

    GetSystemTimePreciseAsFileTime(&t);
    return ((((ULONGLONG)t.dwHighDateTime << 32) | t.dwLowDateTime) - 116444736000000000ull) / 10;
}

/* --- what is there at the start --- */

static void tell_values(FILE *out, unsigned width, HKEY key, const WCHAR *path)
{
    WCHAR name[100], data[TEXT_MOST + 100];
    DWORD name_len, size, type;

    fprintf(out, "%u %ls\n", width, path);
    for (DWORD i = 0;; i++) {
        name_len = ARRAYSIZE(name);
        size = sizeof(data) - sizeof(WCHAR);
        memset(data, 0, sizeof(data));
        if (RegEnumValueW(key, i, name, &name_len, NULL, &type, (BYTE *)data, &size)) break;
        fprintf(out, "%u %ls %ls %lu %ls\n", width, path, name, (unsigned long)type, data);
    }
}

static void tell_keys(FILE *out, unsigned width, HKEY parent, const WCHAR *path)
{
    WCHAR name[100], below[300];
    DWORD name_len;
    HKEY key;

    for (DWORD i = 0;; i++) {
        name_len = ARRAYSIZE(name);
        if (RegEnumKeyExW(parent, i, name, &name_len, NULL, NULL, NULL, NULL)) break;
        if (RegOpenKeyExW(parent, name, 0, KEY_READ, &key)) continue;
        swprintf(below, ARRAYSIZE(below), L"%ls%ls%ls", path, *path ? L"\\" : L"", name);
        tell_values(out, width, key, below);
        tell_keys(out, width, key, below);
        RegCloseKey(key);
    }
}

static void tell_found(void)
{
    static const REGSAM views[] = {KEY_WOW64_64KEY, KEY_WOW64_32KEY};
    WCHAR made[MAX_PATH];
    FILE *out;
    HKEY key;

    wcscpy(made, in_dir(L"found.new"));
    if (!(out = _wfopen(made, L"wb"))) testkey_die("fopen", made, errno);
    for (unsigned i = 0; i < ARRAYSIZE(views); i++) {
        if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, me.key, 0, KEY_READ | views[i], &key)) continue;
        tell_values(out, i ? 32 : 64, key, L".");
        tell_keys(out, i ? 32 : 64, key, L"");
        RegCloseKey(key);
    }
    if (fclose(out) || !MoveFileW(made, in_dir(L"found"))) testkey_die("MoveFile", made, GetLastError());
}

/* --- the changes --- */

static LONG set_text(HKEY key, const WCHAR *name, unsigned n)
{
    WCHAR text[TEXT_MOST + 20];
    size_t len = swprintf(text, ARRAYSIZE(text), L"%u ", n), end = len + n * 37 % TEXT_MOST;

    while (len < end) text[len++] = L'a' + n % 26;
    text[len++] = 0;
    return RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text, len * sizeof(WCHAR));
}

static LONG change(struct writer *w, unsigned n)
{
    WCHAR name[8];
    HKEY made;
    LONG error;

    switch (n % 8) {
    case 5:
        return set_text(w->root, w->name, n);
    case 6:
        if (n % 16 != 6) return RegDeleteKeyExW(w->key, L"s", VIEW, 0);
        error = RegCreateKeyExW(w->key, L"s", 0, NULL, 0, KEY_READ | VIEW, NULL, &made, NULL);
        if (!error) RegCloseKey(made);
        return error;
    case 7:
        swprintf(name, ARRAYSIZE(name), L"v%u", (n / 8 + 1) % VALUES);
        return RegDeleteValueW(w->key, name);
    default:
        swprintf(name, ARRAYSIZE(name), L"v%u", n % 8);
        return set_text(w->key, name, n);
    }
}

/* One write to the file as it is: what is noted stays noted when the process is killed. */
static void note(struct writer *w, char what, unsigned n, LONG error)
{
    char line[64];
    int len = sprintf(line, "%c %u %llu", what, n, now_us());
    DWORD written;

    if (error) len += sprintf(line + len, " %ld", (long)error);
    line[len++] = '\n';
    if (!WriteFile(w->log, line, len, &written, NULL) || (int)written != len)
        testkey_die("WriteFile", w->name, GetLastError());
}

static DWORD WINAPI write_on(void *arg)
{
    struct writer *w = arg;
    LONG error;

    for (;; w->next++) {
        note(w, 't', w->next, 0);
        error = change(w, w->next);
        note(w, error ? 'e' : 'd', w->next, error);
        if (error) return 0;
        if (me.pause_ms && w->next % 16 == 0) Sleep(me.pause_ms);
    }
}

static void prepare(struct writer *w, unsigned thread)
{
    LONG error;

    w->thread = thread;
    w->next = me.last[me.process][thread] + 1;
    swprintf(w->name, ARRAYSIZE(w->name), L"p%ut%u", me.process, thread);
    w->log = CreateFileW(in_dir(w->name), FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                         OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (w->log == INVALID_HANDLE_VALUE) testkey_die("CreateFile", w->name, GetLastError());
    if ((error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, me.key, 0, NULL, 0, KEY_ALL_ACCESS | VIEW, NULL,
                                 &w->root, NULL)))
        testkey_die("RegCreateKeyEx", me.key, error);
    if ((error = RegCreateKeyExW(w->root, w->name, 0, NULL, 0, KEY_ALL_ACCESS | VIEW, NULL, &w->key,
                                 NULL)))
        testkey_die("RegCreateKeyEx", w->name, error);
}

/* --- processes --- */

/* The odd ones are of the other width, where there is a program of that beside this one. */
static void start_child(unsigned number)
{
    WCHAR program[MAX_PATH], line[3 * MAX_PATH];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    size_t len;

    GetModuleFileNameW(NULL, program, ARRAYSIZE(program));
    len = wcslen(program);
    if (number % 2 && len > 6) memcpy(program + len - 6, L"32", 2 * sizeof(WCHAR));
    if (GetFileAttributesW(program) == INVALID_FILE_ATTRIBUTES)
        memcpy(program + len - 6, L"64", 2 * sizeof(WCHAR));
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" \"%ls\" \"%ls\" %u", program, me.key, me.dir, number);
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info))
        testkey_die("CreateProcess", line, GetLastError());
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
}

static void await_go(void)
{
    FILE *in;
    BOOL read;

    while (GetFileAttributesW(in_dir(L"go")) == INVALID_FILE_ATTRIBUTES) Sleep(2);
    if (!(in = _wfopen(in_dir(L"go"), L"rb"))) testkey_die("fopen", L"go", errno);
    read = fscanf(in, "%u", &me.pause_ms) == 1;
    for (unsigned i = 0; i < PROCESSES * THREADS; i++)
        read = read && fscanf(in, "%u", &me.last[i / THREADS][i % THREADS]) == 1;
    if (!read) testkey_die("read", L"go", 0);
    fclose(in);
}

static int program(int argc, WCHAR *argv[])
{
    static struct writer writers[THREADS];
    int at = 0;

    me.key = next_argument(argc, argv, &at, USAGE);
    me.dir = next_argument(argc, argv, &at, USAGE);
    if (argc > 3) me.process = next_number(argc, argv, &at, USAGE);
    if (me.process >= PROCESSES) usage_exit(USAGE);
    if (!me.process) {
        for (unsigned i = 1; i < PROCESSES; i++) start_child(i);
        tell_found();
    }
    await_go();
    for (unsigned i = 0; i < THREADS; i++) prepare(&writers[i], i);
    for (unsigned i = 0; i < THREADS; i++)
        if (!CreateThread(NULL, 0, write_on, &writers[i], 0, NULL))
            testkey_die("CreateThread", NULL, GetLastError());
    Sleep(INFINITE);
    return 0;
}
