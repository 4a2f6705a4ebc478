# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt regedit: Wine's regedit in a real window, driven by keys.  KEEP=DIR keeps pictures of it there.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../regedit_lib.sh"
suite regedit
for tool in Xvfb openbox xdotool import; do
    if ! command -v $tool >/dev/null; then
        skip 38 "$tool is not installed (tools/deps test)"
        exit 0
    fi
done
node a
node b
KEY='Software\Vendor\Erp'

in_erp() { in_checkpoint erp "$@" --key "$KEY" --view 64; }
# refuse CODE WORDS DESCRIPTION [WORD...]: regckpt regedit WORD... on node a.
refuse()
{
    on a timeout $PATIENCE regckpt regedit "${@:4}"
    WORDS=$2
    is "$CODE" "$1" "$3: exit code $1"
    ok 'grep -qF -- "$WORDS" "$TMP/stderr"' "... and it says \"$2\""
}

ok display_start "a display of our own" || exit
wine_up a
wine_up b
on a regckpt init
on a regckpt create erp --command "$(winpath "$PE/svcwriter64.exe") run Software\\Vendor\\Erp\\Run 0 200"
set_value a "$KEY" Server db.example.com
set_value a "$KEY" Mode production
set_value a "$KEY\\Licence" Seats 25
refuse 100 'regckpt add erp' "a resource without keys" erp
on a regckpt add erp "$KEY" --view 64
is "$CODE" 0 "a resource with a key"

# --- what is refused ---
DISPLAY='' refuse 124 'DISPLAY is not set' "no display" erp
DISPLAY=:9876 refuse 124 'No X server answers' "a display that is not there" erp
DISPLAY=nonsense refuse 124 'names no display' "a malformed one" erp
refuse 100 'There is no resource' "an unknown resource" nobody

# --- offline ---
ok 'regedit_open a erp' "regedit opens its window" || { cat "$TMP/stderr"; exit; }
is "$(title)" "Registry Editor - erp - prefix $PREFIX_a, store $STORE" "its title says whose registry it is"
ok 'new_string Colour green' "a value is made by keys"
ok 'not_in_checkpoint erp Colour green --key "$KEY" --view 64' "before regedit is closed nothing is saved"
on a regckpt status erp
ok 'grep -q "EDITED on node a" "$TMP/stdout"' "status says that it is being edited"
picture offline
regedit_close
is "$CODE" 0 "regedit is closed"
ok 'in_erp Colour green && live_is_checkpointed a erp "$KEY"' "the value is in the checkpoint"
on a regckpt log erp
ok 'grep -q regedit.exe "$TMP/stdout"' "the history says who made it"

# Below a registered key, and one of the other view: where it opens is where a new value comes.
on a regckpt add erp 'Software\Vendor\Old' --view 32 --future
ok 'regedit_open a erp "$KEY\\Licence"' "regedit on a key below the registered one"
ok 'new_string Owner nobody' "a value is made there"
regedit_close
ok 'in_erp Owner nobody && [ "$(value a "$KEY\\Licence" Owner)" = nobody ]' "... and is in that key's checkpoint"
set_value a 'Software\Vendor\Old' There yes 32
on a timeout $PATIENCE regckpt edit erp -- reg add 'HKLM\Software\Vendor\Old' /v There /d yes /f /reg:32
ok 'regedit_open a erp "Software\\Vendor\\Old"' "regedit on a key of the 32-bit view"
ok 'new_string Width narrow' "a value is made there"
regedit_close
ok 'in_checkpoint erp Width narrow --key "Software\\Vendor\\Old" --view 32' "... and is in that key's checkpoint"

# --- online ---
online b erp
is "$CODE" 0 "online on the other node"
is "$(value b "$KEY" Colour)" green "what was edited here is there"
refuse 3 'node b' "online elsewhere" erp
ok 'regedit_open b erp' "on the node where it is online regedit opens"
is "$(title)" "Registry Editor - erp (online) - prefix $PREFIX_b, store $STORE" "its title says that it is online"
ok 'new_string Shape round' "a value is made by keys"
ok 'wait_for $PATIENCE in_erp Shape round' "it is in the checkpoint while regedit is open"
picture online
regedit_close
is "$CODE" 0 "regedit is closed"
ok 'a_program b svcwriter64' "the resource goes on"
mapfile -t pids < <(monitor_pids b)
kill -KILL "${pids[@]}" # and all of the prefix, as a power cut would
prefix_kill "$PREFIX_b"
online a erp
ok '((CODE == 0)) && [ "$(value a "$KEY" Shape)" = round ]' "after a failover the value is in the other prefix"
offline a erp
ok 'live_is_checkpointed a erp "$KEY"' "... as in the checkpoint"
