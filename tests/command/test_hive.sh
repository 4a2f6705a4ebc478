# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Hive files out of and into checkpoints: what others read of ours (hivexregedit, reglookup), what we
# read of theirs, which key they reach, what is refused and that nothing is changed then.
. "$(dirname "$0")/../lib.sh"
suite hive
STORE=$TMP/store
export REGCKPT_STORE=$STORE
SEED=${SEED:-$(date +%s)}
echo "SEED=$SEED"

# gives CODE 'DESCRIPTION' COMMAND...: runs regckpt and tests its exit code.
gives()
{
    local expected=$1 what=$2
    shift 2
    run timeout 120 regckpt "$@"
    is "$CODE" "$expected" "$what: exit code"
}
# says WORDS [stdout|stderr]: the last run's output has these words (an extended expression).
says() { ok "grep -Eq -- '${1//\'/\'\\\'\'}' '$TMP/${2:-stderr}'" "... says: $1"; }
# refused CODE 'DESCRIPTION' WORDS ARGUMENTS...: an import, and the checkpoint is as it was.
refused()
{
    local code=$1 what=$2 words=$3 sum
    shift 3
    sum=$(md5sum <"$STORE/web/checkpoint.tdb")
    gives "$code" "$what" import web "$@"
    says "$words"
    is "$(md5sum <"$STORE/web/checkpoint.tdb")" "$sum" "... and changes nothing"
}
# text NAME: what the checkpoint holds, less the key's own name.
text() { regckpt export "$1" --leave-out 2>/dev/null | iconv -f UTF-16 -t UTF-8 | tr -d '\r' | grep -v '^;'; }
# resource NAME KEY...: with these keys.
resource()
{
    local name=$1 key
    shift
    regckpt create "$name" --service "$name" >/dev/null
    for key; do run regckpt add "$name" "$key" --view 64 --future; done
    is "$CODE" 0 "$name: keys are registered"
}

regckpt init >/dev/null
resource one 'Software\Tree'

# A registry of random contents, in the form of version 5.
python3 - "$SEED" >"$TMP/random.reg" <<'END'
import random, sys
r = random.Random(int(sys.argv[1]))
letters = 'aAbZ_-. 09@#[]éÉßЖ€字'
names = set()
def name():
    while True:
        n = ''.join(r.choice(letters) for _ in range(r.randint(1, 12)))
        if n.strip() == n and n[0] not in '[]' and n.lower() not in names:
            names.add(n.lower())
            return n
print('Windows Registry Editor Version 5.00\n')
def key(path, depth):
    print('\n[%s]' % path)
    if r.random() < .5:
        print('@="default %d"' % r.randint(0, 9))
    for _ in range(r.randint(0, 12)):
        size = r.choice([0, 1, 3, 4, 5, 40, 4096, 16344, 16345, 40000]) if r.random() < .1 else r.randint(0, 20)
        print('"%s"=hex(%x):%s' % (name(), r.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 0x1234, 0xffffffff]),
                                   ','.join('%02x' % r.randrange(256) for _ in range(size))))
    for _ in range(r.randint(1, 6) if depth else 0):
        key(path + '\\' + name(), depth - 1)
key(r'HKEY_LOCAL_MACHINE\Software\Tree', 3)
END
gives 0 "import of random contents" import one "$TMP/random.reg"

# --- out ---
gives 0 "export --hive" export one "$TMP/one.hive" --hive
is "$(head -c 4 "$TMP/one.hive")" regf "... is a hive"
is "$(stat -c %a "$TMP/one.hive")" 600 "... for its owner only"
run sh -c "regckpt export one --hive >'$TMP/piped.hive'"
is "$CODE" 0 "export --hive to the standard output"
is "$(head -c 4 "$TMP/piped.hive")" regf "... is a hive, too"
is "$(find "$TMP" -name 'one.hive.*' | wc -l)" 0 "nothing is left beside it"

if command -v reglookup >/dev/null; then
    run reglookup "$TMP/one.hive"
    is "$CODE" 0 "reglookup reads it"
    is "$(grep -c ',KEY,' "$TMP/stdout")" "$(text one | grep -c '^\[')" "... and finds as many keys"
else
    skip 2 "reglookup is missing"
fi
if command -v hivexregedit >/dev/null; then
    run env REGCKPT_STORE="$TMP/second" regckpt init
    REGCKPT_STORE=$TMP/second resource other 'Software\Tree'
    run sh -c "PERL_UNICODE=SO hivexregedit --export --max-depth 99 --prefix 'HKEY_LOCAL_MACHINE\\Software\\Tree' '$TMP/one.hive' '\\' >'$TMP/hivex.reg'"
    is "$CODE" 0 "hivexregedit reads it"
    gives 0 "import of what it read" import other "$TMP/hivex.reg" --store "$TMP/second"
    text one >"$TMP/one.text"
    REGCKPT_STORE=$TMP/second text other >"$TMP/other.text"
    ok 'cmp "$TMP/one.text" "$TMP/other.text"' "... is what the checkpoint holds"
    ok '(($(wc -l <"$TMP/one.text") > 10))' "... which is something"
    # and into a hive, by the library itself
    cp "$TMP/one.hive" "$TMP/changed.hive"
    printf 'Windows Registry Editor Version 5.00\n\n[\\New]\n\n[\\New\\Key]\n"n"=dword:00000007\n@="text"\n' >"$TMP/more.reg"
    run hivexregedit --merge "$TMP/changed.hive" "$TMP/more.reg"
    is "$CODE" 0 "hivexregedit changes it"
    gives 1 "import --dry-run of that" import one "$TMP/changed.hive" --dry-run
    says '\+ n +REG_DWORD +0x7' stdout
    says '4 added, 0 changed, 0 removed' stdout
    gives 0 "import of that" import one "$TMP/changed.hive"
    ok '[ "$(text one | grep -c "^.n.=dword:00000007")" = 1 ]' "... is there"
else
    skip 9 "hivexregedit (libwin-hivex-perl) is missing"
fi
# --- in ---
resource back 'Software\Elsewhere'
gives 0 "export --hive" export one "$TMP/one.hive" --hive
gives 0 "import of a hive" import back "$TMP/one.hive"
is "$(text back | sed 's/Software.Elsewhere/Software\\Tree/')" "$(text one)" "... is what was exported"
gives 0 "verify" verify back
gives 0 "import again" import back "$TMP/one.hive"
says 'holds all' stdout
run sh -c "regckpt import back - <'$TMP/one.hive'"
is "$CODE" 0 "import of a hive from the standard input"

# It becomes equal: what the hive has not, goes.
resource small 'Software\Small'
printf '[HKEY_LOCAL_MACHINE\\Software\\Small\\Only]\r\n"a"="b"\r\n' |
    { printf 'Windows Registry Editor Version 5.00\r\n\r\n'; cat; } >"$TMP/small.reg"
gives 0 "a small tree" import small "$TMP/small.reg"
gives 0 "its hive" export small "$TMP/small.hive" --hive
gives 0 "import of the small hive over the large" import back "$TMP/small.hive"
is "$(text back | grep -c '^\[')" 2 "... leaves the small one"
gives 0 "log" log back
says ' import \(' stdout

# --- several keys: which? ---
resource web 'Software\A' 'Software\B'
run regckpt add web 'Software\Both' --view 64 --future
run regckpt add web 'Software\Both' --view 32 --future
run regckpt add web 'Software\Ex' --view 64 --future --exclude Only
run regckpt add web 'Software\Uncaptured' --view 64
refused 100 "no --key" 'does not say which key.*Software.A' "$TMP/small.hive"
refused 100 "a key that is not registered" 'is not registered' "$TMP/small.hive" --key 'Software\C'
refused 100 "a key above" 'is not registered' "$TMP/small.hive" --key 'Software'
refused 100 "no path" 'HKEY_LOCAL_MACHINE|HKCU' "$TMP/small.hive" --key 'HKCU\Software\A'
refused 100 "a key that is not captured" 'not captured yet' "$TMP/small.hive" --key 'Software\Uncaptured'
refused 100 "--key with a .reg file" 'for a hive file' "$TMP/small.reg" --key 'Software\A'
gives 0 "import --key" import web "$TMP/small.hive" --key 'HKLM\software\a'
gives 0 "import --key of a key below" import web "$TMP/small.hive" --key 'Software\B\Deep\Er'
ok 'text web | grep -qF "[HKEY_LOCAL_MACHINE\Software\B\Deep\Er\Only]"' "... puts it there"
gives 0 "import --key again" import web "$TMP/small.hive" --key 'Software\B\Deep'
ok '! text web | grep -qF "Deep\Er"' "... makes that key equal to the hive"
ok 'text web | grep -qF "[HKEY_LOCAL_MACHINE\Software\B\Deep\Only]"' "... whose root it is"
gives 0 "import --view" import web "$TMP/small.hive" --key 'Software\Both' --view 32
ok 'text web | grep -qF "Wow6432Node\Both\Only]"' "... is of that view"
gives 1 "import of what is excluded" import web "$TMP/small.hive" --key 'Software\Ex'
says 'excluded'
ok '! text web | grep -qF "Ex\Only"' "... leaves it out"

gives 100 "export of several keys" export web "$TMP/web.hive" --hive
says 'Say which by --key.*Software.A'
gives 100 "export of a key in both views" export web "$TMP/web.hive" --hive --key 'Software\Both'
says 'both views'
gives 100 "export of a key that is not registered" export web "$TMP/web.hive" --hive --key 'Software\C'
gives 100 "export of what is not captured" export web "$TMP/web.hive" --hive --key 'Software\Uncaptured'
says 'not captured yet'
printf 'Windows Registry Editor Version 5.00\r\n[-HKEY_LOCAL_MACHINE\\Software\\Small]\r\n' >"$TMP/gone.reg"
gives 0 "a key goes" import small "$TMP/gone.reg"
gives 100 "export of what is not there" export small "$TMP/web.hive" --hive
says 'does not exist in the checkpoint'
ok '! [ -e "$TMP/web.hive" ]' "... makes no file"
gives 0 "export --key --view" export web "$TMP/web.hive" --hive --key 'Software\Both' --view 32
gives 100 "--key without --hive" export web "$TMP/web.reg" --key 'Software\A'
gives 100 "--leave-out with --hive" export web "$TMP/web.hive" --hive --leave-out --key 'Software\A'
gives 100 "a view that is none" export web "$TMP/web.hive" --hive --view 16
gives 111 "export to where no file can be" export web "$TMP/none/web.hive" --hive --key 'Software\A'

# --- what is no whole hive ---
head -c 6000 "$TMP/one.hive" >"$TMP/cut.hive"
refused 2 "a cut hive" 'damaged|cannot be read|cut' "$TMP/cut.hive" --key 'Software\A'
printf regf >"$TMP/four.hive"
refused 2 "its first word" 'cut' "$TMP/four.hive" --key 'Software\A'
{ head -c 4 "$TMP/one.hive"; head -c 9000 /dev/zero; } >"$TMP/zero.hive"
refused 2 "zeros" 'damaged|cannot be read' "$TMP/zero.hive" --key 'Software\A'
python3 - "$TMP/one.hive" "$TMP/dirty.hive" <<'END'
import struct, sys
b = bytearray(open(sys.argv[1], 'rb').read())
struct.pack_into('<I', b, 8, 7)
s = 0
for i in range(0, 508, 4):
    s ^= struct.unpack_from('<I', b, i)[0]
struct.pack_into('<I', b, 508, s)
open(sys.argv[2], 'wb').write(b)
END
refused 2 "a hive that was in use" '\.LOG' "$TMP/dirty.hive" --key 'Software\A'
refused 100 "no file" 'There is no file' "$TMP/none.hive" --key 'Software\A'
