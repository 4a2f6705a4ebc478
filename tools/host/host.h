/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * regckpt-host: the Wine side of a resource.
 *
 * It does as it is told by the native side (hostproto.h) and knows nothing of checkpoints: it scans,
 * loads and changes registry keys, tells when one of them changed, and starts the program in a job
 * that ends with the host.  The thread that reads requests is the main one; events are sent by
 * others (the watch thread, thread pool waits), one message at a time (host_send).
 */
#ifndef REGCKPT_HOST_H
#define REGCKPT_HOST_H

#include <stdarg.h>
#include <stdbool.h>

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>

#include "../../dlls/libregckpt/hostproto.h"
#include "../../dlls/libregckpt/pack.h"

/* What a request came to: filled by its function, sent by host_main.c. */
struct reply {
    uint32_t status;       /* 0: done; else an error of this kind: */
    uint32_t kind;         /* enum host_error_kind */
    char what[256];        /* what failed, UTF-8 */
    struct pack more;      /* what the request says a reply holds */
};

/* Both set the reply's error and return false, so that a caller can say `return fail_...`. */
bool fail_nt(struct reply *reply, NTSTATUS status, const char *what);
bool fail_win32(struct reply *reply, DWORD error, const char *what);

/* Sends a message to the native side from any thread; a lost connection ends the process. */
void host_send(uint32_t type, uint32_t tag, const struct pack *payload);

/* UTF-8 to a NUL-terminated wide string and back, malloc'ed. NULL: no memory or not UTF-8. */
WCHAR *wide_from_utf8(const char *text);
char *utf8_from_wide(const WCHAR *text);
size_t wide_len(const WCHAR *text);

/* host_registry.c: the registered keys. fd is the request's descriptor, the caller closes it. */
bool registry_set_keys(struct unpack *u, struct reply *reply);
bool registry_save(struct unpack *u, int fd, struct reply *reply);
bool registry_arm(struct unpack *u, struct reply *reply);
bool registry_load(struct unpack *u, int fd, struct reply *reply);
/* Nothing is watched any more until it is asked for again. */
void registry_stop_watching(void);
/* Looks after every key once: tells of those that came, went or were renamed. */
void registry_tick(void);

/* host_apply.c */
bool registry_apply(struct unpack *u, struct reply *reply);
bool registry_ask(struct unpack *u, struct reply *reply);

/* host_marker.c */
bool registry_marker(struct unpack *u, struct reply *reply);
uint64_t marker_read(void); /* the epoch in the marker of this registry; 0: there is none */

/* host_report.c */
bool report_request(struct unpack *u, struct reply *reply);

/* host_watch.c */
struct key_watch;
/* Asks for one notification of anything below the key; event_fn sends HOST_CHANGED for the id. */
struct key_watch *watch_start(uint32_t key_id);
NTSTATUS watch_arm(struct key_watch *watch, HANDLE key);
void watch_stop(struct key_watch *watch); /* NULL is fine */
bool watch_begin_ticks(void);

/* host_program.c */
/* own_command: what a launcher was started in place of; NULL for an agent. */
bool program_start(struct unpack *u, int fd, const WCHAR *own_command, struct reply *reply);
bool program_resume(struct unpack *u, struct reply *reply);
bool program_terminate(struct unpack *u, struct reply *reply);
bool program_try_32bit(struct reply *reply);

/*
 * host_hook.c: loads the hook into a process that is still suspended, by the DLL and the ring in this
 * Unix directory; false: it is not in, *why says why.
 */
bool hook_program(HANDLE target, const char *directory, char *why, size_t why_bytes);

/* host_regedit.c */
bool regedit_prepare(struct unpack *u, struct reply *reply);
/* The program runs: if it is what was prepared for, its window gets its title. */
void regedit_started(HANDLE process);

/* host_service.c */
bool service_query(struct unpack *u, struct reply *reply);
bool service_configure(struct unpack *u, struct reply *reply);
bool service_start(struct unpack *u, struct reply *reply);
bool service_stop(struct unpack *u, struct reply *reply);

/* host_args.c: the command line that `wrap` puts into ImagePath. */
struct host_args {
    char *agent_socket;    /* --agent SOCKET: HOST_AGENT */
    char *store, *resource, *dir, *conf; /* launcher: --store, --resource, --dir, --conf */
    char *monitor;         /* --monitor PATH: started if none listens */
    char *service;         /* --service NAME */
    const WCHAR *program;  /* what stands behind " -- " in the raw command line, NULL: nothing */
};
bool host_args_parse(int argc, char **argv, struct host_args *args);
/* In the raw command line of a service: what stands behind " -- " if it is one of ours, else NULL. */
const WCHAR *host_args_wrapped(const WCHAR *image_path);

/* host_launcher.c: connects to the resource's monitor, starting one if none listens. -1: failed. */
int launcher_connect(const struct host_args *args);

#endif
