# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Wine's own tests of reg.exe and regedit, inside regckpt edit: they must say what they say without it, line
# by line, and what they leave must be in the checkpoint.  Their sources come from WINE_SOURCE (tools/deps
# wine-source); nothing in them is changed.  They work below HKCU\Software\Wine, of which nothing is
# checkpointed: in this prefix that is a symbolic link to a key below HKLM.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
. "$(dirname "$0")/../own_tests_lib.sh"
suite conformance_edit
node a
LINKED='Software\WineOfUser' # where HKCU\Software\Wine leads
# What Wine itself writes there is left out.
EXCLUDE=(--exclude Fonts --exclude 'Temporary System Parameters')
REG='add copy delete export import query'
BY_HOOK=' (reg|regedit)(64|32)?\.exe \([0-9]+\) ' # in the history, of what a process of these told

# link_user_key PREFIX: HKCU\Software\Wine becomes a link; what it held goes to where that leads.  Wine must
# not run there.
link_user_key()
{
    awk -v data="$(utf16_hex "\\Registry\\Machine\\$LINKED" | sed 's/../&,/g; s/,$//')" -v to="$TMP/moved.reg" '
        BEGIN { key = "[Software\\\\Wine" }
        /^\[/ {
            rest = substr($0, length(key) + 1)
            moves = index($0, key) == 1 && rest ~ /^[]\\]/
            if (moves) $0 = key "OfUser" rest
        }
        moves { print > to; next }
        { print }
        END { printf "\n%s] 0\n#link\n\"SymbolicLinkValue\"=hex(6):%s\n", key, data }' \
        "$1/user.reg" >"$TMP/user.reg" &&
        { printf '\n[%s] 0\n' "${LINKED/\\/\\\\}" && cat "$TMP/moved.reg"; } >>"$1/system.reg" &&
        cp "$TMP/user.reg" "$1/user.reg"
}

# compile PROGRAM 'TEST...' WIDTH: $TMP/PROGRAMWIDTH.exe
compile()
{
    local test sources=
    for test in $2; do sources+=" $WINE_SOURCE/programs/$1/tests/$test.c"; done
    own_test_compile "$1" "$sources" "$3"
}

# scripts WIDTH FILE: all tests of a width, as one command line; the code is regedit's.
scripts() { own_test_script "reg$1" "$REG" "$2.reg" && own_test_script "regedit$1" regedit "$2.regedit"; }
outcome() { own_test_lines "$1.reg" && own_test_lines "$1.regedit"; }

# register KEY VIEW [OPTION...]
register()
{
    on a regckpt add tests "$1" --view "$2" "${@:3}"
    is "$CODE" 0 "$1 is registered, $2-bit view"
}

# checkpointed: is all of the registered keys as in the registry?
checkpointed()
{
    local view
    live_is_checkpointed a tests "$LINKED" "${EXCLUDE[@]/--exclude/--without}" || return
    for view in $VIEWS; do
        live_is_checkpointed a tests 'Software\Wine' --view "$view" || return
    done
}

log_lines() { on a regckpt log tests && tr -s ' ' <"$TMP/stdout" >"$1"; }

# same_outcome HOW WIDTH
same_outcome()
{
    local now=$TMP/$1$2.lines before=$TMP/bare$2.lines
    outcome "$TMP/$1$2" >"$now"
    is "$(grep -c ' tests executed ' "$now")" 7 "$1, $2 bits: all tests came to their ends"
    ok 'cmp "$before" "$now"' "$1, $2 bits: the same output as without regckpt" ||
        diff "$before" "$now" | head -n 20
}

if [ -z "${WINE_SOURCE:-}" ]; then
    skip 28 "Wine's own tests of reg.exe and regedit inside edit: WINE_SOURCE is not set"
    exit 0
fi
VIEWS=64
! have_wine32 || VIEWS="64 32"
ok 'link_user_key "$PREFIX_a"' "the user's key is made a link" || exit
wine_up a
on a regckpt init
on a regckpt create tests --command "$(winpath "$BUILD/out/hook/racer64.exe") idle"
register "$LINKED" 64 "${EXCLUDE[@]}"
for view in $VIEWS; do
    register 'Software\Wine' "$view" --broad
done

for width in $VIEWS; do
    ok 'compile reg "$REG" $width' "the tests of reg.exe compile, $width bits" || exit
    ok 'compile regedit regedit $width' "those of regedit compile, $width bits" || exit
    scripts "$width" "$TMP/bare$width" >"$TMP/bare.bat"
    on a "$WINE" cmd.exe /c "$(winpath "$TMP/bare.bat")"
    outcome "$TMP/bare$width" >"$TMP/bare$width.lines"
    grep ' tests executed ' "$TMP/bare$width.lines"

    # Offline: all of it is one commit, at the end.
    log_lines "$TMP/before"
    scripts "$width" "$TMP/offline$width" >"$TMP/offline.bat"
    on a regckpt edit tests -- "$TMP/offline.bat"
    is "$CODE" 0 "offline, $width bits: the edit ends"
    same_outcome offline "$width"
    ok checkpointed "offline, $width bits: the checkpoint is the registry that they left"
    log_lines "$TMP/after"
    diff "$TMP/before" "$TMP/after" | grep '^>' >"$TMP/new"
    ok '(($(grep -Ec "$BY_HOOK" "$TMP/new") > 1000))' \
        "offline, $width bits: the hook reported $(grep -Ec "$BY_HOOK" "$TMP/new") changes"
    is "$(grep -Evc "$BY_HOOK" "$TMP/new")" 0 "offline, $width bits: the scan at the end found no others"

    [ $width = 64 ] || continue

    # Online: captured as it happens.
    online a tests
    is "$(status_text a tests source)" "$SOURCE" "online: changes come from the $SOURCE"
    scripts "$width" "$TMP/online$width" >"$TMP/online.bat"
    on a regckpt edit tests -- "$TMP/online.bat"
    is "$CODE" 0 "online, $width bits: the edit ends"
    same_outcome online "$width"
    ok checkpointed "online, $width bits: the checkpoint is the registry that they left"
    ok '(($(status_number a tests hook_changes) > 1500))' \
        "online, $width bits: the hook reported $(status_number a tests hook_changes) changes"
    is "$(status_number a tests corrections)" 0 "online, $width bits: no scan found what it had not told"
    is "$(status_number a tests unhooked)" 0 "online, $width bits: all processes were hooked"
    offline a tests
done
