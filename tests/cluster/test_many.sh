# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Many resources on one node, started at the same time by their agents: services and programs that share a
# prefix, in which Wine starts one service at a time, and services with a prefix each.
# MANY=N of them, 50 if it does not say.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../cluster_lib.sh"
suite many
cluster_space 9 "$@"
MANY=${MANY:-50}
ALONE=$((MANY / 10)) SHARING=$((MANY * 4 / 10))
KEY='Software\RegckptTest\Many'
mkdir -p "$TMP/box" "$TMP/layers/own"

node a
export REGCKPT_CONF=$CONF_a
wine_up a || exit 1
log_of() { winpath "$TMP/box/$1.log"; }
for ((n = 0; n < SHARING; n++)); do
    on a "$WINE" "$PE/svcwriter64.exe" install "s$n" "$KEY\\s$n" "$(log_of "s$n")" --interval 500 --numbers
    ((CODE == 0)) || break
done
is "$CODE" 0 "$SHARING services in one prefix"
on a "$WINE" "$PE/svcwriter64.exe" install alone "$KEY\\alone" 'C:\alone.log' --interval 500 --numbers
on a "$WINESERVER" -k
wait_for $PATIENCE prefix_is_idle "$PREFIX_a"

on a regckpt init
# resource NAME PREFIX OPTION...
resource()
{
    local name=$1 prefix=$2 key=$3
    shift 3
    regckpt create "$name" --prefix "$prefix" "$@" >/dev/null &&
        regckpt add "$name" "$KEY\\$key" --future --view 64 --prefix "$TMP/none" >/dev/null
}
names=()
for ((n = 0; n < MANY; n++)); do
    if ((n < SHARING)); then
        names+=("wineservice s$n")
        resource "s$n" "$PREFIX_a" "s$n" --service "s$n"
    elif ((n < SHARING + ALONE)); then
        names+=("wineservice o$n")
        mkdir -p "$TMP/layers/own/$n"/{upper,work} "$TMP/prefix/o$n"
        mount -t overlay overlay "$TMP/prefix/o$n" -o "lowerdir=$TMP/layers/a/upper:$TEMPLATE" \
            -o "upperdir=$TMP/layers/own/$n/upper,workdir=$TMP/layers/own/$n/work" || exit 1
        echo "$TMP/prefix/o$n" >>"$TMP/mounts"
        echo "$TMP/prefix/o$n" >>"$TMP/prefixes"
        resource "o$n" "$TMP/prefix/o$n" alone --service alone
    else
        names+=("wineapp p$n")
        resource "p$n" "$PREFIX_a" "p$n" --command \
            "$(winpath "$PE/svcwriter64.exe") run $KEY\\p$n 0 500 --numbers --log $(log_of "p$n")"
    fi || break
done
is "$n" "$MANY" "$MANY resources"

# all ACTION: for each at the same time; prints those that do not end with 0.
all()
{
    local action=$1 pids=() name i
    for name in "${names[@]}"; do
        (
            trap - EXIT
            TIMEOUT=600000
            set -- $name
            TMP=$TMP/${name// /-}
            mkdir -p "$TMP"
            agent "$1" "$action" "resource=$2"
            ((CODE == 0)) || sed "s/^/$2: $CODE: /" "$TMP/stderr"
            exit "$CODE"
        ) &
        pids+=($!)
    done
    for i in "${!pids[@]}"; do
        wait "${pids[i]}" || echo "${names[i]}: $?"
    done >"$TMP/failed"
    head -n 20 "$TMP/failed"
    [ ! -s "$TMP/failed" ]
}
started=$(date +%s%N)
ok 'all start' "all are started at the same time"
echo "    $MANY resources are online after $((($(date +%s%N) - started) / 1000000)) ms: $SHARING services" \
    "and $((MANY - SHARING - ALONE)) programs in one prefix, $ALONE services with a prefix each"
ok 'all monitor' "all run"
writing()
{
    local name
    for name in "${names[@]}"; do
        set -- $name
        case $2 in
            o*) [ -s "$TMP/prefix/$2/drive_c/alone.log" ] ;;
            *) log_has "$TMP/box/$2.log" 3 ;;
        esac || return 1
    done
}
ok 'wait_for $PATIENCE writing' "and write"
is "$(regckpt status | grep -c ': ONLINE on node a, protected')" "$MANY" "status: all are protected"
ok 'all stop' "all are stopped at the same time"
ok 'no_monitor a' "no monitor is left"
is "$(regckpt status | grep -c ': OFFLINE')" "$MANY" "status: all are offline"
