# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the cluster tests share, on top of lib.sh and wine_lib.sh.
#
#     cluster_space "$@"     first: the test goes on in outer namespaces, in which regckpt is installed
#                            below /usr as its package does, and which leave nothing behind
#     lab ..., in_node NODE COMMAND...       the cluster (tests/cluster/lab), and a command in a node, as run
#     agent TYPE ACTION [NAME=VALUE...]      calls the agent as Pacemaker does; sets CODE
#
# CLUSTER_ROOT is the tree to install.

OCF_SUCCESS=0 OCF_ERR_GENERIC=1 OCF_ERR_UNIMPLEMENTED=3 OCF_ERR_PERM=4 OCF_ERR_INSTALLED=5
OCF_ERR_CONFIGURED=6 OCF_NOT_RUNNING=7 OCF_DEGRADED=190
CLUSTER_ROOT=${CLUSTER_ROOT:-$BUILD/cluster-root}

# cluster_missing: says what this machine lacks, if anything.
cluster_missing()
{
    local program
    for program in corosync pacemakerd crm_mon crm_resource cibadmin stonith_admin ocf-tester ip xmllint; do
        PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || { echo "there is no $program"; return; }
    done
    unshare --net --ipc --uts --mount --pid --fork --mount-proc true 2>/dev/null ||
        { echo "namespaces cannot be made here"; return; }
    unshare --mount sh -c 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr' sh "$CLUSTER_ROOT" \
        2>/dev/null || echo "overlay file systems cannot be mounted here"
}

# cluster_space TESTS ARGUMENT...: TESTS are skipped where the machine cannot.
cluster_space()
{
    local tests=$1 why
    shift
    if [ -z "${CLUSTER_SPACE:-}" ]; then
        why=$(cluster_missing)
        if [ -n "$why" ]; then
            skip "$tests" "$why"
            exit 0
        fi
        trap - EXIT
        rm -rf "$TMP"
        CLUSTER_SPACE=yes TMPDIR=${TMP%/*} exec unshare --net --ipc --uts --mount --pid --fork \
            --kill-child=KILL --mount-proc -- bash "$0" "$@"
    fi
    unset CLUSTER_SPACE
    mkdir -p "$TMP/usr/sbin" && cp "$SRC/tests/cluster/fence_lab" "$TMP/usr/sbin" || exit 1
    mount -t overlay overlay -o "lowerdir=$TMP/usr:$CLUSTER_ROOT/usr:/usr" /usr || exit 1
    mount -t tmpfs tmpfs /run && mkdir -p /run/lock /run/resource-agents || exit 1
    PATH=${PATH#"$STAGE_BINDIR:"}:/usr/sbin:/sbin
    STAGE_BINDIR=/usr/bin STAGE_PKGLIBDIR=/usr/lib/regckpt
    hash -r
    ip link set lo up
}

# agent TYPE ACTION [NAME=VALUE...]: the values are parameters; CHECK_LEVEL, TIMEOUT (ms) and INTERVAL are
# as Pacemaker sets them.
agent()
{
    local type=$1 action=$2 word
    local -a environment=(OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=0
        OCF_RESOURCE_INSTANCE=test OCF_RESOURCE_PROVIDER=regckpt "OCF_RESOURCE_TYPE=$type"
        "OCF_RESKEY_CRM_meta_timeout=${TIMEOUT:-60000}" "OCF_RESKEY_CRM_meta_interval=${INTERVAL:-10000}"
        "OCF_CHECK_LEVEL=${CHECK_LEVEL:-0}" HA_LOGFILE="$TMP/ha.log" HA_LOGFACILITY=none)
    shift 2
    for word in "$@"; do
        environment+=("OCF_RESKEY_$word")
    done
    run env "${environment[@]}" "/usr/lib/ocf/resource.d/regckpt/$type" "$action"
}

LAB=$TMP/lab
lab() { LAB=$LAB "$SRC/tests/cluster/lab" "$@"; }
in_node() { run lab on "$@"; }
# quietly_in NODE COMMAND...: its output only, nothing of it in TMP.
quietly_in() { lab on "$@" 2>/dev/null </dev/null; }

NODES=
# lab_up NODE...: with the power switch as fence device, which crm configures as "power".
lab_up()
{
    NODES=$*
    lab up "$@" || return 1
    wait_for $PATIENCE all_online "$@" || return 1
    cib "$1" crm_config "$(cib_properties options stonith-enabled true no-quorum-policy stop)" &&
        cib "$1" resources "<primitive id='power' class='stonith' type='fence_lab'>
            <instance_attributes id='power-a'><nvpair id='power-switch' name='switch' value='$LAB/switch'/>
            <nvpair id='power-nodes' name='nodes' value='$*'/>
            <nvpair id='power-list' name='pcmk_host_list' value='$*'/></instance_attributes></primitive>"
}

# all_online NODE...: as the first one sees it.
all_online()
{
    local node seen
    seen=$(quietly_in "$1" crm_mon -1 --output-as=xml)
    for node in "$@"; do
        grep -q "<node name=\"$node\" .* online=\"true\" .* pending=\"false\"" <<<"$seen" || return 1
    done
}

# cib NODE SCOPE XML: adds to the cluster's configuration.
cib() { lab on "$1" cibadmin --create --scope "$2" --xml-text "$3"; }
# cib_properties ID NAME VALUE...
cib_properties()
{
    local id=$1
    shift
    printf '<cluster_property_set id="%s">' "$id"
    while (($# > 0)); do
        printf '<nvpair id="%s-%s" name="%s" value="%s"/>' "$id" "$1" "$1" "$2"
        shift 2
    done
    echo '</cluster_property_set>'
}

# primitive NAME [STORE [TYPE]]: a resource for the cluster's configuration, by our agent.  START_TIMEOUT,
# STOP_TIMEOUT and EVERY, of its monitor, are in seconds.
primitive()
{
    printf '<primitive id="%s" class="ocf" provider="regckpt" type="%s">' "$1" "${3:-wineservice}"
    printf '<instance_attributes id="%s-a"><nvpair id="%s-r" name="resource" value="%s"/>' "$1" "$1" "$1"
    [ -z "${2:-}" ] || printf '<nvpair id="%s-s" name="store" value="%s"/>' "$1" "$2"
    printf '</instance_attributes><operations>'
    printf '<op id="%s-start" name="start" interval="0" timeout="%ss"/>' "$1" "${START_TIMEOUT:-40}"
    printf '<op id="%s-stop" name="stop" interval="0" timeout="%ss"/>' "$1" "${STOP_TIMEOUT:-60}"
    printf '<op id="%s-m0" name="monitor" interval="%ss" timeout="30s"/>' "$1" "${EVERY:-2}"
    printf '<op id="%s-m20" name="monitor" interval="15s" timeout="60s"><instance_attributes id="%s-m20a">' "$1" "$1"
    printf '<nvpair id="%s-m20d" name="OCF_CHECK_LEVEL" value="20"/></instance_attributes></op>' "$1"
    echo '</operations></primitive>'
}

# a_node: one that is up.
a_node()
{
    local node
    for node in $NODES; do
        if [ -e "$LAB/nodes/$node/pid" ] && [ ! -e "$LAB/nodes/$node/left-out" ]; then
            echo "$node"
            return
        fi
    done
}

# ask COMMAND...: of the cluster's own tools, on a node that is up.
ask() { quietly_in "$(a_node)" "$@"; }
# where ID: the nodes on which it runs, as Pacemaker knows.
where() { ask crm_resource --resource "$1" --locate --quiet; }
# settled: nothing is left to do.
settled() { ask crm_resource --wait --timeout $PATIENCE >/dev/null; }

now_us() { date +%s%6N; }
