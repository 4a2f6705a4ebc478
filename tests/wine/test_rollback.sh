# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A bad value in the registry makes a program fail at its start, and is put back on every node: the way
# back is rollback.  And what a killed monitor leaves on its node is ended by offline.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite rollback
node a
node b
KEY='Software\RegckptTest\Rollback'

# A program that starts only with the value it knows, and then stays.
cat >"$TMP/picky.bat" <<'BAT'
@echo off
reg query "HKLM\Software\RegckptTest\Rollback" /v Mode /reg:64 | find "good" >nul
if errorlevel 1 exit 7
ping -n 600 127.0.0.1 >nul
BAT
sed -i 's/$/\r/' "$TMP/picky.bat"

wine_up a
wine_up b
on a regckpt init
set_value a "$KEY" Mode good
set_value a "$KEY" Other first
on a regckpt create app --command "cmd.exe /c $(winpath "$TMP/picky.bat")"
on a regckpt add app "$KEY" --view 64
is "$CODE" 0 "a resource"
online a app
is "$CODE" 0 "online"
set_value a "$KEY" Other second
offline a app
is "$CODE" 0 "a clean offline: this is the last good content"

online a app
set_value a "$KEY" Mode bad
ok 'wait_for $PATIENCE in_checkpoint app Mode bad' "somebody breaks the configuration, and it is checkpointed"
prefix_kill "$PREFIX_a"
ok 'wait_for $PATIENCE no_monitor a' "the node dies"

on b timeout $PATIENCE regckpt run app
is "$CODE" 7 "on the other node the program fails at its start"
ok 'grep -q "regckpt rollback app" "$TMP/stderr"' "... and the way back is named"
on b regckpt log app --since 1h
ok 'grep -Eq " set .*Rollback +Mode +good +bad" "$TMP/stdout"' "log says what changed from what to what"
NUMBER=$(awk '/ Mode /&& / bad/ { print $1 }' "$TMP/stdout")
on b regckpt rollback app --dry-run
ok 'grep -q "+ Mode  REG_SZ  good" "$TMP/stdout"' "rollback --dry-run shows what would come back"
ok 'in_checkpoint app Mode bad' "... and changes nothing"
on b regckpt rollback app
is "$CODE" 0 "rollback to the last good content"
UNDO=$(sed -n 's/.*--to //p' "$TMP/stdout")
ok 'in_checkpoint app Mode good && in_checkpoint app Other second' "... is in the checkpoint"
online b app
is "$CODE" 0 "the program starts"
ok 'wait_for $PATIENCE a_program b "-n 600 127.0.0.1"' "... and stays"
is "$(value b "$KEY" Mode)" good "... with the good value"
on b regckpt rollback app
is "$CODE" 3 "rollback of what is online is refused"
ok 'grep -q "regckpt offline app" "$TMP/stderr"' "... and says what to do"
offline b app

on b regckpt rollback app --to "$UNDO"
ok 'in_checkpoint app Mode bad' "the rollback itself can be undone"
on b regckpt rollback app --to $((NUMBER - 1)) --key "$KEY"
ok 'in_checkpoint app Mode good && in_checkpoint app Other second' "... and the change alone too"
on b regckpt rollback app --to 0
ok 'in_checkpoint app Other first' "back to the first capture"

# A monitor that is killed leaves a process with the lock: offline ends it.
online a app
is "$CODE" 0 "online once more"
MONITOR=$(monitor_pids a)
kill -STOP "$(host_pids a | head -n 1)"
kill -KILL "$MONITOR"
wait_for $PATIENCE no_monitor a
offline a app
is "$CODE" 0 "offline after the monitor was killed and its host hangs"
ok 'wait_for $PATIENCE no_program a picky.bat' "... nothing of the program is left"
online b app
is "$CODE" 0 "... and the other node can take it"
offline b app
