# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Sudden deaths: the program (64 and 32-bit), the host, the monitor, wineserver, each alone and all at
# once, while the program writes; then the other node takes over.  Nothing may be missing that was
# acknowledged before the last commit began, what is there must be a state that really was, and nothing
# may be left behind.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite kills
node a
node b
KEY='Software\RegckptTest\Kills'
WIDTH=64 # of the program, and the view of its key

on a regckpt init
# Where the program is now, and where it goes next.
here=a there=b

# What a node must be rid of after a death, by itself.
is_rid() { no_monitor "$1" && no_program "$1" svcwriter$WIDTH && no_program "$1" regckpt-host; }

# settled RESOURCE: waits until what is acknowledged now must be in the checkpoint; MARK is when.  Of two
# more commits the second began after this.
settled()
{
    local commits
    MARK=$(date +%s%6N)
    commits=$(status_number $here "$1" commits)
    ((commits > 0)) && wait_for $PATIENCE committed "$1" $((commits + 2))
}
committed() { (($(status_number $here "$1" commits) >= $2)); }

# strike WHAT: ends it by SIGKILL, all at once.
strike()
{
    local pids
    case $1 in
        program) pids=$(program_pids $here svcwriter$WIDTH) ;;
        host) pids=$(host_pids $here) ;;
        monitor) pids=$(monitor_pids $here) ;;
        wineserver) pids=$(server_pids $here) ;;
        all) pids="$(monitor_pids $here) $(prefix_pids "$(prefix_of $here)")" ;;
    esac
    [ -n "${pids// /}" ] || { echo "    no $1 to end"; return 1; }
    # shellcheck disable=SC2086
    kill -KILL $pids
}
prefix_of() { local p=PREFIX_$1; echo "${!p}"; }

# program LOG: its command line.
program() { echo "$(winpath "$PE/svcwriter$WIDTH.exe") run $KEY 0 7 --log $(winpath "$1")"; }
# key_of NODE FILE, kept FILE: the key as it is there, and as the resource's checkpoint has it.
key_of() { dump "$1" "$KEY" "$2" --view $WIDTH; }
kept() { ckptdump "$name" "$1" --key "$KEY" --view $WIDTH; }

# death WHO RESOURCE: the program's death on one node and its life on the other.
death()
{
    local who=$1 what="$WIDTH bits, $1" name=$2 log=$TMP/$2.$1.log
    on $here regckpt set "$name" --command "$(program "$log")"
    is "$CODE" 0 "$what: the program's log"
    online $here "$name"
    is "$CODE" 0 "$what: online on node $here"
    key_of $here "$TMP/any" # the prefix is warm and answers
    ok 'wait_for $PATIENCE log_has "$log" 300' "$what: it writes"
    ok 'settled "$name"' "$what: it is committed"
    ok 'strike $who' "$what: killed"
    ok 'wait_for $PATIENCE is_rid $here' "$what: nothing is left running on node $here"
    is_rid $here || ps ax -o pid,ppid,stat,args | grep -F -- "$TMP" | grep -v grep
    kept "$TMP/kept"
    python3 "$SRC/tests/replay.py" --until "$MARK" ${before:+--from "$before"} "$log" \
        "$TMP/kept" >"$TMP/verdict" 2>&1
    ok 'grep -q "^fits" "$TMP/verdict"' "$what: nothing older than the last commit is missing"
    sed 's/^/    /' "$TMP/verdict"
    on $here regckpt verify "$name"
    is "$CODE" 0 "$what: the checkpoint is sound"

    # The other node takes over at once.
    local started
    wine_up $there
    started=$(date +%s%N)
    mv "$log" "$log.first"
    online $there "$name"
    is "$CODE" 0 "$what: node $there takes over"
    echo "    $((($(date +%s%N) - started) / 1000000)) ms"
    ok 'wait_for $PATIENCE log_has "$log" 10' "$what: it writes there"
    offline $there "$name"
    is "$CODE" 0 "$what: offline there"
    key_of $there "$TMP/end.$who"
    python3 "$SRC/tests/replay.py" --all --from "$TMP/kept" "$log" "$TMP/end.$who" >"$TMP/verdict" 2>&1
    ok 'grep -q "^fits.* 0 newer ones missing" "$TMP/verdict"' "$what: node $there went on from what was kept"
    sed 's/^/    /' "$TMP/verdict"
    before=$TMP/end.$who
    prefix_end "$(prefix_of $here)"
    local swap=$here
    here=$there there=$swap
}

# deaths: of all, by a program of $WIDTH bits.
deaths()
{
    local name=app$WIDTH log=$TMP/stale$WIDTH.log who
    on a regckpt create "$name" --command "x"
    on a regckpt add "$name" "$KEY" --future --view $WIDTH
    is "$CODE" 0 "$WIDTH bits: a resource"
    before=
    for who in program host monitor wineserver all; do
        death $who "$name"
    done

    # A wineserver that comes back reads a file up to 30 s old: it must not be taken for the registry.
    on $here regckpt set "$name" --command "$(program "$log")"
    online $here "$name"
    is "$CODE" 0 "$WIDTH bits, stale: online"
    ok 'wait_for $PATIENCE log_has "$log" 300' "$WIDTH bits, stale: it writes"
    ok 'settled "$name"' "$WIDTH bits, stale: it is committed"
    strike wineserver
    wine_up $here # at once, before anything has noticed
    ok 'wait_for $PATIENCE is_rid $here' "$WIDTH bits, stale: the resource went down"
    key_of $here "$TMP/stale.dump" >/dev/null
    on $here regckpt save "$name"
    is "$CODE" 100 "$WIDTH bits, stale: a save of what is there now is refused"
    kept "$TMP/kept"
    ok '! cmp -s "$TMP/kept" "$TMP/stale.dump"' "$WIDTH bits, stale: the new server's registry is another one"
    python3 "$SRC/tests/replay.py" --until "$MARK" --from "$before" "$log" "$TMP/kept" >"$TMP/verdict" 2>&1
    ok 'grep -q "^fits" "$TMP/verdict"' "$WIDTH bits, stale: the checkpoint was not rolled back"
    sed 's/^/    /' "$TMP/verdict"
    online $there "$name"
    is "$CODE" 0 "$WIDTH bits, stale: the other node takes over"
    offline $there "$name"
    on $there regckpt delete "$name"
    is "$CODE" 0 "$WIDTH bits: the resource is done with"
}

deaths
WIDTH=32
if have_wine32; then
    deaths
else
    skip 66 "32-bit programs do not run here"
fi
