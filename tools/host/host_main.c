/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt-host's main loop: a request, its function, its reply.  When the native side is gone the
 * process ends at once, and the job takes the program with it: nobody would save what it writes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dlls/libregckpt/message.h"
#include "host.h"

#define HOST_LOST 121 /* the exit code when the native side is gone (ERROR_SEM_TIMEOUT's number) */
#define SEND_MS 60000

static int sock = -1;
static pthread_mutex_t send_lock = PTHREAD_MUTEX_INITIALIZER;

bool fail_nt(struct reply *reply, NTSTATUS status, const char *what)
{
    reply->status = status;
    reply->kind = HOST_ERROR_NTSTATUS;
    snprintf(reply->what, sizeof(reply->what), "%s", what);
    return false;
}

bool fail_win32(struct reply *reply, DWORD error, const char *what)
{
    reply->status = error ? error : ERROR_GEN_FAILURE;
    reply->kind = HOST_ERROR_WIN32;
    snprintf(reply->what, sizeof(reply->what), "%s", what);
    return false;
}

void host_send(uint32_t type, uint32_t tag, const struct pack *payload)
{
    int error;

    pthread_mutex_lock(&send_lock);
    error = message_send(sock, type, tag, payload, -1, SEND_MS);
    pthread_mutex_unlock(&send_lock);
    if (error)
        TerminateProcess(GetCurrentProcess(), HOST_LOST);
}

static void send_reply(uint32_t tag, struct reply *reply)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, reply->status);
    pack_u32(&p, reply->kind);
    pack_text(&p, reply->what);
    pack_raw(&p, reply->more.bytes, reply->more.len);
    host_send(HOST_REPLY, tag, &p);
    pack_free(&p);
}

static void send_hello(const struct host_args *args)
{
    struct pack p;

    pack_init(&p);
    pack_u32(&p, HOSTPROTO_VERSION);
    pack_u32(&p, args->agent_socket ? HOST_AGENT : HOST_LAUNCHER);
    pack_u32(&p, sizeof(void *) * 8);
    pack_u32(&p, getpid());
    pack_text(&p, args->service);
    host_send(HOST_HELLO, 0, &p);
    pack_free(&p);
}

/* Answers one request; false: an unknown one. */
static bool answer(const struct message *m, const struct host_args *args, struct reply *reply)
{
    struct unpack u;

    unpack_init(&u, m->payload, m->len_bytes);
    switch (m->type) {
    case HOST_KEYS:
        return registry_set_keys(&u, reply);
    case HOST_SAVE:
        return registry_save(&u, m->fd, reply);
    case HOST_ARM:
        return registry_arm(&u, reply);
    case HOST_LOAD:
        return registry_load(&u, m->fd, reply);
    case HOST_APPLY:
        return registry_apply(&u, reply);
    case HOST_REPORT:
        return report_request(&u, reply);
    case HOST_ASK:
        return registry_ask(&u, reply);
    case HOST_MARKER:
        return registry_marker(&u, reply);
    case HOST_QUERY_PROGRAM:
        return service_query(&u, reply);
    case HOST_TRY_32BIT:
        return program_try_32bit(reply);
    case HOST_CONFIGURE_SERVICE:
        return service_configure(&u, reply);
    case HOST_START:
        return program_start(&u, m->fd, args->program, reply);
    case HOST_PREPARE_REGEDIT:
        return regedit_prepare(&u, reply);
    case HOST_RESUME:
        return program_resume(&u, reply);
    case HOST_START_SERVICE:
        return service_start(&u, reply);
    case HOST_STOP_SERVICE:
        return service_stop(&u, reply);
    case HOST_TERMINATE:
        return program_terminate(&u, reply);
    }
    return fail_win32(reply, ERROR_INVALID_FUNCTION, "understanding a request (another version?)");
}

/* Reads requests until the other side is gone or says so. Returns the exit code. */
static int serve(const struct host_args *args)
{
    struct message m;

    while (!message_receive(sock, &m, -1)) {
        struct reply reply;

        memset(&reply, 0, sizeof(reply));
        pack_init(&reply.more);
        if (m.type == HOST_EXIT) {
            struct unpack u;
            int code;
            unpack_init(&u, m.payload, m.len_bytes);
            code = unpack_u32(&u);
            send_reply(m.tag, &reply);
            return code;
        }
        if (!answer(&m, args, &reply) && !reply.status)
            fail_win32(&reply, ERROR_GEN_FAILURE, "answering a request");
        send_reply(m.tag, &reply);
        pack_free(&reply.more);
        message_free(&m);
    }
    return HOST_LOST;
}

/* Ctrl-C in a terminal is for the command that was started there, not for who waits for it. */
static BOOL WINAPI ignore_ctrl_c(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

int main(int argc, char **argv)
{
    struct host_args args;
    struct error err;
    BOOLEAN old;
    int code;

    if (!host_args_parse(argc, argv, &args))
        return ERROR_BAD_ARGUMENTS;
    sock = args.agent_socket ? message_connect(args.agent_socket, &err) : launcher_connect(&args);
    if (sock < 0) {
        if (args.agent_socket)
            fprintf(stderr, "regckpt-host: %s\n", err.text);
        return ERROR_SERVICE_DEPENDENCY_FAIL;
    }
    SetConsoleCtrlHandler(ignore_ctrl_c, TRUE);
    RtlAdjustPrivilege(SE_BACKUP_PRIVILEGE, TRUE, FALSE, &old);
    RtlAdjustPrivilege(SE_RESTORE_PRIVILEGE, TRUE, FALSE, &old);
    send_hello(&args);
    if (!watch_begin_ticks()) {
        fprintf(stderr, "regckpt-host: cannot start the watch thread: Win32 error %u\n",
                (unsigned)GetLastError());
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    code = serve(&args);
    /* not exit(): threads of the pool may be in the middle of a send */
    TerminateProcess(GetCurrentProcess(), code);
    return code;
}
