# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Does the hook ever take one key for another?  The scenarios of hook_handles: what the ring got, made
# to the key as it was, must give the key as it is, or a scan must have been flagged that will find
# out.  And the program must not be able to tell that there is a hook.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../hook_lib.sh"
suite hook_handles
node a
wine_up a

KEY='Software\RegckptHook'
OPTIONS=()

# scenario WIDTH NAME [KEY VIEW]: runs it without and with the hook; another key is registered as 3.
# What was drained is in $TMP/changes, dumps of key 1 in $TMP/before and $TMP/after.
scenario()
{
    local width=$1 name=$2 third=${3:-} view=${4:-64}
    dir=$TMP/hook
    on a "$WINE" "$PE/hook_handles$width.exe" setup "$name"
    is "$CODE" 0 "$name, $width bits: set up"
    on a "$WINE" "$PE/hook_handles$width.exe" run "$name" -
    is "$CODE" 0 "$name, $width bits: runs without the hook"
    tr -d '\r' <"$TMP/stdout" >"$TMP/plain"

    on a "$WINE" "$PE/hook_handles$width.exe" setup "$name"
    hook_make "$dir" ${OPTIONS[@]+"${OPTIONS[@]}"} "1=$(physical "$width" "$KEY")" ${third:+"3=$third"}
    dump a "$KEY" "$TMP/before" --view "$width"
    [ -z "$third" ] || dump a "$KEY" "$TMP/before3" --view "$view"
    on a "$WINE" "$PE/hook_handles$width.exe" run "$name" "$(hook_dll "$dir" "$width")"
    is "$CODE" 0 "$name, $width bits: runs with the hook"
    tr -d '\r' <"$TMP/stdout" >"$TMP/hooked"
    : >"$TMP/changes"
    drained "$dir" "$TMP/changes"
    dump a "$KEY" "$TMP/after" --view "$width"
    [ -z "$third" ] || dump a "$KEY" "$TMP/after3" --view "$view"
    ok 'cmp -s "$TMP/plain" "$TMP/hooked"' "$name, $width bits: every result is the same" ||
        diff "$TMP/plain" "$TMP/hooked" | head -n 10
    ok 'hooked "$dir" "hook_handles$width.exe" "$width"' \
        "$name, $width bits: its changes came through the hook"
}

# exact WIDTH NAME: ... and they say all that happened.
exact()
{
    scenario "$@"
    judge replay "$TMP/before" "$TMP/changes" "$TMP/after"
    ok '[ ! -s "$TMP/judged" ]' "$2, $1 bits: what was reported is what happened" ||
        head -n 12 "$TMP/judged"
    is "$(ring_stat "$dir" scan-wanted)" 0 "$2, $1 bits: no scan was flagged"
}

# scanned WIDTH NAME: ... or a scan was flagged.
scanned()
{
    scenario "$@"
    ok '(($(ring_stat "$dir" scan-wanted) > 0))' "$2, $1 bits: a scan was flagged"
}

# reported KIND PATH NAME: was it?  PATH is below ...\Handles.
reported() { grep -qF "$1	1	Handles\\$2	$3	" "$TMP/changes"; }

for width in $(widths); do
    for name in reused duplicated duplicated_out inherited closed_by_other swapped_by_other deleted \
        predefined before odd class errors; do
        exact "$width" $name
    done
    exact "$width" links
    ok 'grep -qF "create-key	1	Handles\\links\\Link		1	" "$TMP/changes"' \
        "links, $width bits: the link was reported as one"
    exact "$width" volatiles
    is "$(grep -c '^create-key	1	.*	1	[0-9]*$' "$TMP/changes")" 2 \
        "volatiles, $width bits: those that are volatile were reported so"

    scanned "$width" renamed
    ok 'reported set-value "renamed\\Child" Before && reported set-value "renamed\\Third" After' \
        "renamed, $width bits: the old handle goes on under the new name"
    ok 'reported set-value "renamed\\Third\\Grand" "Opened after"' "... and so does what is below"
    for name in renamed_above renamed_by_other; do
        scanned "$width" $name
        ok 'reported set-value "$name\\Child\\Grand" Before' "$name, $width bits: before, the old name"
        ok 'reported set-value "$name\\Third\\Grand" After' "... after, the new one"
    done
    ok 'reported set-value "renamed_by_other\\Second" After' "... and its own for another key"

    scanned "$width" failed_loads
    ok 'reported set-value failed_loads After' "failed_loads, $width bits: what comes after it was reported"
    # Registered is what the key is called for a while.
    scanned "$width" moved_in "$(physical "$width" 'Software\RegckptOther\Handles\moved_in\Third')" "$width"
    is "$(grep -c '^set-value	3	' "$TMP/changes")" 1 "moved_in, $width bits: reported while it is there"
    ok 'grep -q "^set-value	3	Grand	Here	" "$TMP/changes"' "... by the name it has then"

    scanned "$width" big
    ok 'reported set-value big After' "big, $width bits: what comes after it was reported"
    OPTIONS=(--lanes 2 --lane-bytes 8192)
    scanned "$width" full
    ok 'reported set-value full "Value 0"' "full, $width bits: what there was room for was reported"
    ok '! grep -q torn "$TMP/changes"' "... and is whole"
    OPTIONS=()

    # The same key in the other view, which is registered too.
    other=64
    [ "$width" = 32 ] || other=32
    scenario "$width" views "$(physical $other "$KEY")" $other
    judge replay "$TMP/before" "$TMP/changes" "$TMP/after"
    ok '[ ! -s "$TMP/judged" ]' "views, $width bits: its own view" || head -n 12 "$TMP/judged"
    judge replay "$TMP/before3" "$TMP/changes" "$TMP/after3" --key 3
    ok '[ ! -s "$TMP/judged" ]' "views, $width bits: the other view" || head -n 12 "$TMP/judged"

    # HKEY_CLASSES_ROOT: the first run tells where the key is.
    on a "$WINE" "$PE/hook_handles$width.exe" setup classes
    on a "$WINE" "$PE/hook_handles$width.exe" run classes -
    real=$(sed -n 's/^real path .REGISTRY.Machine.//Ip' "$TMP/stdout" | tr -d '\r')
    scenario "$width" classes "$real"
    ok 'grep -qF "set-value	3		By HKCR	" "$TMP/changes"' "classes, $width bits: $real"
    ok 'grep -qF "set-value	3	shell\\open\\command		" "$TMP/changes"' "... and below it"
    ok 'grep -qF "delete-key	3	shell\\open	" "$TMP/changes"' "... and what was deleted there"
done
