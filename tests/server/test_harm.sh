# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What can go wrong around the patched wineserver while programs write: it is killed, its ring fills up,
# the monitor is gone, somebody writes nonsense into the ring or makes it shorter.  The server lives on in
# all but the first, and what is committed in the end is what the registry holds.  SEED=N.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite harm
KEY='Software\RegckptTest\Harm'
SEED=${SEED:-$RANDOM}
node a

ring() { echo "$TMP"/run-a/app.*/ring; }
changes() { status_number a app hook_changes; }
scans() { status_number a app scans; }
scanned() { (($(scans) > SCANS)); }
bulk_is_saved() { live_is_checkpointed a app "$KEY-Bulk" --view 64 >/dev/null; }
wrote() { (($(changes) >= $1)); }
equal()
{
    live_is_checkpointed a app "$KEY" --view 64 --without Volatile &&
        { [ -z "${BULK:-}" ] || live_is_checkpointed a app "$KEY-Bulk" --view 64; }
}
lives() { [ "$(server_pids a | head -n 1)" = "$SERVER" ] && on_quietly a "$WINE" reg.exe query 'HKLM\Software' /reg:64; }
down() { no_monitor a && no_program a racer64; }
# begin WHAT: online, and racing.
begin()
{
    online a app
    is "$CODE" 0 "$1: online"
    is "$(status_text a app source)" server "$1: changes come from the server"
    SERVER=$(server_pids a | head -n 1)
    ok 'wait_for $PATIENCE wrote 1000' "$1: programs write"
}
# settle WHAT: the racers stop; what is saved is what is there.
settle()
{
    offline a app
    is "$CODE" 0 "$1: offline"
    ok 'equal' "$1: the checkpoint is what the registry holds"
}

echo "SEED=$SEED"
ok 'wine_up a' "the prefix comes up"
on a regckpt init
on a regckpt create app --command \
    "$(winpath "$BUILD/out/hook/racer64.exe") drive calm $KEY $SEED 1000000 2 64 $(winpath "$TMP/done")"
on a regckpt add app "$KEY" --future --view 64
on a regckpt add app "$KEY-Bulk" --future --view 64
is "$CODE" 0 "a resource"

begin "ring full"
SCANS=$(scans)
mapfile -t monitor < <(monitor_pids a)
kill -STOP "${monitor[@]}"
fill a "$KEY-Bulk" 100000 # more than the ring holds
is "$CODE" 0 "ring full: 100,000 values while the monitor stands still"
kill -CONT "${monitor[@]}"
ok 'wait_for $PATIENCE scanned' "ring full: a scan is made"
ok 'wait_for $PATIENCE bulk_is_saved' "ring full: what did not fit is saved while it is online"
ok 'lives' "ring full: the server lives"
ok 'grep -q "" "$(ring)" && wait_for $PATIENCE wrote $(($(changes) + 100))' "ring full: it goes on"
settle "ring full"

begin "monitor gone"
mapfile -t monitor < <(monitor_pids a)
kill -KILL "${monitor[@]}"
ok 'wait_for $PATIENCE down' "monitor gone: so is the program"
ok 'lives' "monitor gone: the server lives"
begin "after that"
settle "after that"

begin "nonsense"
python3 "$SRC/tests/server/harm_ring.py" scribble "$(ring)" 5 "$SEED"
ok 'lives' "nonsense in the ring: the server lives"
on a timeout $ONLINE_SECONDS regckpt offline app # it may have gone already: a word says how calls wait
NONSENSE=$CODE
echo "    offline ended with $NONSENSE"
ok 'wait_for $PATIENCE down' "nonsense: offline"
ok '((NONSENSE != 0)) || equal' "nonsense: none of it is saved"
begin "after nonsense"
settle "after nonsense"

begin "shorter"
python3 "$SRC/tests/server/harm_ring.py" truncate "$(ring)"
ok 'wait_for $PATIENCE down' "a shorter ring: the monitor ends, and the program"
ok 'lives' "a shorter ring: the server lives"
begin "after that"
settle "after that"

begin "kill"
kill -KILL "$SERVER"
ok 'wait_for $PATIENCE down' "server killed: all ends"
ok 'run regckpt --store "$STORE" verify app; [ "$CODE" = 0 ]' "server killed: the checkpoint is whole"
ok 'wine_up a' "server killed: another comes up, and stays"
begin "server killed: again"
BULK=yes # a hundred thousand values take a while to compare
settle "server killed: again"
