# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The watch at work: an outside writer (not the resource's program) changes values of a registered key,
# and a reader of the checkpoint's file sees when they are there.  What wineserver spends on that is
# the difference to the same writer with the resource offline.
KEY=$ALL\\Watch
node watch
wine_up watch
server=$(server_pids watch | head -n 1)
EDITS=$((200 / tenth)) PACED=$((tenth == 1 ? 1000 : 300))
WATCH_ROUNDS=$((ROUNDS < 3 ? ROUNDS : 3)) # of ten seconds twice each

# edits COUNT MS: by an outside writer, in the background; sets WRITER.
edits()
{
    WINEPREFIX=$PREFIX_watch "$WINE" "$BENCH/regbench.exe" edits "$KEY\\$count" "$@" \
        >/dev/null 2>&1 </dev/null &
    WRITER=$!
}

# spent COUNT MS: how much wineserver runs in thousandths of the time, while one value is set again
# and again; sets SPENT.
spent()
{
    local began cpu
    edits "$@" --one
    sleep 1 # its start is not what is measured
    began=$(now_us) cpu=$(cpu_us "$server")
    sleep "$(calc "$1 * $2 / 1000 - 1.5")"
    SPENT=$(calc "1000 * ($(cpu_us "$server") - $cpu) / ($(now_us) - $began)" %.3f)
    wait "$WRITER"
}

# lag COUNT MS NAME: sets LAG_MEDIAN and LAG_WORST in ms.
lag()
{
    "$BENCH/bench_lag" "$STORE/watch$count/checkpoint.tdb" "$1" $(($1 * $2 / 1000 + 30)) \
        >"$TMP/lag.out" 2>"$TMP/lag.err" &
    local reader=$!
    edits "$1" "$2"
    wait "$WRITER"
    wait "$reader" || sed 's/^/    /' "$TMP/lag.err"
    LAG_MEDIAN=$(calc "$(figure "$TMP/lag.out" lag-median) / 1000")
    LAG_WORST=$(calc "$(figure "$TMP/lag.out" lag-worst) / 1000")
}

for count in "$FEW" "$MANY"; do
    title "The watch with $count values, lag 100 ms, on all CPUs"
    fill watch "$KEY\\$count" "$count"
    resource watch "watch$count" "$REGBENCH wait" "$KEY\\$count"
    without=() with=()
    for ((round = 1; round <= WATCH_ROUNDS; round++)); do
        spent $PACED 10
        without+=("$SPENT")
        must watch timeout $ONLINE_SECONDS regckpt online "watch$count"
        spent $PACED 10
        with+=("$SPENT")
        ((round == WATCH_ROUNDS)) || must watch regckpt offline "watch$count"
    done
    row "wineserver's time for a writer (a change each 10 ms), offline" \
        "$(calc "$(median "${without[@]}") / 10" %.2f)" %
    row "... online" "$(calc "$(median "${with[@]}") / 10" %.2f)" %
    row "... so scans take" \
        "$(calc "($(median "${with[@]}") - $(median "${without[@]}")) / 10" %.2f)" % 2
    sleep 1.5
    lag "$EDITS" 30
    row "a change each 30 ms into the checkpoint: median" "$LAG_MEDIAN" ms
    row "a change each 30 ms into the checkpoint: worst of $EDITS" "$LAG_WORST" ms 1000
    lag $((EDITS / 10)) 1300
    row "a change each 1.3 s into the checkpoint: median" "$LAG_MEDIAN" ms
    row "a change each 1.3 s into the checkpoint: worst of $((EDITS / 10))" "$LAG_WORST" ms 1000
    monitor=$(monitor_pids watch | head -n 1)
    row "memory of the monitor (resident)" \
        "$(calc "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$monitor/status") / 1024")" MiB
    row "... at most so far" \
        "$(calc "$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$monitor/status") / 1024")" MiB
    row "size of the checkpoint" \
        "$(calc "$(stat -c %s "$STORE/watch$count/checkpoint.tdb") / 1048576")" MiB
    must watch regckpt offline "watch$count"
done
node_end watch
