# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What Wine's own picture of a key leaves out: a NUL at the end of a name, and keys that hold nothing but
# volatile subkeys.  Captured, kept through scans, restored on another node, put back.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite names
node a
node b
KEY='Software\RegckptTest\Names'
wine_up a
wine_up b
on a regckpt init
on a regckpt create app --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"

# hidden: is Hidden\Deeper in the checkpoint?
hidden() { ckptdump app "$TMP/seen" --key "$KEY" && grep -q "^key $(utf16_hex Hidden)/$(utf16_hex Deeper) " "$TMP/seen"; }
# equal NODE: the live key, without what is volatile, is what the checkpoint holds.
equal()
{
    dump "$1" "$KEY" "$TMP/live" --without Volatile && ckptdump app "$TMP/ckpt" --key "$KEY" &&
        same "$TMP/live" "$TMP/ckpt"
}

# --- before it is registered ---
fill a "$KEY" 20 --odd --twins
on_quietly a "$WINE" reg.exe add "HKLM\\$KEY\\Hidden\\Deeper" /f /reg:64
on a regckpt add app "$KEY" --view 64
is "$CODE" 0 "add"
ok 'equal a' "names that end in NUL are captured as they are"
ok 'hidden' "and keys that are empty"

# --- while it is online, by somebody the hook does not see ---
online a app
is "$CODE" 0 "online"
fill a "$KEY" 20 --odd --hidden
set_value a "$KEY" Then "this"
ok 'wait_for $PATIENCE in_checkpoint app Then this' "a volatile key is made in an empty one, and a scan"
ok 'hidden && equal a' "the key that holds nothing else stays in the checkpoint"
delete_value a "$KEY\\Odd" "NUL last" # the name without: it is not there
fill a "$KEY\\More" 5 --odd
set_value a "$KEY" Then "more"
ok 'wait_for $PATIENCE in_checkpoint app Then more && equal a' "such names made while it is online"
on a regckpt diff app
is "$CODE" 0 "diff finds nothing"
on a regckpt save app
ok 'hidden && equal a' "a save of all leaves all of it"
delete_key a "$KEY\\More"
set_value a "$KEY" Then "less"
ok 'wait_for $PATIENCE in_checkpoint app Then less && equal a' "and they go"

# --- on another node ---
prefix_kill "$PREFIX_a"
ok 'wait_for $PATIENCE no_monitor a' "the node dies"
online b app
is "$CODE" 0 "the other one takes it over: what was restored is equal"
ok 'equal b && hidden' "all names, and the hidden key"
fill b "$KEY" 20 --hidden
set_value b "$KEY" Then "there"
ok 'wait_for $PATIENCE in_checkpoint app Then there && hidden' "it holds something volatile again"
offline b app
is "$CODE" 0 "offline"
ok 'hidden && equal b' "the final save has all"

# --- a restore into a prefix that is still warm ---
online b app
is "$CODE" 0 "online where the volatile keys are still there"
offline b app
delete_key b "$KEY\\Hidden"
on b regckpt diff app
is "$CODE" 1 "its deletion while offline is a difference"
ok 'grep -q "Hidden.Deeper" "$TMP/stdout"' "... that diff names"
online b app
is "$CODE" 0 "and is made good for"
ok 'equal b && hidden' "all is there"
on b timeout $ONLINE_SECONDS regckpt offline app
delete_key b "$KEY\\Hidden"
online b app
on b regckpt diff app
delete_key b "$KEY\\Hidden"
set_value b "$KEY" Then "gone"
ok 'wait_for $PATIENCE in_checkpoint app Then gone && ! hidden' "one that is deleted while online goes"
offline b app
