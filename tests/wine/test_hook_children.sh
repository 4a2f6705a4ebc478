# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The children of a hooked process are hooked before they run, whatever their width; one that cannot
# be is left alone, runs, and is noted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../hook_lib.sh"
suite hook_children
node a
wine_up a

KEY='Software\RegckptHook'
for view in 64 32; do
    ok 'set_value a "$KEY\\Children" Made made $view' "a key for children of $view bits"
done
dir=$TMP/hook

# family WIDTH ACTION...: with a new ring; what was reported goes to $TMP/changes.
family()
{
    local width=$1
    shift
    hook_make "$dir" "1=$(physical 64 "$KEY")" "2=$(physical 32 "$KEY")"
    [ -z "${WITHOUT:-}" ] || rm "$dir/$WITHOUT"
    on a timeout 120 "$WINE" "$PE/hook_children$width.exe" "$(hook_dll "$dir" "$width")" "$@"
    : >"$TMP/changes"
    drained "$dir" "$TMP/changes"
}
program() { winpath "$PE/hook_children$1.exe"; }

# arrived NAME WIDTH: did that value, set by a program of that width?
arrived()
{
    local id=1
    [ "$2" = 64 ] || id=2
    grep -q "^set-value	$id	Children	$1	" "$TMP/changes"
}
# all_arrived COUNT NAME WIDTH
all_arrived()
{
    local i
    for ((i = 0; i < $1; i++)); do
        arrived "$2$i" "$3" || { echo "    $2$i did not"; return 1; }
    done
}

for a in $(widths); do
    for b in $(widths); do
        family $a start "$(program $b)" set Child$a$b
        is "$CODE" 0 "$a-bit program, $b-bit child: it runs"
        ok 'arrived Child$a$b $b' "... its first change arrives"
        ok 'hooked "$dir" "hook_children$b.exe" $b' "... through a hook of its own"
        is "$(ring_stat "$dir" unhooked)" 0 "... and nothing was left out"
        for c in $(widths); do
            family $a start "$(program $b)" start "$(program $c)" set Grand$a$b$c
            ok '((CODE == 0)) && arrived Grand$a$b$c $c' "$a-bit program, $b-bit child, $c-bit grandchild"
        done
        family $a suspended "$(program $b)" set Suspended$a$b
        is "$CODE" 0 "$a-bit program, $b-bit child started suspended: is so"
        ok 'arrived Suspended$a$b $b' "... and hooked"
        family $a native "$(program $b)" set Native$a$b
        ok '((CODE == 0)) && arrived Native$a$b $b' "$a-bit program, $b-bit child by NtCreateUserProcess"
        family $a many 20 "$(program $b)" Many$a$b
        is "$CODE" 0 "$a-bit program, twenty $b-bit children at once: all run"
        ok 'all_arrived 20 Many$a$b $b' "... all hooked before they ran"
        family $a debug "$(program $b)" set Debug$a$b
        is "$CODE" 0 "$a-bit program, $b-bit child that it debugs: runs"
        ok '! arrived Debug$a$b $b' "... is left alone"
        is "$(value a "$KEY\\Children" Debug$a$b $b)" set "... and does its work"
        ok 'ring_stat "$dir" unhooked | grep -q "^1 hook_children$b.exe: .*debug"' "... and is noted"
    done
    family $a unix 'Z:\bin\true'
    is "$CODE" 0 "$a-bit program, a program of Linux: starts, and other children are left alone"
    is "$(ring_stat "$dir" unhooked)" 0 "... and nothing to note"
done

if have_wine32; then
    WITHOUT=regckpt32.dll.so
    family 64 start "$(program 32)" set NoDll
    is "$CODE" 0 "a child whose DLL is not there runs"
    is "$(value a "$KEY\\Children" NoDll 32)" set "... and does its work"
    ok '! arrived NoDll 32' "... without a hook"
    ok 'ring_stat "$dir" unhooked | grep -q "^1 hook_children32.exe: ."' "... and is noted"
    WITHOUT=regckpt.dll.so
    family 32 start "$(program 64)" set NoDll64
    ok '((CODE == 0)) && ! arrived NoDll64 64' "the same the other way round"
    ok 'ring_stat "$dir" unhooked | grep -q "^1 hook_children64.exe: ."' "... and is noted"
else
    skip 6 "32-bit programs do not run here"
fi
