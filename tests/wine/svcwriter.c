/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * svcwriter: a program and a service that keeps changing a registry key below HKEY_LOCAL_MACHINE and
 * tells in an outside log what was acknowledged, so that a test knows what must not be lost.
 *
 *   svcwriter install NAME KEY LOG [--interval MS] [OPTION]...     makes the service, does not start it
 *   svcwriter uninstall NAME
 *   svcwriter service NAME KEY LOG INTERVAL [OPTION]...            what the service's image path says
 *   svcwriter run KEY COUNT INTERVAL [--log LOG] [OPTION]...       the same as a plain program
 *
 * Every INTERVAL milliseconds it makes the next change (writeplan.h), COUNT of them, 0 without end.  The
 * value Counter holds the number of the last round; a start reads it and goes on behind it.
 *
 * The log is appended to, one flushed line each (times in microseconds since 1970, UTC):
 *   TIME start N V        from number N on; the key had V values when the program started
 *   TIME try N OP ...     before a change, as writeplan.h prints it
 *   TIME done N RESULT    after it: the call has returned with this Win32 error
 *   TIME stop, TIME end   the control request came; the program ends
 *
 * With --numbers change N sets the value N % 16 to N (NUMBERS values in all), and a start goes on behind
 * the highest number; V is how many of the last numbers were there in a row, 16 unless there are less.
 *
 * Options: --view 64|32 (default: what a program of this width sees), --exit CODE at the end, --child
 * (starts another writer on KEY\Child with the log LOG.child, and does not wait for it), --hang (does
 * not stop when asked to), --at-once (as a service: ends with --exit's code before it says that it
 * runs), --tell FILE (writes "PID COUNTER VALUES" as found at the start, also without a log).
 */
#include "testprogram.h"
#include "writeplan.h"

#define NUMBERS 16
#define USAGE "svcwriter install NAME KEY LOG [--interval MS] [OPTION]... | uninstall NAME |\n" \
              "       service NAME KEY LOG INTERVAL [OPTION]... | run KEY COUNT INTERVAL [OPTION]...\n" \
              "options: --log FILE --view 64|32 --exit CODE --child --hang --at-once --numbers --tell FILE"

static struct {
    const WCHAR *service, *key, *log, *tell;
    unsigned count, interval, exit_code;
    REGSAM view;
    BOOL child, hang, at_once, numbers;
    HANDLE log_file, stop_event;
    SERVICE_STATUS_HANDLE status_handle;
    SERVICE_STATUS status;
} me = {.interval = 100, .log_file = INVALID_HANDLE_VALUE};

/* Now, in microseconds since 1970. */
static ULONGLONG now_us(void)
{
    FILETIME t;

    GetSystemTimePreciseAsFileTime(&t);
    return ((((ULONGLONG)t.dwHighDateTime << 32) | t.dwLowDateTime) - 116444736000000000ull) / 10;
}

/* Appends "TIME TEXT" to the log, on the disk when it returns. */
static void log_line(const char *text)
{
    size_t len = strlen(text);
    char *line;
    DWORD written;

    if (me.log_file == INVALID_HANDLE_VALUE) return;
    line = testkey_alloc(NULL, len + 32);
    len = sprintf(line, "%llu %s\n", now_us(), text);
    if (!WriteFile(me.log_file, line, len, &written, NULL) || written != len)
        testkey_die("WriteFile", me.log, GetLastError());
    if (!FlushFileBuffers(me.log_file)) testkey_die("FlushFileBuffers", me.log, GetLastError());
    free(line);
}

/* The number to go on with, and how many in a row were there before it. */
static DWORD next_number_of(HKEY key, DWORD *in_a_row)
{
    DWORD there[NUMBERS] = {0}, i, size, next = 0;
    WCHAR name[16];

    for (i = 0; i < NUMBERS; i++) {
        swprintf(name, ARRAYSIZE(name), L"%u", i);
        size = sizeof(there[i]);
        if (RegQueryValueExW(key, name, NULL, NULL, (BYTE *)&there[i], &size)) continue;
        if (there[i] >= next) next = there[i] + 1;
    }
    for (*in_a_row = 0; *in_a_row < next && *in_a_row < NUMBERS; ++*in_a_row)
        if (there[(next - 1 - *in_a_row) % NUMBERS] != next - 1 - *in_a_row) break;
    return next;
}

/* One numbered change. */
static DWORD write_number(HKEY key, DWORD n)
{
    WCHAR name[16];

    swprintf(name, ARRAYSIZE(name), L"%u", (unsigned)(n % NUMBERS));
    return RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&n, sizeof(n));
}

/* Opens the log and says hello in the file of --tell. */
static HKEY begin(DWORD *next)
{
    DWORD error, counter = 0, size = sizeof(counter), values = 0;
    char text[128];
    HKEY key;

    if (me.log) {
        me.log_file = CreateFileW(me.log, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                  OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
        if (me.log_file == INVALID_HANDLE_VALUE) testkey_die("CreateFile", me.log, GetLastError());
    }
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, me.key, 0, NULL, 0, KEY_ALL_ACCESS | me.view, NULL,
                            &key, NULL);
    if (error) testkey_die("RegCreateKeyEx", me.key, error);
    if (RegQueryValueExW(key, L"Counter", NULL, NULL, (BYTE *)&counter, &size)) counter = 0;
    RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, &values, NULL, NULL, NULL, NULL);
    *next = counter ? counter + 1 : 0;
    if (me.numbers) *next = next_number_of(key, &values);
    if (me.tell) {
        FILE *f = _wfopen(me.tell, L"wb");

        if (!f || fprintf(f, "%lu %lu %lu\n", GetCurrentProcessId(), counter, values) < 0 || fclose(f))
            testkey_die("write", me.tell, errno);
    }
    sprintf(text, "start %lu %lu", *next, values);
    log_line(text);
    return key;
}

/* Makes the changes until the count is reached or the event says stop. */
static void work(void)
{
    DWORD n, made;
    HKEY key = begin(&n);

    for (made = 0; !me.count || made < me.count; made++, n++) {
        char *text = me.numbers ? testkey_alloc(NULL, 1) : writeplan_text(n), *line = testkey_alloc(NULL, strlen(text) + 32);

        if (me.numbers) *text = 0;
        sprintf(line, "try %lu %s", n, text);
        log_line(line);
        sprintf(line, "done %lu %lu", n, me.numbers ? write_number(key, n) : (DWORD)writeplan_do(key, n));
        log_line(line);
        free(text);
        free(line);
        if (WaitForSingleObject(me.stop_event, me.interval) == WAIT_OBJECT_0) break;
    }
    RegCloseKey(key);
    log_line("end");
}

/* Starts a second writer, below this one's key. */
static void start_child(void)
{
    WCHAR path[MAX_PATH], line[2 * MAX_PATH + 512];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;

    GetModuleFileNameW(NULL, path, ARRAYSIZE(path));
    _snwprintf(line, ARRAYSIZE(line), L"\"%ls\" run \"%ls\\Child\" 0 %u%ls%ls%ls", path, me.key,
               me.interval, me.log ? L" --log \"" : L"", me.log ? me.log : L"",
               me.log ? L".child\"" : L"");
    if (me.view) wcscat(line, me.view == KEY_WOW64_64KEY ? L" --view 64" : L" --view 32");
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
        testkey_die("CreateProcess", line, GetLastError());
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
}

/* Tells the service control manager a state. */
static void tell_state(DWORD state)
{
    me.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    me.status.dwCurrentState = state;
    me.status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0;
    me.status.dwWaitHint = 5000;
    SetServiceStatus(me.status_handle, &me.status);
}

/* The control handler. */
static DWORD WINAPI control(DWORD code, DWORD event, void *data, void *context)
{
    (void)event, (void)data, (void)context;
    if (code == SERVICE_CONTROL_STOP) {
        log_line("stop");
        tell_state(SERVICE_STOP_PENDING);
        if (!me.hang) SetEvent(me.stop_event);
    } else if (code != SERVICE_CONTROL_INTERROGATE) {
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
    return NO_ERROR;
}

/* The service's main function. */
static void WINAPI service_main(DWORD argc, WCHAR *argv[])
{
    (void)argc, (void)argv;
    me.status_handle = RegisterServiceCtrlHandlerExW(me.service, control, NULL);
    tell_state(SERVICE_START_PENDING);
    if (me.child) start_child();
    tell_state(SERVICE_RUNNING);
    work();
    me.status.dwWin32ExitCode = me.exit_code ? ERROR_SERVICE_SPECIFIC_ERROR : 0;
    me.status.dwServiceSpecificExitCode = me.exit_code;
    tell_state(SERVICE_STOPPED);
}

/* Takes the options from argv[at] on. */
static void parse_options(int argc, WCHAR *argv[], int at)
{
    for (; at < argc; at++) {
        if (!wcscmp(argv[at], L"--log")) me.log = next_argument(argc, argv, &at, USAGE);
        else if (!wcscmp(argv[at], L"--tell")) me.tell = next_argument(argc, argv, &at, USAGE);
        else if (!wcscmp(argv[at], L"--view")) me.view = next_view(argc, argv, &at, USAGE);
        else if (!wcscmp(argv[at], L"--exit")) me.exit_code = next_number(argc, argv, &at, USAGE);
        else if (!wcscmp(argv[at], L"--interval")) me.interval = next_number(argc, argv, &at, USAGE);
        else if (!wcscmp(argv[at], L"--child")) me.child = TRUE;
        else if (!wcscmp(argv[at], L"--hang")) me.hang = TRUE;
        else if (!wcscmp(argv[at], L"--at-once")) me.at_once = TRUE;
        else if (!wcscmp(argv[at], L"--numbers")) me.numbers = TRUE;
        else usage_exit(USAGE);
    }
}

/* Makes the service with the words given, to be started by hand. */
static int install(int argc, WCHAR *argv[])
{
    WCHAR path[MAX_PATH], line[4096];
    SC_HANDLE manager, service;
    size_t len;
    int at;

    parse_options(argc, argv, 5);
    GetModuleFileNameW(NULL, path, ARRAYSIZE(path));
    len = _snwprintf(line, ARRAYSIZE(line), L"\"%ls\" service \"%ls\" \"%ls\" \"%ls\" %u", path,
                     argv[2], argv[3], argv[4], me.interval);
    for (at = 5; at < argc; at++)
        len += _snwprintf(line + len, ARRAYSIZE(line) - len, L" \"%ls\"", argv[at]);
    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    if (!manager) testkey_die("OpenSCManager", NULL, GetLastError());
    service = CreateServiceW(manager, argv[2], argv[2], SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                             SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, line, NULL, NULL, NULL, NULL,
                             NULL);
    if (!service) testkey_die("CreateService", argv[2], GetLastError());
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return 0;
}

/* Deletes the service. */
static int uninstall(const WCHAR *name)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = manager ? OpenServiceW(manager, name, DELETE) : NULL;

    if (!service) testkey_die("OpenService", name, GetLastError());
    if (!DeleteService(service)) testkey_die("DeleteService", name, GetLastError());
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return 0;
}

/* Runs as the service. */
static int serve(int argc, WCHAR *argv[])
{
    SERVICE_TABLE_ENTRYW table[] = {{argv[2], service_main}, {NULL, NULL}};
    int at = 4;

    me.service = argv[2];
    me.key = argv[3];
    me.log = argv[4];
    me.interval = next_number(argc, argv, &at, USAGE);
    parse_options(argc, argv, 6);
    if (me.at_once) return me.exit_code;
    if (!StartServiceCtrlDispatcherW(table))
        testkey_die("StartServiceCtrlDispatcher", me.service, GetLastError());
    return me.exit_code;
}

/* Runs as a program. */
static int run(int argc, WCHAR *argv[])
{
    int at = 2;

    me.key = argv[2];
    me.count = next_number(argc, argv, &at, USAGE);
    me.interval = next_number(argc, argv, &at, USAGE);
    parse_options(argc, argv, 5);
    if (me.at_once) return me.exit_code;
    if (me.child) start_child();
    work();
    return me.exit_code;
}

static int program(int argc, WCHAR *argv[])
{
    me.stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (argc >= 5 && !wcscmp(argv[1], L"install")) return install(argc, argv);
    if (argc == 3 && !wcscmp(argv[1], L"uninstall")) return uninstall(argv[2]);
    if (argc >= 6 && !wcscmp(argv[1], L"service")) return serve(argc, argv);
    if (argc >= 5 && !wcscmp(argv[1], L"run")) return run(argc, argv);
    usage_exit(USAGE);
    return 100;
}
