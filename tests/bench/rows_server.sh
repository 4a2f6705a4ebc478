# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the patched wineserver costs (server_patch; "make wineserver" builds it): RegSetValueEx of a DWORD
# by programs without the hook, in prefixes with the system's server and with ours, in turns of
# milliseconds (serverbench.c), all of it on one CPU but the monitor and its host.  The time is what caller
# and wineserver spend there.  Where the memory of a process happens to lie makes a percent: so each figure
# is the median of several runs and starts of all servers, and a second prefix with the system's server
# says how far such a figure is to be trusted.  With "make wineserver-unpatched" there is one more, of
# Wine's own sources, but compiled here as ours is.
title "The patched wineserver: RegSetValueEx of a DWORD, no hook; it and wineserver on CPU $CPU"
KEY=$ALL\\Server
SERVER_TREE=$BUILD/wine-tree
UNPATCHED_TREE=$BUILD/wine-tree-unpatched
SERVER_ROUNDS=$((tenth == 1 ? 100 : 20)) # of a run
SERVER_RUNS=$((tenth == 1 ? 3 : 1))      # of a start
SERVER_STARTS=$((tenth == 1 ? 5 : 1))
SERVER_WARM=$((tenth == 1 ? 500 : 20)) # rounds after which all of the ring has been written to

# of NODE COMMAND...: with the Wine that is the node's.
of()
{
    local tree=
    case $1 in
        patched) tree=$SERVER_TREE ;;
        unpatched) tree=$UNPATCHED_TREE ;;
    esac
    shift
    if [ -z "$tree" ]; then
        "$@"
    else
        WINE=$tree/lib/wine/wine64 WINESERVER=$tree/lib/wine/wineserver64 "$@"
    fi
}
# server_start NODE, server_end NODE: its prefix, pinned.
server_up()
{
    local prefix=PREFIX_$1
    WINEPREFIX=${!prefix} pinned "$WINESERVER" -p >/dev/null 2>&1 </dev/null
    on_quietly "$1" pinned "$WINE" wineboot.exe
}
server_start() { of "$1" server_up "$1"; }
server_end() { of "$1" node_end "$1"; }
# server_side NODE KEY NUMBER SIDES
server_side()
{
    on_quietly_to "$TMP/side.$3" "$1" pinned timeout 300 "$WINE" "$BENCH/serverbench.exe" "$2" "$(winpath "$TMP/board")" \
        "$3" "$4" "$SERVER_ROUNDS" "$CPU" "$(server_pids "$1" | head -n 1)" "$(winpath "$TMP/server.out")"
}
# server_turns NODE KEY [NODE KEY]...: one run; its figures are in $TMP/server.out.
server_turns()
{
    local sides=$(($# / 2)) side=0 pids=()
    rm -f "$TMP/server.out" "$TMP/board"
    truncate -s 131072 "$TMP/board"
    while (($# > 0)); do
        of "$1" server_side "$1" "$2" "$side" "$sides" &
        pids+=($!)
        side=$((side + 1))
        shift 2
    done
    wait "${pids[@]}"
}
# server_figures NAME NUMBER...: adds the figures of the last run to the lists of these names.
server_figures()
{
    while (($# > 0)); do
        local -n list=$1
        list+=("$(figure "$TMP/server.out" "$2")")
        shift 2
    done
}

# server_row WHAT NAME [LIMIT]: of the list of that name; and between what the middle half of it lies.
server_row()
{
    local -n list=$2
    row "$1 / it" "$(calc "$(median "${list[@]}")" %.3f)" x ${3:+"$3"}
    printf '%s\n' "${list[@]}" | sort -n |
        awk '{ a[NR] = $1 } END { printf "    %d runs, half of them within %.3f and %.3f\n", NR,
            a[int((NR + 3) / 4)], a[int((3 * NR + 3) / 4)] }'
}

if [ ! -e "$SERVER_TREE/regckpt-wineserver" ]; then
    skip 7 "the patched wineserver is not built (make wineserver)"
else
    SERVER_NODES="stock control patched"
    [ ! -e "$UNPATCHED_TREE/regckpt-wineserver" ] || SERVER_NODES+=" unpatched"
    for name in $SERVER_NODES; do
        of "$name" node_pinned "$name"
        for key in Mine Other; do
            of "$name" fill "$name" "$KEY\\$key" 10
        done
    done
    echo "wine = $SERVER_TREE" >>"$CONF_patched"
    of patched resource patched server "$REGBENCH wait" "$KEY\\Mine"
    server_us=() control=() unpatched=() nothing=() new=() subscribed=() other=()
    for ((start = 0; start < SERVER_STARTS; start++)); do
        for name in $SERVER_NODES; do
            server_end "$name"
            server_start "$name"
        done
        for ((run = 0; run < SERVER_RUNS; run++)); do
            server_turns stock "$KEY\\Mine" control "$KEY\\Mine" patched "$KEY\\Mine" \
                $([[ $SERVER_NODES != *unpatched* ]] || echo unpatched "$KEY\\Mine")
            server_figures server_us side-0 control ratio-1 nothing ratio-2
            [[ $SERVER_NODES != *unpatched* ]] || server_figures unpatched ratio-3
        done
        of patched must patched timeout $ONLINE_SECONDS regckpt online server
        if ((start == 0)); then
            on patched regckpt status server
            ok 'grep -q "capture *wineserver" "$TMP/stdout"' "wineserver reports"
        fi
        server_turns stock "$KEY\\Mine" patched "$KEY\\Mine"
        server_figures new ratio-1
        SERVER_ROUNDS=$SERVER_WARM server_turns patched "$KEY\\Mine"
        for ((run = 0; run < SERVER_RUNS; run++)); do
            server_turns stock "$KEY\\Mine" control "$KEY\\Mine" patched "$KEY\\Mine" patched "$KEY\\Other"
            server_figures control ratio-1 subscribed ratio-2 other ratio-3
        done
        of patched must patched timeout $ONLINE_SECONDS regckpt offline server
    done
    row "the system's server" "$(calc "$(median "${server_us[@]}") / 1000" %.2f)" us
    server_row "another of the system's" control
    [[ $SERVER_NODES != *unpatched* ]] || server_row "built here without the patches" unpatched
    server_row "nothing subscribed" nothing 1.01
    server_row "a subscribed key" subscribed 1.03
    server_row "... while the ring is new, and each of its pages costs a fault" new
    server_row "another key while one is subscribed" other 1.01
    for name in $SERVER_NODES; do
        server_end "$name"
    done
fi
