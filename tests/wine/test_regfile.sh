# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# .reg files against Wine's own tools: what regckpt export writes is read by reg import and regedit into
# prefixes that have never seen the keys, and what regedit and reg write of live keys is imported.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite regfile
node a
node b
node c
for n in a b c; do
    wine_up $n
done
KEY='Software\RegckptTest\Content'
NARROW='Software\RegckptTest\Narrow'

# sayable FILE: of a dump what a .reg file can say and regedit leaves as it is: no classes and links, no
# names with NUL, no keys with line breaks; texts end in a NUL.  Those of an odd size are left out.
sayable()
{
    python3 - "$1" >"$1.sayable" <<'END'
import sys
lines, links = [line.split() for line in open(sys.argv[1])], []
def units(text):
    data = bytes.fromhex(text.replace("-", ""))
    return [data[i] | data[i + 1] << 8 for i in range(0, len(data), 2)]
def gone(path):
    return any(path == link or path.startswith(link + "/") for link in links) or any(
        unit in (0, 10, 13) for part in path.split("/") if part != "." for unit in units(part))
links = [w[1] for w in lines if w[0] == "key" and w[3] == "link"]
out = []
for w in lines:
    if gone(w[1]):
        continue
    if w[0] == "key":
        w[2] = "-"
    elif 0 in units(w[2]):
        continue
    elif w[3] in ("1", "2", "7") and w[4] != "-":
        if len(w[4]) % 4:
            continue
        if w[4][-4:] != "0000":
            w[4] += "0000"
    out.append(" ".join(w))
print("\n".join(sorted(out)))
END
}

# reg_text FILE: as UTF-8; iconv refuses the lone surrogates in it.
reg_text()
{
    python3 -c 'import sys
sys.stdout.buffer.write(open(sys.argv[1], "rb").read().decode("utf-16", "surrogatepass").encode(
    "utf-8", "replace"))' "$1"
}

# same_said FILE FILE: equal as far as a .reg file can say it.
same_said() { sayable "$1" && sayable "$2" && same "$1.sayable" "$2.sayable"; }

# --- checkpoint -> .reg -> Wine ---
fill a "$KEY" 300 --odd
fill a "$NARROW" 50 --view 32
on a regckpt init
on a regckpt create app --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\App 0 20"
on a regckpt add app "$KEY" --view 64
on a regckpt add app "$NARROW" --view 32
on a regckpt add app 'Software\RegckptTest\App' --view 64 --future
is "$CODE" 0 "keys of both views are registered"
ckptdump app "$TMP/ckpt" --key "$KEY"
ckptdump app "$TMP/ckpt32" --key "$NARROW" --view 32
on a regckpt export app "$TMP/refused.reg"
is "$CODE" 100 "export refuses a name with a NUL"
ok 'grep -q "x0000" "$TMP/stderr" && [ ! -e "$TMP/refused.reg" ]' "... names it, and leaves no file"
on a regckpt export app "$TMP/app.reg" --leave-out
is "$CODE" 1 "export --leave-out says that something is missing"
ok 'grep -q "A Class" "$TMP/stderr" && grep -q "symbolic link" "$TMP/stderr"' "... a class and a link"
is "$(stat -c %a "$TMP/app.reg")" 600 "the file is its owner's"
ok 'reg_text "$TMP/app.reg" | grep -qF "[HKEY_LOCAL_MACHINE\Software\Wow6432Node\RegckptTest\Narrow]"' \
    "a 32-bit key stands there by its 64-bit name"

on b "$WINE" reg.exe import "$(winpath "$TMP/app.reg")"
is "$CODE" 0 "reg import takes it"
dump b "$KEY" "$TMP/b" && dump b "$NARROW" "$TMP/b32" --view 32
ok 'same_said "$TMP/ckpt" "$TMP/b"' "reg import made what the checkpoint holds"
ok 'same_said "$TMP/ckpt32" "$TMP/b32"' "and of the 32-bit view"
on c "$WINE" regedit.exe /S "$(winpath "$TMP/app.reg")"
dump c "$KEY" "$TMP/c" && dump c "$NARROW" "$TMP/c32" --view 32
ok 'same_said "$TMP/ckpt" "$TMP/c"' "regedit /S made what the checkpoint holds"
ok 'same_said "$TMP/ckpt32" "$TMP/c32"' "and of the 32-bit view"

# --- and back: our own import, byte for byte ---
cp "$STORE/app/checkpoint.tdb" "$TMP/before.tdb"
on a regckpt import app "$TMP/app.reg" --dry-run
is "$CODE" 0 "import of what was exported changes nothing"
on a regckpt import app "$TMP/app.reg"
is "$CODE" 0 "import"
ckptdump app "$TMP/ckpt.2" --key "$KEY"
ok 'same "$TMP/ckpt" "$TMP/ckpt.2"' "and nothing changed"

printf 'REGEDIT4\n[HKLM\\%s\\Odd\\link\\x]\n' "$KEY" >"$TMP/link.reg"
on a regckpt import app "$TMP/link.reg"
is "$CODE" 100 "import below a symbolic link is refused"
ok 'grep -q "symbolic link" "$TMP/stderr"' "... and says why"
printf 'REGEDIT4\n[HKLM\\%s\\Odd\\classy]\n"more"="yes"\n' "$KEY" >"$TMP/class.reg"
on a regckpt import app "$TMP/class.reg"
ckptdump app "$TMP/ckpt.3" --key "$KEY"
is "$(diff "$TMP/ckpt" "$TMP/ckpt.3" | grep -c '^[<>]')" 1 "a key that is there keeps its class"

# --- Wine -> .reg -> checkpoint: a resource of another store, the key not there yet ---
PLAIN='Software\RegckptTest\Plain'
fill a "$PLAIN" 300
set_value a "$PLAIN\\[a] \"b\"" 'na"me\with' 'C:\x "y"'
dump a "$PLAIN" "$TMP/plain"
on a "$WINE" regedit.exe /E "$(winpath "$TMP/plain.regedit")" "HKEY_LOCAL_MACHINE\\$PLAIN"
on a "$WINE" reg.exe export "HKLM\\$PLAIN" "$(winpath "$TMP/plain.reg")" /y
sed "s,^store = .*,store = $TMP/store2," "$TMP/b.conf" >"$TMP/b.conf.new" && mv "$TMP/b.conf.new" "$TMP/b.conf"
on b regckpt init
for kind in regedit reg; do
    on b regckpt create $kind --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\App 5 1"
    on b regckpt add $kind "$PLAIN" --view 64 --future
    on b regckpt import $kind "$TMP/plain.$kind"
    is "$CODE" 0 "import of what $kind exported"
    STORE=$TMP/store2 ckptdump $kind "$TMP/imported" --key "$PLAIN"
    ok 'same "$TMP/plain" "$TMP/imported"' "the checkpoint holds what the key did"
    on b regckpt verify $kind
    is "$CODE" 0 "and is fine"
    [ $kind = reg ] || { on b regckpt delete $kind && is "$CODE" 0 "delete it again"; }
done
on b timeout $PATIENCE regckpt run reg
is "$CODE" 0 "a program runs on it"
dump b "$PLAIN" "$TMP/b.plain"
ok 'same "$TMP/plain" "$TMP/b.plain"' "and finds the key as it was on the other node"

# --- online: the live registry is the way ---
printf 'REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\%s]\n"from a file"="yes"\n' "$NARROW" >"$TMP/one.reg"
sed -i 's/Software/Software\\Wow6432Node/' "$TMP/one.reg"
online a app
is "$CODE" 0 "online"
on a regckpt import app "$TMP/one.reg"
is "$CODE" 3 "import into what is online is refused"
ok 'grep -q "regedit /S" "$TMP/stderr" && grep -qF "WINEPREFIX=$PREFIX_a $WINE " "$TMP/stderr"' "... and says how it is done"
on a "$WINE" regedit.exe /S "$(winpath "$TMP/one.reg")"
ok 'wait_for $PATIENCE in_checkpoint app "from a file" yes --key "$NARROW" --view 32' "so it reaches the checkpoint"
on a regckpt export app "$TMP/online.reg" --leave-out
ok 'reg_text "$TMP/online.reg" | grep -q "from a file"' "export works meanwhile"
offline a app
is "$CODE" 0 "offline"
