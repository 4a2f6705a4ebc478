# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Wines that the hook does not work in: one whose ntdll has other stubs, and one that runs 32-bit
# programs without a 32-bit Unix part (new WoW64).  All hooks or none; doctor and status say so; with a
# lag the watch captures, lag 0 is refused.
# Such a Wine is the installed one with files put over its own, seen by the commands run in it alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../hook_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite hook_unknown
node a
KEY='Software\RegckptTest\Unknown'
LIBRARIES=
for place in "${WINE%/*}/.." "${WINE%/*}/../lib" "${WINE%/*}/../../.."; do
    [ -n "$LIBRARIES" ] || [ ! -e "$place/x86_64-linux-gnu/wine/x86_64-windows/ntdll.dll" ] ||
        LIBRARIES=$(realpath "$place")
done
NTDLL64=$LIBRARIES/x86_64-linux-gnu/wine/x86_64-windows/ntdll.dll
NTDLL32=$LIBRARIES/i386-linux-gnu/wine/i386-windows/ntdll.dll

# --- all or none: every function in turn has a stub that is not known ---
mapfile -t functions < <(sed -n 's/^ *row(\(Nt[A-Za-z0-9]*\)).*/\1/p' "$SRC/dlls/regckpt/hook_private.h")
ok '((${#functions[@]} > 10))' "${#functions[@]} functions are hooked"
wine_up a
for width in $(widths); do
    hook_make "$TMP/hook" "1=$(physical "$width" "$KEY")"
    on a "$WINE" "$PE/hook_shape$width.exe" "$(hook_dll "$TMP/hook" "$width")" "${functions[@]}"
    tr -d '\r' <"$TMP/stdout" >"$TMP/said"
    is "$CODE" 0 "$width bits: no stub is changed unless all are known"
    for function in "${functions[@]}"; do
        ok 'grep -qx "$function refused" "$TMP/said" || grep -qx "$function not there" "$TMP/said"' \
            "$width bits: the hook is refused where $function has another stub"
    done
    last=$(sed -n 's/ refused$//p' "$TMP/said" | tail -n 1)
    ok 'ring_stat "$TMP/hook" unhooked | \
        grep -q "^$(grep -c refused "$TMP/said") hook_shape$width.exe: ntdll.s $last is not"' "$width bits: and says why"
    ok 'grep -qx "whole loaded" "$TMP/said"' "$width bits: and loads where none has"
done
prefix_end "$PREFIX_a"

if [ -z "$LIBRARIES" ] || ! unshare --mount true 2>/dev/null; then
    skip 1 "what doctor and status say of it: no mounts here, or Wine's files are not where Debian has them"
    exit 0
fi

# odd COMMAND...: on a, in the Wine that $ODD makes of the installed one.
odd() { on a unshare --mount bash -c '. "$0" && exec "$@"' "$ODD" "$@"; }
# found PATTERN: does doctor say that?
found() { grep -Eq "$1" "$TMP/stdout"; }
capturing() { odd regckpt status app && grep -Eq "^ +capture +watch alone" "$TMP/stdout"; }

# unhooked WIDTH 'WHAT' WHY: a program of that width runs, captured by the watch, or not at all.
unhooked()
{
    local width=$1 what=$2 why=$3 log=$TMP/unhooked.log
    rm -f "$log"
    on a regckpt create app --command "$(winpath "$PE/svcwriter$width.exe") run $KEY 0 50 --log $(winpath "$log")"
    on a regckpt add app "$KEY" --future --view "$width"
    is "$CODE" 0 "$what: a resource"
    odd regckpt doctor app
    ok 'found "^$width-bit Wine +no|^hook loads into a $width-bit program +(no|ok) +.*$why"' \
        "$what: doctor says that the hook does not load, and why"
    ok '! compgen -G "$TMP/run-a/app.*/hook.*"' "$what: and leaves nothing behind"
    odd timeout $ONLINE_SECONDS regckpt online app
    is "$CODE" 0 "$what: online with a lag"
    ok 'wait_for $PATIENCE log_has "$log" 3' "$what: the program runs"
    ok 'wait_for $PATIENCE capturing' "$what: status: the watch alone"
    ok 'grep -q "^app: ONLINE .* protected within a second (the watch alone" "$TMP/stdout"' "$what: first of all"
    ok 'grep -Eq "$why" "$TMP/stdout"' "$what: and why"
    ok 'wait_for $PATIENCE has_commits' "$what: changes are committed"
    odd timeout $ONLINE_SECONDS regckpt offline app
    is "$CODE" 0 "$what: offline"
    odd "$WINE" "$PE/regdump64.exe" "$KEY" --view "$width"
    mv "$TMP/stdout" "$TMP/live"
    ckptdump app "$TMP/ckpt" --key "$KEY" --view "$width"
    ok 'same "$TMP/live" "$TMP/ckpt"' "$what: what it wrote is in the checkpoint"

    rm -f "$log"
    odd regckpt set app --lag 0
    is "$CODE" 0 "$what: lag 0, offline"
    odd regckpt doctor app
    is "$CODE" 1 "$what: doctor of a resource with lag 0"
    ok 'found "^hook loads into a $width-bit program +no +.*$why"' "$what: says that it cannot go online"
    odd timeout $ONLINE_SECONDS regckpt online app
    is "$CODE" 111 "$what: online with lag 0 is refused"
    ok 'grep -q "could not be hooked" "$TMP/stderr" && grep -Eq "$why" "$TMP/stderr"' "$what: and says why"
    ok 'wait_for $PATIENCE no_monitor a && no_program a svcwriter$width && [ ! -s "$log" ]' \
        "$what: nothing was started, nothing stays owned"
    on a regckpt delete app
    prefix_end "$PREFIX_a"
}
has_commits() { (($(status_number a app commits) > 1)); }

on a regckpt init
python3 "$SRC/tests/reshape.py" "$NTDLL64" NtRenameKey "$TMP/ntdll64"
ODD=$TMP/odd64
echo "mount --bind '$TMP/ntdll64' '$NTDLL64'" >"$ODD"
unhooked 64 "64-bit ntdll with another stub" "ntdll's NtRenameKey is not the system call stub"
if ! have_wine32; then
    skip 44 "32-bit programs do not run here"
    exit 0
fi
python3 "$SRC/tests/reshape.py" "$NTDLL32" NtRenameKey "$TMP/ntdll32"
ODD=$TMP/odd32
echo "mount --bind '$TMP/ntdll32' '$NTDLL32'" >"$ODD"
unhooked 32 "32-bit ntdll with another stub" "ntdll's NtRenameKey is not the system call stub"

# New WoW64, which Debian's 64-bit Wine can do: it wants the 32-bit DLLs alone.
export WINEDLLPATH=$LIBRARIES/i386-linux-gnu/wine
ODD=$TMP/oddwow
echo "mount --bind /dev/null '${WINE%/*}/wine' && mount -t tmpfs none '$WINEDLLPATH/i386-unix'" >"$ODD"
unhooked 32 "new WoW64" "no 32-bit Unix part"

# A 32-bit child of a hooked 64-bit program is left alone, and the watch has its changes.
LOG=$TMP/child.log
on a regckpt create app --command "cmd.exe /c $(winpath "$PE/svcwriter32.exe") run $KEY 0 50 --log $(winpath "$LOG")"
on a regckpt add app "$KEY" --future --view 32
odd timeout $ONLINE_SECONDS regckpt online app
is "$CODE" 0 "new WoW64, a 64-bit program with a 32-bit child: online"
ok 'wait_for $PATIENCE log_has "$LOG" 3' "... the child runs"
odd regckpt status app
ok 'grep -Eq "^ +capture +hook, [0-9]+ process(es)?; 1 could not be hooked" "$TMP/stdout"' "... status counts it"
ok 'grep -Eq "^ +not hooked +svcwriter32.exe: .*no 32-bit Unix part" "$TMP/stdout"' "... and says which, and why"
ok 'wait_for $PATIENCE has_commits' "... its changes are committed"
odd timeout $ONLINE_SECONDS regckpt offline app
is "$CODE" 0 "... offline"
odd "$WINE" "$PE/regdump64.exe" "$KEY" --view 32
mv "$TMP/stdout" "$TMP/live"
ckptdump app "$TMP/ckpt" --key "$KEY" --view 32
ok 'same "$TMP/live" "$TMP/ckpt"' "... what it wrote is in the checkpoint"
prefix_end "$PREFIX_a"
