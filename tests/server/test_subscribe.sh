# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Keys that are registered, and taken off the list, while a program writes to just them: with the patched
# wineserver as the source nothing is missed in between, and no scan makes up for it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite subscribe
KEY='Software\RegckptTest\Subscribe'
COUNT=6 # keys; the last one is registered at first, and is the one that goes
LAST=$((COUNT - 1))
node a

equal() { live_is_checkpointed a app "$KEY\\$1" --view 64; }
writes() { in_checkpoint app "v$LAST" "$LAST" --key "$KEY\\$LAST" --view 64; }

ok 'wine_up a' "the prefix comes up"
on a regckpt init
on a regckpt create app --command "$(winpath "$BUILD/out/hook/racer64.exe") idle"
ok 'set_value a "$KEY\\$LAST" before all' "a key"
on a regckpt add app "$KEY\\$LAST" --view 64
is "$CODE" 0 "a resource"
online a app
is "$CODE" 0 "online"
is "$(status_text a app source)" server "changes come from the server"

WINEPREFIX=$PREFIX_a "$WINE" "$BUILD/out/server/keepwriting64.exe" "$KEY" "$COUNT" "$(winpath "$TMP/stop")" \
    >"$TMP/writer" 2>&1 </dev/null &
WRITER=$!
ok 'wait_for $PATIENCE writes' "a program writes"
for ((i = 0; i < LAST; i++)); do
    on a regckpt add app "$KEY\\$i" --view 64
    is "$CODE" 0 "key $i is registered" || stderr
done
on a regckpt remove app "$KEY\\$LAST" --view 64
is "$CODE" 0 "key $LAST is not registered any more" || stderr
ok 'kill -0 $WRITER' "the program has written all the time"
touch "$TMP/stop"
wait "$WRITER"
is "$?" 0 "and ends" || cat "$TMP/writer"
for ((i = 0; i < LAST; i++)); do
    ok 'wait_for $PATIENCE equal "$i"' "key $i: each of its values is in the checkpoint"
done
on a regckpt show app
ok '! grep -qF "$KEY\\$LAST" "$TMP/stdout"' "nothing is kept of key $LAST"
is "$(status_number a app corrections)" 0 "no scan found what had not been told"
offline a app
is "$CODE" 0 "offline"
is "$(grep -c 'scan found' "$(echo "$TMP"/run-a/app.*/log)")" 0 "the last scan found nothing either"
