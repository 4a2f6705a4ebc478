/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The quickstart's Windows service: takes an order every 50 ms and keeps its books in the registry,
 * as programs of its age do.  It knows nothing of clusters.
 *
 *   orders install LOG     installs the service Orders; what it acknowledges goes to LOG as well
 *   orders setup           what its setup program would have written
 *   orders service LOG     what the service's image path says
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define KEY L"Software\\Demo\\Orders"
#define INTERVAL_MS 50

static WCHAR log_path[MAX_PATH];
static SERVICE_STATUS_HANDLE handle;
static SERVICE_STATUS status = {SERVICE_WIN32_OWN_PROCESS, SERVICE_START_PENDING, SERVICE_ACCEPT_STOP,
                                0, 0, 0, 0};
static HANDLE stop;

static void set_text(HKEY key, const WCHAR *name, const WCHAR *text)
{
    RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text,
                   (DWORD)(wcslen(text) + 1) * sizeof(WCHAR));
}

/* The number of the last order, 0 if there was none. */
static DWORD last_order(HKEY key)
{
    DWORD number = 0, size = sizeof(number);

    RegQueryValueExW(key, L"LastOrder", NULL, NULL, (BYTE *)&number, &size);
    return number;
}

/* Books one order; the log says so when the registry calls have returned. */
static void book(HKEY key, DWORD number, FILE *log)
{
    static const WCHAR *const customers[] = {L"Ada", L"Grace", L"Konrad", L"Edsger"};
    const WCHAR *customer = customers[number % 4];
    ULONGLONG revenue = number * 1250ull;
    WCHAR name[32];
    HKEY day;

    swprintf(name, 32, L"Day %u", (unsigned)(number / 100));
    RegCreateKeyExW(key, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &day, NULL);
    RegSetValueExW(day, L"Orders", 0, REG_DWORD, (const BYTE *)&number, sizeof(number));
    RegCloseKey(day);
    set_text(key, L"LastCustomer", customer);
    RegSetValueExW(key, L"Revenue", 0, REG_QWORD, (const BYTE *)&revenue, sizeof(revenue));
    RegSetValueExW(key, L"LastOrder", 0, REG_DWORD, (const BYTE *)&number, sizeof(number));
    RegFlushKey(key);
    fprintf(log, "%u %ls %llu\n", (unsigned)number, customer, revenue);
    fflush(log);
}

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    if (code == SERVICE_CONTROL_STOP) SetEvent(stop);
    return NO_ERROR;
}

static void WINAPI service_main(DWORD argc, WCHAR **argv)
{
    FILE *log = _wfopen(log_path, L"ab");
    DWORD number;
    HKEY key;

    (void)argc, (void)argv;
    stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    handle = RegisterServiceCtrlHandlerExW(L"Orders", control, NULL);
    if (!log || RegCreateKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL))
        return;
    number = last_order(key);
    fprintf(log, "start after %u\n", (unsigned)number);
    fflush(log);
    status.dwCurrentState = SERVICE_RUNNING;
    SetServiceStatus(handle, &status);
    do book(key, ++number, log);
    while (WaitForSingleObject(stop, INTERVAL_MS) == WAIT_TIMEOUT);
    fclose(log);
    RegCloseKey(key);
    status.dwCurrentState = SERVICE_STOPPED;
    SetServiceStatus(handle, &status);
}

static int install(const WCHAR *log)
{
    WCHAR self[MAX_PATH], path[3 * MAX_PATH];
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS), service;

    GetModuleFileNameW(NULL, self, MAX_PATH);
    swprintf(path, 3 * MAX_PATH, L"\"%ls\" service \"%ls\"", self, log);
    service = CreateServiceW(manager, L"Orders", L"Order desk", SERVICE_ALL_ACCESS,
                             SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, path,
                             NULL, NULL, NULL, NULL, NULL);
    if (!service) {
        fprintf(stderr, "cannot install the service: error %lu\n", GetLastError());
        return 1;
    }
    return 0;
}

static int setup(void)
{
    DWORD port = 4711;
    HKEY key;

    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL)) return 1;
    set_text(key, L"Company", L"Example & Sons");
    RegSetValueExW(key, L"Port", 0, REG_DWORD, (const BYTE *)&port, sizeof(port));
    RegCloseKey(key);
    return 0;
}

int wmain(int argc, WCHAR **argv)
{
    SERVICE_TABLE_ENTRYW table[] = {{(WCHAR *)L"Orders", service_main}, {NULL, NULL}};

    if (argc == 3 && !wcscmp(argv[1], L"install")) return install(argv[2]);
    if (argc == 2 && !wcscmp(argv[1], L"setup")) return setup();
    if (argc == 3 && !wcscmp(argv[1], L"service")) {
        wcsncpy(log_path, argv[2], MAX_PATH - 1);
        return !StartServiceCtrlDispatcherW(table);
    }
    fprintf(stderr, "usage: orders install LOG | setup | service LOG\n");
    return 1;
}
