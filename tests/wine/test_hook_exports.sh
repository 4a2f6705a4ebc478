# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The hook sits in ntdll; does every function above it that changes the registry arrive there?  Each
# export that could is called, found by GetProcAddress, and what the ring got is held against what
# the key became.  A function that the table in exportrows_*.h does not know is a failure.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../hook_lib.sh"
suite hook_exports
node a
wine_up a

KEY='Software\RegckptHook'
BOOT='System\CurrentControlSet\Control\Session Manager'
cd "$TMP" || exit 1

# call_alone WIDTH KIND ROW: one row in a process of its own; sets WHY to what is wrong, if anything.
call_alone()
{
    local width=$1 kind=$2 row=$3 dir=$TMP/alone
    hook_make "$dir" "1=$(physical "$width" "$KEY")" "2=$BOOT"
    on a "$WINE" "$PE/hook_exports$width.exe" call "$(hook_dll "$dir" "$width")" "$row"
    : >"$TMP/alone.changes"
    drained "$dir" "$TMP/alone.changes"
    WHY=
    grep -q "^row $row $kind good" "$TMP/stdout" || WHY="it did not do what its row says"
    case $kind in
        scans) (($(ring_stat "$dir" scan-wanted) > 0)) || WHY="no scan was flagged" ;;
        elsewhere)
            grep -q "^set-value	2		PendingFileRenameOperations	7	" "$TMP/alone.changes" ||
                WHY="nothing arrived for the key it changes"
            ;;
        last) [ ! -s "$TMP/alone.changes" ] || WHY="changes arrived" ;;
    esac
}

for width in $(widths); do
    dir=$TMP/hook$width
    hook_make "$dir" "1=$(physical $width "$KEY")"
    on a "$WINE" "$PE/hook_exports$width.exe" setup
    is "$CODE" 0 "$width bits: the keys of the rows are made"
    dump a "$KEY" "$TMP/before" --view $width
    serve_start "$dir" "$TMP/changes"
    on a "$WINE" "$PE/hook_exports$width.exe" call "$(hook_dll "$dir" $width)"
    serve_stop "$TMP/changes"
    ok '((CODE == 0))' "$width bits: all exports are known, and do what their rows say"
    grep -v ' good' "$TMP/stdout" | grep -v ' later' | sed 's/^/    /'
    tr -d '\r' <"$TMP/stdout" >"$TMP/rows"
    is "$(ring_stat "$dir" scan-wanted)" 0 "$width bits: no scan was wanted"
    ok 'hooked "$dir" hook_exports$width.exe $width' "$width bits: the changes came through the hook"
    dump a "$KEY" "$TMP/after" --view $width
    judge rows "$TMP/rows" "$TMP/before" "$TMP/changes" "$TMP/after"
    while read -r verdict row; do
        ok '[ "$verdict" = fine ]' "$width bits: $row"
    done <"$TMP/judged"
    while read -r _ row kind _; do
        call_alone $width "$kind" "$row"
        ok '[ -z "$WHY" ]' "$width bits: $row${WHY:+: $WHY}"
    done < <(grep ' later$' "$TMP/rows")
    for kind in mutates exempt scans elsewhere last stub; do
        echo "    $width bits: $(grep -c " $kind " "$TMP/rows") exports are of the kind $kind"
    done
    delete_value a "$BOOT" PendingFileRenameOperations
done
