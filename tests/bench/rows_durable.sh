# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# With lag 0 a call waits for a commit: against commits alone, measured in turn with it.
title "Calls with lag 0, $FEW values registered, on all CPUs"
KEY=$ALL\\Durable
DURABLE_ROUNDS=$((ROUNDS * 2))
node durable
wine_up durable
fill durable "$KEY" "$FEW"
for ((i = 0; i < 16; i++)); do
    fill durable "$KEY\\$i" 1
done
mkdir "$TMP/durable"
resource durable durable "$(winpath "$BENCH/hookbench.exe") durable $KEY $(winpath "$TMP/durable")" "$KEY"
must durable regckpt set durable --lag 0
must durable timeout $ONLINE_SECONDS regckpt online durable
bare_us=() ours_us=() call_us=() single=() many=() of_bare=() of_ours=()
for ((round = 0; round < DURABLE_ROUNDS; round++)); do
    mkdir "$TMP/commit"
    run "$BENCH/bench_commit" "$TMP/commit" "$FEW" "$FEW" 40
    rm -rf "$TMP/commit"
    bare_us+=("$(figure "$TMP/stdout" tdb-few-1)")
    ours_us+=("$(figure "$TMP/stdout" ours-few-1)")
    : >"$TMP/durable/go.$round"
    wait_for 60 test -e "$TMP/durable/done.$round"
    call_us+=("$(figure "$TMP/durable/done.$round" one)")
    single+=("$(figure "$TMP/durable/done.$round" single)")
    many+=("$(figure "$TMP/durable/done.$round" many)")
    of_bare+=("$(calc "${call_us[-1]} / ${bare_us[-1]}" %.3f)")
    of_ours+=("$(calc "${call_us[-1]} / ${ours_us[-1]}" %.3f)")
done
row "one TDB commit with one change, bare" "$(calc "$(median "${bare_us[@]}") / 1000" %.2f)" ms
row "... as the checkpoint has it, with history, sums and state" \
    "$(calc "$(median "${ours_us[@]}") / 1000" %.2f)" ms
row "RegSetValueEx, one thread: until it returns" "$(calc "$(median "${call_us[@]}") / 1000" %.2f)" ms
row "... against a bare TDB commit" "$(median "${of_bare[@]}")" x 1.2
row "... against a commit of the checkpoint" "$(median "${of_ours[@]}")" x
row "calls a second, one thread" "$(median "${single[@]}")" /s
row "calls a second, 16 threads" "$(median "${many[@]}")" /s
row "calls a second, 1 thread against 16" \
    "$(calc "$(median "${single[@]}") / $(median "${many[@]}")" %.3f)" x 0.125 ">= 8 x"
must durable regckpt offline durable
node_end durable
