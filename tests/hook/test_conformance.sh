# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Wine's own tests of the registry, advapi32's and ntdll's, under the hook: they must say what they say
# without it, line by line, and what they leave behind must be in the checkpoint.  Their sources come
# from WINE_SOURCE (tools/deps wine-source); nothing in them is changed, but what they do
# below HKEY_CURRENT_USER, of which nothing is checkpointed, they are made to do below HKEY_LOCAL_MACHINE.
# The failures which that makes are there with and without the hook.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
. "$(dirname "$0")/../own_tests_lib.sh"
suite conformance
node a
KEY='Software\Wine'

# Included before all of a test.  The function is ntdll's tests' pointer to one, where it is called.
cat >"$TMP/machine.h" <<'END'
#include <ntstatus.h>
#define WIN32_NO_STATUS
#include <windows.h>
#undef HKEY_CURRENT_USER
#define HKEY_CURRENT_USER HKEY_LOCAL_MACHINE
#define pRtlFormatCurrentUserKeyPath(path) \
    (RtlCreateUnicodeStringFromAsciiz((path), "\\Registry\\Machine\\Software\\Wine") ? 0 : 0xc0000017)
END

# compile NAME FOLDER TEST WIDTH: $TMP/NAMEWIDTH.exe
compile() { own_test_compile "$1" "$WINE_SOURCE/dlls/$2/tests/$3.c" "$4" -include "$TMP/machine.h"; }

# bare NAME TEST FILE: without regckpt.
bare()
{
    own_test_script "$@" >"$TMP/$1.bat"
    on a "$WINE" cmd.exe /c "$(winpath "$TMP/$1.bat")"
}

reported() { (($(status_number a "$1" hook_changes) > 0)); }

# conform NAME TEST: without the hook, and with it.
conform()
{
    local name=$1 test=$2 view
    bare "$name" "$test" "$TMP/first" # in a prefix that is new some answers are others
    bare "$name" "$test" "$TMP/bare"
    ok '[ -s "$TMP/bare.code" ] && grep -q " tests executed " "$TMP/bare"' "$name: runs without the hook"

    own_test_script "$name" "$test" "$TMP/hooked" >"$TMP/$name.bat"
    printf '@%s idle\r\n' "$(winpath "$BUILD/out/hook/racer64.exe")" >>"$TMP/$name.bat"
    rm -f "$TMP/hooked.code"
    on a regckpt create "$name" --command "cmd.exe /c $(winpath "$TMP/$name.bat")"
    for view in $VIEWS; do
        on a regckpt add "$name" "$KEY" --broad --future --view "$view"
        is "$CODE" 0 "$name: $view-bit key"
    done
    online a "$name"
    is "$CODE" 0 "$name: online"
    is "$(status_text a "$name" source)" "$SOURCE" "$name: changes come from the $SOURCE"
    ok 'wait_for $PATIENCE test -s "$TMP/hooked.code"' "$name: it came to its end"
    is "$(tail -n 1 "$TMP/hooked.code")" "$(tail -n 1 "$TMP/bare.code")" "$name: the same number of failures"
    own_test_lines "$TMP/bare" >"$TMP/bare.lines"
    own_test_lines "$TMP/hooked" >"$TMP/hooked.lines"
    ok 'cmp "$TMP/bare.lines" "$TMP/hooked.lines"' "$name: the same output, line by line" ||
        diff "$TMP/bare.lines" "$TMP/hooked.lines" | head -n 20
    grep ' tests executed ' "$TMP/hooked.lines"
    # status is as of the last news, a tenth of a second ago perhaps: longer than a short test takes
    ok 'wait_for $PATIENCE reported "$name"' \
        "$name: the hook reported $(status_number a "$name" hook_changes) changes"
    is "$(status_number a "$name" unhooked)" 0 "$name: all processes were hooked"
    for view in $VIEWS; do
        ok 'wait_for $PATIENCE live_is_checkpointed a "$name" "$KEY" --view $view' \
            "$name: the $view-bit key is in the checkpoint as the test left it"
    done
    on a regckpt log "$name"
    ok 'grep -q "$name" "$TMP/stdout"' "$name: it was this process that reported"
    is "$(status_number a "$name" corrections)" 0 "$name: no scan found what the hook had not told"
    offline a "$name"
    on a regckpt delete "$name"
}

if [ -z "${WINE_SOURCE:-}" ]; then
    skip 60 "Wine's own registry tests under the hook: WINE_SOURCE is not set"
    exit 0
fi
VIEWS=64 widths=64
! have_wine32 || VIEWS="64 32" widths="64 32"
wine_up a
on a regckpt init
for width in $widths; do
    ok 'compile advreg advapi32 registry $width' \
        "advapi32's tests compile, $width bits" && conform "advreg$width" registry
    ok 'compile ntreg ntdll reg $width' "ntdll's tests compile, $width bits" && conform "ntreg$width" reg
done
