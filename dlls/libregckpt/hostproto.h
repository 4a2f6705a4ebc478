/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol between the native side (monitor, command) and regckpt-host, over message.h.
 *
 * The native side listens on a socket; the host connects, says HOST_HELLO and then answers each
 * request with one HOST_REPLY of the same tag, in order.  It may send events in between.
 * When the connection ends, the host ends its program (job) and itself.
 * Compiled on the Wine side too: no system header beyond C's.
 */
#ifndef REGCKPT_HOSTPROTO_H
#define REGCKPT_HOSTPROTO_H

#define HOSTPROTO_VERSION 7

enum host_message {
    /* host to native, first message: u32 version, u32 role, u32 bits (of the host), u32 Unix pid,
     * text service (role HOST_LAUNCHER: the service it was started for) */
    HOST_HELLO = 1,
    /* every request's answer: u32 NTSTATUS or Win32 error (0 done), u32 enum host_error_kind,
     * text what failed, then what the request says */
    HOST_REPLY,

    /* --- requests --- */
    /* u32 count, then per key: u32 id, u32 view, text path.  Replaces the list; opens what exists.
     * Reply: u32 count, per key: u32 id, u32 exists, text physical path ("" if it does not exist) */
    HOST_KEYS,
    /* u32 id, u32 watch, utf16 path below the key ("": itself); the descriptor of an empty file rides
     * along.  Arms the key's notification if watch, then NtSaveKey into the file.
     * Reply: u32 exists, u64 nanoseconds of the server's time, u64 epoch in the marker (0: none), u32 has
     * it a subkey that is named by one NUL? */
    HOST_SAVE,
    /* u32 id: arms the notification without a scan.  Reply: u32 exists */
    HOST_ARM,
    /* u32 id; the descriptor of the text rides along: NtLoadKey; makes the parents. */
    HOST_LOAD,
    /* u32 count, then packed changes, applied in order. Reply: u32 index of the failed one or count */
    HOST_APPLY,
    /* u32 id, u32 count, then per question: u32 enum host_ask, utf16 path below the key, utf16 name of
     * a value (none for a key).  Reply: u32 count, u32 HOST_ANSWER_* each */
    HOST_ASK,
    /* text resource, u64 epoch: makes the volatile marker key that scans are checked against */
    HOST_MARKER,
    /* u32 enum host_program, text service or command line. Reply: u32 bits (0 unknown), u32 exists, text image path
     * (as registered, unwrapped or not), u32 start type, u32 state (SERVICE_*), u32 wrapped */
    HOST_QUERY_PROGRAM,
    /* no payload: tries whether 32-bit programs run in this prefix.  Reply: u32 they do */
    HOST_TRY_32BIT,
    /* text service, text new image path, u32 start type (SERVICE_NO_CHANGE: as it is) */
    HOST_CONFIGURE_SERVICE,
    /* The lock's descriptor rides along.  text command line ("": the launcher's own), text directory,
     * text hook directory (the resource's run directory as a Unix path; "": do not hook), u32 flags
     * (HOST_START_*).
     * Starts the program suspended, in a kill-on-close job, and loads the hook into it (hook.h).
     * Reply: u32 Windows pid, text why it is not hooked ("": it is).  Then: HOST_RESUME */
    HOST_START,
    /* no payload: lets the program run.  Later: HOST_EXITED */
    HOST_RESUME,
    /* text service: begins StartService.  Later: HOST_SERVICE_DONE */
    HOST_START_SERVICE,
    /* text service: begins ControlService(STOP).  Later: HOST_SERVICE_DONE */
    HOST_STOP_SERVICE,
    /* u32 exit code: ends the job's program */
    HOST_TERMINATE,
    /* u32 exit code: the host ends itself with it, after the reply */
    HOST_EXIT,
    /* u32 enum host_report, text path of a ring: has wineserver report what changes.
     * Reply: u32 1 if this wineserver can, 0: it is one that knows nothing of it */
    HOST_REPORT,
    /* text key (HKEY_LOCAL_MACHINE\...), text title: the program that is started next is Wine's regedit;
     * it opens there, and its window gets that title.  Later: HOST_WINDOW */
    HOST_PREPARE_REGEDIT,

    /* --- events (tag 0) --- */
    /* u32 id: something below the key changed (the notification fired, or the key came or went) */
    HOST_CHANGED,
    /* u32 exit code of the program; all its processes are gone */
    HOST_EXITED,
    /* u32 Win32 error of the StartService or ControlService that was begun, 0: it was accepted */
    HOST_SERVICE_DONE,
    /* u32 exit code of the program, while processes it started go on (HOST_START_WAITS) */
    HOST_LEFT,
    /* u32 Windows pid: regedit's window is there */
    HOST_WINDOW,
};

/* The program is a command that somebody waits for: it has ended when all that it started has, and a
 * lock is held only if its descriptor rides along.  Without this flag what is left is ended with it. */
#define HOST_START_WAITS 1u

enum host_ask { HOST_ASK_KEY = 1, HOST_ASK_VALUE = 2 };

#define HOST_ANSWER_NO 0u
#define HOST_ANSWER_YES 1u        /* it is there, of exactly that name (in any case) */
#define HOST_ANSWER_NUL 2u        /* there is one whose name has a NUL behind that one (of values: and no other) */
#define HOST_ANSWER_KEYS_ALONE 4u /* and the key holds subkeys and no values */

enum host_role {
    HOST_AGENT = 1,    /* started by the native side for the registry's sake */
    HOST_LAUNCHER = 2, /* started by services.exe in place of the program */
};

enum host_program { HOST_SERVICE = 1, HOST_APPLICATION = 2 }; /* as enum resource_kind */

enum host_report {
    REPORT_ASK = 0,   /* only whether it can */
    REPORT_BEGIN = 1, /* into that ring, until this host ends or the next REPORT_BEGIN; no watch then */
    REPORT_AGAIN = 2, /* the keys in the ring's table are others */
};

enum host_error_kind { HOST_ERROR_NTSTATUS = 1, HOST_ERROR_WIN32 = 2, HOST_ERROR_ERRNO = 3 };

#endif
