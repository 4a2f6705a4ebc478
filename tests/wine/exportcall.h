/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the rows of hook_exports.c (exportrows_*.h) are made of.  A row is one export with a call of
 * it, which finds a key of its own with the same content each time:
 *
 *     (default) "default", Text "text", Number 7
 *     Child     Deep "deep", Content Type "text/plain"
 *     Child\Grand
 *     Empty
 *     Loaded    a loaded tree with one value; only in rows of the kind SCANS
 *
 * While a call runs, HKEY_CURRENT_USER and HKEY_CLASSES_ROOT are that key too, so that what writes
 * there is seen.  For one source file.
 */
#ifndef REGCKPT_EXPORTCALL_H
#define REGCKPT_EXPORTCALL_H

#include "testprogram.h"

#include <shlwapi.h>
#include <shobjidl.h>
#include <wincred.h>
#include <wincrypt.h>
#include <winsvc.h>

enum row_kind {
    MUTATES,   /* changes its key: what arrives makes the key before into the key after */
    EXEMPT,    /* changes nothing: nothing arrives, and the key is as it was */
    SCANS,     /* changes a tree at once, or could: a scan is flagged. In a process of its own */
    ELSEWHERE, /* changes a key that is not the row's: the driver knows which. Of its own too */
    LAST,      /* as EXEMPT, and spoils the process for what comes after it. Of its own too */
    STUB,      /* in the export table only: calling it raises EXCEPTION_WINE_STUB */
};

struct row {
    FARPROC function;
    HKEY key;
    WCHAR path[300]; /* absolute, for ntdll */
    const WCHAR *file, *new_file; /* a saved tree, and one that is not there */
    const char *file_a, *new_file_a;
};

typedef BOOL row_call(struct row *row);

struct row_entry {
    const char *name; /* of the export; of a nameless one what Wine's source calls it */
    enum row_kind kind;
    row_call *call;
    const char *dll;  /* of a nameless one */
    unsigned ordinal; /* 0: it has a name */
};

/* --- what the headers of mingw leave out; never linked, for their types only --- */

NTSTATUS WINAPI NtOpenKey(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
NTSTATUS WINAPI NtCreateKeyTransacted(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG,
                                      UNICODE_STRING *, ULONG, HANDLE, ULONG *);
NTSTATUS WINAPI NtOpenKeyTransacted(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, HANDLE);
NTSTATUS WINAPI NtOpenKeyTransactedEx(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, HANDLE);
NTSTATUS WINAPI NtDeleteKey(HANDLE);
NTSTATUS WINAPI NtDeleteValueKey(HANDLE, UNICODE_STRING *);
NTSTATUS WINAPI NtEnumerateKey(HANDLE, ULONG, int, void *, ULONG, ULONG *);
NTSTATUS WINAPI NtEnumerateValueKey(HANDLE, ULONG, int, void *, ULONG, ULONG *);
NTSTATUS WINAPI NtQueryValueKey(HANDLE, UNICODE_STRING *, int, void *, ULONG, ULONG *);
NTSTATUS WINAPI NtFlushKey(HANDLE);
NTSTATUS WINAPI NtLoadKey(OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *);
NTSTATUS WINAPI NtLoadKey2(OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG);
NTSTATUS WINAPI NtLoadKeyEx(OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG, HANDLE, HANDLE,
                            ACCESS_MASK, HANDLE *, IO_STATUS_BLOCK *);
NTSTATUS WINAPI NtUnloadKey(OBJECT_ATTRIBUTES *);
NTSTATUS WINAPI NtNotifyChangeKey(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, ULONG, BOOLEAN,
                                  void *, ULONG, BOOLEAN);
NTSTATUS WINAPI NtReplaceKey(OBJECT_ATTRIBUTES *, HANDLE, OBJECT_ATTRIBUTES *);
NTSTATUS WINAPI NtRestoreKey(HANDLE, HANDLE, ULONG);
NTSTATUS WINAPI NtSaveKey(HANDLE, HANDLE);
NTSTATUS WINAPI NtCreateKeyedEvent(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG);
NTSTATUS WINAPI NtOpenKeyedEvent(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
NTSTATUS WINAPI NtReleaseKeyedEvent(HANDLE, void *, BOOLEAN, LARGE_INTEGER *);
NTSTATUS WINAPI NtWaitForKeyedEvent(HANDLE, void *, BOOLEAN, LARGE_INTEGER *);

struct query_table { /* RTL_QUERY_REGISTRY_TABLE */
    NTSTATUS(WINAPI *routine)(const WCHAR *, ULONG, void *, ULONG, void *, void *);
    ULONG flags;
    const WCHAR *name;
    void *context;
    ULONG default_type;
    void *default_data;
    ULONG default_length;
};
NTSTATUS WINAPI RtlCheckRegistryKey(ULONG, const WCHAR *);
NTSTATUS WINAPI RtlCreateRegistryKey(ULONG, const WCHAR *);
NTSTATUS WINAPI RtlDeleteRegistryValue(ULONG, const WCHAR *, const WCHAR *);
NTSTATUS WINAPI RtlFormatCurrentUserKeyPath(UNICODE_STRING *);
NTSTATUS WINAPI RtlQueryRegistryValues(ULONG, const WCHAR *, struct query_table *, void *, void *);
NTSTATUS WINAPI RtlQueryRegistryValuesEx(ULONG, const WCHAR *, struct query_table *, void *, void *);
NTSTATUS WINAPI RtlWriteRegistryValue(ULONG, const WCHAR *, const WCHAR *, ULONG, const void *, ULONG);
NTSTATUS WINAPI RtlpNtCreateKey(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, UNICODE_STRING *,
                                ULONG, ULONG *);
NTSTATUS WINAPI RtlpNtEnumerateSubKey(HANDLE, UNICODE_STRING *, ULONG);
NTSTATUS WINAPI RtlpNtMakeTemporaryKey(HANDLE);
NTSTATUS WINAPI RtlpNtOpenKey(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
NTSTATUS WINAPI RtlpNtQueryValueKey(HANDLE, ULONG *, BYTE *, DWORD *, void *);
NTSTATUS WINAPI RtlpNtSetValueKey(HANDLE, ULONG, const void *, ULONG);
NTSTATUS WINAPI RemapPredefinedHandleInternal(HKEY, HKEY);
NTSTATUS WINAPI DisablePredefinedHandleTableInternal(HKEY);
BOOL WINAPI SynchronizeWindows31FilesAndWindowsNTRegistry(DWORD, DWORD, DWORD, DWORD);
BOOL WINAPI SetUserGeoName(WCHAR *);

DWORD WINAPI SHDeleteOrphanKeyA(HKEY, const char *);
DWORD WINAPI SHDeleteOrphanKeyW(HKEY, const WCHAR *);
BOOL WINAPI RegisterMIMETypeForExtensionA(const char *, const char *);
BOOL WINAPI RegisterMIMETypeForExtensionW(const WCHAR *, const WCHAR *);
BOOL WINAPI UnregisterMIMETypeForExtensionA(const char *);
BOOL WINAPI UnregisterMIMETypeForExtensionW(const WCHAR *);
BOOL WINAPI RegisterExtensionForMIMETypeA(const char *, const char *);
BOOL WINAPI RegisterExtensionForMIMETypeW(const WCHAR *, const WCHAR *);
BOOL WINAPI UnregisterExtensionForMIMETypeA(const char *);
BOOL WINAPI UnregisterExtensionForMIMETypeW(const WCHAR *);
HRESULT WINAPI SHRegGetCLSIDKeyA(const GUID *, const char *, BOOL, BOOL, HKEY *);
HRESULT WINAPI SHRegGetCLSIDKeyW(const GUID *, const WCHAR *, BOOL, BOOL, HKEY *);
BOOL WINAPI SHSetIniStringW(const WCHAR *, const WCHAR *, const WCHAR *, const WCHAR *);
HKEY WINAPI SHGetShellKey(DWORD, const WCHAR *, BOOL);
HRESULT WINAPI SKSetValueW(DWORD, const WCHAR *, const WCHAR *, DWORD, void *, DWORD);
HRESULT WINAPI SKGetValueW(DWORD, const WCHAR *, const WCHAR *, DWORD *, void *, DWORD *);
HRESULT WINAPI SKDeleteValueW(DWORD, const WCHAR *, const WCHAR *);
HRESULT WINAPI SHCreatePropertyBagOnRegKey(HKEY, const WCHAR *, DWORD, const GUID *, void **);

/* CLSID_QueryAssociations, IID_IQueryAssociations */
static const GUID associations_class = {
    0xa07034fd, 0x6caa, 0x4954, {0xac, 0x3f, 0x97, 0xa2, 0x72, 0x16, 0xf9, 0x8a}};
static const GUID associations_interface = {
    0xc46ca590, 0x3c3f, 0x11d2, {0xbe, 0xe6, 0x00, 0x00, 0xf8, 0x05, 0xca, 0x57}};

/* --- helpers --- */

#define TEXT_W (const BYTE *)L"new", 8
#define TEXT_A (const BYTE *)"new", 4
#define ABSOLUTE_PATH 0       /* RTL_REGISTRY_ABSOLUTE */
#define QUERY_AND_DELETE 0x60 /* RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_DELETE */
#define PARTIAL_INFORMATION 2 /* KeyValuePartialInformation */
#define NOT_IMPLEMENTED ((NTSTATUS)0xc0000002)
#define EXPLORER L"Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"
#define MIME_KEY "MIME\\Database\\Content Type\\text/row"
#define PENDING ((NTSTATUS)0x00000103)

static inline HKEY subkey(struct row *row, const WCHAR *name)
{
    HKEY key = NULL;

    if (RegOpenKeyExW(row->key, name, 0, KEY_ALL_ACCESS, &key))
        testkey_die("RegOpenKeyEx", name, GetLastError());
    return key;
}

/* The name as ntdll takes it; one at a time. */
static inline UNICODE_STRING *string(const WCHAR *name)
{
    static UNICODE_STRING s;

    s = testkey_string(name, wcslen(name));
    return &s;
}

static inline OBJECT_ATTRIBUTES *below(HKEY key, const WCHAR *name)
{
    static OBJECT_ATTRIBUTES attributes;
    static UNICODE_STRING s;

    s = testkey_string(name, wcslen(name));
    InitializeObjectAttributes(&attributes, &s, OBJ_CASE_INSENSITIVE, (HANDLE)key, NULL);
    return &attributes;
}

/* A file by its Windows path, for ntdll. */
static inline OBJECT_ATTRIBUTES *file_object(const WCHAR *file)
{
    static OBJECT_ATTRIBUTES attributes;
    static WCHAR path[300];
    static UNICODE_STRING s;

    swprintf(path, ARRAYSIZE(path), L"\\??\\%ls", file);
    s = testkey_string(path, wcslen(path));
    InitializeObjectAttributes(&attributes, &s, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return &attributes;
}

static inline const WCHAR *path_of(struct row *row, const WCHAR *name)
{
    static WCHAR path[400];

    swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", row->path, name);
    return path;
}

/* A key handle that a call made is closed; TRUE if there was one. */
static inline BOOL shut(HKEY key)
{
    return key && !RegCloseKey(key);
}

static inline HANDLE new_event(void)
{
    return CreateEventW(NULL, FALSE, FALSE, NULL);
}

/* Writes to a stream and releases it: a registry stream writes its value then. */
static inline BOOL write_stream(IStream *stream)
{
    ULONG written;

    if (!stream || stream->lpVtbl->Write(stream, "stream", 6, &written)) return FALSE;
    stream->lpVtbl->Release(stream);
    return TRUE;
}

/* A user-specific key on Child; FORCE_HKCU would make it where it is not there. */
static inline HUSKEY us_key(void)
{
    __typeof__(SHRegOpenUSKeyW) *open =
        (void *)GetProcAddress(LoadLibraryW(L"shlwapi"), "SHRegOpenUSKeyW");
    HUSKEY key = NULL;

    open(L"Child", KEY_ALL_ACCESS, NULL, &key, FALSE);
    return key;
}

/* A provider that keeps nothing, and a key of it. */
static inline HCRYPTPROV provider(void)
{
    HCRYPTPROV prov = 0;

    if (!CryptAcquireContextW(&prov, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT))
        testkey_die("CryptAcquireContext", NULL, GetLastError());
    return prov;
}

static inline HCRYPTKEY session_key(void)
{
    HCRYPTKEY key = 0;

    if (!CryptGenKey(provider(), CALG_RC2, CRYPT_EXPORTABLE, &key))
        testkey_die("CryptGenKey", NULL, GetLastError());
    return key;
}

static inline HCRYPTHASH hash(HCRYPTPROV prov)
{
    HCRYPTHASH h = 0;

    if (!CryptCreateHash(prov, CALG_MD5, 0, 0, &h))
        testkey_die("CryptCreateHash", NULL, GetLastError());
    return h;
}

/* HKEY_LOCAL_MACHINE is this key, with what CryptAcquireContext looks for; NULL: it is the machine's again. */
#define CRYPTOGRAPHY L"Software\\Microsoft\\Cryptography"
static inline BOOL machine_is(HKEY key)
{
    HKEY made;

    if (key && !RegCreateKeyW(key, CRYPTOGRAPHY, &made)) RegCloseKey(made);
    return !RegOverridePredefKey(HKEY_LOCAL_MACHINE, key);
}

/* What CryptSetProvider looks for below HKEY_CURRENT_USER. */
static inline void make_provider_keys(void)
{
    static const WCHAR *const names[] = {
        L"Software\\Microsoft\\Cryptography\\Defaults\\Provider\\Row",
        L"Software\\Microsoft\\Cryptography\\Provider Type 001",
    };
    HKEY key;

    for (unsigned i = 0; i < ARRAYSIZE(names); i++)
        if (!RegCreateKeyW(HKEY_CURRENT_USER, names[i], &key)) RegCloseKey(key);
}

static inline CREDENTIALW *credential(void)
{
    static CREDENTIALW c;

    c.Type = CRED_TYPE_GENERIC;
    c.TargetName = (WCHAR *)L"row";
    c.Persist = CRED_PERSIST_LOCAL_MACHINE;
    c.UserName = (WCHAR *)L"user";
    return &c;
}

static inline CREDENTIALA *credential_a(void)
{
    static CREDENTIALA c;

    c.Type = CRED_TYPE_GENERIC;
    c.TargetName = (char *)"row";
    c.Persist = CRED_PERSIST_LOCAL_MACHINE;
    c.UserName = (char *)"user";
    return &c;
}

/* Is the value there? */
static inline BOOL has(HKEY key, const WCHAR *sub, const WCHAR *name)
{
    return !RegGetValueW(key, sub, name, RRF_RT_ANY, NULL, NULL, NULL);
}

#endif
