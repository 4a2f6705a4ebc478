# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A resource with a million values: how long the whole of it takes, in what memory, how large it gets, and
# what one change of its program costs, beside a small one that is online in the same prefix, with lag 0,
# in turn.  The histories of both are full, as they are after a while: a change drops an old one.
title "A resource with $MILLION values, on all CPUs"
KEY=$ALL\\Million
MILLION_ROUNDS=$((ROUNDS * 2))
node million
wine_up million
mkdir "$TMP/million" "$TMP/small"

# peak PID: the most memory that a process has had, in MiB.
peak() { calc "$(awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null) / 1024" %.0f; }
# peaks WHAT MONITOR-PID: of the two of the large resource; the host is the one that holds more.
peaks()
{
    local most=0 memory pid
    for pid in $(host_pids million); do
        memory=$(peak "$pid")
        [[ $memory = '?' ]] || ((memory <= most)) || most=$memory
    done
    row "$1: the monitor's memory, at most" "$(peak "$2")" MiB
    row "$1: the host's" "$most" MiB
}

for name in million small; do
    count=$MILLION
    [ $name = million ] || count=$FEW
    fill million "$KEY\\$name" "$count"
    for ((i = 0; i < 16; i++)); do
        fill million "$KEY\\$name\\$i" 1
    done
    must million regckpt create $name --history 64K --command \
        "$(winpath "$BENCH/hookbench.exe") durable $KEY\\$name $(winpath "$TMP/$name")"
    took on million regckpt add $name "$KEY\\$name" --view 64
    row "add of $count values" "$TOOK" ms
    must million regckpt set $name --lag 0
done
row "the checkpoint" "$(calc "$(stat -c %s "$STORE/million/checkpoint.tdb") / 1048576" %.0f)" MiB
took on million regckpt verify million
row "verify" "$TOOK" ms
delete_key million "$KEY\\million"
took on million timeout $ONLINE_SECONDS regckpt online million
row "online where the key is not there: restored and compared" "$TOOK" ms
monitor=$(monitor_pids million | head -n 1)
peaks "online" "$monitor"
must million timeout $ONLINE_SECONDS regckpt online small
many_us=() few_us=()
for ((round = 0; round < MILLION_ROUNDS; round++)); do
    for name in million small; do
        : >"$TMP/$name/go.$round"
        wait_for 60 test -e "$TMP/$name/done.$round"
    done
    many_us+=("$(figure "$TMP/million/done.$round" one)")
    few_us+=("$(figure "$TMP/small/done.$round" one)")
done
row "RegSetValueEx with lag 0, $FEW values: until it returns" "$(calc "$(median "${few_us[@]}") / 1000" %.2f)" ms
row "RegSetValueEx with lag 0, $MILLION values" "$(calc "$(median "${many_us[@]}") / 1000" %.2f)" ms
row "... $MILLION values / $FEW values" "$(calc "$(median "${many_us[@]}") / $(median "${few_us[@]}")" %.2f)" x 1.2
took on million regckpt save million
row "save of all" "$TOOK" ms
peaks "after that" "$monitor"
took on million timeout $ONLINE_SECONDS regckpt offline million
row "offline, with the last scan and the last good copy" "$TOOK" ms
must million regckpt offline small
row "the checkpoint then" "$(calc "$(stat -c %s "$STORE/million/checkpoint.tdb") / 1048576" %.0f)" MiB
took on million timeout $ONLINE_SECONDS regckpt online million
row "online where all of it is there: compared" "$TOOK" ms
must million timeout $ONLINE_SECONDS regckpt offline million
node_end million
