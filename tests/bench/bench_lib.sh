# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the rows of the bench share: sizes, the table, the machine, medians.  On top of lib.sh and
# wine_lib.sh: each row counts as a test that is run; one without a figure has failed, one that misses
# its goal has not.

# Sizes, as the goals name them; a tenth of them with QUICK=1, where nothing but the bench is tested.
tenth=1 ROUNDS=5
if [ -n "${QUICK:-}" ] && [ "$QUICK" != 0 ]; then
    tenth=10 ROUNDS=2
fi
FEW=$((1000 / tenth)) MANY=$((100000 / tenth)) MILLION=$((1000000 / tenth))
MIDDLE=$((10000 / tenth)) CALLS=$((200000 / tenth))
CPU=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//') # the first that we may run on
BENCH=$BUILD/out/bench
REGBENCH=$(winpath "$BENCH/regbench.exe")
ALL='Software\RegckptBench' # each table has keys of its own below it
MET=0
MISSED=()

# pinned COMMAND...: on one CPU, with all that it starts.
pinned() { taskset -c "$CPU" "$@"; }

# title TEXT: begins a table.
title()
{
    printf '\n%s\n%-68s %20s %12s\n' "$1" "what" "measured" "goal"
}

# row WHAT FIGURE UNIT [LIMIT [GOAL]]: one line.  LIMIT is the most that meets the goal, in the same
# unit, GOAL how to say it.
row()
{
    local verdict= goal=-
    RUN=$((RUN + 1))
    if ! [[ $2 =~ ^-?[0-9]+(\.[0-9]+)?$ ]]; then
        FAILED=$((FAILED + 1))
        printf '%-68s %20s %12s FAILED: it could not be measured\n' "$1" "-" "-"
        return
    fi
    if [ -n "${4:-}" ]; then
        goal=${5:-"<= $4 $3"}
        if awk -v a="$2" -v b="$4" 'BEGIN { exit !(a <= b) }'; then
            verdict=ok MET=$((MET + 1))
        else
            verdict=MISSED
            MISSED+=("$1: $2 $3, goal $goal")
        fi
    fi
    printf '%-68s %20s %12s %s\n' "$1" "$2 $3" "$goal" "$verdict"
}

# What could not be measured is "?", which calc cannot reckon with: no row takes it for a figure.

# median NUMBER...: the middle one.
median()
{
    local number
    (($# > 0)) || set -- '?'
    for number; do
        [[ $number =~ ^-?[0-9]+(\.[0-9]+)?$ ]] || { echo '?'; return; }
    done
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# calc EXPRESSION [FORMAT]: arithmetic with fractions.
calc() { awk "BEGIN { printf \"${2:-%.1f}\", $1 }" 2>/dev/null || echo '?'; }

# figure FILE NAME: the number behind a name.
figure()
{
    local number
    number=$(sed -n "s/^$2 //p" "$1" 2>/dev/null | tr -d '\r')
    echo "${number:-?}"
}

now_us() { echo $(($(date +%s%N) / 1000)); }

# took COMMAND...: sets TOOK to the milliseconds it took, or to ? if it failed.
took()
{
    local began
    began=$(now_us)
    "$@"
    TOOK=$(calc "($(now_us) - $began) / 1000")
    if [ "$CODE" != 0 ]; then
        TOOK='?'
        echo "    exit code $CODE: $LAST_RUN"
        sed 's/^/    /' "$TMP/stderr" | head -n 5
    fi
}

# must COMMAND...: as on; says what failed.
must()
{
    on "$@"
    [ "$CODE" = 0 ] && return 0
    echo "    exit code $CODE: $LAST_RUN"
    sed 's/^/    /' "$TMP/stderr" | head -n 5
    return 1
}

# As wine_lib.sh's, but what was not written is said: no row is to be of less than it says.  As tests/run
# starts Wine: with chance in its addresses one start in some thousand fails.
fill() { must "$1" setarch "$(uname -m)" --addr-no-randomize "$WINE" "$PE/fillkey64.exe" "${@:2}"; }

# node_pinned NAME: a booted node whose wineserver, and all it starts there, is on one CPU.
node_pinned()
{
    local prefix=PREFIX_$1
    node "$1"
    WINEPREFIX=${!prefix} pinned "$WINESERVER" -p >/dev/null 2>&1 </dev/null
    on_quietly "$1" pinned "$WINE" wineboot.exe
}

node_end()
{
    local prefix=PREFIX_$1
    prefix_end "${!prefix}"
}

# resource NODE NAME COMMANDLINE KEY: a program with one registered key, captured as it is now.
resource()
{
    must "$1" regckpt create "$2" --command "$3" && must "$1" regckpt add "$2" "$4" --view 64
}

# monitor_log NODE RESOURCE: where the log of its monitor is.
monitor_log() { echo "$TMP/run-$1/$2".*/log; }

# log_ms LOG TEXT: the time of the last line with the text, in milliseconds of its day.
log_ms()
{
    grep -F -- "$2" "$1" | tail -n 1 |
        sed -n 's/^[^ ]* \([0-9]*\):\([0-9]*\):\([0-9]*\)\.\([0-9]*\) .*/\1 \2 \3 \4/p' |
        awk '{ ms = (($1 * 60 + $2) * 60 + $3) * 1000 + $4 } END { print NR ? ms : "?" }'
}

# cpu_us PID: how long it has been on a CPU; by ticks of 10 ms where the kernel has no better.
cpu_us()
{
    if [ -r "/proc/$1/schedstat" ]; then
        awk '{ printf "%.0f", $1 / 1000 }' "/proc/$1/schedstat"
    else
        sed 's/.*) //' "/proc/$1/stat" |
            awk -v hz="$(getconf CLK_TCK)" '{ printf "%.0f", ($12 + $13) * 1000000 / hz }'
    fi
}

machine()
{
    echo "CPU        $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) to run on" \
        "(load $(cut -d ' ' -f 1-3 /proc/loadavg))"
    echo "memory     $(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)"
    echo "kernel     $(uname -sr)"
    echo "Wine       $("$WINE" --version </dev/null), 32-bit host: $HOST32"
    echo "TDB        $(pkg-config --modversion tdb 2>/dev/null || dpkg-query -W -f '${Version}' libtdb1)"
    echo "regckpt    $(regckpt --version 2>/dev/null | head -n 1)"
    echo "store      $TMP on $(df --output=fstype,source "$TMP" | tail -n 1)"
}
