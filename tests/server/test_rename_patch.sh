# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The first patch of server_patch by itself, as it might go to Wine: ntdll's registry tests, with the
# test that the patch brings, fail under the system's wineserver, which has the mistake, and under one
# with this patch alone all of them pass.
WINE_TREE=
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../own_tests_lib.sh"
suite rename_patch
if [ -z "${WINE_SOURCE:-}" ]; then
    skip 8 "the test that comes with the first patch: WINE_SOURCE is not set"
    exit 0
fi
TREE=$BUILD/wine-tree-first # make wineserver-first
patch=$(echo "$(series_of_wine)"/0001-*.patch)
headers=(-I"$WINE_SOURCE/dlls/ntdll/tests")
node stock
node patched

# on_patched COMMAND...: with the other Wine.
on_patched() { WINE=$TREE/lib/wine/wine64 WINESERVER=$TREE/lib/wine/wineserver64 "$@"; }

# The part of the patch that is of the tests.
mkdir "$TMP/tests" && cp "$WINE_SOURCE/dlls/ntdll/tests/reg.c" "$TMP/tests"
awk '/^diff --git / { tests = / a\/dlls\/ntdll\/tests\/reg\.c / } tests' "$patch" >"$TMP/tests.patch"
ok '[ -s "$TMP/tests.patch" ] && patch -s --fuzz=0 "$TMP/tests/reg.c" "$TMP/tests.patch"' "the test is added to Wine's"
wine_up stock
on_patched wine_up patched
ok 'readlink "/proc/$(server_pids stock | head -n 1)/exe" | grep -qx /usr/lib/wine/wineserver64' "one server is the system's"
ok 'readlink "/proc/$(server_pids patched | head -n 1)/exe" | grep -qx "$TREE/lib/wine/wineserver64"' "one has this patch"

ok 'own_test_compile ntreg "$TMP/tests/reg.c" 64 "${headers[@]}"' "it compiles, 64 bits"
# The system's server does not survive it, as it finds the lost key's neighbour twice: the test hangs then.
(on stock env WINETEST_PLATFORM=wine "$WINE" "$TMP/ntreg64.exe" reg) &
ok 'wait_for $PATIENCE grep -q "Test failed: a -> b: Got subkeys bbe, expected bce" "$TMP/stdout"' \
    "without the patch the next sibling is lost"
prefix_end "$PREFIX_stock"
wait
widths=64
! have_wine32 || widths="64 32"
for width in $widths; do
    [ "$width" = 64 ] || ok 'own_test_compile ntreg "$TMP/tests/reg.c" 32 "${headers[@]}"' "it compiles, 32 bits"
    for i in 1 2; do # in a prefix that is new some answers are others
        on patched env WINETEST_PLATFORM=wine timeout 120 "$TREE/lib/wine/wine64" "$TMP/ntreg$width.exe" reg
    done
    ok '((CODE == 0)) && grep -q " 0 failures), 0 skipped" "$TMP/stdout"' "with the patch nothing fails, $width bits"
    tail -n 1 "$TMP/stdout"
done
