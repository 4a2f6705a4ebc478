# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A Generic Service with the patched wineserver as the resource's property, not the node's: what services.exe
# writes of its configuration, and its starts and stops by regckpt, by the service manager and with the
# prefix.  Then back on the system's Wine, where all is as without it.
TREE=$WINE_TREE WINE_TREE=
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite generic_service
KEY='Software\RegckptTest\Generic'
SERVICE=RegckptGeneric
SERVICE_KEY="System\\CurrentControlSet\\Services\\$SERVICE"
LOG=$TMP/generic.log
STOCK=$WINE STOCK_SERVER=$WINESERVER

# use_tree, use_stock: the Wine that all that follows is started by.
use_tree() { WINE=$TREE/lib/wine/wine64 WINESERVER=$TREE/lib/wine/wineserver64; }
use_stock() { WINE=$STOCK WINESERVER=$STOCK_SERVER; }
server_is() { readlink "/proc/$(server_pids a | head -n 1)/exe" | grep -qxF "$1"; }
source_is() { [ "$(status_text a svc source)" = "$1" ]; }
scans() { status_number a svc scans; }
trouble() { status_text a svc wine_trouble; }
config() { on a "$WINE" "$BUILD/out/server/reconfigure64.exe" "$SERVICE" "$@"; }
of_service() { in_checkpoint svc "$1" "$2" --key "$SERVICE_KEY" --view 64; }
no_name() { of_service DisplayName second && ! grep -qi " $(utf16_hex "$1") " "$TMP/seen"; }
starts() { grep -c ' start ' "$LOG"; }
started_again() { (($(starts) > $1)); }
counter() { sed -n 's/^[0-9]* start \([0-9]*\) .*/\1/p' "$LOG" | tail -n 1; }
wrote_more() { log_has "$LOG" "$1"; }
goes_on() { wait_for $PATIENCE wrote_more $(($(grep -c ' done ' "$LOG") + 5)); }
released() { no_monitor a && no_program a svcwriter; }
# by_scm COMMAND STATE: services.exe refuses it while it is about another service.
by_scm() { service_is a "$SERVICE" "$2" || { on_quietly a "$WINE" net.exe "$1" "$SERVICE"; false; }; }
# stale: what a node that did not have the resource last looks like.
stale() { delete_key a "$KEY" && set_value a "$KEY" stale "from before"; }
# restarted WHAT COUNT SOURCE: it was started once more since, restored first, and is captured.
restarted()
{
    local count=$2 source=$3
    ok 'wait_for $PATIENCE started_again "$count"' "$1: the service starts"
    ok '[ -z "$(value a "$KEY" stale)" ] && (($(counter) > 1))' "$1: its keys are restored first"
    ok 'wait_for $PATIENCE source_is "$source"' "$1: changes come from the $source"
    ok 'goes_on' "$1: it writes"
}
# stopped WHAT: by the service manager, or by regckpt before.
stopped()
{
    ok 'wait_for $PATIENCE released' "$1: released"
    ok 'live_is_checkpointed a svc "$KEY" --view 64' "$1: what is saved is what is there"
}

node a
use_tree
ok 'wine_up a && server_is "$TREE/lib/wine/wineserver64"' "the patched server runs"
on a "$WINE" "$PE/svcwriter64.exe" install "$SERVICE" "$KEY" "$(winpath "$LOG")" --interval 30
is "$CODE" 0 "a service"
on a regckpt init
on a regckpt create svc --service "$SERVICE" --wine "$TREE"
is "$CODE" 0 "protected, with a Wine of its own"
on a regckpt add svc "$KEY" --future --view 64
on a regckpt add svc "$SERVICE_KEY" --view 64
is "$CODE" 0 "its configuration too"

online a svc
is "$CODE" 0 "online"
ok 'source_is server' "online: changes come from the server"
ok 'wait_for $PATIENCE log_has "$LOG" 20' "online: it writes"
is "$(trouble)" "" "online: it is the server that was asked for"
image=$(value a "$SERVICE_KEY" ImagePath)
ok '[[ $image == *regckpt-host* ]]' "it is wrapped"

# --- what services.exe writes ---
SCANS=$(scans)
config 3 first "$image"
is "$CODE" 0 "another display name"
ok 'wait_for $PATIENCE of_service DisplayName first' "it arrives"
config 2 second "$image --more"
is "$CODE" 0 "another start type and image path"
ok 'wait_for $PATIENCE of_service DisplayName second' "what came with them arrives"
ok '[[ $(value a "$SERVICE_KEY" ImagePath) == *--more ]] && [ "$(value a "$SERVICE_KEY" Start)" = 0x2 ]' "they are in the registry"
ok 'no_name ImagePath && no_name Start' "and not in the checkpoint: they are the node's"
config 3 second "$image"
is "$CODE" 0 "back"
on a "$WINE" sc.exe description "$SERVICE" "a description"
ok 'wait_for $PATIENCE of_service Description "a description"' "a description arrives"
is "$(scans)" "$SCANS" "no scan was made for it"
is "$(status_number a svc corrections)" 0 "nor found anything"

# --- starts and stops ---
ok 'wait_for $PATIENCE by_scm stop STOPPED' "net stop"
stopped "net stop"
stale
count=$(starts)
ok 'wait_for $PATIENCE by_scm start RUNNING' "net start"
restarted "net start" "$count" server
offline a svc
is "$CODE" 0 "offline"
stopped "offline"
on a regckpt wrap svc --autostart
is "$CODE" 0 "it is to start with the prefix"
stale
count=$(starts)
prefix_end "$PREFIX_a"
ok 'wine_up a && server_is "$TREE/lib/wine/wineserver64"' "the prefix starts anew"
restarted "with the prefix" "$count" server
online a svc
is "$CODE" 0 "online of what runs already"
offline a svc
is "$CODE" 0 "offline of what the prefix started"
stopped "offline again"

# --- the system's Wine: who starts the prefix decides ---
stale
count=$(starts)
prefix_end "$PREFIX_a"
use_stock
ok 'wine_up a && server_is "$STOCK_SERVER"' "the prefix starts by the system's Wine"
restarted "with that prefix" "$count" hook
other="the prefix runs with $STOCK_SERVER (process $(server_pids a | head -n 1)), not with what is in $TREE now."
ok '[[ $(trouble) == "$other"*"wineserver -k" ]]' "status says that it is not the server that was asked for"
on a regckpt doctor svc
ok '((CODE == 1)) && grep -q "^wineserver  *no " "$TMP/stdout" && grep -qF "$other" "$TMP/stdout"' "so does doctor"
offline a svc
is "$CODE" 0 "offline"
stopped "offline there"
on a regckpt set svc --wine ''
is "$CODE" 0 "the system's Wine is the resource's too"
on a regckpt unwrap svc
is "$CODE" 0 "it is unwrapped"
stale
prefix_end "$PREFIX_a"
count=$(starts)
online a svc
is "$CODE" 0 "online, in a prefix that was down"
ok 'server_is "$STOCK_SERVER"' "the system's server runs"
restarted "as before" "$count" hook
config 3 third "$(value a "$SERVICE_KEY" ImagePath)"
ok 'wait_for $PATIENCE of_service DisplayName third' "what services.exe writes is found by the watch"
offline a svc
is "$CODE" 0 "offline"
stopped "at the end"
