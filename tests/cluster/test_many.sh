# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Many resources on one node, which Pacemaker starts at the same time: services and programs that share a
# prefix, in which Wine starts one service at a time, and services with a prefix each.  They number their
# writes; the node's power goes, and all of them go on at another one with every number (judge.py).
# COUNT=N of them, 50 if it does not say: four tenths are services in one prefix, one tenth services with a
# prefix each, the rest programs in the first prefix.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../cluster_lib.sh"
suite many
cluster_space 13 "$@"
COUNT=${COUNT:-50}
PATIENCE=400
SHARING=$((COUNT * 4 / 10)) ALONE=$((COUNT / 10)) PROGRAMS=$((COUNT - COUNT * 4 / 10 - COUNT / 10))
KEY='Software\RegckptTest\Many'
BOX=$LAB/box
NAMES=()
names_of() { local n; for ((n = 1; n <= $2; n++)); do NAMES+=("$1$n"); done; }
names_of s $SHARING
names_of o $ALONE
names_of p $PROGRAMS

# --- the nodes' disks ---

node prep
wine_up prep || exit 1
log_of() { winpath "/run/box/$1.log"; }
for name in "${NAMES[@]}"; do
    [ "${name:0:1}" != p ] || continue
    on prep "$WINE" "$PE/svcwriter64.exe" install "$name" "$KEY\\$name" "$(log_of $name)" --interval 500 --numbers
    ((CODE == 0)) || break
done
is "$CODE" 0 "$((SHARING + ALONE)) services are installed"
on prep "$WINESERVER" -k
wait_for $PATIENCE prefix_is_idle "$PREFIX_prep"
umount "$PREFIX_prep"
sed -i "\|^$PREFIX_prep\$|d" "$TMP/mounts" "$TMP/prefixes"

mkdir -p "$LAB/shared"
mount -t tmpfs -o size=512m tmpfs "$LAB/shared" && echo "$LAB/shared" >>"$TMP/mounts"
for name in one two; do
    disk=$LAB/nodes/$name
    mkdir -p "$disk/etc" "$BOX/$name"
    printf '%s\n' 'store = /srv/store' 'state_dir = /var/log/regckpt-node' >"$disk/etc/regckpt.conf"
    # Prefix 0 is the one that is shared.
    cat >"$disk/boot" <<END
        mkdir -p /run/box
        mount --bind $BOX/$name /run/box
        for ((n = 0; n <= $ALONE; n++)); do
            mkdir -p /run/prefix/\$n $disk/\$n/upper $disk/\$n/work
            mount -t overlay overlay /run/prefix/\$n -o lowerdir=$TMP/layers/prep/upper:$TEMPLATE \\
                -o upperdir=$disk/\$n/upper,workdir=$disk/\$n/work
        done
END
done

# --- the cluster ---

ok 'lab_up one two' "two nodes are a cluster" || exit 1
# As many at a time as there are, whatever the load.
cib one crm_config "$(cib_properties many stop-all-resources true node-action-limit $COUNT load-threshold 10000%)"
in_node one regckpt init
is "$CODE" 0 "a store on the storage that both have"
resource()
{
    local prefix=0
    case $1 in
        s*) set -- "$1" --service "$1" --lag 0 ;;
        o*) prefix=${1#o} && set -- "$1" --service "$1" --lag 0 ;;
        p*) set -- "$1" --command \
            "$(winpath "$PE/svcwriter64.exe") run $KEY\\$1 0 500 --numbers --log $(log_of $1)" ;;
    esac
    in_node one regckpt create "$@" --prefix "/run/prefix/$prefix" && ((CODE == 0)) &&
        in_node one regckpt add "$1" "$KEY\\$1" --future --view 64 && ((CODE == 0))
}
# Each adding would boot the prefix, and wait for it to end.
lab on one env WINEPREFIX=/run/prefix/0 "$WINESERVER" -p
all_resources() { local name; for name in "${NAMES[@]}"; do resource $name || return 1; done; }
ok all_resources "$COUNT resources: $SHARING services and $PROGRAMS programs in one prefix, $ALONE services with one each"
lab on one env WINEPREFIX=/run/prefix/0 "$WINESERVER" -k
for name in "${NAMES[@]}"; do
    START_TIMEOUT=300 STOP_TIMEOUT=300 EVERY=10
    [ "${name:0:1}" = p ] && type=wineapp || type=wineservice
    cib one resources "$(primitive $name "" $type)" || break
done
lab on one crm_standby --node two --update on
settled

# --- what they do ---

newest()
{
    tail -n 20 "$BOX/$2/$1.log" 2>/dev/null | awk '$2 == "done" && $4 == 0 { t = $1 } END { print t + 0 }'
}
# all_write NODE SINCE: have they there, since then?
all_write()
{
    local name
    for name in "${NAMES[@]}"; do
        (($(newest $name "$1") > $2)) || { LATE=$name; return 1; }
    done
}
# slowest NODE ACTION: by Pacemaker's own record; its last action of each resource.
slowest()
{
    ask cibadmin --query --xpath "//node_state[@uname='$1']//lrm_rsc_op[@operation='$2' and not(starts-with(@operation_key, 'power'))]" |
        awk -v action="$2" '
            function is(name) { match($0, " " name "=\"[^\"]*"); return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) }
            /<lrm_rsc_op / {
                n++; failed += is("rc-code") != 0; sum += is("exec-time")
                if (is("exec-time") + 0 >= worst) { worst = is("exec-time") + 0; key = is("operation_key") }
            }
            END { printf "%d of action %s, %d failed, mean %.1f s, the slowest %.1f s (%s)", n, action, failed,
                n ? sum / n / 1000 : 0, worst / 1000, key }'
}
judge()
{
    local name lag faults=0
    for name in "${NAMES[@]}"; do
        touch "$BOX"/{one,two}/$name.log
        [ "${name:0:1}" = p ] && lag=100 || lag=0
        python3 "$SRC/tests/cluster/judge.py" $lag "$BOX"/{one,two}/$name.log >"$TMP/verdict" && continue
        faults=$((faults + 1))
        sed "s/^/    $name: /" "$TMP/verdict"
    done
    ((faults == 0))
}
states() { quietly_in "$1" regckpt status; }
seconds_since() { awk -v from="$1" -v to="$(now_us)" 'BEGIN { printf "%.1f", (to - from) / 1e6 }'; }

start=$(now_us)
ask crm_attribute --type crm_config --name stop-all-resources --update false
ok 'wait_for $PATIENCE all_write one "$start"' "all are started at the same time, and write" || { echo "    not $LATE"; ask crm_mon -1; }
echo "    $COUNT resources write after $(seconds_since "$start") s; $(slowest one start)"
is "$(states one | grep -c ': ONLINE on node one, protected')" "$COUNT" "status: all are protected"
settled

ask crm_standby --node two --delete
settled
start=$(now_us)
lab off one
ok 'wait_for $PATIENCE all_write two "$start"' "their node's power goes: all write on the other one" || { echo "    not $LATE"; ask crm_mon -1; }
echo "    $COUNT resources write after $(seconds_since "$start") s; $(slowest two start)"
ok judge "and nothing that was acknowledged is missing"
is "$(states two | grep -c ': ONLINE on node two, protected')" "$COUNT" "status: all are protected"

start=$(now_us)
ask crm_attribute --type crm_config --name stop-all-resources --update true
all_offline() { [ "$(states two | grep -c ': OFFLINE')" = "$COUNT" ]; }
ok 'wait_for $PATIENCE all_offline' "all are stopped at the same time"
settled
echo "    $COUNT resources are offline after $(seconds_since "$start") s; $(slowest two stop)"
nobody() { ! lab on two pgrep -f 'regckpt-monitor|regckpt-host|svcwriter' >/dev/null; }
ok 'wait_for $PATIENCE nobody' "nothing of them is left"
in_node two regckpt verify
is "$CODE" 0 "all checkpoints are whole"
ok judge "and hold what was acknowledged"
