# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What a program notices with a lag: registry calls of a hooked process against those of one that is
# not, in turns of milliseconds (hookbench.c).  Both and wineserver are on one CPU, the monitor and its
# host on any, as on a node.  The time is what caller and wineserver spend on that CPU: what a call
# takes where nobody else runs.  Beside it the same by the clock, which holds the waits too, and all that
# others do on this machine.  A scan meets few turns, and no median: the watch's rows have it.
# Where its pages happen to lie makes a process faster or slower by a hundredth as long as it lives, with
# the hook or without: so several pairs of processes, one after another, and their median.
title "A program's own calls, hooked, lag 100 ms, $FEW values registered; it and wineserver on CPU $CPU"
KEY=$ALL\\Calls
PAIRS=$((tenth == 1 ? 15 : 2)) CALL_ROUNDS=$((tenth == 1 ? 100 : 20))
node_pinned calls
server=$(server_pids calls | head -n 1)
for name in Mine Twin Other; do
    fill calls "$KEY\\$name" "$FEW"
    for ((i = 0; i < 16; i++)); do
        fill calls "$KEY\\$name\\$i" 1
    done
done
words="$KEY\\Mine $KEY\\Twin $KEY\\Other $CALL_ROUNDS $CPU $server"
resource calls calls "$(winpath "$BENCH/hookbench.exe") hooked $words" "$KEY\\Mine"
for ((pair = 0; pair < PAIRS; pair++)); do
    must calls timeout $ONLINE_SECONDS regckpt online calls
    on calls regckpt status calls
    ok 'grep -q "capture *hook" "$TMP/stdout"' "the program is hooked"
    # shellcheck disable=SC2086
    must calls timeout 300 "$WINE" "$BENCH/hookbench.exe" bare $words "$(winpath "$TMP/calls.$pair.out")"
    wait_for 60 no_monitor calls
done

# of_pairs NAME: the median over the pairs.
of_pairs()
{
    local pair figures=()
    for ((pair = 0; pair < PAIRS; pair++)); do
        figures+=("$(figure "$TMP/calls.$pair.out" "$1")")
    done
    median "${figures[@]}"
}

# call_rows NAME LIMIT WHAT: the rows of a kind of calls.
call_rows()
{
    row "$3: bare Wine" "$(calc "$(of_pairs "$1") / 1000" %.2f)" us
    row "$3: hooked / bare" "$(calc "$(of_pairs "$1-ratio")" %.3f)" x "$2"
    row "$3: ... by the clock" "$(calc "$(of_pairs "$1-clock-ratio")" %.3f)" x
}
call_rows set-registered 1.03 "RegSetValueEx on a registered key"
call_rows set-threads 1.05 "... by 16 threads on 16 registered keys"
call_rows set-other 1.01 "RegSetValueEx on another key"
call_rows query-registered 1.01 "RegQueryValueEx on a registered key"
call_rows query-other 1.01 "RegQueryValueEx on another key"
call_rows open-registered 1.01 "RegOpenKeyEx and RegCloseKey on a registered key"
call_rows open-other 1.01 "RegOpenKeyEx and RegCloseKey on another key"
node_end calls
