/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For `regckpt regedit`: where regedit opens, and a title that says whose registry it shows.
 *
 * Wine's regedit opens the key that it showed last, which it keeps in the user's own registry, and
 * shows no key at all if that one does not exist.  Its title is what it was made with: it stays when
 * somebody else has set it once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

#define LOOK_MS 50

static WCHAR *title; /* NULL: the program is not regedit, or its window has it */

/* user32 alone makes a process part of a desktop: it is loaded by who needs it. */
static struct {
    HWND (WINAPI *FindWindowExW)(HWND, HWND, const WCHAR *, const WCHAR *);
    DWORD (WINAPI *GetWindowThreadProcessId)(HWND, DWORD *);
    BOOL (WINAPI *SetWindowTextW)(HWND, const WCHAR *);
} user32;

static bool load_user32(void)
{
    HMODULE module = LoadLibraryA("user32.dll");

    user32.FindWindowExW = (void *)GetProcAddress(module, "FindWindowExW");
    user32.GetWindowThreadProcessId = (void *)GetProcAddress(module, "GetWindowThreadProcessId");
    user32.SetWindowTextW = (void *)GetProcAddress(module, "SetWindowTextW");
    return user32.FindWindowExW && user32.GetWindowThreadProcessId && user32.SetWindowTextW;
}

/* Cuts the path to what exists; the first component names the root. */
static void cut_to_existing(WCHAR *path)
{
    size_t root = 0, len = wide_len(path);
    HKEY key;

    while (path[root] && path[root] != '\\')
        root++;
    while (len > root) {
        path[len] = 0;
        if (!RegOpenKeyExW(HKEY_LOCAL_MACHINE, path + root + 1, 0, KEY_READ | KEY_WOW64_64KEY, &key)) {
            RegCloseKey(key);
            return;
        }
        while (len > root && path[--len] != '\\')
            ;
    }
    path[root] = 0;
}

bool regedit_prepare(struct unpack *u, struct reply *reply)
{
    static const char applet[] = "Software\\Microsoft\\Windows\\CurrentVersion\\Applets\\Regedit";
    static const WCHAR last_key[] = {'L', 'a', 's', 't', 'K', 'e', 'y', 0};
    char *key_text = unpack_text(u), *title_text = unpack_text(u);
    WCHAR *path = key_text ? wide_from_utf8(key_text) : NULL;
    LSTATUS error = ERROR_INVALID_PARAMETER;
    HKEY key;

    free(title);
    title = title_text ? wide_from_utf8(title_text) : NULL;
    if (!unpack_failed(u) && path && title) {
        cut_to_existing(path);
        error = RegCreateKeyExA(HKEY_CURRENT_USER, applet, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);
    }
    if (!error) {
        error = RegSetValueExW(key, last_key, 0, REG_SZ, (const BYTE *)path,
                               (wide_len(path) + 1) * sizeof(WCHAR));
        RegCloseKey(key);
    }
    free(path);
    free(key_text);
    free(title_text);
    return !error || fail_win32(reply, error, "telling regedit which key to open");
}

/* The main window of a process, once there is one. */
static HWND find_window(DWORD process_id)
{
    static const WCHAR class[] = {'R', 'e', 'g', 'E', 'd', 'i', 't', '_', 'R', 'e', 'g', 'E', 'd', 'i',
                                  't', 0};
    HWND window = NULL;
    DWORD id = 0;

    while ((window = user32.FindWindowExW(NULL, window, class, NULL))) {
        user32.GetWindowThreadProcessId(window, &id);
        if (id == process_id)
            break;
    }
    return window;
}

/* Ends with the first sight of the window, or with the process: a desktop lives as long as who uses it. */
static DWORD CALLBACK set_title(void *process)
{
    DWORD id = GetProcessId(process);
    HWND window = NULL;
    struct pack p;

    if (!load_user32())
        return 1;
    while (!(window = find_window(id)) && WaitForSingleObject(process, LOOK_MS) == WAIT_TIMEOUT)
        ;
    if (!window)
        return 1;
    user32.SetWindowTextW(window, title);
    pack_init(&p);
    pack_u32(&p, id);
    host_send(HOST_WINDOW, 0, &p);
    pack_free(&p);
    return 0;
}

void regedit_started(HANDLE process)
{
    HANDLE thread = title ? CreateThread(NULL, 0, set_title, process, 0, NULL) : NULL;

    if (thread)
        CloseHandle(thread);
}
