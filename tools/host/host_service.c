/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service, through the service control manager: services.exe keeps its own copy of a service's
 * configuration, so it is asked and told, never its registry key.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"

#include <winsvc.h>

#define PATH_ROOM 4096

/* An open service with its manager. */
struct service {
    SC_HANDLE manager, handle;
};

static void close_service(struct service *s)
{
    if (s->handle)
        CloseServiceHandle(s->handle);
    if (s->manager)
        CloseServiceHandle(s->manager);
}

static DWORD open_service(const char *name, DWORD access, struct service *s)
{
    WCHAR *wide = wide_from_utf8(name);
    DWORD error = 0;

    memset(s, 0, sizeof(*s));
    if (!wide)
        return ERROR_INVALID_NAME;
    if (!(s->manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT)) ||
        !(s->handle = OpenServiceW(s->manager, wide, access)))
        error = GetLastError();
    free(wide);
    if (error)
        close_service(s);
    return error;
}

/* Where Windows would find a program; true if it does. */
static bool search_program(const WCHAR *name, WCHAR *full, DWORD room)
{
    static const WCHAR exe[] = {'.', 'e', 'x', 'e', 0};
    DWORD len = SearchPathW(NULL, name, exe, room, full, NULL);

    return len && len < room;
}

/*
 * The program's file in a command line, as CreateProcess reads it: what stands in quotes, or else
 * the first part up to a blank that names a file.  full: PATH_ROOM characters.
 */
static bool find_program(const WCHAR *command, WCHAR *full)
{
    DWORD room = ExpandEnvironmentStringsW(command, NULL, 0) + 1;
    WCHAR *line = malloc(room * sizeof(WCHAR));
    bool found = false, quoted;
    size_t len, at;

    if (line && ExpandEnvironmentStringsW(command, line, room)) {
        len = wide_len(line);
        quoted = line[0] == '"';
        for (at = quoted; at <= len && !found; at++) {
            WCHAR end = line[at];
            if (end && end != (quoted ? '"' : ' '))
                continue;
            line[at] = 0;
            found = search_program(line + quoted, full, PATH_ROOM);
            line[at] = end;
            if (quoted)
                break;
        }
    }
    free(line);
    return found;
}

/* 64, 32, or 0 where the file is not found or is no Windows program. */
static uint32_t program_bits(const WCHAR *command, bool *exists)
{
    WCHAR full[PATH_ROOM];
    DWORD type;

    *exists = find_program(command, full);
    if (!*exists || !GetBinaryTypeW(full, &type))
        return 0;
    return type == SCS_64BIT_BINARY ? 64 : type == SCS_32BIT_BINARY ? 32 : 0;
}

/*
 * A service that died stays RUNNING in services.exe's books (services/rpc.c), and can be started
 * again: running is what has a process.
 */
static DWORD service_state(SC_HANDLE service, DWORD *error)
{
    SERVICE_STATUS_PROCESS status;
    DWORD size;
    HANDLE process;
    bool alive;

    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &size)) {
        *error = GetLastError();
        return 0;
    }
    if (status.dwCurrentState == SERVICE_STOPPED || !status.dwProcessId)
        return status.dwCurrentState;
    process = OpenProcess(SYNCHRONIZE, FALSE, status.dwProcessId);
    alive = process && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    if (process)
        CloseHandle(process);
    return alive ? status.dwCurrentState : SERVICE_STOPPED;
}

static void pack_program(struct pack *p, const WCHAR *command, bool exists, uint32_t bits,
                         DWORD start_type, DWORD state, bool wrapped)
{
    char *text = utf8_from_wide(command);

    pack_u32(p, bits);
    pack_u32(p, exists);
    pack_text(p, text);
    pack_u32(p, start_type);
    pack_u32(p, state);
    pack_u32(p, wrapped);
    free(text);
}

static bool query_service(const char *name, struct reply *reply)
{
    static const WCHAR none[] = {0};
    QUERY_SERVICE_CONFIGW *config = NULL;
    struct service s;
    DWORD size = 0, state = 0, error = open_service(name, SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS, &s);
    const WCHAR *command;
    bool exists;

    if (error == ERROR_SERVICE_DOES_NOT_EXIST || error == ERROR_INVALID_NAME) {
        pack_program(&reply->more, none, false, 0, 0, 0, false);
        return true;
    }
    if (error)
        return fail_win32(reply, error, "opening the service");
    QueryServiceConfigW(s.handle, NULL, 0, &size);
    if (!(config = malloc(size)))
        error = ERROR_NOT_ENOUGH_MEMORY;
    else if (!QueryServiceConfigW(s.handle, config, size, &size))
        error = GetLastError();
    else
        state = service_state(s.handle, &error);
    if (!error) {
        command = host_args_wrapped(config->lpBinaryPathName);
        pack_program(&reply->more, config->lpBinaryPathName, true,
                     program_bits(command ? command : config->lpBinaryPathName, &exists),
                     config->dwStartType, state, command != NULL);
    }
    free(config);
    close_service(&s);
    return error ? fail_win32(reply, error, "asking for the service's configuration") : true;
}

bool service_query(struct unpack *u, struct reply *reply)
{
    uint32_t kind = unpack_u32(u);
    char *text = unpack_text(u);
    bool done = true, exists;
    WCHAR *command;
    uint32_t bits;

    if (unpack_failed(u)) {
        done = fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the request about the program");
    } else if (kind == HOST_SERVICE) {
        done = query_service(text, reply);
    } else if (!(command = wide_from_utf8(text))) {
        done = fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the program's command line");
    } else {
        bits = program_bits(command, &exists);
        pack_program(&reply->more, command, exists, bits, 0, 0, false);
        free(command);
    }
    free(text);
    return done;
}

bool service_configure(struct unpack *u, struct reply *reply)
{
    char *name = unpack_text(u), *path = unpack_text(u);
    uint32_t start_type = unpack_u32(u);
    WCHAR *image = NULL;
    struct service s;
    DWORD error;

    if (unpack_failed(u) || !(image = wide_from_utf8(path))) {
        error = ERROR_INVALID_PARAMETER;
    } else if (!(error = open_service(name, SERVICE_CHANGE_CONFIG, &s))) {
        if (!ChangeServiceConfigW(s.handle, SERVICE_NO_CHANGE, start_type, SERVICE_NO_CHANGE, image,
                                  NULL, NULL, NULL, NULL, NULL, NULL))
            error = GetLastError();
        close_service(&s);
    }
    free(image);
    free(name);
    free(path);
    return error ? fail_win32(reply, error, "changing the service's configuration") : true;
}

/* StartService and ControlService can take as long as the service likes: a thread waits for them. */
struct begun {
    char *service;
    bool stop;
};

static DWORD WINAPI control_service(void *arg)
{
    struct begun *begun = arg;
    SERVICE_STATUS status;
    struct service s;
    struct pack p;
    DWORD error = open_service(begun->service, begun->stop ? SERVICE_STOP : SERVICE_START, &s);

    if (!error) {
        if (!(begun->stop ? ControlService(s.handle, SERVICE_CONTROL_STOP, &status)
                          : StartServiceW(s.handle, 0, NULL)))
            error = GetLastError();
        close_service(&s);
    }
    pack_init(&p);
    pack_u32(&p, error);
    host_send(HOST_SERVICE_DONE, 0, &p);
    pack_free(&p);
    free(begun->service);
    free(begun);
    return 0;
}

static bool begin(struct unpack *u, bool stop, struct reply *reply)
{
    struct begun *begun = calloc(1, sizeof(*begun));
    HANDLE thread = 0;

    if (begun && (begun->service = unpack_text(u))) {
        begun->stop = stop;
        thread = CreateThread(NULL, 0, control_service, begun, 0, NULL);
    }
    if (!thread) {
        if (begun)
            free(begun->service);
        free(begun);
        return fail_win32(reply, ERROR_NOT_ENOUGH_MEMORY, "beginning to start or stop the service");
    }
    CloseHandle(thread);
    return true;
}

bool service_start(struct unpack *u, struct reply *reply)
{
    return begin(u, false, reply);
}

bool service_stop(struct unpack *u, struct reply *reply)
{
    return begin(u, true, reply);
}
