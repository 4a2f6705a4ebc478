# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# From "regckpt online" being called to the program's first registered value read, prefix running.
title "Start of a program with $MIDDLE values, prefix warm, on all CPUs"
KEY=$ALL\\Start
node start
wine_up start
fill start "$KEY" "$MIDDLE"
must start "$WINE" reg.exe add "HKLM\\$KEY" /v First /d there /f /reg:64
resource start start "$REGBENCH first $KEY First $(winpath "$TMP/first")" "$KEY"

# start_once: sets TOOK to milliseconds.
start_once()
{
    local began
    rm -f "$TMP/first"
    began=$(now_us)
    must start timeout $ONLINE_SECONDS regckpt online start
    wait_for 20 test -s "$TMP/first"
    TOOK=$(calc "($(figure "$TMP/first" first) - $began) / 1000")
    must start regckpt offline start
}
absent_ms=() present_ms=() bare_ms=()
for ((round = 1; round <= ROUNDS; round++)); do
    delete_key start "$KEY"
    start_once
    absent_ms+=("$TOOK")
    start_once
    present_ms+=("$TOOK")
    rm -f "$TMP/first"
    began=$(now_us)
    WINEPREFIX=$PREFIX_start "$WINE" "$BENCH/regbench.exe" first "$KEY" First \
        "$(winpath "$TMP/first")" >/dev/null 2>&1 </dev/null &
    wait_for 20 test -s "$TMP/first"
    bare_ms+=("$(calc "($(figure "$TMP/first" first) - $began) / 1000")")
    kill -KILL $!
    wait $! 2>/dev/null
done
row "the key is not there: restored" "$(median "${absent_ms[@]}")" ms 1000 "< 1000 ms"
row "the key is there as it should be: compared" "$(median "${present_ms[@]}")" ms 1000 "< 1000 ms"
row "bare Wine: the program alone, nothing restored" "$(median "${bare_ms[@]}")" ms
node_end start
