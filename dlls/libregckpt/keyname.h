/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of registered keys: what users write, what views mean, what overlaps.
 *
 * A key is named relative to HKEY_LOCAL_MACHINE (KB174070); "HKLM\" or "HKEY_LOCAL_MACHINE\" in
 * front is accepted.  Its logical path is what a program of its view writes; its physical path is
 * where a 64-bit prefix keeps it (kernelbase/registry.c of Wine 8.0: a 32-bit program's
 * Software\X is Software\Wow6432Node\X, its Software\Classes\X is Software\Classes\Wow6432Node\X,
 * anything outside Software is one and the same).  A view means what a 64-bit process gets with
 * KEY_WOW64_64KEY or KEY_WOW64_32KEY.
 */
#ifndef REGCKPT_KEYNAME_H
#define REGCKPT_KEYNAME_H

#include "resource.h"

/*
 * The clean path of what the user wrote, malloc'ed: the root stripped, doubled and trailing
 * backslashes gone.  NULL with RESULT_USAGE for: empty, a leading backslash, another root (HKCU:
 * says that only HKLM follows a resource), a slash as separator, a component of more than
 * IMAGE_MAX_KEY_NAME_CHARS units, control characters, no backslash at all in something that looks like a path whose
 * backslashes the shell ate ("SoftwareVendorApp": says to quote it), invalid UTF-8.
 */
char *keyname_clean(const char *given, struct error *err);

/* The physical path in a 64-bit prefix, malloc'ed UTF-8. NULL: no memory. */
char *keyname_physical(const char *path, enum view view);

/*
 * A key below Software\Classes that a 32-bit process shares with 64-bit ones (wineserver's
 * KEY_WOWSHARE: all but CLSID, Interface and a few more): for it, auto is the 64-bit view always.
 */
bool keyname_is_shared_class(const char *path);

/*
 * Which view programs of one bitness mean is the caller's to find out; this one resolves "64",
 * "32", "auto" (with auto_view as what auto means; 0: not known, RESULT_USAGE says to name it).
 */
int keyname_view(const char *text, int auto_view, enum view *out, struct error *err);

enum keyname_relation { KEYS_APART, KEYS_SAME, KEY_ABOVE /* a holds b */, KEY_BELOW };
/* By physical path, ignoring case. -1: no memory. */
int keyname_relation(const struct registered_key *a, const struct registered_key *b);

/*
 * A key that everybody shares: HKLM's own children (Software, System, Hardware, SAM, Security),
 * Software\Microsoft, Software\Classes with its AppId, CLSID, Interface and TypeLib, Software\Wine, Software\Policies, Software\Wow6432Node,
 * Software\Microsoft\Windows, ...\CurrentVersion, Software\Microsoft\Windows NT and its
 * CurrentVersion, System\CurrentControlSet, ...\Services, ...\Control, ...\Enum, ...\Hardware
 * Profiles, the same of ControlSet001, also by their physical names and below either view.
 */
bool keyname_is_broad(const char *path, enum view view);

/*
 * May the key be registered beside those there are?  RESULT_EXISTS (the same key twice, either
 * view), RESULT_USAGE (overlap, broad without KEY_BROAD; the message names both keys, and the other
 * resource if `owner` of the list is not NULL).
 */
int keyname_check(const struct registered_key *key, const struct registered_key *others,
                  size_t count, const char *owner, struct error *err);

/* Why might a key not exist?  A sentence for the message: the same key in the other view, a path
 * whose backslashes are doubled or gone, a missing last component.  exists() tells of a key.
 * Malloc'ed; NULL: no memory. */
char *keyname_guess(const char *path, enum view view,
                    bool (*exists)(const char *path, enum view view, void *arg), void *arg);

/* "System\CurrentControlSet\Services\X" itself (any case): its ImagePath and Start are the node's. */
bool keyname_is_service(const char *path);

#endif
