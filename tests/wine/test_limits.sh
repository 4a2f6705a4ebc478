# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Contents at the registry's limits, on live Wine: captured, restored on another node, changed by a program
# with the hook; and what lies beyond a limit of ours is told.  Then the shared parts of Software\Classes, and
# HKEY_CLASSES_ROOT.
#
# Elsewhere: keys that hold nothing but volatile ones (test_names), Wow6432Node (test_views), names that differ
# in case only after a re-creation (test_trips), a million values (tests/bench/rows_million.sh).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite limits
node a
node b
wine_up a
wine_up b
on a regckpt init
KEY='Software\RegckptTest\Limits'
WIDE=${WIDE:-20000} # subkeys of one key, and values of one

# content WHAT: lines for regplay, which are also what must be there.
content()
{
    python3 - "$1" "$WIDE" <<'END' | LC_ALL=C sort
import sys
what, wide = sys.argv[1], int(sys.argv[2])
def hexed(text):
    return text.encode("utf-16-le").hex()
def long(size):
    return "".join(chr(0x61 + i % 26) for i in range(size))
print("key . - plain")
if what == "names":
    for size in (255, 256):
        print("key", hexed(long(size)), "- plain")
        print("value", hexed(long(size)), hexed("in it"), 4, "01000000")
    print("value .", hexed(long(16383)), 4, "01000000")
    print("value .", hexed("\u00e9" + long(16382)), 1, "61000000")
if what == "wide":
    for part in "keys", "values":
        print("key", hexed(part), "- plain")
    for i in range(wide):
        print(f"key {hexed('keys')}/{hexed('Key %d' % (i * 7919 % wide))} - plain")
        print(f"value {hexed('values')} {hexed('Value %d' % (i * 7919 % wide))} 4 {i.to_bytes(4, 'little').hex()}")
if what == "big":
    for size in (1 << 20, (5 << 20) + 3):
        print("value .", hexed(str(size)), 3, bytes(i * 7 + i // 253 & 255 for i in range(size)).hex())
if what in ("deep", "deeper"):
    levels = 512 if what == "deep" else 513
    for at in range(1, levels + 1):
        print("key", "/".join([hexed("d")] * at), "- plain")
    print("value", "/".join([hexed("d")] * levels), hexed("level"), 4, "00020000")
END
}
play() { on "$1" "$WINE" "$PE/regplay64.exe" "$2" "$(winpath "$3")"; }

# --- what Wine takes is taken ---
for what in names wide big deep; do
    content $what >"$TMP/$what"
    play a "$KEY\\$what" "$TMP/$what"
    is "$CODE" 0 "$what: made"
    # The program sets what it finds, all of it again, which changes nothing, and one value.
    { cat "$TMP/$what"; echo "value . $(utf16_hex Last) 4 01000000"; } >"$TMP/$what.again"
    LC_ALL=C sort "$TMP/$what.again" >"$TMP/$what.then"
    on a regckpt create $what --command "$(winpath "$PE/regplay64.exe") $KEY\\$what $(winpath "$TMP/$what.again")"
    on a regckpt add $what "$KEY\\$what" --view 64
    is "$CODE" 0 "... added"
    ok 'ckptdump $what "$TMP/held" && same "$TMP/$what" "$TMP/held"' "... the checkpoint is equal"
    on b timeout $PATIENCE regckpt run $what
    is "$CODE" 0 "... restored on another node, for its program"
    ok 'dump b "$KEY\\$what" "$TMP/live" && same "$TMP/$what.then" "$TMP/live"' "... is there"
    ok 'ckptdump $what "$TMP/held" && same "$TMP/$what.then" "$TMP/held"' "... and what the program set is in the checkpoint"
done
echo "key $(printf "%0257d" 0 | sed 's/0/6100/g') - plain" >"$TMP/beyond"
play a "$KEY\\beyond" "$TMP/beyond"
ok '((CODE != 0)) && grep -q "NtCreateKey" "$TMP/stderr"' "Wine takes no key's name of 257 characters"
echo "value . $(printf "%016384d" 0 | sed 's/0/6100/g') 3 00" >"$TMP/beyond"
play a "$KEY\\beyond" "$TMP/beyond"
ok '((CODE != 0)) && grep -q "NtSetValueKey" "$TMP/stderr"' "... nor a value's of 16384"

# --- a level more than any Windows knows: told, and nothing else is lost by it ---
content deeper >"$TMP/deeper"
printf 'gone %s\n' "$(printf '6400/%.0s' {1..512})6400" >"$TMP/gone"
status_says() { on_quietly a regckpt status deep; (($? == $1)) && grep -q "$2" "$TMP/quiet"; }
on a regckpt set deep --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"
online a deep
is "$CODE" 0 "online with 512 levels"
play a "$KEY\\deep" "$TMP/deeper"
is "$CODE" 0 "Wine takes a level more"
ok 'wait_for $PATIENCE status_says 1 "RUNNING UNPROTECTED.* more than 512 levels below"' "status exits with 1 and says so"
on a regckpt save deep
ok '((CODE == 100)) && grep -q "more than 512 levels below" "$TMP/stderr"' "... a save does"
ok 'ckptdump deep "$TMP/held" && same "$TMP/deep.then" "$TMP/held"' "... what was saved is there"
play a "$KEY\\deep" "$TMP/gone"
set_value a "$KEY\\deep" After "that"
ok 'wait_for $PATIENCE in_checkpoint deep After that' "once it is gone, what else has changed is saved"
ok 'wait_for $PATIENCE status_says 0 ONLINE' "... and status is content"
play a "$KEY\\deep" "$TMP/deeper"
offline a deep
ok '((CODE != 0)) && grep -q "more than 512 levels below" "$TMP/stderr"' "offline says that the last state could not be saved"
on a regckpt create deeper --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 5 1"
on a regckpt remove deep "$KEY\\deep"
on a regckpt add deeper "$KEY\\deep" --view 64
ok '((CODE == 100)) && grep -q "more than 512 levels below" "$TMP/stderr"' "add refuses it"
on a regckpt add deeper "$KEY\\deep\\d" --view 64
is "$CODE" 0 "but takes the key below, from where it is 512"

# --- Software\Classes ---
DOC='Software\Classes\Regckpt.Doc'
APP='Software\Classes\AppId\{5f1c9a5e-0000-4000-8000-5245474b5054}'
on a regckpt create classes --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"
set_value a "$DOC" there "64 bits"
set_value a "$DOC" there "32 bits" 32
set_value a "$APP" there "shared"
for view in 64 32; do
    on a regckpt add classes "$DOC" --view $view
    is "$CODE" 0 "add of a class, $view bits"
done
on a regckpt add classes "$APP" --view 64
is "$CODE" 0 "add of an AppId"
on a regckpt add classes "$APP" --view 32
is "$CODE" 100 "... which is the same in the other view"
online a classes
is "$CODE" 0 "online"
# by_hkcr SYSTEM-DIRECTORY VALUE DATA: by the reg.exe of that width
by_hkcr() { on a "$WINE" "C:\\windows\\$1\\reg.exe" add "HKCR\\Regckpt.Doc\\shell" /v "$2" /d "$3" /f; }
by_hkcr system32 by HKCR
is "$CODE" 0 "a program writes below HKEY_CLASSES_ROOT"
ok 'wait_for $PATIENCE in_checkpoint classes by HKCR --key "$DOC" --view 64' "... it comes into the checkpoint"
if have_wine32; then
    by_hkcr syswow64 by "32-bit HKCR"
    ok 'wait_for $PATIENCE in_checkpoint classes by "32-bit HKCR" --key "$DOC" --view 32' "a 32-bit one, into that view"
    on a "$WINE" 'C:\windows\syswow64\reg.exe' add "HKLM\\$APP" /v by /d "32 bits" /f
    ok 'wait_for $PATIENCE in_checkpoint classes by "32 bits" --key "$APP" --view 64' "... and into what both share"
else
    skip 2 "32-bit programs do not run here"
fi
offline a classes
on b regckpt set classes --command "C:\\windows\\system32\\reg.exe add HKCR\\Regckpt.Doc\\shell /v hooked /d yes /f"
on b timeout $PATIENCE regckpt run classes
is "$CODE" 0 "another node's program writes there, with the hook"
ok 'in_checkpoint classes hooked yes --key "$DOC" --view 64' "... it is in the checkpoint"
is "$(value b "$DOC" there)/$(value b "$DOC" there 32)/$(value b "$APP" there 32)" "64 bits/32 bits/shared" \
    "and all was restored where it belongs"
