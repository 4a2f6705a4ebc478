/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program: started in a job that ends with this process, holding the resource's lock open, so
 * that the resource counts as owned until the last process of the program is gone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include <tlhelp32.h>

#define TRY_MS 10000
#define TRY_CODE 77
#define LEFT_LOOK_MS 1000 /* should a message of the job be lost */

static HANDLE job, process;
static HANDLE job_port; /* tells of the job's processes: made where all of them are waited for */
static HANDLE first_thread; /* of a process that is still suspended */

static void send_code(uint32_t event, DWORD code)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, code);
    host_send(event, 0, &p);
    pack_free(&p);
}

/*
 * The first wait to fire tells; the process handle stays open, so the code is the program's.  What it
 * leaves running is ended before that is told, or it would go on writing behind the final scan.
 */
static void CALLBACK program_exited(void *arg, BOOLEAN timed_out)
{
    DWORD code = 0;

    (void)arg;
    (void)timed_out;
    GetExitCodeProcess(process, &code);
    TerminateJobObject(job, code);
    send_code(HOST_EXITED, code);
}

/* Is it a process of the job?  Wine 8.0 does not list those, and asks for the full right to query. */
static bool is_in_job(DWORD id)
{
    HANDLE one = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, id);
    BOOL is = FALSE;

    if (one) {
        IsProcessInJob(one, job, &is);
        CloseHandle(one);
    }
    return is;
}

/* The job's processes of Wine's desktop: the first program with a window starts one, which stays. */
static DWORD count_explorers(void)
{
    static const WCHAR name[] = {'e', 'x', 'p', 'l', 'o', 'r', 'e', 'r', '.', 'e', 'x', 'e', 0};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    DWORD count = 0;

    if (all == INVALID_HANDLE_VALUE)
        return 0;
    for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry))
        if (!lstrcmpiW(entry.szExeFile, name) && is_in_job(entry.th32ProcessID))
            count++;
    CloseHandle(all);
    return count;
}

static bool job_is_empty(void)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION facts;

    if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &facts, sizeof(facts), NULL))
        return true;
    return !facts.ActiveProcesses || facts.ActiveProcesses <= count_explorers();
}

/*
 * Of a command that somebody waits for: setup programs start another and end, and that one does the
 * work.  Tells of the program's end if others go on, and when the last of them has ended.
 */
static void CALLBACK command_exited(void *arg, BOOLEAN timed_out)
{
    DWORD code = 0, message;
    ULONG_PTR key;
    OVERLAPPED *process_id;

    (void)arg;
    (void)timed_out;
    GetExitCodeProcess(process, &code);
    if (!job_is_empty())
        send_code(HOST_LEFT, code);
    while (!job_is_empty())
        GetQueuedCompletionStatus(job_port, &message, &key, &process_id, LEFT_LOOK_MS);
    send_code(HOST_EXITED, code);
}

static bool make_job(bool with_port, struct reply *reply)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT port;

    if (!(job = CreateJobObjectW(NULL, NULL)))
        return fail_win32(reply, GetLastError(), "making the program's job");
    memset(&limits, 0, sizeof(limits));
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)))
        return fail_win32(reply, GetLastError(), "setting up the program's job");
    if (!with_port)
        return true;
    memset(&port, 0, sizeof(port));
    port.CompletionPort = job_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!job_port || !SetInformationJobObject(job, JobObjectAssociateCompletionPortInformation, &port,
                                              sizeof(port)))
        return fail_win32(reply, GetLastError(), "setting up the command's job");
    return true;
}

/* A Unix directory becomes a DOS path; an empty one means ours. NULL and *ok false: no such thing. */
static WCHAR *current_directory(const char *directory, bool *ok)
{
    WCHAR *path = NULL;

    *ok = true;
    if (!*directory)
        return NULL;
    if (*directory == '/') {
        WCHAR *dos = wine_get_dos_file_name(directory);
        if (dos) {
            path = malloc((wide_len(dos) + 1) * sizeof(WCHAR));
            if (path)
                memcpy(path, dos, (wide_len(dos) + 1) * sizeof(WCHAR));
            HeapFree(GetProcessHeap(), 0, dos);
        }
    } else {
        path = wide_from_utf8(directory);
    }
    *ok = path != NULL;
    return path;
}

/*
 * A service is started as services.exe would: without a console and standard handles, by which programs
 * tell whether they are one (NSSM does).
 */
static bool create_process(WCHAR *command, WCHAR *directory, bool service, PROCESS_INFORMATION *info,
                           struct reply *reply)
{
    DWORD flags = CREATE_SUSPENDED | (service ? DETACHED_PROCESS : 0);
    STARTUPINFOW startup;

    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, flags, NULL, directory, &startup, info))
        return fail_win32(reply, GetLastError(), "starting the program");
    if (!AssignProcessToJobObject(job, info->hProcess)) {
        fail_win32(reply, GetLastError(), "putting the program into its job");
        TerminateProcess(info->hProcess, 1);
        CloseHandle(info->hThread);
        CloseHandle(info->hProcess);
        return false;
    }
    return true;
}

bool program_start(struct unpack *u, int fd, const WCHAR *own_command, struct reply *reply)
{
    char *command = unpack_text(u), *directory = unpack_text(u), *hook = unpack_text(u);
    bool waits = unpack_u32(u) & HOST_START_WAITS;
    char why[256] = "";
    WCHAR *line = NULL, *dir = NULL;
    PROCESS_INFORMATION info;
    bool done = false, dir_ok = true, service = false;
    int lock_fd = -1;
    HANDLE wait;

    if (unpack_failed(u) || process) {
        fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the request to start the program");
    } else if (!*command && own_command) {
        service = true;
        if ((line = malloc((wide_len(own_command) + 1) * sizeof(WCHAR))))
            memcpy(line, own_command, (wide_len(own_command) + 1) * sizeof(WCHAR));
    } else {
        line = wide_from_utf8(command);
    }
    dir = directory ? current_directory(directory, &dir_ok) : NULL;
    if (!line) {
        if (!reply->status)
            fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the program's command line");
    } else if (!dir_ok) {
        fail_win32(reply, ERROR_DIRECTORY, "finding the program's current directory");
    } else if ((fd >= 0 || !waits) && (lock_fd = dup(fd)) < 0) { /* a duplicate without FD_CLOEXEC */
        fail_win32(reply, ERROR_INVALID_HANDLE, "keeping the resource's lock for the program");
    } else if ((job || make_job(waits, reply)) && create_process(line, dir, service, &info, reply)) {
        /* from here on only the program's processes inherit it */
        if (lock_fd >= 0)
            fcntl(lock_fd, F_SETFD, FD_CLOEXEC);
        process = info.hProcess;
        if (!RegisterWaitForSingleObject(&wait, process, waits ? command_exited : program_exited, NULL,
                                         INFINITE, WT_EXECUTEONLYONCE | WT_EXECUTELONGFUNCTION)) {
            fail_win32(reply, GetLastError(), "waiting for the program");
            TerminateJobObject(job, 1);
            CloseHandle(info.hThread);
        } else {
            if (*hook && hook_program(process, hook, why, sizeof(why)))
                *why = 0;
            first_thread = info.hThread;
            pack_u32(&reply->more, info.dwProcessId);
            pack_text(&reply->more, why);
            done = true;
        }
    }
    if (!done && lock_fd >= 0)
        close(lock_fd);
    free(line);
    free(dir);
    free(command);
    free(directory);
    free(hook);
    return done;
}

bool program_resume(struct unpack *u, struct reply *reply)
{
    (void)u;
    if (!first_thread)
        return fail_win32(reply, ERROR_INVALID_PARAMETER, "resuming a program that was not started");
    if (ResumeThread(first_thread) == (DWORD)-1)
        return fail_win32(reply, GetLastError(), "resuming the program");
    CloseHandle(first_thread);
    first_thread = NULL;
    regedit_started(process);
    return true;
}

bool program_terminate(struct unpack *u, struct reply *reply)
{
    uint32_t code = unpack_u32(u);

    if (job && !TerminateJobObject(job, code))
        return fail_win32(reply, GetLastError(), "ending the program");
    return true;
}

/*
 * A program that Wine cannot run "ends" like one that could be, with exit code 0: only a code that it
 * chose itself says that it ran.
 */
bool program_try_32bit(struct reply *reply)
{
    WCHAR command[] = L"C:\\windows\\syswow64\\cmd.exe /c exit 77";
    PROCESS_INFORMATION info;
    STARTUPINFOW startup;
    DWORD code = 0;

    _Static_assert(TRY_CODE == 77, "what cmd.exe is told");
    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    if (CreateProcessW(NULL, command, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup, &info)) {
        if (WaitForSingleObject(info.hProcess, TRY_MS) == WAIT_OBJECT_0)
            GetExitCodeProcess(info.hProcess, &code);
        else
            TerminateProcess(info.hProcess, 1);
        CloseHandle(info.hThread);
        CloseHandle(info.hProcess);
    }
    pack_u32(&reply->more, code == TRY_CODE);
    return true;
}
