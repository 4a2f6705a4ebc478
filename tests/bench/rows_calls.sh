# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What a program notices: registry calls by itself, bare and as the program of a resource, in turn.  It
# and wineserver are on one CPU, the monitor and its host on any, as on a node.  The time is what these
# two spend on that CPU, scans included: what a call takes where nobody else runs.
title "A program's own calls, $FEW values registered; it and wineserver on CPU $CPU"
KEY=$ALL\\Calls
node_pinned calls
server=$(server_pids calls | head -n 1)
fill calls "$KEY\\Mine" "$FEW"
fill calls "$KEY\\Other" "$FEW"
resource calls calls "$REGBENCH calls $KEY\\Mine $KEY\\Other $CALLS $CPU $server $(winpath "$TMP/online")" \
    "$KEY\\Mine"
declare -A bare=() online=()
names=(set-registered set-other query-registered query-other open-registered open-other)

# calls_bare, calls_online: one run, whose figures are added to the lists.
calls_bare()
{
    must calls "$WINE" "$BENCH/regbench.exe" calls "$KEY\\Mine" "$KEY\\Other" "$CALLS" "$CPU" "$server" \
        "$(winpath "$TMP/bare")"
    for name in "${names[@]}"; do
        bare[$name]+=" $(figure "$TMP/bare" "$name")"
    done
}
calls_online()
{
    must calls timeout 300 regckpt run calls
    for name in "${names[@]}"; do
        online[$name]+=" $(figure "$TMP/online" "$name")"
    done
}
for ((round = 1; round <= ROUNDS; round++)); do
    ((round % 2)) || calls_online
    calls_bare
    ((round % 2 == 0)) || calls_online
done
label()
{
    case $1 in
        set-*) echo "RegSetValueEx" ;;
        query-*) echo "RegQueryValueEx" ;;
        open-*) echo "RegOpenKeyEx and RegCloseKey" ;;
    esac
}
for name in "${names[@]}"; do
    limit=1.01
    [ "$name" != set-registered ] || limit=1.03
    # shellcheck disable=SC2086
    without=$(median ${bare[$name]}) with=$(median ${online[$name]})
    where="on another key"
    [[ $name == *-other ]] || where="on a registered key"
    row "$(label "$name") $where: bare Wine" "$(calc "$without / 1000" %.2f)" us
    row "$(label "$name") $where: online / bare" "$(calc "$with / $without" %.3f)" x $limit
done
node_end calls
