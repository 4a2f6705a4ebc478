/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exports of ntdll that hook_exports.c asks for: as exportrows_reg.h.  A Zw* goes by its Nt*. */

ROW(NtCreateKey, MUTATES,
    f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"New"), 0, string(L"Class"), 0, &n) == 0 && shut(out))
ROW(NtCreateKeyTransacted, EXEMPT,
    f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"New"), 0, NULL, 0, NULL, &n) == NOT_IMPLEMENTED)
ROW(NtDeleteKey, MUTATES, f((HANDLE)subkey(row, L"Empty")) == 0)
ROW(NtDeleteValueKey, MUTATES, f((HANDLE)key, string(L"Text")) == 0)
ROW(NtEnumerateKey, EXEMPT, f((HANDLE)key, 0, 0, buffer, n, &n) == 0)
ROW(NtEnumerateValueKey, EXEMPT, f((HANDLE)key, 0, 0, buffer, n, &n) == 0)
ROW(NtFlushKey, EXEMPT, f((HANDLE)key) == 0)
ROW(NtLoadKey, SCANS, f(below(key, L"New"), file_object(row->file)) == 0)
ROW(NtLoadKey2, SCANS, f(below(key, L"New"), file_object(row->file), 0) == 0)
ROW(NtLoadKeyEx, SCANS,
    f(below(key, L"New"), file_object(row->file), 0, NULL, NULL, 0, NULL, NULL) == 0)
ROW(NtNotifyChangeKey, EXEMPT,
    f((HANDLE)key, new_event(), NULL, NULL, &io, REG_NOTIFY_CHANGE_LAST_SET, TRUE, NULL, 0, TRUE) ==
        PENDING)
ROW(NtNotifyChangeMultipleKeys, EXEMPT,
    f((HANDLE)key, 0, NULL, new_event(), NULL, NULL, &io, REG_NOTIFY_CHANGE_LAST_SET, TRUE, NULL, 0,
      TRUE) == PENDING)
ROW(NtOpenKey, EXEMPT, f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"Child")) == 0 && shut(out))
ROW(NtOpenKeyEx, EXEMPT, f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"Child"), 0) == 0 && shut(out))
ROW(NtOpenKeyTransacted, EXEMPT,
    f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"Child"), NULL) == NOT_IMPLEMENTED)
ROW(NtOpenKeyTransactedEx, EXEMPT,
    f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"Child"), 0, NULL) == NOT_IMPLEMENTED)
ROW(NtQueryKey, EXEMPT, f((HANDLE)key, 0, buffer, n, &n) == 0)
ROW(NtQueryMultipleValueKey, EXEMPT, f((HANDLE)key, NULL, 0, buffer, &n, &n) == 0)
ROW(NtQueryValueKey, EXEMPT,
    f((HANDLE)key, string(L"Text"), PARTIAL_INFORMATION, buffer, n, &n) == 0)
ROW(NtRenameKey, SCANS, f((HANDLE)subkey(row, L"Child"), string(L"Renamed")) == 0)
ROW(NtReplaceKey, SCANS, f(below(key, L"Child"), (HANDLE)key, file_object(row->file)) == 0)
ROW(NtRestoreKey, SCANS, f((HANDLE)key, NULL, 0) == 0)
ROW(NtSaveKey, EXEMPT,
    (out = (HKEY)CreateFileW(row->new_file, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL),
     f((HANDLE)key, (HANDLE)out) == 0 && CloseHandle((HANDLE)out)))
ROW(NtSetInformationKey, EXEMPT, f((HANDLE)key, 0, buffer, 8) == 0)
ROW(NtSetValueKey, MUTATES, f((HANDLE)key, string(L"New"), 0, REG_SZ, TEXT_W) == 0)
ROW(NtUnloadKey, SCANS, f(below(key, L"Loaded")) == 0)

ROW(RtlCheckRegistryKey, EXEMPT, f(ABSOLUTE_PATH, path_of(row, L"Child")) == 0)
ROW(RtlCreateRegistryKey, MUTATES, f(ABSOLUTE_PATH, path_of(row, L"New")) == 0)
ROW(RtlDeleteRegistryValue, MUTATES, f(ABSOLUTE_PATH, path_of(row, L"Child"), L"Deep") == 0)
ROW(RtlFormatCurrentUserKeyPath, EXEMPT, f((UNICODE_STRING *)buffer) == 0)
/* With RTL_QUERY_REGISTRY_DELETE it takes away what it has read. */
ROW(RtlQueryRegistryValues, MUTATES,
    f(ABSOLUTE_PATH, path_of(row, L"Child"),
      (struct query_table[2]){{NULL, QUERY_AND_DELETE, L"Deep", memset(buffer, 0, 64), 0, NULL, 0}},
      NULL, NULL) == 0)
ROW(RtlQueryRegistryValuesEx, MUTATES,
    f(ABSOLUTE_PATH, path_of(row, L"Child"),
      (struct query_table[2]){{NULL, QUERY_AND_DELETE, L"Deep", memset(buffer, 0, 64), 0, NULL, 0}},
      NULL, NULL) == 0)
ROW(RtlWriteRegistryValue, MUTATES, f(ABSOLUTE_PATH, path_of(row, L"Child"), L"New", REG_SZ, TEXT_W) == 0)
ROW(RtlpNtCreateKey, MUTATES,
    f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"New"), 0, NULL, 0, &n) == 0 && shut(out))
ROW(RtlpNtEnumerateSubKey, EXEMPT,
    f((HANDLE)key, &(UNICODE_STRING){0, 200, (WCHAR *)buffer}, 0) == 0)
ROW(RtlpNtMakeTemporaryKey, MUTATES, f((HANDLE)subkey(row, L"Empty")) == 0)
ROW(RtlpNtOpenKey, EXEMPT, f((HANDLE *)&out, KEY_ALL_ACCESS, below(key, L"Child")) == 0 && shut(out))
ROW(RtlpNtQueryValueKey, EXEMPT, f((HANDLE)key, &type, buffer, &n, NULL) == 0)
ROW(RtlpNtSetValueKey, MUTATES, f((HANDLE)key, REG_SZ, TEXT_W) == 0)

/* Keyed events have nothing to do with the registry. */
ROW(NtCreateKeyedEvent, EXEMPT, f((HANDLE *)&out, GENERIC_ALL, NULL, 0) == 0 && shut(out))
ROW(NtOpenKeyedEvent, EXEMPT, f((HANDLE *)&out, GENERIC_ALL, below(NULL, L"\\None")) != 0)
ROW(NtReleaseKeyedEvent, EXEMPT, f(NULL, buffer, FALSE, &(LARGE_INTEGER){.QuadPart = -1}) != 0)
ROW(NtWaitForKeyedEvent, EXEMPT, f(NULL, buffer, FALSE, &(LARGE_INTEGER){.QuadPart = -1}) != 0)
