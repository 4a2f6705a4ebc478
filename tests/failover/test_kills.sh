# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Sudden deaths: the program, the host, the monitor, wineserver, each alone and all at once, while the
# program writes; then the other node takes over.  Nothing may be missing that was acknowledged before
# the last commit began, what is there must be a state that really was, and nothing may be left behind.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite kills
node a
node b
KEY='Software\RegckptTest\Kills'

on a regckpt init
# Where the program is now, and where it goes next.
here=a there=b

# What a node must be rid of after a death, by itself.
is_rid() { no_monitor "$1" && no_program "$1" svcwriter64 && no_program "$1" regckpt-host; }

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
        program) pids=$(program_pids $here svcwriter64) ;;
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

# death WHAT RESOURCE: the program's death on one node and its life on the other.
death()
{
    local what=$1 name=$2 log=$TMP/$2.$1.log
    on $here regckpt set "$name" --command \
        "$(winpath "$PE/svcwriter64.exe") run $KEY 0 7 --log $(winpath "$log")"
    is "$CODE" 0 "$what: the program's log"
    online $here "$name"
    is "$CODE" 0 "$what: online on node $here"
    dump $here "$KEY" "$TMP/any" # the prefix is warm and answers
    ok 'wait_for $PATIENCE log_has "$log" 300' "$what: it writes"
    ok 'settled "$name"' "$what: it is committed"
    ok 'strike $what' "$what: killed"
    ok 'wait_for $PATIENCE is_rid $here' "$what: nothing is left running on node $here"
    is_rid $here || ps ax -o pid,ppid,stat,args | grep -F -- "$TMP" | grep -v grep
    ckptdump "$name" "$TMP/kept" --key "$KEY"
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
    dump $there "$KEY" "$TMP/end.$what"
    python3 "$SRC/tests/replay.py" --all --from "$TMP/kept" "$log" "$TMP/end.$what" >"$TMP/verdict" 2>&1
    ok 'grep -q "^fits.* 0 newer ones missing" "$TMP/verdict"' "$what: node $there went on from what was kept"
    sed 's/^/    /' "$TMP/verdict"
    before=$TMP/end.$what
    prefix_end "$(prefix_of $here)"
    local swap=$here
    here=$there there=$swap
}

on a regckpt create app --command "x"
on a regckpt add app "$KEY" --future --view 64
is "$CODE" 0 "a resource"
before=
for what in program host monitor wineserver all; do
    death $what app
done

# A wineserver that comes back reads a file up to 30 s old: it must not be taken for the registry.
log=$TMP/stale.log
on $here regckpt set app --command "$(winpath "$PE/svcwriter64.exe") run $KEY 0 7 --log $(winpath "$log")"
online $here app
is "$CODE" 0 "stale: online"
ok 'wait_for $PATIENCE log_has "$log" 300' "stale: it writes"
ok 'settled app' "stale: it is committed"
strike wineserver
wine_up $here # at once, before anything has noticed
ok 'wait_for $PATIENCE is_rid $here' "stale: the resource went down"
dump $here "$KEY" "$TMP/stale.dump" >/dev/null
on $here regckpt save app
ok '[ $CODE != 0 ]' "stale: a save of what is there now is refused ($CODE)"
ckptdump app "$TMP/kept" --key "$KEY"
ok '! cmp -s "$TMP/kept" "$TMP/stale.dump"' "stale: the new server's registry is another one"
python3 "$SRC/tests/replay.py" --until "$MARK" --from "$before" "$log" "$TMP/kept" >"$TMP/verdict" 2>&1
ok 'grep -q "^fits" "$TMP/verdict"' "stale: the checkpoint was not rolled back"
sed 's/^/    /' "$TMP/verdict"
online $there app
is "$CODE" 0 "stale: the other node takes over"
offline $there app
