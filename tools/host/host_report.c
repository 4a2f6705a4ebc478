/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks wineserver to report what changes, where it can (server_patch/README): such a server has the key
 * \Registry\Report, and a value that is set there, the path of a ring, makes it write into that ring
 * for as long as the handle is open by which it was set.  Setting it again makes the server read again
 * which keys are meant.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"

static const WCHAR key_path[] = {'\\', 'R', 'e', 'g', 'i', 's', 't', 'r', 'y', '\\',
                                 'R', 'e', 'p', 'o', 'r', 't', 0};
static WCHAR value_text[] = {'R', 'i', 'n', 'g', 0};

static HANDLE report_key; /* open: the server reports by it, or may */

static NTSTATUS open_report_key(void)
{
    UNICODE_STRING name = {sizeof(key_path) - sizeof(WCHAR), sizeof(key_path), (WCHAR *)key_path};
    OBJECT_ATTRIBUTES attr;

    if (report_key)
        return STATUS_SUCCESS;
    InitializeObjectAttributes(&attr, &name, OBJ_CASE_INSENSITIVE, 0, NULL);
    return NtOpenKey(&report_key, KEY_SET_VALUE, &attr);
}

static void end_report(void)
{
    if (report_key)
        NtClose(report_key);
    report_key = 0;
}

static NTSTATUS set_ring(const char *path)
{
    UNICODE_STRING name = {sizeof(value_text) - sizeof(WCHAR), sizeof(value_text), value_text};

    return NtSetValueKey(report_key, &name, 0, REG_BINARY, path, strlen(path));
}

bool report_request(struct unpack *u, struct reply *reply)
{
    uint32_t what = unpack_u32(u);
    char *path = unpack_text(u);
    NTSTATUS status;

    if (unpack_failed(u) || what > REPORT_AGAIN) {
        free(path);
        return fail_win32(reply, ERROR_INVALID_PARAMETER, "reading the request to report");
    }
    if (what != REPORT_AGAIN)
        end_report();
    status = open_report_key();
    pack_u32(&reply->more, !status);
    if (!status && what != REPORT_ASK)
        status = set_ring(path);
    else if (status == STATUS_OBJECT_NAME_NOT_FOUND) /* not such a server */
        status = STATUS_SUCCESS;
    if (!status && what == REPORT_BEGIN)
        registry_stop_watching();
    free(path);
    if (what == REPORT_ASK)
        end_report();
    return status ? fail_nt(reply, status, "asking wineserver to report changes") : true;
}
