/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exports of advapi32 and kernelbase that hook_exports.c asks for: see exportcall.h.  In a row
 * f is the export, key the row's key, out, n, type and buffer are for what comes back; it is true if
 * the export said what it should.  Included several times, with ROW as the place needs it.
 */

/* --- keys --- */
ROW(RegCloseKey, EXEMPT, f(subkey(row, L"Child")) == 0)
ROW(RegConnectRegistryA, EXEMPT, f(NULL, HKEY_LOCAL_MACHINE, &out) == 0 && shut(out))
ROW(RegConnectRegistryW, EXEMPT, f(NULL, HKEY_LOCAL_MACHINE, &out) == 0 && shut(out))
ROW(RegCopyTreeA, MUTATES, f(key, "Child", subkey(row, L"Empty")) == 0)
ROW(RegCopyTreeW, MUTATES, f(key, L"Child", subkey(row, L"Empty")) == 0)
ROW(RegCreateKeyA, MUTATES, f(key, "New\\Two", &out) == 0 && shut(out))
ROW(RegCreateKeyW, MUTATES, f(key, L"New\\Two", &out) == 0 && shut(out))
ROW(RegCreateKeyExA, MUTATES,
    f(key, "New", 0, (char *)"Class", 0, KEY_READ, NULL, &out, NULL) == 0 && shut(out))
ROW(RegCreateKeyExW, MUTATES,
    f(key, L"New", 0, (WCHAR *)L"Class", 0, KEY_READ, NULL, &out, NULL) == 0 && shut(out))
ROW(RegCreateKeyTransactedA, EXEMPT,
    f(key, "New", 0, NULL, 0, KEY_READ, NULL, &out, NULL, NULL, NULL) == ERROR_CALL_NOT_IMPLEMENTED)
ROW(RegCreateKeyTransactedW, EXEMPT,
    f(key, L"New", 0, NULL, 0, KEY_READ, NULL, &out, NULL, NULL, NULL) == ERROR_CALL_NOT_IMPLEMENTED)
ROW(RegDeleteKeyA, MUTATES, f(key, "Empty") == 0)
ROW(RegDeleteKeyW, MUTATES, f(key, L"Empty") == 0)
ROW(RegDeleteKeyExA, MUTATES, f(key, "Empty", 0, 0) == 0)
ROW(RegDeleteKeyExW, MUTATES, f(key, L"Empty", 0, 0) == 0)
ROW(RegDeleteTreeA, MUTATES, f(key, "Child") == 0)
ROW(RegDeleteTreeW, MUTATES, f(key, L"Child") == 0)
ROW(RegEnumKeyA, EXEMPT, f(key, 0, (char *)buffer, 99) == 0)
ROW(RegEnumKeyW, EXEMPT, f(key, 0, (WCHAR *)buffer, 99) == 0)
ROW(RegEnumKeyExA, EXEMPT, f(key, 0, (char *)buffer, &n, NULL, NULL, NULL, NULL) == 0)
ROW(RegEnumKeyExW, EXEMPT, f(key, 0, (WCHAR *)buffer, &n, NULL, NULL, NULL, NULL) == 0)
ROW(RegFlushKey, EXEMPT, f(key) == 0)
ROW(RegGetKeySecurity, EXEMPT, f(key, OWNER_SECURITY_INFORMATION, buffer, &n) == 0)
ROW(RegSetKeySecurity, EXEMPT,
    InitializeSecurityDescriptor(buffer, SECURITY_DESCRIPTOR_REVISION) &&
        SetSecurityDescriptorDacl(buffer, TRUE, NULL, FALSE) &&
        f(key, DACL_SECURITY_INFORMATION, buffer) == 0)
ROW(RegNotifyChangeKeyValue, EXEMPT,
    f(key, TRUE, REG_NOTIFY_CHANGE_LAST_SET, new_event(), TRUE) == 0)
ROW(RegOpenCurrentUser, EXEMPT, f(KEY_READ, &out) == 0 && shut(out))
ROW(RegOpenKeyA, EXEMPT, f(key, "Child", &out) == 0 && shut(out))
ROW(RegOpenKeyW, EXEMPT, f(key, L"Child", &out) == 0 && shut(out))
ROW(RegOpenKeyExA, EXEMPT, f(key, "Child", 0, KEY_ALL_ACCESS, &out) == 0 && shut(out))
ROW(RegOpenKeyExW, EXEMPT, f(key, L"Child", 0, KEY_ALL_ACCESS, &out) == 0 && shut(out))
ROW(RegOpenUserClassesRoot, EXEMPT,
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, (HANDLE *)&out) &&
        f((HANDLE)out, 0, KEY_READ, &out) == 0 && shut(out))
ROW(RegQueryInfoKeyA, EXEMPT,
    f(key, NULL, NULL, NULL, &n, NULL, NULL, NULL, NULL, NULL, NULL, NULL) == 0 && n == 2)
ROW(RegQueryInfoKeyW, EXEMPT,
    f(key, NULL, NULL, NULL, &n, NULL, NULL, NULL, NULL, NULL, NULL, NULL) == 0 && n == 2)
ROW(RegRenameKey, SCANS, f(key, L"Child", L"Renamed") == 0)

/* --- values --- */
ROW(RegDeleteKeyValueA, MUTATES, f(key, "Child", "Deep") == 0)
ROW(RegDeleteKeyValueW, MUTATES, f(key, L"Child", L"Deep") == 0)
ROW(RegDeleteValueA, MUTATES, f(key, "Text") == 0)
ROW(RegDeleteValueW, MUTATES, f(key, L"Text") == 0)
ROW(RegEnumValueA, EXEMPT, f(key, 0, (char *)buffer, &n, NULL, NULL, NULL, NULL) == 0)
ROW(RegEnumValueW, EXEMPT, f(key, 0, (WCHAR *)buffer, &n, NULL, NULL, NULL, NULL) == 0)
ROW(RegGetValueA, EXEMPT, f(key, "Child", "Deep", RRF_RT_ANY, &type, buffer, &n) == 0)
ROW(RegGetValueW, EXEMPT, f(key, L"Child", L"Deep", RRF_RT_ANY, &type, buffer, &n) == 0)
ROW(RegLoadMUIStringA, EXEMPT, f(key, "Text", (char *)buffer, n, &n, 0, NULL) != -1)
ROW(RegLoadMUIStringW, EXEMPT, f(key, L"Text", (WCHAR *)buffer, n, &n, 0, NULL) != -1)
ROW(RegQueryMultipleValuesA, EXEMPT,
    f(key, &(VALENTA){.ve_valuename = (char *)"Text"}, 1, (char *)buffer, &n) == 0)
ROW(RegQueryMultipleValuesW, EXEMPT,
    f(key, &(VALENTW){.ve_valuename = (WCHAR *)L"Text"}, 1, (WCHAR *)buffer, &n) == 0)
ROW(RegQueryValueA, EXEMPT, f(key, NULL, (char *)buffer, (LONG *)&n) == 0)
ROW(RegQueryValueW, EXEMPT, f(key, NULL, (WCHAR *)buffer, (LONG *)&n) == 0)
ROW(RegQueryValueExA, EXEMPT, f(key, "Text", NULL, &type, buffer, &n) == 0)
ROW(RegQueryValueExW, EXEMPT, f(key, L"Text", NULL, &type, buffer, &n) == 0)
ROW(RegSetKeyValueA, MUTATES, f(key, "Child", "New", REG_SZ, TEXT_A) == 0)
ROW(RegSetKeyValueW, MUTATES, f(key, L"Child", L"New", REG_SZ, TEXT_W) == 0)
ROW(RegSetValueA, MUTATES, f(key, "Sub", REG_SZ, "new", 3) == 0)
ROW(RegSetValueW, MUTATES, f(key, L"Sub", REG_SZ, L"new", 6) == 0)
ROW(RegSetValueExA, MUTATES, f(key, "New", 0, REG_SZ, TEXT_A) == 0)
ROW(RegSetValueExW, MUTATES, f(key, L"New", 0, REG_SZ, TEXT_W) == 0)

/* --- trees and files.  RegReplaceKey, RegRestoreKey and RegLoadAppKey call nothing in Wine --- */
ROW(RegLoadAppKeyA, EXEMPT, f(row->file_a, &out, KEY_READ, 0, 0) == 0)
ROW(RegLoadAppKeyW, EXEMPT, f(row->file, &out, KEY_READ, 0, 0) == 0)
ROW(RegLoadKeyA, SCANS, f(key, "New", row->file_a) == 0)
ROW(RegLoadKeyW, SCANS, f(key, L"New", row->file) == 0)
ROW(RegReplaceKeyA, EXEMPT, f(key, "Child", row->file_a, row->new_file_a) == 0)
ROW(RegReplaceKeyW, EXEMPT, f(key, L"Child", row->file, row->new_file) == 0)
ROW(RegRestoreKeyA, EXEMPT, f(key, row->file_a, 0) == 0)
ROW(RegRestoreKeyW, EXEMPT, f(key, row->file, 0) == 0)
ROW(RegSaveKeyA, EXEMPT, f(key, row->new_file_a, NULL) == 0)
ROW(RegSaveKeyW, EXEMPT, f(key, row->new_file, NULL) == 0)
ROW(RegSaveKeyExA, EXEMPT, f(key, row->new_file_a, NULL, REG_LATEST_FORMAT) == 0)
ROW(RegSaveKeyExW, EXEMPT, f(key, row->new_file, NULL, REG_LATEST_FORMAT) == 0)
ROW(RegUnLoadKeyA, SCANS, f(key, "Loaded") == 0)
ROW(RegUnLoadKeyW, SCANS, f(key, L"Loaded") == 0)

/* --- of the process: what HKEY_... stands for --- */
ROW(RegDisablePredefinedCache, LAST, f() == 0)
ROW(RegDisableReflectionKey, EXEMPT, f(key) == 0)
ROW(RegEnableReflectionKey, EXEMPT, f(key) == ERROR_CALL_NOT_IMPLEMENTED)
ROW(RegOverridePredefKey, EXEMPT,
    f(HKEY_CURRENT_CONFIG, key) == 0 && f(HKEY_CURRENT_CONFIG, NULL) == 0)
ROW(RegQueryReflectionKey, EXEMPT, f(key, (BOOL *)&n) == ERROR_CALL_NOT_IMPLEMENTED)
ROW_STUB(RegRemapPreDefKey)
ROW(DisablePredefinedHandleTableInternal, LAST, f(HKEY_CURRENT_USER) == 0)
ROW(RemapPredefinedHandleInternal, EXEMPT,
    f(HKEY_CURRENT_CONFIG, key) == 0 && f(HKEY_CURRENT_CONFIG, NULL) == 0)
ROW(SynchronizeWindows31FilesAndWindowsNTRegistry, EXEMPT, f(0, 0, 0, 0))
ROW_STUB(GetCPFileNameFromRegistry)
ROW_STUB(OpenRegKey)

/* --- other keys --- */
ROW(CryptDeriveKey, EXEMPT, (prov = provider(), f(prov, CALG_RC2, hash(prov), 0, &crypt)))
ROW(CryptDestroyKey, EXEMPT, f(session_key()))
ROW(CryptDuplicateKey, EXEMPT, f(session_key(), NULL, 0, &crypt))
ROW(CryptExportKey, EXEMPT, f(session_key(), 0, PLAINTEXTKEYBLOB, 0, buffer, &n))
ROW(CryptGenKey, EXEMPT, f(provider(), CALG_RC2, 0, &crypt))
ROW(CryptGetKeyParam, EXEMPT, f(session_key(), KP_BLOCKLEN, buffer, &n, 0))
ROW(CryptGetUserKey, EXEMPT, !f(provider(), AT_SIGNATURE, &crypt))
ROW(CryptHashSessionKey, EXEMPT, f(hash(provider()), session_key(), 0))
ROW(CryptImportKey, EXEMPT,
    CryptExportKey(session_key(), 0, PLAINTEXTKEYBLOB, 0, buffer, &n) &&
        f(provider(), buffer, n, 0, 0, &crypt))
ROW(CryptSetKeyParam, EXEMPT, f(session_key(), KP_MODE, (BYTE *)&(DWORD){CRYPT_MODE_ECB}, 0))
ROW(GetServiceKeyNameA, EXEMPT, !f(OpenSCManagerW(NULL, NULL, GENERIC_READ), "None", (char *)buffer, &n))
ROW(GetServiceKeyNameW, EXEMPT,
    !f(OpenSCManagerW(NULL, NULL, GENERIC_READ), L"None", (WCHAR *)buffer, &n))

/* --- what no pattern finds, by Wine's source: these write into the registry on the way.  (Left out
 * is what writes below HKEY_CURRENT_USER by a handle that was opened when the process began, the
 * locale functions of kernelbase: no registered key is there; and services, which services.exe
 * writes.) --- */
ROW(CryptSetProviderA, MUTATES,
    (make_provider_keys(), f("Row", PROV_RSA_FULL)) &&
        has(key, L"Software\\Microsoft\\Cryptography\\Provider Type 001", L"Name"))
ROW(CryptSetProviderW, MUTATES,
    (make_provider_keys(), f(L"Row", PROV_RSA_FULL)) &&
        has(key, L"Software\\Microsoft\\Cryptography\\Provider Type 001", L"Name"))
ROW(CryptSetProviderExA, MUTATES,
    (make_provider_keys(), f("Row", PROV_RSA_FULL, NULL, CRYPT_USER_DEFAULT)) &&
        has(key, L"Software\\Microsoft\\Cryptography\\Provider Type 001", L"Name"))
ROW(CryptSetProviderExW, MUTATES,
    (make_provider_keys(), f(L"Row", PROV_RSA_FULL, NULL, CRYPT_USER_DEFAULT)) &&
        has(key, L"Software\\Microsoft\\Cryptography\\Provider Type 001", L"Name"))
ROW(CryptAcquireContextA, MUTATES, /* makes the machine's GUID where there is none */
    machine_is(key) && (f(&prov, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), machine_is(NULL)) &&
        has(key, CRYPTOGRAPHY, L"MachineGuid"))
ROW(CryptAcquireContextW, MUTATES,
    machine_is(key) && (f(&prov, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), machine_is(NULL)) &&
        has(key, CRYPTOGRAPHY, L"MachineGuid"))
ROW(CredDeleteA, MUTATES, CredWriteA(credential_a(), 0) && f("row", CRED_TYPE_GENERIC, 0))
ROW(CredDeleteW, MUTATES, CredWriteW(credential(), 0) && f(L"row", CRED_TYPE_GENERIC, 0))
ROW(CredEnumerateA, MUTATES, /* opening the credentials makes their key */
    CredWriteA(credential_a(), 0) && f(NULL, 0, &n, (CREDENTIALA ***)buffer))
ROW(CredEnumerateW, MUTATES, CredWriteW(credential(), 0) && f(NULL, 0, &n, (CREDENTIALW ***)buffer))
ROW_STUB(CredProfileLoaded)
ROW(CredReadA, MUTATES,
    CredWriteA(credential_a(), 0) && f("row", CRED_TYPE_GENERIC, 0, (CREDENTIALA **)buffer))
ROW(CredReadW, MUTATES,
    CredWriteW(credential(), 0) && f(L"row", CRED_TYPE_GENERIC, 0, (CREDENTIALW **)buffer))
ROW(CredReadDomainCredentialsA, EXEMPT, /* none are there */
    !f(&(CREDENTIAL_TARGET_INFORMATIONA){.TargetName = (char *)"row"}, 0, &n, (CREDENTIALA ***)buffer))
ROW(CredReadDomainCredentialsW, EXEMPT,
    !f(&(CREDENTIAL_TARGET_INFORMATIONW){.TargetName = (WCHAR *)L"row"}, 0, &n, (CREDENTIALW ***)buffer))
ROW(CredWriteA, MUTATES, f(credential_a(), 0))
ROW(CredWriteW, MUTATES, f(credential(), 0))
ROW(MoveFileExW, ELSEWHERE, f(row->file, row->new_file, MOVEFILE_DELAY_UNTIL_REBOOT))
ROW(MoveFileWithProgressW, ELSEWHERE,
    f(row->file, row->new_file, NULL, NULL, MOVEFILE_DELAY_UNTIL_REBOOT))

/* --- the machine's name and the user's locale, which are kept in the registry --- */
ROW(SetComputerNameA, MUTATES, machine_is(key) && f("ROW-A") && machine_is(NULL))
ROW(SetComputerNameW, MUTATES, machine_is(key) && f(L"ROW-W") && machine_is(NULL))
ROW(SetComputerNameExA, MUTATES,
    machine_is(key) && f(ComputerNamePhysicalDnsHostname, (LPCTSTR)"row-ex-a") && machine_is(NULL))
ROW(SetComputerNameExW, MUTATES,
    machine_is(key) && f(ComputerNamePhysicalDnsDomain, L"example.org") && machine_is(NULL))
/* These write below HKEY_CURRENT_USER as it was when the process began, of which nothing is checkpointed. */
ROW(SetCalendarInfoW, EXEMPT, f(LOCALE_USER_DEFAULT, CAL_GREGORIAN, CAL_ITWODIGITYEARMAX, L"2039") == 0)
ROW(SetLocaleInfoW, EXEMPT, f(LOCALE_USER_DEFAULT, LOCALE_SLIST, L"|"))
ROW(SetUserGeoID, EXEMPT, f(94))
ROW(SetUserGeoName, EXEMPT, f((WCHAR *)L"DE"))
