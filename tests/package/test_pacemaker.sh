# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt@NAME as a resource of Pacemaker's class systemd: two machines are booted in namespaces, each with
# a systemd, the package, Corosync and Pacemaker of its own, and a service numbers its writes meanwhile.
. "$(dirname "$0")/../lib.sh"
. "$SRC/tests/package_lib.sh"
suite pacemaker
for program in corosync pacemakerd crm_mon crm_resource cibadmin; do
    if ! PATH=$PATH:/usr/sbin command -v $program >/dev/null; then
        skip 30 "there is no $program"
        exit 0
    fi
done
if ! can_have_roots 2>/dev/null || ! machine_space; then
    skip 30 "this needs root, mounts and a hierarchy of cgroups version 2"
    exit 0
fi
KEY='Software\RegckptTest\Pacemaker'
version=$(dpkg-deb -f "$DEBS"/regckpt_*.deb Version)
mapfile -t debs < <(packages "$version")
cp "$BUILD/out/wine/svcwriter64.exe" "$SHARED"
LAB=$TMP/lab "$SRC/tests/cluster/lab" disks a b
for name in a b; do
    root_new $name
    root_prefix $name
    root=ROOT_$name
    inside $name dpkg -i "${debs[@]}"
    is "$CODE" 0 "$name: the package is installed"
    echo 'store = /srv/shared/store' >"${!root}/etc/regckpt.conf"
    cp -a "$TMP/lab/nodes/$name/etc/." "${!root}/etc"
    rm -rf "${!root}"/var/{lib,log}/{corosync,pacemaker}
    cp -a "$TMP/lab/nodes/$name"/{corosync,pacemaker} "${!root}/var/lib"
    cp -a "$TMP/lab/nodes/$name"/log/{corosync,pacemaker} "${!root}/var/log"
    if ! machine_boot $name; then
        skip 30 "systemd does not boot in namespaces here"
        exit 0
    fi
done
ip link add name eth0 netns "$INIT_a" type veth peer name eth0 netns "$INIT_b"
number=1
for name in a b; do
    in_machine $name sh -c "ip link set lo up && ip link set eth0 up && ip address add 192.168.77.$number/24 dev eth0"
    is "$CODE" 0 "$name: on the network"
    number=$((number + 1))
    in_machine $name /usr/lib/wine/wine64 'Z:\srv\shared\svcwriter64.exe' install Svc "$KEY" \
        "Z:\\srv\\shared\\$name.log" --interval 20 --numbers
    is "$CODE" 0 "$name: the service is installed"
done
in_machine a sh -c "regckpt init && regckpt create svc --service Svc --prefix /srv/prefix --lag 0 &&
    regckpt add svc '$KEY' --future"
is "$CODE" 0 "it is protected, with lag 0"

# --- the cluster ---
UP="a b"
seen() { machine_quietly "${UP%% *}" crm_mon -1 --output-as=xml 2>/dev/null; }
all_online()
{
    local xml name
    xml=$(seen)
    for name in $UP; do
        grep -q "<node name=\"$name\" .* online=\"true\" .* pending=\"false\"" <<<"$xml" || return 1
    done
}
for name in a b; do
    in_machine $name systemctl start corosync pacemaker
    is "$CODE" 0 "$name: Corosync and Pacemaker are started"
done
ok 'wait_for $PATIENCE all_online' "two machines are a cluster" || exit 1
cib() { in_machine a cibadmin --create --scope "$1" --xml-text "$2"; }
cib crm_config '<cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/></cluster_property_set>'
cib resources '<primitive id="erp" class="systemd" type="regckpt@svc"><operations>
    <op id="erp-start" name="start" interval="0" timeout="180s"/><op id="erp-stop" name="stop" interval="0" timeout="180s"/>
    <op id="erp-monitor" name="monitor" interval="2s" timeout="60s"/></operations></primitive>'
is "$CODE" 0 "the unit is a resource of the class systemd"

owner() { seen | sed -n '/<resource id="erp" .*role="Started"/,/<\/resource>/s/.*<node name="\([^"]*\)".*/\1/p'; }
is_on() { [ "$(owner)" = "$1" ]; }
somewhere() { [ -n "$(owner)" ]; }
# writes NODE: it does, from now on.
writes()
{
    local n
    n=$(grep -c ' done ' "$SHARED/$1.log" 2>/dev/null)
    wait_for $PATIENCE has_more "$SHARED/$1.log" "${n:-0}"
}
has_more() { [ "$(grep -c ' done ' "$1" 2>/dev/null)" -gt "$2" ]; }
other_than() { [ "$1" = a ] && echo b || echo a; }
judge()
{
    touch "$SHARED"/{a,b}.log
    python3 "$SRC/tests/cluster/judge.py" 0 "$SHARED"/{a,b}.log >"$TMP/verdict"
    judged=$?
    ok '((judged == 0))' "$(head -n 1 "$TMP/verdict")" || sed 's/^/    /' "$TMP/verdict"
}
unit() { machine_quietly "$1" systemctl show -P "$2" regckpt@svc; }

ok 'wait_for $PATIENCE somewhere' "Pacemaker starts it" || { seen; exit 1; }
home=$(owner)
ok 'writes $home' "it writes"
is "$(unit "$home" ActiveState) $(unit "$home" StatusText)" "active Online" "the unit is active, and says Online"
in_machine "$home" regckpt status svc
is "$CODE" 0 "it is online and protected"
in_machine "$home" regckpt offline svc
ok '((CODE == 100)) && grep -q "managed by Pacemaker as \"erp\"" "$TMP/stderr"' "offline by hand is refused"

pid=$(unit "$home" MainPID)
machine_quietly "$home" kill -KILL "$pid"
again() { somewhere && [ "$(unit "$(owner)" ActiveState)" = active ] && [ "$(unit "$(owner)" MainPID)" != "$pid" ]; }
ok 'wait_for $PATIENCE again' "its monitor is killed: Pacemaker starts it again"
ok 'writes "$(owner)"' "it writes"
is "$(unit "$home" NRestarts)" 0 "... which systemd did not"
judge

home=$(owner)
in_machine a crm_resource --cleanup
in_machine a crm_resource --resource erp --move --node "$(other_than "$home")"
ok 'wait_for $PATIENCE is_on "$(other_than "$home")"' "it is moved to the other machine"
ok 'writes "$(other_than "$home")"' "and writes there"
is "$(unit "$home" ActiveState) $(unit "$home" Result)" "inactive success" "the unit here has ended in order"
in_machine a crm_resource --resource erp --clear
judge

home=$(owner)
UP=$(other_than "$home")
machine_off "$home"
ok 'wait_for $PATIENCE is_on $UP' "its power goes: it runs on the other machine"
ok 'writes $UP' "and writes there"
judge

in_machine $UP crm_resource --resource erp --meta --set-parameter target-role --parameter-value Stopped
stopped() { [ "$(unit $UP ActiveState)" = inactive ]; }
ok 'wait_for $PATIENCE stopped' "Pacemaker stops it"
in_machine $UP regckpt status svc
ok 'grep -q OFFLINE "$TMP/stdout"' "it is offline"
machine_off $UP
