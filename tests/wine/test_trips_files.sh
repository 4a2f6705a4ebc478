# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Round trips of random contents (tests/randomreg.py) by files: checkpoint -> .reg -> Wine's reg import and
# regedit in prefixes that never saw the key -> live -> checkpoint, and checkpoint -> hive -> checkpoint.
# What stands in the files is read by code of its own (regtext.py, hivedump.py) and by hivexregedit.  SEED=N
# runs one again; KEYS=N is about how many keys there are.
#
# What a route cannot carry is left out of what it has to (randomreg.py: sayable, ended, whole, narrow), and
# it is tested that it is the tool that cannot:
#   - A .reg file has no words for classes, links, names with NUL and keys with line breaks (regfile.h).
#   - reg import and regedit of Wine end each text in a NUL, where it has none; over the last byte of one of
#     half characters they write; at one of a single byte they crash.  The file says all of them but the last,
#     and they do the same with files that are not ours.
#   - hivexregedit knows names as UTF-8, one a line: it does not get through a hive with others.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite trips_files
node a
node b
node c
for n in a b c; do wine_up $n; done
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
KEYS=${KEYS:-150}
echo "SEED=$SEED KEYS=$KEYS"
FULL='Software\RegckptTest\Full'
NARROW='Software\RegckptTest\Narrow'

# random WORD...: what randomreg.py prints.
random() { python3 "$SRC/tests/randomreg.py" "$@"; }
# regtext FILE KEY OUT: what a .reg file says of a key
regtext()
{
    python3 "$SRC/tests/regtext.py" "$1" "HKEY_LOCAL_MACHINE\\$2" >"$3"
}
idle() { printf %s "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 5 1"; }
# capture NODE NAME KEY: a resource with that key, as it is on that node.
capture()
{
    on "$1" regckpt create "$2" --command "$(idle)"
    on "$1" regckpt add "$2" "$3" --view 64
    is "$CODE" 0 "$2: $3 is captured"
}

# A store of its own for each node: there the same key is another resource's.
for n in b c; do sed -i "s,^store = .*,store = $TMP/store-$n," "$TMP/$n.conf"; done
for n in a b c; do on $n regckpt init; done

random make "$SEED" "$KEYS" >"$TMP/full"
random sayable "$TMP/full" >"$TMP/sayable"
random ended "$TMP/full" >"$TMP/ended"
random narrow "$TMP/full" >"$TMP/narrow"
ok '(($(wc -l <"$TMP/narrow") > 20 && $(diff "$TMP/sayable" "$TMP/ended" | grep -c "^<") > 0))' "contents are made up"
on a "$WINE" "$PE/regplay64.exe" "$FULL" "$(winpath "$TMP/full")"
on a "$WINE" "$PE/regplay64.exe" "$NARROW" "$(winpath "$TMP/narrow")"
is "$CODE" 0 "... and put into the registry"
capture a full "$FULL"
ok 'ckptdump full "$TMP/held" && same "$TMP/full" "$TMP/held"' "the checkpoint is equal"
capture a narrow "$NARROW"

# --- checkpoint -> .reg -> Wine -> checkpoint ---
on a regckpt export full "$TMP/full.reg" --leave-out
is "$CODE" 1 "export --leave-out says that something is missing"
ok 'regtext "$TMP/full.reg" "$FULL" "$TMP/said" && same "$TMP/sayable" "$TMP/said"' \
    "the file says all that one can, byte for byte"
on b "$WINE" reg.exe import "$(winpath "$TMP/full.reg")"
is "$CODE" 0 "reg import takes it"
on c "$WINE" regedit.exe /S "$(winpath "$TMP/full.reg")"
for n in b c; do
    dump $n "$FULL" "$TMP/live" && random whole "$TMP/live" >"$TMP/whole"
    ok 'same "$TMP/ended" "$TMP/whole"' "the registry of $n holds it, each text with its NUL"
    capture $n back "$FULL"
    ok 'STORE=$TMP/store-$n ckptdump back "$TMP/held" && same "$TMP/live" "$TMP/held"' "... and so does a checkpoint of that"
    random sayable "$TMP/live" >"$TMP/sayable.$n"
    on $n regckpt export back "$TMP/again.reg" --leave-out
    ok 'regtext "$TMP/again.reg" "$FULL" "$TMP/said" && same "$TMP/sayable.$n" "$TMP/said"' "... and its .reg file"
done
# What they do with files that nobody of us has written.
texts()
{
    printf '%s\r\n' 'Windows Registry Editor Version 5.00' '' \
        '[HKEY_LOCAL_MACHINE\Software\RegckptTest\Texts]' "$@" | iconv -t UTF-16
}
texts '"open"=hex(1):61,00,62,00' '"odd"=hex(1):61,00,62' >"$TMP/texts.reg"
texts '"single"=hex(1):61' '"behind"="it"' >"$TMP/single.reg"
on b "$WINE" reg.exe import "$(winpath "$TMP/texts.reg")"
is "$CODE" 0 "reg import of texts that do not end"
dump b 'Software\RegckptTest\Texts' "$TMP/texts"
ok 'grep -qx "value . $(utf16_hex open) 1 610062000000" "$TMP/texts"' "... ends the one"
ok '! grep -q "value . $(utf16_hex odd) 1 610062" "$TMP/texts"' "... overwrites the other's last byte"
on b "$WINE" reg.exe import "$(winpath "$TMP/single.reg")"
ok '((CODE != 0)) && [ -z "$(value b "Software\RegckptTest\Texts" behind)" ]' "reg import crashes at a text of one byte"

# --- checkpoint -> hive -> checkpoint ---
for n in full narrow; do
    on a regckpt export $n "$TMP/$n.hive" --hive
    is "$CODE" 0 "export --hive of $n"
    ok 'python3 "$SRC/tests/hivedump.py" "$TMP/$n.hive" >"$TMP/walked" && same "$TMP/$n" "$TMP/walked"' \
        "the hive carries all of it, byte for byte, and keeps the rules"
done
on b regckpt create whole --command "$(idle)"
on b regckpt add whole "$NARROW" --view 64 --future
on b regckpt import whole "$TMP/full.hive"
is "$CODE" 0 "import of the hive"
ok 'STORE=$TMP/store-b ckptdump whole "$TMP/held" && same "$TMP/full" "$TMP/held"' "... brings all of it back"
hivexport() { PERL_UNICODE=SO run hivexregedit --export --max-depth 999 --prefix "HKEY_LOCAL_MACHINE\\$2" "$TMP/$1.hive" '\'; }
if command -v hivexregedit >/dev/null; then
    hivexport narrow "$NARROW"
    is "$CODE" 0 "hivexregedit reads it"
    ok 'regtext "$TMP/stdout" "$NARROW" "$TMP/said" && same "$TMP/narrow" "$TMP/said"' "... and finds what was put in"
    hivexport full "$FULL"
    ok '((CODE != 0)) || ! regtext "$TMP/stdout" "$FULL" "$TMP/said" || ! cmp -s "$TMP/full" "$TMP/said"' \
        "but does not get through one with names of all kinds"
else
    skip 3 "hivexregedit (libwin-hivex-perl) is missing"
fi
