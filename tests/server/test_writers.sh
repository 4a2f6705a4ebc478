# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Whoever writes, and in whatever way: with the patched wineserver it is in the checkpoint, and no scan
# was needed.  Then the same prefix with the system's wineserver, where all is as without it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite writers
KEY='Software\RegckptTest\Writers'
SERVICE_KEY='System\CurrentControlSet\Services\RegckptWriters'
OUT=$BUILD/out/server
node a
node b

scans() { status_number "$1" app scans; }
server_is_from() { local pid; for pid in $(server_pids "$1"); do readlink "/proc/$pid/exe"; done | grep -qF "$2"; }
logged() { on a regckpt log app && grep -F "$1" "$TMP/stdout" | grep -qF "$2"; }
# arrived NAME DATA [KEY]: is the value in the checkpoint?
arrived() { in_checkpoint app "$1" "$2" --key "${3:-$KEY}" --view 64; }
# key_in_checkpoint NAME: has the registered key a subkey of that name?
key_in_checkpoint() { ckptdump app "$TMP/seen" --key "$KEY" --view 64 && grep -qiF "$(utf16_hex "$1")" "$TMP/seen"; }
no_key_in_checkpoint() { arrived Description "three words here" "$SERVICE_KEY" && ! key_in_checkpoint "$1"; }
equal() { live_is_checkpointed a app "$KEY" --view 64; }

ok 'wine_up a' "the prefix comes up"
ok 'server_is_from a "$WINE_TREE"' "by the patched wineserver"
on a "$WINE" sc.exe create RegckptWriters binPath= 'c:\windows\system32\notepad.exe'
is "$CODE" 0 "a service to be configured"
on a regckpt init
on a regckpt create app --command "$(winpath "$OUT/directcall64.exe") $KEY direct call"
ok 'set_value a "$KEY" before all' "a key" # captured already, so that what follows is history
on a regckpt add app "$KEY" --view 64
on a regckpt add app "$SERVICE_KEY" --view 64
is "$CODE" 0 "a resource"
online a app
is "$CODE" 0 "online"
is "$(status_text a app source)" server "changes come from the server"
ok 'wait_for $PATIENCE arrived direct call' "a system call of the program's own arrives"
on a regckpt status app
ok 'grep -q "capture *wineserver" "$TMP/stdout"' "status says so"
ok 'wait_for $PATIENCE logged directcall64.exe direct' "the history says who it was"
SCANS=$(scans a)

ok 'set_value a "$KEY" outside one' "reg.exe sets a value"
ok 'wait_for $PATIENCE arrived outside one' "it arrives"
ok 'wait_for $PATIENCE logged reg.exe outside' "the history says who it was"
on a "$WINE" "$OUT/unixwriter.exe.so" "$KEY" unixside two
is "$CODE" 0 "the Unix side sets a value" || stderr
ok 'wait_for $PATIENCE arrived unixside two' "it arrives"
on a "$WINE" sc.exe description RegckptWriters "three words here"
is "$CODE" 0 "a service gets another configuration"
ok 'wait_for $PATIENCE arrived Description "three words here" "$SERVICE_KEY"' "what services.exe wrote arrives"
ok 'wait_for $PATIENCE logged services.exe Description' "the history says who it was"
if have_wine32; then
    on a "${WINE%/*}/wine" reg.exe add "HKLM\\$KEY" /v narrow /d four /f /reg:64
    is "$CODE" 0 "a 32-bit program sets a value"
    ok 'wait_for $PATIENCE arrived narrow four' "it arrives"
fi
ok 'set_value a "$KEY\\tree\\a" v 1 && set_value a "$KEY\\tree\\c" v 2 && set_value a "$KEY\\tree\\e\\f" v 3' "keys"
on a "$WINE" "$OUT/renamer64.exe" "$KEY\\tree" a b
is "$CODE" 0 "a key gets a name directly before the next sibling's"
on a "$WINE" "$OUT/renamer64.exe" "$KEY\\tree" e d
is "$CODE" 0 "one that has subkeys is renamed"
ok '[ "$(value a "$KEY\\tree\\c" v)" = 2 ]' "the sibling is still there"
ok 'wait_for $PATIENCE equal' "the checkpoint has it all"
on a "$WINE" "$OUT/renamer64.exe" 'Software\RegckptTest' Writers Moved
is "$CODE" 0 "the registered key itself is renamed"
ok 'wait_for $PATIENCE no_key_in_checkpoint tree' "it is gone"
on a "$WINE" "$OUT/renamer64.exe" 'Software\RegckptTest' Moved Writers
ok 'wait_for $PATIENCE equal' "and comes back with all it has"
on a "$WINE" reg.exe delete "HKLM\\$KEY\\tree" /f
is "$CODE" 0 "a tree is deleted"
ok 'wait_for $PATIENCE no_key_in_checkpoint tree' "it is gone"
is "$(scans a)" "$SCANS" "no scan was made for any of this"
is "$(status_number a app corrections)" 0 "nor found anything"

on a "$WINE" "$OUT/treeloader64.exe" save "$KEY" "$(winpath "$TMP/saved")"
is "$CODE" 0 "a tree is saved"
on a "$WINE" "$OUT/treeloader64.exe" load "$KEY" Loaded "$(winpath "$TMP/saved")"
is "$CODE" 0 "and loaded below the registered key" || stderr
ok 'wait_for $PATIENCE key_in_checkpoint Loaded && wait_for $PATIENCE equal' "it arrives"
ok 'set_value a "$KEY\\Loaded" inside six && wait_for $PATIENCE arrived inside six' "so does a change in it"
on a "$WINE" "$OUT/treeloader64.exe" unload "$KEY" Loaded
is "$CODE" 0 "it is unloaded" || stderr
ok 'wait_for $PATIENCE no_key_in_checkpoint Loaded && equal' "and gone"

on a regckpt set app --lag 60000
is "$CODE" 0 "a lag of a minute"
on a "$WINE" "$BUILD/out/server/flusher64.exe" "$KEY" flushed yes
is "$CODE" 0 "a program without the hook sets a value and flushes"
ok 'wait_for 20 arrived flushed yes' "that is committed before half of the lag"
on a regckpt set app --lag 100
on a regckpt add app 'Software\RegckptTest\More' --future --view 64
is "$CODE" 0 "another key is registered while it is online"
ok 'set_value a "Software\\RegckptTest\\More" v later && wait_for $PATIENCE arrived v later "Software\\RegckptTest\\More"' "it is reported too"
offline a app
is "$CODE" 0 "offline"
ok 'equal' "all is saved"
is "$(grep -c 'scan found' "$(echo "$TMP"/run-a/app.*/log)")" 0 "the last scan found nothing either"

# The same with wine as the resource's property, and after a restart of everything.
prefix_end "$PREFIX_a"
sed -i '/^wine = /d' "$CONF_a"
on a regckpt set app --wine "$WINE_TREE"
is "$CODE" 0 "the tree is the resource's property"
online a app
is "$CODE" 0 "online, in a prefix that was down"
ok 'server_is_from a "$WINE_TREE"' "the patched server runs"
is "$(status_text a app source)" server "and reports"
on a regckpt doctor app
ok 'grep -q "source of changes *ok *server" "$TMP/stdout"' "doctor says so"
offline a app

# Back.
prefix_end "$PREFIX_a"
on a regckpt set app --wine ''
is "$CODE" 0 "the system's Wine again"
online a app
is "$CODE" 0 "online with it"
ok '! server_is_from a "$WINE_TREE"' "the system's wineserver runs"
is "$(status_text a app source)" hook "the hook reports"
WINE=/usr/lib/wine/wine64
ok 'set_value a "$KEY" outside five && wait_for $PATIENCE arrived outside five' "others are watched"
on a regckpt doctor app
ok 'grep -q "source of changes *ok *hook" "$TMP/stdout"' "doctor says so"
offline a app
is "$CODE" 0 "offline"
