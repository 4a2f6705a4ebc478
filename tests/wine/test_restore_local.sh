# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# offline --restore-local: a node's registry is again what it was before the resource went online there;
# after a crash, killed in the middle, with excludes, twice.  And diff with the live registry as a side.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite restore_local
node a
node b
KEY='Software\RegckptTest\Local'
NEW="$KEY New"
BEFORE=$TMP/state-b/before
wine_up a
wine_up b
run regckpt --store "$STORE" init

# The node a makes the content; b has content of its own below the same key, and no second key.
fill a "$KEY" 300 --odd
fill a "$NEW" 20
fill b "$KEY" 200
set_value b "$KEY" Mine "of b"
set_value b "$KEY\\Cache" Deep "of b"
on a regckpt create app --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"
on a regckpt add app "$KEY" "$NEW" --view 64 --exclude Cache
is "$CODE" 0 "a resource of node a"
dump b "$KEY" "$TMP/b.before"

# kept: how many files there are, and whether they are open.
kept() { find "$BEFORE" -type f 2>/dev/null | sed 's/.*\.closed$/closed/; t; s/.*/open/' | sort | paste -sd' '; }
# as_before: b's registry is what it was, but for the excluded value that Cache holds now.
as_before()
{
    dump b "$KEY" "$TMP/b.now" && set_value b "$KEY\\Cache" Deep "of b" && dump b "$KEY" "$TMP/b.now" &&
        same "$TMP/b.before" "$TMP/b.now" && ! value b "$NEW" x | grep -q . &&
        ! on_quietly b "$WINE" reg.exe query "HKLM\\$NEW" /reg:64
}

# --- in order ---
on b regckpt diff app --from live --to checkpoint
is "$CODE" 1 "the nodes differ"
cp "$TMP/stdout" "$TMP/preview"
on b regckpt online app --dry-run
ok 'grep -v "^app: \(is\|would\)" "$TMP/stdout" | cmp -s - "$TMP/preview"' "online --dry-run shows the same"
on b regckpt offline app --restore-local
is "$CODE" 100 "restore-local before any online"
ok 'grep -q "Nothing is kept" "$TMP/stderr"' "... says that nothing is kept"
online b app
is "$CODE" 0 "online"
is "$(kept)" open "what the registry held is kept"
is "$(stat -c %a "$BEFORE"/app.*)" 600 "... for its owner's eyes"
ok '[ -z "$(find "$STORE" -name "*before*")" ]' "... not in the store"
on b regckpt diff app
is "$CODE" 0 "nothing differs from the checkpoint while it is online"
set_value b "$KEY" Later "while online"
set_value b "$KEY\\Cache" Deep "while online"
on b regckpt diff app --from last-good --to live
ok 'grep -q "last good checkpoint" "$TMP/stderr"' "there is no last good checkpoint yet"
on b regckpt save app
on b regckpt diff app --from 0 --to live
ok 'grep -q "+ Later  REG_SZ  while online" "$TMP/stdout" && ! grep -q "Deep" "$TMP/stdout"' \
    "diff from a point to what is live, without what is excluded"
on b timeout $ONLINE_SECONDS regckpt offline app --restore-local
is "$CODE" 0 "offline --restore-local"
ok 'grep -q "as it was before" "$TMP/stdout"' "... says so"
is "$(value b "$KEY\\Cache" Deep)" "while online" "what is excluded is left alone"
ok as_before "the registry is what it was"
ok 'in_checkpoint app Later "while online" --key "$KEY"' "... and the checkpoint has the changes"
is "$(kept)" "" "nothing is kept any more"
on b regckpt offline app --restore-local --json
is "$CODE" 100 "a second time there is nothing to put back"

# --- later ---
online b app && offline b app
is "$CODE" 0 "online and offline, without"
is "$(kept)" closed "what it held is kept"
on b regckpt diff app
is "$CODE" 0 "the registry holds the resource's content"
on b regckpt offline app --restore-local
is "$CODE" 0 "offline --restore-local of what is offline"
ok as_before "the registry is what it was"

# --- a crash: what is kept stays what it was before the stay that crashed ---
online b app
prefix_kill "$PREFIX_b"
ok 'wait_for $PATIENCE no_monitor b' "the node dies"
wine_up b
online b app
is "$CODE" 0 "online after the crash"
is "$(kept)" open "one is kept"
offline b app
online b app
offline b app
on b regckpt offline app --restore-local
is "$CODE" 0 "after a stay that ended in order the registry held the resource's content"
on b regckpt diff app
is "$CODE" 0 "... so that is put back"
on a regckpt diff app --prefix "$PREFIX_b"
is "$CODE" 0 "and seen from the other node"

# --- the other sides that what is live is compared with: a .reg file does not hold all of it ---
on b regckpt export app "$TMP/app.reg" --leave-out
on b regckpt diff app --from live --to last-good
is "$CODE" 0 "live and the last good one are the same"
on b regckpt diff app --from live --to "$TMP/app.reg"
cp "$TMP/stdout" "$TMP/left-out"
set_value b "$KEY" Stray "of b"
on b regckpt diff app --from live --to last-good
ok '((CODE == 1)) && grep -q -e "- Stray  REG_SZ  of b" "$TMP/stdout"' "live against the last good one: what is here now"
on b regckpt diff app --from live --to "$TMP/app.reg"
is "$(diff <(grep '^  [-+] ' "$TMP/left-out") <(grep '^  [-+] ' "$TMP/stdout") | grep '^[<>]')" \
    ">   - Stray  REG_SZ  of b" "live against a .reg file: the same"
on b regckpt diff app --from "$TMP/app.reg" --to live
ok '((CODE == 1)) && grep -q "+ Stray  REG_SZ  of b" "$TMP/stdout"' "... and the other way round"

# Back to what b has of its own.
reset()
{
    delete_key b "$KEY"
    delete_key b "$NEW"
    fill b "$KEY" 200
    set_value b "$KEY" Mine "of b"
    set_value b "$KEY\\Cache" Deep "of b"
    dump b "$KEY" "$TMP/b.before"
}
reset
online b app
prefix_kill "$PREFIX_b"
wait_for $PATIENCE no_monitor b
wine_up b
online b app
set_value b "$KEY" Later "after the crash"
on b timeout $ONLINE_SECONDS regckpt offline app --restore-local
is "$CODE" 0 "offline --restore-local after a crash and another stay"
ok as_before "the registry is what it was before the crash"

# --- while another node has it ---
online b app
prefix_kill "$PREFIX_b"
wait_for $PATIENCE no_monitor b
online a app
is "$CODE" 0 "the other node takes it over"
wine_up b
on b regckpt offline app --restore-local
is "$CODE" 0 "restore-local while another node has it"
ok 'grep -q "another one has it" "$TMP/stdout"' "... says so"
ok as_before "the registry is what it was"
on a regckpt status app
is "$CODE" 0 "... and nothing happened to the other node"
offline a app

# --- killed in the middle: it takes a while to take 20,000 values away again ---
reset
fill a "$KEY" 20000
on a regckpt remove app "$KEY" "$NEW"
on a regckpt add app "$KEY" "$NEW" --view 64 --exclude Cache
is "$CODE" 0 "larger content"
LOG=$(echo "$TMP"/run-b/app.*/log)

# killed_in_the_middle WHO: kills b's monitor, or all of b, when it has begun to put back.
killed_in_the_middle()
{
    local offline
    online b app
    ((CODE == 0)) || return 1
    : >"$LOG"
    WINEPREFIX=$PREFIX_b REGCKPT_CONF=$CONF_b timeout $ONLINE_SECONDS regckpt offline app --restore-local \
        >"$TMP/killed.out" 2>&1 </dev/null &
    offline=$!
    timeout $PATIENCE tail -n +1 -F "$LOG" 2>/dev/null | grep -q -m 1 "putting back"
    if [ "$1" = monitor ]; then
        kill -KILL "$(monitor_pids b)"
    else
        prefix_kill "$PREFIX_b"
    fi
    wait "$offline"
    wait_for $PATIENCE no_monitor b
        [ "$(kept)" = open ]
}
for who in monitor all; do
    for try in 1 2 3 4 5 6; do
        killed_in_the_middle $who && break
        echo "    too late, once more"
        wine_up b
        reset
    done
    is "$(kept)" open "killed in the middle ($who): what it held before is still kept"
    wine_up b
    on b timeout $ONLINE_SECONDS regckpt offline app --restore-local
    is "$CODE" 0 "once more"
    ok as_before "the registry is what it was"
    reset
done

# --- what cannot be kept, or is damaged ---
reset
rm -rf "$BEFORE"
: >"$BEFORE"
online b app
is "$CODE" 0 "online where nothing can be kept"
ok 'grep -q "Keeping what the registry" "$TMP"/run-b/app.*/log' "... the log says so"
on b timeout $ONLINE_SECONDS regckpt offline app --restore-local
ok '((CODE != 0)) && grep -q "is saved and offline, but" "$TMP/stderr"' "restore-local then fails, and says what is done"
on b regckpt status app
ok 'grep -q "^app: OFFLINE" "$TMP/stdout"' "... it is offline"
rm "$BEFORE"
online b app && offline b app
printf 'x' | dd of="$(echo "$BEFORE"/app.*)" bs=1 seek=60 conv=notrunc 2>/dev/null
on b regckpt offline app --restore-local
is "$CODE" 2 "what is damaged is not put back"
on b regckpt delete app
is "$(kept)" "" "delete forgets it"
