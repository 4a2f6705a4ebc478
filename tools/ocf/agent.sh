# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# What the agents wineservice and wineapp share: they set AGENT, KIND, SHORT and LONG, have read Pacemaker's
# ocf-shellfuncs, and read this.  What is done, and with which exit code it ends, is decided by "regckpt
# agent"; here are the parameters, the meta-data, the log and the probe command.
#
# OCF Resource Agent API 1.0, and the Resource Agent Developer's Guide.

REGCKPT=%BINDIR%/regckpt
# Not in every version of ocf-returncodes.
: "${OCF_DEGRADED:=190}"

OCF_RESKEY_max_lag_default=10000
: "${OCF_RESKEY_max_lag=${OCF_RESKEY_max_lag_default}}"

meta_data()
{
    cat <<END
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="$AGENT" version="%VERSION%">
<version>1.0</version>
<longdesc lang="en">
$LONG

The monitor of depth 10 also fails where the program is gone or stopped, or Wine does not say in time that the
service runs; that of depth 20 also where the probe command does. It is degraded (190), and goes on, where it is
not protected: storage fails or does not answer, changes cannot be saved, or the lag is more than max_lag.
</longdesc>
<shortdesc lang="en">$SHORT</shortdesc>
<parameters>
<parameter name="resource" unique="0" required="1">
<longdesc lang="en">
The resource's name, as "regckpt create" was told.
</longdesc>
<shortdesc lang="en">regckpt's name of it</shortdesc>
<content type="string"/>
</parameter>
<parameter name="store" unique="0" required="0">
<longdesc lang="en">
The directory of the store. Default: what /etc/regckpt.conf says on the node.
</longdesc>
<shortdesc lang="en">the store</shortdesc>
<content type="string"/>
</parameter>
<parameter name="prefix" unique="0" required="0">
<longdesc lang="en">
The Wine prefix on each node. Default: the resource's own.
</longdesc>
<shortdesc lang="en">the Wine prefix</shortdesc>
<content type="string"/>
</parameter>
<parameter name="user" unique="0" required="0">
<longdesc lang="en">
The Unix user it runs as, who owns the prefix. Default: the resource's own, or root.
</longdesc>
<shortdesc lang="en">the Unix user</shortdesc>
<content type="string"/>
</parameter>
<parameter name="wine" unique="0" required="0">
<longdesc lang="en">
Wine's loader, or a tree that holds lib/wine. Default: the resource's own, or the system's.
</longdesc>
<shortdesc lang="en">Wine</shortdesc>
<content type="string"/>
</parameter>
<parameter name="max_lag" unique="0" required="0">
<longdesc lang="en">
At depth 20: when the last changes took more milliseconds than this into the checkpoint, it is degraded.
</longdesc>
<shortdesc lang="en">lag that is still well, in ms</shortdesc>
<content type="integer" default="$OCF_RESKEY_max_lag_default"/>
</parameter>
<parameter name="probe" unique="0" required="0">
<longdesc lang="en">
At depth 20: a shell command that tells by exit code 0 that the service does its work, run as root, with
the operation's timeout. Any other exit code is a failure, and its output goes to the log.
</longdesc>
<shortdesc lang="en">a command that tries the service</shortdesc>
<content type="string"/>
</parameter>
</parameters>
<actions>
<action name="start" timeout="120s"/>
<action name="stop" timeout="120s"/>
<action name="monitor" depth="0" interval="10s" timeout="30s"/>
<action name="monitor" depth="10" interval="60s" timeout="60s"/>
<action name="monitor" depth="20" interval="30s" timeout="60s"/>
<action name="validate-all" timeout="30s"/>
<action name="meta-data" timeout="5s"/>
</actions>
</resource-agent>
END
}

usage()
{
    echo "usage: $0 start|stop|monitor|validate-all|meta-data"
}

# seconds_left: of the operation's timeout, what "regckpt agent" may use: it has to end before.
seconds_left()
{
    _ms=${OCF_RESKEY_CRM_meta_timeout:-60000}
    _s=$((_ms / 1000 - 2))
    [ "$_s" -gt 0 ] || _s=1
    echo "$_s"
}

# regckpt_agent ACTION [OPTION...]: its exit code is ours, what it says goes to the log.  Through a file: a
# process that hangs in dead storage would keep a pipe open.
regckpt_agent()
{
    _action=$1
    shift
    _out=$HA_RSCTMP/regckpt-$OCF_RESOURCE_INSTANCE.$$
    set -- "$_action" "$OCF_RESKEY_resource" --kind "$KIND" --timeout "$(seconds_left)" "$@"
    [ -z "$OCF_RESKEY_store" ] || set -- "$@" --store "$OCF_RESKEY_store"
    [ -z "$OCF_RESKEY_prefix" ] || set -- "$@" --prefix "$OCF_RESKEY_prefix"
    [ -z "$OCF_RESKEY_user" ] || set -- "$@" --user "$OCF_RESKEY_user"
    [ -z "$OCF_RESKEY_wine" ] || set -- "$@" --wine "$OCF_RESKEY_wine"
    "$REGCKPT" agent "$@" >"$_out" 2>&1 </dev/null
    _code=$?
    tell "$_code" "$_out"
    rm -f "$_out"
    return "$_code"
}

# tell CODE FILE: the last line is the reason, where there has to be one.
tell()
{
    case $1 in
        "$OCF_SUCCESS" | "$OCF_NOT_RUNNING") _level=info ;;
        "$OCF_DEGRADED") _level=warn ;;
        *) _level=err ;;
    esac
    while read -r _line; do
        ocf_log "$_level" "${_line#regckpt agent: }"
    done <"$2"
    [ "$_level" = info ] || ocf_exit_reason "%s" "$(sed -n '$ s/^regckpt agent: //p' "$2")"
}

# try_probe: the administrator's own command.
try_probe()
{
    [ -n "$OCF_RESKEY_probe" ] || return "$OCF_SUCCESS"
    _out=$HA_RSCTMP/regckpt-$OCF_RESOURCE_INSTANCE.$$
    timeout -k 1 "$(seconds_left)" sh -c "$OCF_RESKEY_probe" >"$_out" 2>&1 </dev/null
    _code=$?
    [ "$_code" = 0 ] || ocf_exit_reason "the probe command ended with %s: %s" "$_code" "$(tail -n 3 "$_out")"
    rm -f "$_out"
    [ "$_code" = 0 ] || return "$OCF_ERR_GENERIC"
}

monitor()
{
    _depth=${OCF_CHECK_LEVEL:-0}
    ! ocf_is_probe || _depth=0
    regckpt_agent monitor --depth "$_depth" --max-lag "$OCF_RESKEY_max_lag"
    _state=$?
    case $_depth:$_state in
        20:"$OCF_SUCCESS" | 20:"$OCF_DEGRADED") try_probe || return ;;
    esac
    return "$_state"
}

case $__OCF_ACTION in
    meta-data)
        meta_data
        exit "$OCF_SUCCESS"
        ;;
    usage | help)
        usage
        exit "$OCF_SUCCESS"
        ;;
    start | stop | monitor | validate-all) ;;
    *)
        usage >&2
        exit "$OCF_ERR_UNIMPLEMENTED"
        ;;
esac

if [ -z "$OCF_RESKEY_resource" ]; then
    ocf_exit_reason "the parameter \"resource\" is missing"
    exit "$OCF_ERR_CONFIGURED"
fi
# What is not installed does not run.
if ! have_binary "$REGCKPT"; then
    case $__OCF_ACTION in
        stop) exit "$OCF_SUCCESS" ;;
        monitor) ! ocf_is_probe || exit "$OCF_NOT_RUNNING" ;;
    esac
    ocf_exit_reason "regckpt is not installed on this node: there is no %s" "$REGCKPT"
    exit "$OCF_ERR_INSTALLED"
fi
# Wine asks for it, and what Pacemaker starts has none.
: "${HOME:=$(getent passwd "$(id -u)" | cut -d : -f 6)}"
export HOME

case $__OCF_ACTION in
    start) regckpt_agent start ;;
    stop) regckpt_agent stop ;;
    monitor) monitor ;;
    validate-all) regckpt_agent validate ;;
esac
