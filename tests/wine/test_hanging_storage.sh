# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Storage that stops answering under a resource of a real prefix, for save and for edit: each ends within its
# bound and says why, the program goes on where it may, and what it did is saved once storage answers again.
# A file system in a process of its own, that is stopped.  (Commands without Wine: tests/command/test_store_hangs.sh.)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite hanging_storage
if [ ! -e /dev/fuse ] || ! command -v bindfs >/dev/null; then
    skip 1 "/dev/fuse or bindfs is missing: no storage can be stopped here"
    exit
fi
mkdir "$TMP/mnt" "$TMP/behind"
STORE=$TMP/mnt/store
BINDFS=
test_cleanup()
{
    [ -z "$BINDFS" ] || kill -CONT "$BINDFS"
    ! mountpoint -q "$TMP/mnt" || umount "$TMP/mnt" || umount -l "$TMP/mnt"
}
bindfs -f "$TMP/behind" "$TMP/mnt" >"$TMP/bindfs.log" 2>&1 </dev/null &
BINDFS=$!
ok 'wait_for $PATIENCE mountpoint -q "$TMP/mnt"' "a file system in a process" || exit
BOUND=40 # seconds: storage_timeout, the patience behind it, and a slow machine
KEY='Software\RegckptTest\Hanging'
WRITER=$(winpath "$PE/svcwriter64.exe")
node a
echo 'storage_timeout = 2' >>"$CONF_a"
wine_up a
on a regckpt init
on a regckpt create app --command "$WRITER run $KEY 0 20 --log $(winpath "$TMP/log")"
on a regckpt add app "$KEY" --future --view 64

hangs() { kill -STOP "$BINDFS"; }
answers() { kill -CONT "$BINDFS"; }
says() { grep -Eq -- "$1" "$TMP/stderr"; }

# --- save ---
online a app
is "$CODE" 0 "online"
ok 'wait_for $PATIENCE log_has "$TMP/log" 5' "the program writes"
hangs
on a timeout $BOUND regckpt save app
is "$CODE" 111 "save of a resource whose storage hangs ends"
ok 'says "$STORE|has not answered|does not answer"' "... and says why"
count=$(wc -l <"$TMP/log")
ok 'wait_for $PATIENCE log_has "$TMP/log" $((count + 20))' "the program goes on meanwhile"
ok 'on_quietly a timeout $BOUND regckpt status app; grep -q "UNPROTECTED\|unprotected" "$TMP/quiet"' \
    "status says that it is unprotected"
answers
saved()
{
    on_quietly a timeout $BOUND regckpt save app && on_quietly a regckpt status app &&
        grep -q "ONLINE on node a, protected" "$TMP/quiet"
}
ok 'wait_for $PATIENCE saved' "where it answers again, save does what it says"
offline a app
is "$CODE" 0 "offline"
ok 'live_is_checkpointed a app "$KEY"' "nothing of what was done meanwhile is missing"

# --- edit: from its beginning ---
ckptdump app "$TMP/kept" --key "$KEY" --view 64
hangs
on a timeout $BOUND regckpt edit app -- cmd.exe /c "echo done> $(winpath "$TMP/ran")"
is "$CODE" 123 "an edit whose storage hangs from the beginning ends"
ok 'says "has not answered|does not answer"' "... and says why"
ok '[ ! -e "$TMP/ran" ]' "... its command was not run"
answers
ckptdump app "$TMP/now" --key "$KEY" --view 64
ok 'same "$TMP/kept" "$TMP/now"' "... nothing was changed"

# --- edit: behind its command's back ---
free() { on_quietly a timeout $BOUND regckpt edit app -- cmd.exe /c exit 0; }
ok 'wait_for $PATIENCE free' "another edit can follow"
mkfifo "$TMP/gate"
REGCKPT_CONF=$CONF_a WINEPREFIX=$PREFIX_a timeout $((2 * BOUND)) regckpt edit app -- bash -c \
    '"$WINE" reg add "HKLM\\$0" /v Edited /t REG_SZ /d yes /f /reg:64 </dev/null >/dev/null 2>&1; : >"$1/edited"; read -r go <"$1/gate"' \
    "$KEY" "$TMP" >"$TMP/edit.out" 2>"$TMP/edit.err" </dev/null &
EDIT=$!
ok 'wait_for $PATIENCE [ -e "$TMP/edited" ]' "an edit has changed something"
hangs
echo go >"$TMP/gate"
ended() { ! kill -0 $EDIT 2>/dev/null; }
ok 'wait_for $BOUND ended' "its storage hangs when it is to be saved: it ends"
CODE=0
wait $EDIT || CODE=$?
cp "$TMP/edit.err" "$TMP/stderr"
is "$CODE" 123 "... with the store's exit code"
ok 'says "has not answered for 2 s"' "... and says why"
answers
ok 'wait_for $PATIENCE free' "where it answers again, another edit follows"
ok 'live_is_checkpointed a app "$KEY"' "... and what is live is what is saved: all of it or nothing"
online a app
is "$CODE" 0 "... the resource goes online"
offline a app
