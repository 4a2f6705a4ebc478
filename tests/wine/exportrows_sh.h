/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exports of shlwapi, shcore and kernelbase (SHReg*) that hook_exports.c asks for: as
 * exportrows_reg.h.  ROW_AT rows are exported by number only, where no pattern can find them.
 */

ROW(AssocCreate, EXEMPT, f(associations_class, &associations_interface, (void **)&out) == 0)
ROW(AssocGetPerceivedType, EXEMPT, (f(L".txt", (PERCEIVED *)&type, &n, NULL), TRUE))
ROW(AssocIsDangerous, EXEMPT, (f(L".exe"), TRUE))
ROW(AssocQueryKeyA, EXEMPT, f(0, ASSOCKEY_CLASS, ".none", NULL, &out) != 0)
ROW(AssocQueryKeyW, EXEMPT, f(0, ASSOCKEY_CLASS, L".none", NULL, &out) != 0)
ROW(AssocQueryStringA, EXEMPT, f(0, ASSOCSTR_COMMAND, ".none", NULL, (char *)buffer, &n) != 0)
ROW(AssocQueryStringW, EXEMPT, f(0, ASSOCSTR_COMMAND, L".none", NULL, (WCHAR *)buffer, &n) != 0)
ROW(AssocQueryStringByKeyA, EXEMPT, f(0, ASSOCSTR_COMMAND, key, NULL, (char *)buffer, &n) != 0)
ROW(AssocQueryStringByKeyW, EXEMPT, f(0, ASSOCSTR_COMMAND, key, NULL, (WCHAR *)buffer, &n) != 0)

ROW(SHCopyKeyA, MUTATES, f(key, "Child", subkey(row, L"Empty"), 0) == 0)
ROW(SHCopyKeyW, MUTATES, f(key, L"Child", subkey(row, L"Empty"), 0) == 0)
ROW(SHDeleteEmptyKeyA, MUTATES, f(key, "Empty") == 0)
ROW(SHDeleteEmptyKeyW, MUTATES, f(key, L"Empty") == 0)
ROW(SHDeleteKeyA, MUTATES, f(key, "Child") == 0)
ROW(SHDeleteKeyW, MUTATES, f(key, L"Child") == 0)
ROW(SHDeleteOrphanKeyA, MUTATES, f(key, "Empty") == 0)
ROW(SHDeleteOrphanKeyW, MUTATES, f(key, L"Empty") == 0)
ROW(SHDeleteValueA, MUTATES, f(key, "Child", "Deep") == 0)
ROW(SHDeleteValueW, MUTATES, f(key, L"Child", L"Deep") == 0)
ROW(SHEnumKeyExA, EXEMPT, f(key, 0, (char *)buffer, &n) == 0)
ROW(SHEnumKeyExW, EXEMPT, f(key, 0, (WCHAR *)buffer, &n) == 0)
ROW(SHEnumValueA, EXEMPT, f(key, 0, (char *)buffer, &n, NULL, NULL, NULL) == 0)
ROW(SHEnumValueW, EXEMPT, f(key, 0, (WCHAR *)buffer, &n, NULL, NULL, NULL) == 0)
ROW(SHGetValueA, EXEMPT, f(key, "Child", "Deep", &type, buffer, &n) == 0)
ROW(SHGetValueW, EXEMPT, f(key, L"Child", L"Deep", &type, buffer, &n) == 0)
ROW(SHGetViewStatePropertyBag, EXEMPT,
    f(NULL, L"Bag", 0, &associations_interface, (void **)&out) == E_NOTIMPL)
ROW(SHOpenRegStreamA, MUTATES, write_stream(f(key, "Child", "Deep", STGM_READWRITE)))
ROW(SHOpenRegStreamW, MUTATES, write_stream(f(key, L"Child", L"Deep", STGM_READWRITE)))
ROW(SHOpenRegStream2A, MUTATES, write_stream(f(key, "Child", "Deep", STGM_WRITE)))
ROW(SHOpenRegStream2W, MUTATES, write_stream(f(key, L"New", L"Deep", STGM_WRITE)))
ROW(SHQueryInfoKeyA, EXEMPT, f(key, &n, NULL, NULL, NULL) == 0 && n == 2)
ROW(SHQueryInfoKeyW, EXEMPT, f(key, &n, NULL, NULL, NULL) == 0 && n == 2)
ROW(SHQueryValueExA, EXEMPT, f(key, "Text", NULL, &type, buffer, &n) == 0)
ROW(SHQueryValueExW, EXEMPT, f(key, L"Text", NULL, &type, buffer, &n) == 0)
ROW(SHRegDuplicateHKey, EXEMPT, shut(f(key)))
ROW(SHRegGetIntW, EXEMPT, f(key, L"Number", 1) != 99)
ROW(SHRegGetPathA, EXEMPT, f(key, "Child", "Deep", (char *)buffer, 0) == 0)
ROW(SHRegGetPathW, EXEMPT, f(key, L"Child", L"Deep", (WCHAR *)buffer, 0) == 0)
ROW(SHRegSetPathA, MUTATES, f(key, "Child", "New", "C:\\windows", 0) == 0)
ROW(SHRegSetPathW, MUTATES, f(key, L"Child", L"New", L"C:\\windows", 0) == 0)
ROW(SHRegGetValueA, EXEMPT, f(key, "Child", "Deep", SRRF_RT_ANY, &type, buffer, &n) == 0)
ROW(SHRegGetValueW, EXEMPT, f(key, L"Child", L"Deep", SRRF_RT_ANY, &type, buffer, &n) == 0)
ROW_STUB(SHRegGetValueFromHKCUHKLM)
ROW_STUB(SHRunIndirectRegClientCommand)
ROW(SHSetValueA, MUTATES, f(key, "Child", "New", REG_SZ, TEXT_A) == 0)
ROW(SHSetValueW, MUTATES, f(key, L"Child", L"New", REG_SZ, TEXT_W) == 0)

/* --- user-specific keys: below HKEY_CURRENT_USER, which is the row's key --- */
ROW(SHRegCloseUSKey, EXEMPT, f(us_key()) == 0)
ROW(SHRegCreateUSKeyA, MUTATES, f("New", KEY_ALL_ACCESS, NULL, &us, SHREGSET_FORCE_HKCU) == 0)
ROW(SHRegCreateUSKeyW, MUTATES, f(L"New", KEY_ALL_ACCESS, NULL, &us, SHREGSET_FORCE_HKCU) == 0)
/* These do nothing in Wine, and say success. */
ROW(SHRegDeleteEmptyUSKeyA, EXEMPT, f(us_key(), "Empty", SHREGDEL_HKCU) == 0)
ROW(SHRegDeleteEmptyUSKeyW, EXEMPT, f(us_key(), L"Empty", SHREGDEL_HKCU) == 0)
ROW(SHRegDeleteUSValueA, EXEMPT, f(us_key(), "Deep", SHREGDEL_HKCU) == 0)
ROW(SHRegDeleteUSValueW, EXEMPT, f(us_key(), L"Deep", SHREGDEL_HKCU) == 0)
ROW(SHRegEnumUSKeyA, EXEMPT, f(us_key(), 0, (char *)buffer, &n, SHREGENUM_HKCU) == 0)
ROW(SHRegEnumUSKeyW, EXEMPT, f(us_key(), 0, (WCHAR *)buffer, &n, SHREGENUM_HKCU) == 0)
ROW(SHRegEnumUSValueA, EXEMPT,
    f(us_key(), 0, (char *)buffer, &n, NULL, NULL, NULL, SHREGENUM_HKCU) == 0)
ROW(SHRegEnumUSValueW, EXEMPT,
    f(us_key(), 0, (WCHAR *)buffer, &n, NULL, NULL, NULL, SHREGENUM_HKCU) == 0)
ROW(SHRegGetBoolUSValueA, EXEMPT, f("Child", "None", FALSE, TRUE) == TRUE)
ROW(SHRegGetBoolUSValueW, EXEMPT, f(L"Child", L"None", FALSE, TRUE) == TRUE)
ROW(SHRegGetUSValueA, EXEMPT, f("Child", "Deep", &type, buffer, &n, FALSE, NULL, 0) == 0)
ROW(SHRegGetUSValueW, EXEMPT, f(L"Child", L"Deep", &type, buffer, &n, FALSE, NULL, 0) == 0)
ROW(SHRegOpenUSKeyA, EXEMPT, f("Child", KEY_READ, NULL, &us, FALSE) == 0)
ROW(SHRegOpenUSKeyW, EXEMPT, f(L"Child", KEY_READ, NULL, &us, FALSE) == 0)
ROW(SHRegQueryInfoUSKeyA, EXEMPT, f(us_key(), &n, NULL, NULL, NULL, SHREGENUM_HKCU) == 0)
ROW(SHRegQueryInfoUSKeyW, EXEMPT, f(us_key(), &n, NULL, NULL, NULL, SHREGENUM_HKCU) == 0)
ROW(SHRegQueryUSValueA, EXEMPT, f(us_key(), "Deep", &type, buffer, &n, FALSE, NULL, 0) == 0)
ROW(SHRegQueryUSValueW, EXEMPT, f(us_key(), L"Deep", &type, buffer, &n, FALSE, NULL, 0) == 0)
ROW(SHRegSetUSValueA, MUTATES, f("Child", "New", REG_SZ, TEXT_A, SHREGSET_FORCE_HKCU) == 0)
ROW(SHRegSetUSValueW, MUTATES, f(L"Child", L"New", REG_SZ, TEXT_W, SHREGSET_FORCE_HKCU) == 0)
ROW(SHRegWriteUSValueA, MUTATES,
    f(us_key(), "New", REG_SZ, (void *)"new", 4, SHREGSET_FORCE_HKCU) == 0)
ROW(SHRegWriteUSValueW, MUTATES,
    f(us_key(), L"New", REG_SZ, (void *)L"new", 8, SHREGSET_FORCE_HKCU) == 0)

/* --- by number.  (SHMessageBoxCheck, 185 and 191, writes only when somebody clicks.) --- */
ROW_AT(119, RegCreateKeyW, MUTATES, f(key, L"New", &out) == 0 && shut(out))
ROW_AT(120, RegCreateKeyExW, MUTATES,
       f(key, L"New", 0, NULL, 0, KEY_READ, NULL, &out, NULL) == 0 && shut(out))
ROW_AT(121, RegDeleteKeyW, MUTATES, f(key, L"Empty") == 0)
ROW_AT(122, RegEnumKeyW, EXEMPT, f(key, 0, (WCHAR *)buffer, 99) == 0)
ROW_AT(124, RegOpenKeyW, EXEMPT, f(key, L"Child", &out) == 0 && shut(out))
ROW_AT(129, RegSetValueW, MUTATES, f(key, L"Sub", REG_SZ, L"new", 6) == 0)
ROW_AT(130, RegSetValueExW, MUTATES, f(key, L"New", 0, REG_SZ, TEXT_W) == 0)
ROW_AT(205, SHGetValueA, EXEMPT, f(key, "Child", "Deep", &type, buffer, &n) == 0)
ROW_AT(206, SHGetValueW, EXEMPT, f(key, L"Child", L"Deep", &type, buffer, &n) == 0)
ROW_AT(276, WhichPlatform, MUTATES,
       RegCreateKeyW(key, L"Software\\Microsoft\\Internet Explorer", &out) == 0 && shut(out) &&
           RegOverridePredefKey(HKEY_LOCAL_MACHINE, key) == 0 && f() != 0 &&
           RegOverridePredefKey(HKEY_LOCAL_MACHINE, NULL) == 0 &&
           has(key, L"Software\\Microsoft\\Internet Explorer", L"IntegratedBrowser"))
ROW_AT(295, SHSetIniStringW, EXEMPT, f(L"Section", L"Name", L"new", row->new_file))
ROW_AT(320, RegisterMIMETypeForExtensionA, MUTATES, f("Child", "text/html"))
ROW_AT(321, RegisterMIMETypeForExtensionW, MUTATES, f(L"Child", L"text/html"))
ROW_AT(322, UnregisterMIMETypeForExtensionA, MUTATES, f("Child"))
ROW_AT(323, UnregisterMIMETypeForExtensionW, MUTATES, f(L"Child"))
ROW_AT(324, RegisterExtensionForMIMETypeA, MUTATES, f("row", "text/row"))
ROW_AT(325, RegisterExtensionForMIMETypeW, MUTATES, f(L"row", L"text/row"))
ROW_AT(326, UnregisterExtensionForMIMETypeA, MUTATES, /* its result tells nothing */
       RegSetKeyValueA(key, MIME_KEY, "Extension", REG_SZ, TEXT_A) == 0 && (f("text/row"), TRUE) &&
           RegGetValueA(key, MIME_KEY, "Extension", RRF_RT_ANY, NULL, NULL, NULL) != 0)
ROW_AT(327, UnregisterExtensionForMIMETypeW, MUTATES, /* its result tells nothing */
       RegSetKeyValueA(key, MIME_KEY, "Extension", REG_SZ, TEXT_A) == 0 && (f(L"text/row"), TRUE) &&
           RegGetValueA(key, MIME_KEY, "Extension", RRF_RT_ANY, NULL, NULL, NULL) != 0)
ROW_AT(343, SHRegGetCLSIDKeyA, MUTATES, f(&associations_class, NULL, TRUE, TRUE, &out) == 0)
ROW_AT(344, SHRegGetCLSIDKeyW, MUTATES, f(&associations_class, NULL, TRUE, TRUE, &out) == 0)
ROW_AT(347, RegDeleteValueW, MUTATES, f(key, L"Text") == 0)
ROW_AT(366, RegEnumValueW, EXEMPT, f(key, 0, (WCHAR *)buffer, &n, NULL, NULL, NULL, NULL) == 0)
ROW_AT(471, SHCreatePropertyBagOnRegKey, EXEMPT,
       f(key, L"New", STGM_READWRITE, &associations_interface, (void **)&out) == E_NOTIMPL)
ROW_AT(491, SHGetShellKey, MUTATES, shut(f(1, L"New", TRUE)))
ROW_AT(516, SKGetValueW, EXEMPT, f(1, L"New", L"None", &type, buffer, &n) != 0)
ROW_AT(517, SKSetValueW, MUTATES, f(1, L"New", L"Set", REG_SZ, (void *)L"new", 8) == 0)
ROW_AT(518, SKDeleteValueW, MUTATES,
       RegSetKeyValueW(key, EXPLORER L"\\New", L"Set", REG_SZ, L"new", 8) == 0 &&
           f(1, L"New", L"Set") == 0 && !has(key, EXPLORER L"\\New", L"Set"))
