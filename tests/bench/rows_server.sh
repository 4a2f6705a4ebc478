# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the patched wineserver costs (server_patch; "make wineserver" builds it): RegSetValueEx of a DWORD
# by a program without the hook, in a prefix with the system's server and in one with ours, in turns, all
# of it on one CPU but the monitor and its host.
title "The patched wineserver: RegSetValueEx of a DWORD, no hook; it and wineserver on CPU $CPU"
KEY=$ALL\\Server
SERVER_TREE=$BUILD/wine-tree
SERVER_ROUNDS=$((tenth == 1 ? 15 : 2))

# server_on KIND COMMAND...: on that node, with its own Wine.
server_on()
{
    local kind=$1
    shift
    if [ "$kind" = stock ]; then
        on stock "$@"
    else
        WINE=$SERVER_TREE/lib/wine/wine64 WINESERVER=$SERVER_TREE/lib/wine/wineserver64 on patched "$@"
    fi
}
# server_set KIND KEY: one run; its nanoseconds a call.
server_set()
{
    local wine=$WINE
    [ "$1" = stock ] || wine=$SERVER_TREE/lib/wine/wine64
    rm -f "$TMP/server.out"
    server_on "$1" pinned timeout 120 "$wine" "$BENCH/serverbench.exe" "$2" "$CALLS" "$(winpath "$TMP/server.out")"
    figure "$TMP/server.out" set
}
# server_ratios WHAT LIMIT KEY: a row; stock and patched in turns.
server_ratios()
{
    local i stock ours
    local -a ratios=()
    STOCKS=()
    for ((i = 0; i < SERVER_ROUNDS; i++)); do
        stock=$(server_set stock "$KEY\\Mine")
        ours=$(server_set patched "$3")
        STOCKS+=("$stock")
        ratios+=("$(calc "$ours / $stock" %.4f)")
    done
    row "$1 / stock" "$(calc "$(median "${ratios[@]}")" %.3f)" x "$2"
}

if [ ! -e "$SERVER_TREE/regckpt-wineserver" ]; then
    skip 4 "the patched wineserver is not built (make wineserver)"
else
    node_pinned stock
    WINE=$SERVER_TREE/lib/wine/wine64 WINESERVER=$SERVER_TREE/lib/wine/wineserver64 node_pinned patched
    echo "wine = $SERVER_TREE" >>"$CONF_patched"
    fill stock "$KEY\\Mine" 10
    for name in Mine Other; do
        WINE=$SERVER_TREE/lib/wine/wine64 fill patched "$KEY\\$name" 10
    done
    server_ratios "nothing subscribed" 1.01 "$KEY\\Mine"
    row "stock" "$(calc "$(median "${STOCKS[@]}") / 1000" %.2f)" us
    resource patched server "$REGBENCH wait" "$KEY\\Mine"
    must patched timeout $ONLINE_SECONDS regckpt online server
    on patched regckpt status server
    ok 'grep -q "capture *wineserver" "$TMP/stdout"' "wineserver reports"
    server_ratios "a subscribed key" 1.03 "$KEY\\Mine"
    server_ratios "another key while one is subscribed" 1.01 "$KEY\\Other"
    must patched timeout $ONLINE_SECONDS regckpt offline server
    node_end stock
    node_end patched
fi
