# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# doctor --peer and init --peer: two nodes test a store together.  Each has a configuration and, where
# this machine can, mounts of its own; storage whose locks stay on their node is two mounts of one
# directory by bindfs, each with its own locks.
. "$(dirname "$0")/../lib.sh"
suite peer
STORE=$TMP/store
for n in 1 2 3; do
    printf 'store = %s\nrun_dir = %s/run%s\nnode = n%s\nevents = none\n' "$STORE" "$TMP" $n $n >"$TMP/n$n.conf"
done
apart=(unshare --mount)
"${apart[@]}" true 2>/dev/null || apart=()

# begin NODE ARGUMENTS...: regckpt there, in the background; finish: waits for all that were begun.
begin()
{
    REGCKPT_CONF=$TMP/$1.conf "${apart[@]}" timeout 300 regckpt "${@:2}" >"$TMP/$1.out" 2>"$TMP/$1.err" </dev/null &
    RUNNING[${1#n}]=$!
}
finish()
{
    local n
    CODES=
    for n in "${!RUNNING[@]}"; do
        wait "${RUNNING[n]}"
        CODES+="$? "
    done
    RUNNING=()
}
nothing_left() { [ -z "$(find "$1" -name '.probe-*' 2>/dev/null)" ]; }
a_note() { ! nothing_left "$STORE"; }
show() { for f in "$TMP"/n[12].out "$TMP"/n[12].err; do sed "s|^|    ${f##*/}: |" "$f"; done; }

begin n1 init --peer
begin n2 init --peer
finish
is "$CODES" "0 0 " "two nodes make a store together" || show
ok '[ "$(cat "$TMP"/n[12].out | grep -c "^Made the store")" -ge 1 ]' "... one of them at least made it"
for n in n1 n2; do
    is "$(grep -c '^  ok' $TMP/$n.out)" 13 "$n: all is fine" || show
    ok 'grep -Eq "^  ok  a lock \(by n1, seen from n2\): refused" "$TMP/$n.out"' "$n: n2 was kept out"
    ok 'grep -Eq "^  ok  a lock \(by n2, seen from n1\): refused" "$TMP/$n.out"' "$n: n1 was kept out"
    ok 'grep -Eq "^  ok  release of a killed process.s lock \(by n1, seen from n2\): after [0-9]+ ms" "$TMP/$n.out"' \
        "$n: a killed process's lock is free"
    ok 'grep -Eq "^  ok  clocks: [0-9]+ ms apart" "$TMP/$n.out"' "$n: their clocks"
done
ok 'nothing_left "$STORE"' "nothing is left in the store"
begin n1 doctor --peer --json
begin n2 doctor --peer
finish
is "$CODES" "0 0 " "doctor --peer of a store that is there" || show
ok 'python3 -c "import json,sys; d = json.load(open(sys.argv[1])); assert d[\"ok\"] and len(d[\"checks\"]) > 12" "$TMP/n1.out"' \
    "... as JSON"

# Who waits in vain, or alone with himself.
begin n1 doctor --peer --timeout 1
finish
is "$CODES" "1 " "nobody comes: exit code"
ok 'grep -q "no other node came.*same time" "$TMP/n1.out"' "... and says what to do"
cp "$TMP/n1.conf" "$TMP/n4.conf"
begin n1 doctor --peer --timeout 3
begin n4 doctor --peer --timeout 3
finish
is "$CODES" "1 1 " "two of one name: exit codes"
ok 'grep -q "another process did, of this node.s name" "$TMP/n1.out"' "... and says so"
ok 'nothing_left "$STORE"' "nothing is left in the store"
run env REGCKPT_CONF="$TMP/n1.conf" regckpt doctor --peer web
is "$CODE" 100 "--peer with a resource is wrong usage"
run env REGCKPT_CONF="$TMP/n1.conf" regckpt init --timeout 5
is "$CODE" 100 "--timeout without --peer, too"

# A command that is killed leaves its note; the next ones are not taken in by it, and remove it.
begin n3 doctor --peer
ok 'wait_for $PATIENCE a_note' "a node waits"
kill -KILL "$(pgrep -P "${RUNNING[3]}" -f 'regckpt doctor')"
finish
ok '! nothing_left "$STORE"' "a command that is killed leaves its note"
begin n1 doctor --peer
begin n2 doctor --peer
finish
is "$CODES" "0 0 " "the others do not wait for it" || show
begin n1 doctor --peer --timeout 12
finish
ok 'nothing_left "$STORE"' "who sees it stand still for long enough removes it"
begin n3 doctor --peer
ok 'wait_for $PATIENCE a_note' "a node waits"
kill -INT "$(pgrep -P "${RUNNING[3]}" -f 'regckpt doctor')"
finish
ok 'nothing_left "$STORE"' "one that is interrupted leaves nothing"

# Locks that stay on their node.
mkdir "$TMP/disk" "$TMP/m1" "$TMP/m2"
test_cleanup()
{
    local n
    for n in 1 2; do
        ! mountpoint -q "$TMP/m$n" || umount "$TMP/m$n"
    done
}
if [ -e /dev/fuse ] && command -v bindfs >/dev/null; then
    for n in 1 2; do
        bindfs -f "$TMP/disk" "$TMP/m$n" >"$TMP/bindfs$n.log" 2>&1 </dev/null &
        wait_for 10 mountpoint -q "$TMP/m$n"
        sed -i "s|^store.*|store = $TMP/m$n/s|" "$TMP/n$n.conf"
    done
fi
if mountpoint -q "$TMP/m1" && mountpoint -q "$TMP/m2"; then
    apart=() # a mount made later would not be seen there
    begin n1 init --peer
    begin n2 init --peer
    finish
    is "$CODES" "1 1 " "locks that stay on their node are found" || show
    for n in n1 n2; do
        is "$(grep -c '^  no  a lock .*two nodes would run the same program' $TMP/$n.out)" 2 "$n: and told, for both" || show
        ok 'grep -q "^  ok  file system: fuse.*--peer" "$TMP/$n.out"' "$n: the kind of file system, and what to do"
        ok 'grep -q "^  ok  a file renamed" "$TMP/$n.out"' "$n: what does work is fine"
    done
    ok 'nothing_left "$TMP/disk/s"' "nothing is left in the store"
else
    skip 8 "no file system of a process can be mounted here (fuse, bindfs)"
fi
