# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Views: what --view means on the physical registry, what auto means, one key under two names, overlap,
# keys that everybody shares, excludes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite views
node a
node b
wine_up a
wine_up b
on a regckpt init

WRITER=$(winpath "$PE/svcwriter64.exe")
KEY='Software\RegckptTest\Views'
fill a "$KEY" 20 --view 64
fill a "$KEY" 40 --view 32
dump a "$KEY" "$TMP/v64"
dump a "$KEY" "$TMP/v32" --view 32
ok '! cmp -s "$TMP/v64" "$TMP/v32"' "the two views differ"

on a regckpt create app --command "$WRITER run Software\\RegckptTest\\Writer 5 1"
on a regckpt add app "$KEY" --view 32
is "$CODE" 0 "add --view 32"
ok 'ckptdump app "$TMP/seen" --key "$KEY" --view 32 && same "$TMP/v32" "$TMP/seen"' "captures the 32-bit view"
on a regckpt add app "$KEY" --view 64
is "$CODE" 0 "the same path in the other view is another key"
on a regckpt add app "$KEY" --view 32
is "$CODE" 100 "the same key twice"
ok 'grep -q "already" "$TMP/stderr"' "... is said to be there already"
on a regckpt add app 'Software\Wow6432Node\RegckptTest\Views' --view 64
is "$CODE" 100 "the same key by its physical path is refused"
on a regckpt add app 'SOFTWARE\regckpttest\VIEWS' --view 32
is "$CODE" 100 "case is ignored"
on a regckpt add app "$KEY\\Part 00000" --view 32
is "$CODE" 100 "a key below a registered one is refused"
ok 'grep -q "lies in" "$TMP/stderr"' "... and says why"
on a regckpt add app 'Software\RegckptTest' --view 32
is "$CODE" 100 "a key above a registered one is refused"
on a regckpt create second --command "$WRITER run Software\\RegckptTest\\Writer 5 1"
on a regckpt add second "$KEY" --view 32
is "$CODE" 100 "a key of another resource is refused"
ok 'grep -qw app "$TMP/stderr"' "... and names the resource"
for key in Software System 'System\CurrentControlSet\Services' 'Software\Microsoft' 'Software\Wow6432Node'; do
    on a regckpt add second "$key"
    is "$CODE" 100 "$key needs --broad"
    ok 'grep -q -- --broad "$TMP/stderr"' "... and says so"
done

# On the other node each lands in its own view.
online b app
is "$CODE" 0 "online on the other node"
dump b "$KEY" "$TMP/b32" --view 32
ok 'same "$TMP/v32" "$TMP/b32"' "the 32-bit view arrived in the 32-bit view"
dump b "$KEY" "$TMP/b64" >/dev/null
ok 'same "$TMP/v64" "$TMP/b64"' "the 64-bit view in the 64-bit view"
wait_for $PATIENCE no_monitor b

# auto goes by the program.
for width in 64 32; do
    if [ $width = 32 ] && ! have_wine32; then
        skip 2 "32-bit programs do not run here"
        continue
    fi
    on a regckpt create auto$width --command "$(winpath "$PE/svcwriter$width.exe") run Software\\RegckptTest\\Auto$width 10 1"
    on a regckpt add auto$width "Software\\RegckptTest\\Auto$width" --future
    on a timeout $PATIENCE regckpt run auto$width
    is "$CODE" 0 "a $width-bit program runs"
    ok 'live_is_checkpointed a auto$width "Software\\RegckptTest\\Auto$width" --view $width' \
        "auto took the view of a $width-bit program"
done

# Excludes.
XKEY='Software\RegckptTest\Exclude'
fill a "$XKEY" 10 --per-key 5
set_value a "$XKEY" Keep kept
set_value a "$XKEY" Secret mine
set_value a "$XKEY\\Cache" Deep cached
set_value a "$XKEY\\Part 00000" Node "of this node"
dump a "$XKEY" "$TMP/x.a"
on a regckpt create ex --command "$WRITER run Software\\RegckptTest\\Writer 5 1"
on a regckpt add ex "$XKEY" --view 64 --exclude Cache --exclude-value Secret --exclude-value '*\Node'
is "$CODE" 0 "add with excludes"
ckptdump ex "$TMP/x.ckpt"
ok '! grep -q "$(utf16_hex Cache)\|$(utf16_hex Secret)\|$(utf16_hex Node)" "$TMP/x.ckpt"' \
    "what is excluded is not in the checkpoint"
ok 'grep -q "$(utf16_hex Keep)" "$TMP/x.ckpt"' "the rest is"
set_value b "$XKEY\\Cache" Deep "of node b"
set_value b "$XKEY" Secret "of node b"
set_value b "$XKEY" Extra "goes"
on b timeout $PATIENCE regckpt run ex
is "$CODE" 0 "run on node b"
is "$(value b "$XKEY" Keep)" kept "what is not excluded arrives"
is "$(value b "$XKEY" Extra)" "" "what is too much goes"
is "$(value b "$XKEY\\Cache" Deep)" "of node b" "an excluded key is left alone"
is "$(value b "$XKEY" Secret)" "of node b" "an excluded value is left alone"
is "$(value b "$XKEY\\Part 00000" Node)" "" "... also where the node has none"

# --exclude is of keys, --exclude-value of values: neither means the other.
on b regckpt diff ex --json
is "$CODE" 0 "what is excluded is no difference"
set_value b "$XKEY\\Named" x "the key"
set_value b "$XKEY" Named "the value"
set_value b "$XKEY\\Apart" x y
set_value b "$XKEY\\Apart\\Own" x "of this node"
on b regckpt set ex --command "$WRITER run Software\\RegckptTest\\Writer 0 100"
on b regckpt diff ex --from live --to checkpoint
ok 'grep -q "Named" "$TMP/stdout"' "edits while it is offline"
delete_key b "$XKEY\\Named"
delete_key b "$XKEY\\Apart"
online b ex
is "$CODE" 0 "online"
set_value b "$XKEY\\Named" x "the key"
set_value b "$XKEY" Named "the value"
set_value b "$XKEY\\Apart\\Own" x "of this node"
ok 'wait_for $PATIENCE in_checkpoint ex x "of this node"' "captured while nothing excludes it"
on b regckpt exclude ex "$XKEY" --exclude-value Named --exclude '*\Own'
is "$CODE" 0 "exclude while it is online"
ok 'not_in_checkpoint ex Named "the value" && not_in_checkpoint ex x "of this node"' "... takes it out at once"
ok 'in_checkpoint ex x "the key"' "... but not the key that has the value's name"
is "$(value b "$XKEY" Named)/$(value b "$XKEY\\Apart\\Own" x)" "the value/of this node" "... the registry keeps it"
set_value b "$XKEY" Named "another"
set_value b "$XKEY\\Apart\\Own" x "another"
set_value b "$XKEY" After "it"
ok 'wait_for $PATIENCE in_checkpoint ex After it' "what is changed later is captured"
ok 'not_in_checkpoint ex Named another && not_in_checkpoint ex x another' "... but not what is excluded now"
delete_key b "$XKEY\\Apart"
set_value b "$XKEY" After "the deletion"
ok 'wait_for $PATIENCE in_checkpoint ex After "the deletion"' "a key that holds something excluded is deleted"
ok '! grep -q "$(utf16_hex Apart)" "$TMP/seen"' "... and goes from the checkpoint"
on b regckpt exclude ex "$XKEY" --include-value Named
is "$CODE" 0 "take a pattern away while it is online"
ok 'in_checkpoint ex Named another' "... captures what it left out, at once"
on b regckpt log ex --key "$XKEY"
ok 'grep -q " exclude .*Named" "$TMP/stdout"' "... the history says so"
offline b ex
is "$CODE" 0 "offline"
ok 'live_is_checkpointed b ex "$XKEY\\Named"; on b regckpt diff ex; [ "$CODE" = 0 ]' "nothing differs"
on b regckpt exclude ex "$XKEY" --include Cache
is "$CODE" 100 "to take one away while it is offline is refused"
ok 'grep -q "would remove it from the registry" "$TMP/stderr"' "... and says why"
on b regckpt exclude ex "$XKEY" --exclude Named
is "$CODE" 0 "exclude while it is offline"
ok 'not_in_checkpoint ex x "the key" && in_checkpoint ex Named another' "... takes the key out, not the value"
on b regckpt list ex
ok 'grep -qF "Cache, *\Own, Named, value Secret, value *\Node" "$TMP/stdout"' "list tells keys from values"
set_value a "$XKEY\\Named" x "of node a"
set_value a "$XKEY" Named "of node a"
on a regckpt set ex --command "$WRITER run Software\\RegckptTest\\Writer 5 1"
on a timeout $PATIENCE regckpt run ex
is "$CODE" 0 "run on node a"
is "$(value a "$XKEY" Named)/$(value a "$XKEY\\Named" x)" "another/of node a" "which keeps its own key, and gets the value"
