# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A Generic Application from the first word to the last: create, add, online, change, save, offline, and
# online on a second node that has never seen its keys.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite application
node a
node b
KEY='Software\RegckptTest\App'
CONTENT='Software\RegckptTest\Content'
SMALL='Software\RegckptTest\Small'
LOG=$TMP/app.log
COMMAND="$(winpath "$PE/svcwriter64.exe") run $KEY 0 20 --log $(winpath "$LOG")"

wine_up a # volatile keys live as long as the server
wine_up b
on a regckpt init
is "$CODE" 0 "init makes a store"
on a regckpt create app --command "$COMMAND"
is "$CODE" 0 "create"
on a regckpt add app "$KEY"
is "$CODE" 100 "add refuses a key that does not exist"
ok 'grep -q -- --future "$TMP/stderr"' "... and says what --future is for"
on a regckpt add app "$KEY" --future --view 64
is "$CODE" 0 "add --future takes it"

fill a "$CONTENT" 300 --odd --volatile
is "$CODE" 0 "content is there before its key is registered"
dump a "$CONTENT" "$TMP/content" --without Volatile
on a regckpt add app "$CONTENT" --view 64
is "$CODE" 0 "add of a key that exists"
ok 'ckptdump app "$TMP/seen" --key "$CONTENT" && same "$TMP/content" "$TMP/seen"' \
    "it is captured at once, volatile keys left out"
fill a "$SMALL" 1000
on a regckpt add app "$SMALL" --view 64
is "$CODE" 0 "and one more"
on a regckpt list app
ok 'grep -qF "$KEY" "$TMP/stdout" && grep -qF "$CONTENT" "$TMP/stdout"' "list names both keys"

dump a "$CONTENT" "$TMP/before"
online a app
is "$CODE" 0 "online"
ok 'wait_for $PATIENCE a_program a svcwriter64' "the program runs"
dump a "$CONTENT" "$TMP/after"
ok 'same "$TMP/before" "$TMP/after"' "the first online left the tree as it was"
on a regckpt status app
is "$CODE" 0 "status of a resource that is online"
on a regckpt status app --json
ok 'python3 -m json.tool <"$TMP/stdout" >/dev/null' "status --json is JSON"
ok 'wait_for $PATIENCE log_has "$LOG" 100' "the program writes"

# What others write is seen as well.
set_value a "$SMALL" "from outside" "edited"
ok 'wait_for $PATIENCE in_checkpoint app "from outside" edited --key "$SMALL"' \
    "an edit by reg.exe comes into the checkpoint by itself"
delete_value a "$SMALL" "from outside"
ok 'wait_for $PATIENCE not_in_checkpoint app "from outside" edited --key "$SMALL"' "and its deletion"
set_value a "$CONTENT" "from outside" "edited"
ok 'wait_for $PATIENCE in_checkpoint app "from outside" edited --key "$CONTENT"' \
    "an edit among large values, too"
delete_value a "$CONTENT" "from outside"
on a regckpt save app
is "$CODE" 0 "save"
on a regckpt show app "$KEY"
ok 'grep -q Counter "$TMP/stdout"' "show prints a value"
on a regckpt verify app
is "$CODE" 0 "verify of an online resource"
monitor=$(monitor_pids a)
on a regckpt online app
is "$CODE" 0 "online of what is online here is done already"
is "$(monitor_pids a)" "$monitor" "... and changes nothing"

began=$(date +%s)
offline a app
is "$CODE" 0 "offline"
ok 'wait_for $PATIENCE no_program a svcwriter64' "the program is ended"
ok 'wait_for $PATIENCE no_monitor a' "the monitor is gone"
ok 'dump a "$KEY" "$TMP/a.dump" && ckptdump app "$TMP/ckpt" --key "$KEY" && same "$TMP/a.dump" "$TMP/ckpt"' \
    "offline: registry and checkpoint are equal"
on_quietly a python3 "$SRC/tests/replay.py" --all "$LOG" "$TMP/a.dump"
ok 'grep -q "^fits.* 0 newer ones missing" "$TMP/quiet"' "and hold all that was acknowledged"
cat "$TMP/quiet"
ok '[ -s "$STORE/app/last-good.tdb" ]' "the last good checkpoint is kept"
on a regckpt status app
ok '[ "$CODE" = 0 ] || [ "$CODE" = 1 ]' "status of a resource that is offline"
ckptdump app "$TMP/state" --state
saved=$(sed -n 's/^saved //p' "$TMP/state")
ok '((saved / 1000000 >= began))' "the checkpoint says when it was saved last"
on a regckpt verify app
is "$CODE" 0 "verify of an offline resource"

# The second node: nothing of it is there.
dump b "$CONTENT" "$TMP/none" >/dev/null
ok '[ ! -e "$TMP/none" ]' "node b has not got the content"
mv "$LOG" "$LOG.a"
on b regckpt diff app
is "$CODE" 1 "diff before the online shows differences"
on b regckpt online app --dry-run
ok '[ "$CODE" = 0 ] || [ "$CODE" = 1 ]' "online --dry-run"
dump b "$CONTENT" "$TMP/none" >/dev/null
ok '[ ! -e "$TMP/none" ]' "... changes nothing"
online b app
is "$CODE" 0 "online on node b"
dump b "$CONTENT" "$TMP/b.content"
ok 'same "$TMP/content" "$TMP/b.content"' "the content has arrived byte for byte"
ok 'wait_for $PATIENCE log_has "$LOG" 1' "the program writes there"
next=$(sed -n 's/.* start \([0-9]*\) .*/\1/p' "$LOG" | head -n 1)
ok '[ "${next:-0}" -gt 1 ]' "it found its counter: it goes on at $next"
on_quietly b "$WINE" "$PE/odd_content64.exe"
ok 'grep -q " 0 failures), 0 skipped" "$TMP/quiet"' "Win32 shows all odd content"

# What a node had under the keys goes; what lay outside stays.
offline b app
fill a "$CONTENT" 5 --per-key 2
set_value a "$CONTENT" "left over" "x"
set_value a 'Software\RegckptTest' "beside" "kept"
on a regckpt diff app
is "$CODE" 1 "diff shows the edit made while offline"
ok 'grep -q "left over" "$TMP/stdout"' "... by name"
online a app
is "$CODE" 0 "online on node a again"
dump a "$CONTENT" "$TMP/back" --without Volatile
ok 'same "$TMP/content" "$TMP/back"' "edits made while offline are overwritten"
is "$(value a 'Software\RegckptTest' beside)" kept "what is not registered is left alone"
is "$(value a "$CONTENT\\Volatile" volatile)" "gone with the server" "volatile keys are left alone"
offline a app
is "$CODE" 0 "offline again"

on a regckpt remove app "$KEY"
is "$CODE" 0 "remove a key"
on a regckpt list app
ok '! grep -qF "$KEY" "$TMP/stdout"' "list does not name it any more"
on a regckpt delete app
is "$CODE" 0 "delete the resource"
ok '[ ! -e "$STORE/app" ]' "its checkpoints are gone"
