# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Round trips of random contents (tests/randomreg.py), byte for byte: live -> checkpoint -> another prefix,
# with the changes of the program and of others on the way.  SEED=N runs one again; KEYS=N is about how
# many keys there are, ROUNDS=N (1) runs with as many seeds from that on.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite trips
node a
node b
wine_up a
wine_up b
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
KEYS=${KEYS:-150}
ROUNDS=${ROUNDS:-1}
# Where the random links lead to.
for n in a b; do set_value $n 'Software\RegckptTest\Target\a' behind "a link"; done

# random WORD...: what randomreg.py prints.
random() { python3 "$SRC/tests/randomreg.py" "$@"; }
# lives FILE NODE, holds FILE RESOURCE: is that what the key holds, the checkpoint?
holds() { ckptdump "$2" "$TMP/held" --key "$KEY" && same "$1" "$TMP/held"; }
lives() { dump "$2" "$KEY" "$TMP/live" && same "$1" "$TMP/live"; }
# The same, quietly, of a checkpoint that is still to come to it.
has_come() { ckptdump "$2" "$TMP/seen" --quick --key "$KEY" >/dev/null && cmp -s "$1" "$TMP/seen"; }

# trip SEED: one content, captured while nothing runs; the next made by the program; the third by others.
trip()
{
    local seed=$1 name=trip$1 width=64
    KEY=Software\\RegckptTest\\Trip$1
    echo "SEED=$seed KEYS=$KEYS"
    random make "$seed" "$KEYS" >"$TMP/1" && random after "$seed" "$TMP/1" >"$TMP/2" &&
        random after $((seed + 1)) "$TMP/2" >"$TMP/3"
    random script "$TMP/1" "$TMP/2" >"$TMP/1.2"
    random script "$TMP/2" "$TMP/3" >"$TMP/2.3"
    ok '(($(wc -l <"$TMP/2.3") > 20))' "seed $seed: contents are made up"

    on a "$WINE" "$PE/regplay64.exe" "$KEY" "$(winpath "$TMP/1")"
    is "$CODE" 0 "... and put into the registry"
    ok 'lives "$TMP/1" a' "which takes all of it as it is"
    on a regckpt create "$name" --command "$(winpath "$PE/regplay64.exe") $KEY $(winpath "$TMP/1.2")"
    on a regckpt add "$name" "$KEY" --view 64
    is "$CODE" 0 "add"
    ok 'holds "$TMP/1" "$name"' "the checkpoint is equal"

    # On the other node, whose key holds something else.
    on b "$WINE" "$PE/regplay64.exe" "$KEY" "$(winpath "$TMP/1")"
    on b timeout $PATIENCE regckpt run "$name"
    is "$CODE" 0 "a program that makes the second of the first finds all of it on the other node"
    ok 'lives "$TMP/2" b' "it has made it"
    ok 'holds "$TMP/2" "$name"' "the checkpoint has followed it"

    # Back, where the first still lies, as old as it is.
    on a regckpt set "$name" --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"
    online a "$name"
    is "$CODE" 0 "online on the first node: the restore is compared"
    ok 'lives "$TMP/2" a' "the registry is equal"
    ! have_wine32 || width=32
    on a "$WINE" "$PE/regplay$width.exe" "$KEY" "$(winpath "$TMP/2.3")" --view 64
    is "$CODE" 0 "somebody else makes the third of it ($width-bit)"
    ok 'wait_for $PATIENCE has_come "$TMP/3" "$name"' "the checkpoint comes to it"
    offline a "$name"
    is "$CODE" 0 "offline"
    ok 'lives "$TMP/3" a && holds "$TMP/3" "$name"' "both are equal at the end"
    on b regckpt diff "$name"
    is "$CODE" 1 "diff on the other node sees what is new"
    on b regckpt set "$name" --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 5 1"
    on b timeout $PATIENCE regckpt run "$name"
    ok 'lives "$TMP/3" b' "and a restore there makes it equal"
    on b regckpt verify "$name"
    is "$CODE" 0 "verify"
}

on a regckpt init
for ((round = 0; round < ROUNDS; round++)); do
    trip $((SEED + round))
done
