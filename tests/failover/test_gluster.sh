# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The store on GlusterFS: a volume of three replicas, and two nodes that have it mounted, each with a network
# of its own.  init --peer finds it good; a service with lag 0 moves on it; one node's power goes, then the
# other is cut off, and nothing that was acknowledged is missing, nor do two ever write (judge.py).  The three
# servers are one machine, and know of a dead client after 5 s instead of Gluster's 42.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite gluster
why=
for program in glusterd gluster glusterfs ip; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null || why="there is no $program"
done
[ -n "$why" ] || unshare --net --uts --mount --pid --fork --mount-proc true 2>/dev/null ||
    why="namespaces cannot be made here"
[ -n "$why" ] || [ -w /dev/fuse ] || why="there is no /dev/fuse"
if [ -n "$why" ]; then
    skip 36 "$why"
    exit 0
fi
if [ -z "${GLUSTER_SPACE:-}" ]; then
    trap - EXIT
    rm -rf "$TMP"
    GLUSTER_SPACE=yes TMPDIR=${TMP%/*} exec unshare --net --uts --mount --pid --fork --kill-child=KILL \
        --mount-proc -- bash "$0" "$@"
fi
PATH=$PATH:/usr/sbin
KEY='Software\RegckptTest\Gluster'
HUB=10.77.0.1

# --- the servers ---
for dir in /run /var/lib/glusterd /var/log/glusterfs; do
    mount -t tmpfs tmpfs $dir || exit 1
done
mkdir -p /run/gluster "$TMP/bricks"
ip link set lo up
ip address add $HUB/32 dev lo
glusterd
admin() { gluster --mode=script "$@" >"$TMP/admin" 2>&1; }
served() { admin volume info; }
ok 'wait_for $PATIENCE served' "glusterd answers"
mapfile -t bricks < <(printf "$HUB:$TMP/bricks/%s\n" 1 2 3)
admin volume create store replica 3 "${bricks[@]}" force
for option in server.tcp-user-timeout server.keepalive-time server.keepalive-interval network.ping-timeout; do
    admin volume set store $option 5 || cat "$TMP/admin"
done
admin volume set store server.keepalive-count 1
# What Gluster has for databases (group db-workload), and its mounts without the system's page cache: with the
# caches a node that had been cut off for minutes read a mix of old and new when it was back, twice in three
# times; with these options alone, init --peer finds that writes are not seen.
for option in write-behind stat-prefetch quick-read read-ahead io-cache readdir-ahead; do
    admin volume set store performance.$option off || cat "$TMP/admin"
done
admin volume set store performance.strict-o-direct on
admin volume set store performance.read-after-open yes
ok 'admin volume start store' "a volume of three replicas" || { cat "$TMP/admin"; exit 1; }

# --- the nodes ---
declare -A LINE CLIENT
# attach NODE: mounts the volume from its own network.
attach()
{
    nsenter --net --target "${LINE[$1]}" glusterfs --direct-io-mode=enable --volfile-server=$HUB --volfile-id=store \
        --log-file="$TMP/client-$1.log" --pid-file="$TMP/client-$1.pid" "$TMP/mnt-$1"
    CLIENT[$1]=$(cat "$TMP/client-$1.pid")
    wait_for $PATIENCE mountpoint -q "$TMP/mnt-$1"
}
line() { nsenter --net --target "${LINE[$1]}" ip link set eth0 "$2" && { [ "$2" = down ] ||
    nsenter --net --target "${LINE[$1]}" ip route add default via "10.77.$3.1"; }; }
has_service()
{
    wine_up "$1"
    on "$1" "$WINE" "$PE/svcwriter64.exe" uninstall Writer
    on "$1" "$WINE" "$PE/svcwriter64.exe" install Writer "$KEY" "$(winpath "$TMP/$1.log")" --interval 20 --numbers
    ((CODE == 0))
}
number=1
for n in a b; do
    unshare --net sleep 3600 &
    LINE[$n]=$!
    apart() { [ "$(readlink /proc/${LINE[$n]}/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
    wait_for $PATIENCE apart
    ip link add name "to-$n" type veth peer name eth0 netns "${LINE[$n]}"
    ip link set "to-$n" up
    ip address add "10.77.$number.1/24" dev "to-$n"
    nsenter --net --target "${LINE[$n]}" ip address add "10.77.$number.2/24" dev eth0
    line $n up $number
    mkdir "$TMP/mnt-$n"
    ok 'attach $n' "node $n has it mounted"
    node $n
    conf=CONF_$n
    sed -i "s|^store = .*|store = $TMP/mnt-$n/store|" "${!conf}"
    ok 'has_service $n' "node $n: the service is installed"
    : >"$TMP/$n.log"
    number=$((number + 1))
done
REGCKPT_CONF=$CONF_a regckpt init --peer >"$TMP/peer.a" 2>&1 </dev/null &
on b regckpt init --peer
wait $!
is "$?:$CODE" 0:0 "init --peer, on both, finds it good" || cat "$TMP/peer.a"
ok '(($(grep -c "^  ok" "$TMP/peer.a") == 13)) && grep -q "file system: fuse.glusterfs" "$TMP/peer.a"' "... in all it tests"
on a regckpt create svc --service Writer --lag 0
on a regckpt add svc "$KEY" --future --view 64
is "$CODE" 0 "a resource with lag 0"

# writes NODE: it has acknowledged something more.
acknowledged() { grep -c ' done [0-9]* 0$' "$TMP/$1.log"; }
wrote() { (($(acknowledged "$1") > $2)); }
writes() { wait_for $PATIENCE wrote "$1" $(($(acknowledged "$1") + 50)); }
judged()
{
    python3 "$SRC/tests/cluster/judge.py" 0 "$TMP/a.log" "$TMP/b.log" >"$TMP/verdict"
    local code=$?
    sed 's/^/    /' "$TMP/verdict"
    return $code
}
gets() { online "$1" svc && ((CODE == 0)); }

# --- in order ---
online a svc
is "$CODE" 0 "online on a"
ok 'writes a' "it writes"
on b regckpt online svc
ok '((CODE == 3)) && grep -q "node a" "$TMP/stderr"' "b does not get it, and is told who has it"
offline a svc
is "$CODE" 0 "offline"
online b svc
is "$CODE" 0 "online on b"
ok 'writes b' "it writes there"
ok judged "nothing is missing"

# --- b's power goes: first what the others see of it ---
line b down
kill -KILL "${CLIENT[b]}" $(monitor_pids b) $(prefix_pids "$PREFIX_b") 2>/dev/null
umount -l "$TMP/mnt-b"
begin=$(date +%s%N)
ok 'wait_for $PATIENCE gets a' "a gets it when the servers have let its lock go"
echo "    after $((($(date +%s%N) - begin) / 1000000)) ms"
ok 'writes a' "it writes"
ok judged "nothing is missing"

# --- b is back, and who has it is cut off, alive, in the middle of a commit most likely ---
line b up 2
ok 'attach b' "b is back"
ok 'has_service b' "... with what Wine had not written out"
# cut_off OWNER OTHER NUMBER
cut_off()
{
    local owner=$1 other=$2 begin
    line "$owner" down
    begin=$(date +%s%N)
    ok 'wait_for $PATIENCE gets $other' "$owner is cut off: $other gets it"
    echo "    after $((($(date +%s%N) - begin) / 1000000)) ms"
    ok 'writes $other' "it writes there"
    ok 'wait_for $PATIENCE no_monitor $owner && wait_for $PATIENCE no_program $owner svcwriter64' \
        "$owner has ended its own"
    line "$owner" up "$3"
    back() { timeout 20 ls "$TMP/mnt-$owner/store" >"$TMP/seen" 2>&1; }
    ok 'wait_for $PATIENCE back' "$owner has its storage again"
    on "$owner" regckpt online svc
    is "$CODE" 3 "... and leaves alone what $other has"
    on "$owner" regckpt verify svc
    is "$CODE" 0 "the checkpoint is whole, as $owner sees it"
}
for round in $(seq "${ROUNDS:-1}"); do
    cut_off a b 1
    cut_off b a 2
done
ok judged "nothing is missing, and never have two written"
offline a svc
is "$CODE" 0 "offline"
ok judged "nothing is missing"
for n in a b; do
    umount "$TMP/mnt-$n" || umount -l "$TMP/mnt-$n"
done
