# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# export and import where no Wine is needed: which keys a file reaches, what it changes, what is refused
# and that nothing is changed then.  What Wine's own tools make of the files: tests/wine/test_regfile.sh.
. "$(dirname "$0")/../lib.sh"
suite export_import
STORE=$TMP/store
export REGCKPT_STORE=$STORE
CKPT=$STORE/web/checkpoint.tdb

# gives CODE 'DESCRIPTION' COMMAND...: runs regckpt and tests its exit code.
gives()
{
    local expected=$1 what=$2
    shift 2
    run timeout 60 regckpt "$@"
    is "$CODE" "$expected" "$what: exit code"
}
# says WORDS [stdout|stderr]: the last run's output has these words (an extended expression).
says() { ok "grep -Eq -- '${1//\'/\'\\\'\'}' '$TMP/${2:-stderr}'" "... says: $1"; }
# file NAME: makes a version 5 file of the standard input.
file() { { printf 'Windows Registry Editor Version 5.00\r\n\r\n'; cat; } >"$TMP/$1.reg"; }
# refused CODE 'DESCRIPTION' FILE [WORDS]: and the checkpoint is as it was.
refused()
{
    local sum
    sum=$(md5sum <"$CKPT")
    gives "$1" "$2" import web "$TMP/$3.reg"
    [ -z "${4:-}" ] || says "$4"
    is "$(md5sum <"$CKPT")" "$sum" "... and changes nothing"
}

regckpt init >/dev/null
regckpt create web --service Web >/dev/null
run regckpt add web 'Software\Vendor\Both' --view 64 --future
run regckpt add web 'Software\Vendor\Both' --view 32 --future
run regckpt add web 'Software\Vendor\Wide' --view 64 --future --exclude Node --exclude-value Node --exclude 'Sub\Cache'
run regckpt add web 'Software\Vendor\Narrow' --view 32 --future
run regckpt add web 'Software\Classes\Vendor.Doc' --view 32 --future
run regckpt add web 'System\CurrentControlSet\Services\Web' --view 64 --future
run regckpt add web 'Software\Vendor\Uncaptured' --view 64
is "$CODE" 0 "keys are registered"

# --- export of what is empty ---
gives 1 "export of what is not captured" export web "$TMP/empty.reg"
says 'not captured'
gives 0 "and import of it" import web "$TMP/empty.reg"
says 'holds all' stdout

# --- import: which keys ---
file first <<'END'
; from somewhere
[HKEY_LOCAL_MACHINE\SOFTWARE\Vendor\Wide]
@="wide"
"n"=dword:00000007

[HKEY_LOCAL_MACHINE\Software\Vendor\Wide\Sub]
"bytes"=hex:01,02,\
  03

[HKEY_LOCAL_MACHINE\Software\Vendor\Narrow]
"by"="its own name"

[HKLM\Software\WOW6432Node\Vendor\Narrow\Sub]
"by"="its 64-bit name"

[HKEY_LOCAL_MACHINE\Software\Classes\Wow6432Node\Vendor.Doc]
@="a class"

[HKEY_LOCAL_MACHINE\Software\Vendor\Both\]
"view"="64"

[HKEY_LOCAL_MACHINE\Software\Wow6432Node\Vendor\\Both]
"view"="32"
END
gives 1 "import --dry-run" import web "$TMP/first.reg" --dry-run
says '\+ n +REG_DWORD +0x7' stdout
says '- in the checkpoint now' stdout
ok '! regckpt show web | grep -q REG_' "... changes nothing"
gives 0 "import" import web "$TMP/first.reg"
says 'imported: 15 added' stdout
gives 0 "show" show web
ok 'grep -A1 "Vendor.Narrow.Sub" "$TMP/stdout" | grep -q "its 64-bit name"' "one key by both names: the 64-bit"
ok 'grep -A1 "Narrow  (32-bit view)" "$TMP/stdout" | grep -q "its own name"' "... and its own"
ok 'grep -A1 "Both  (64-bit view)" "$TMP/stdout" | grep -q "  64"' "one path in both views: the 64-bit"
ok 'grep -A1 "Both  (32-bit view)" "$TMP/stdout" | grep -q "  32"' "... and the 32-bit"
ok 'grep -A1 "Vendor.Doc  (32-bit view)" "$TMP/stdout" | grep -q "a class"' "a 32-bit class"
gives 0 "verify" verify web
gives 0 "import again" import web "$TMP/first.reg"
says 'holds all' stdout
file view <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\Both]
"more"="32"
END
gives 0 "import --view 32" import web "$TMP/view.reg" --view 32
ok 'regckpt show web | grep -A2 "Both  (32-bit view)" | grep -q more' "... goes to the 32-bit view"
gives 100 "a view that is none" import web "$TMP/view.reg" --view 16

gives 0 "log" log web
ok '[ "$(grep -c " import (" "$TMP/stdout")" = 16 ]' "... tells each change of both, and who made it"

# --- import: what changes ---
file second <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\Wide]
@=-
"n"=dword:8

[-HKEY_LOCAL_MACHINE\Software\Vendor\Wide\Sub]

[-HKEY_LOCAL_MACHINE\Software\Vendor\Narrow]
[HKEY_LOCAL_MACHINE\Software\Vendor\Narrow]
"new"=""
END
gives 1 "dry run of deletions, --json" import web "$TMP/second.reg" --dry-run --json
ok 'python3 -m json.tool <"$TMP/stdout" >/dev/null' "... prints JSON"
is "$(python3 -c 'import json,sys
d = json.load(sys.stdin); print(d["added"], d["changed"], d["removed"])' <"$TMP/stdout")" "1 1 6" "... with the numbers"
run sh -c "regckpt import web - <'$TMP/second.reg'"
is "$CODE" 0 "import -"
says '1 added, 1 changed, 6 removed' stdout
ok '! regckpt show web | grep -q "Wide.Sub"' "... a key is gone"

# --- what is excluded is left alone ---
file excluded <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\Wide]
"Node"="of this node"
"kept"="yes"
[HKEY_LOCAL_MACHINE\Software\Vendor\Wide\Sub\Cache\Deep]
"x"="y"
[HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services\Web]
"ImagePath"="C:\\web.exe"
"DisplayName"="Web"
END
gives 1 "import of what is excluded, too" import web "$TMP/excluded.reg"
says '4 statements .* excluded'
ok 'regckpt show web | grep -q "DisplayName"' "... takes the rest"
ok '! regckpt show web | grep -q "ImagePath\|of this node\|Cache"' "... and nothing of that"

# --- more than the history holds: it keeps the last ones, and nothing from before ---
regckpt create many --service Many --history 64K >/dev/null
run regckpt add many 'Software\Many' --view 64 --future
printf '[HKLM\\Software\\Many]\n"before"=""\n' | file before
seq 5000 | sed 's/.*/"&"="text &"/; 1i [HKLM\\Software\\Many]' | file many
gives 0 "import before" import many "$TMP/before.reg"
# commits: how many the checkpoint has had.
commits() { python3 "$SRC/tests/ckptdump.py" "$STORE/many/checkpoint.tdb" --state | sed -n 's/^sequence //p'; }
COMMITS=$(commits)
gives 0 "import of many values" import many "$TMP/many.reg"
is "$(commits)" $((COMMITS + 1)) "... is one commit"
is "$(regckpt export many | iconv -f UTF-16 | grep -c =)" 5001 "... of which all are there"
gives 0 "log" log many
ok '! grep -q before "$TMP/stdout" && grep -q "text 999$" "$TMP/stdout"' "... has the last ones"
ok '(($(grep -c " import (" "$TMP/stdout") > 300))' "... as many as it may hold"
says 'no longer in the history' stdout
gives 0 "verify" verify many

# --- what is refused ---
for key in 'HKEY_LOCAL_MACHINE\Software\Vendor' 'HKEY_LOCAL_MACHINE\Software\Vendor\Wider' \
    'HKEY_LOCAL_MACHINE' 'HKEY_LOCAL_MACHINE\Software\Wow6432Node\Vendor\Wide'; do
    printf '[HKLM\\Software\\Vendor\\Wide]\n"x"="y"\n\n[%s]\n"x"="y"\n' "$key" | file other
    refused 100 "a key that is not registered" other "Line 6 .*\"${key//\\/\\\\}\" is not registered for web"
done
printf '[HKEY_CURRENT_USER\\Software\\Vendor\\Wide]\n' | file user
refused 100 "a key of a user" user 'HKEY_CURRENT_USER.*only keys there'
printf '[HKLM\\Software\\Vendor\\Uncaptured]\n' | file uncaptured
refused 100 "a key that is not captured" uncaptured 'online once'
printf '[HKLM\\Software\\Vendor\\Wide]\n"x"="y\n' | file torn
refused 100 "a file that ends within a value" torn 'torn.reg: Line 4 '
echo 'not a reg file' >"$TMP/foreign.reg"
refused 2 "another file" foreign 'no .reg file'
refused 100 "a file that is not there" nowhere 'There is no file'
mkdir "$TMP/dir.reg"
refused 111 "a directory" dir
printf '[HKLM\\Software\\Vendor\\Wide\\%0257d]\n' 0 | file long
refused 100 "a name that is too long" long '256 characters'
gives 100 "import for an unknown resource" import wbe "$TMP/first.reg"
says 'Did you mean "web"'
gives 100 "import without a file" import web

# --- export: where to ---
gives 1 "export to the standard output" export web
ok 'regckpt export web 2>/dev/null | iconv -f UTF-16 | grep -q "^\"kept\"=\"yes\""' "... in UTF-16"
echo old >"$TMP/out.reg"
gives 1 "export over an old file" export web "$TMP/out.reg"
ok 'cmp -s "$TMP/out.reg" <(regckpt export web - 2>/dev/null)' "... the same"
is "$(stat -c %a "$TMP/out.reg")" 600 "... for its owner only"
gives 111 "export to a full device" export web /dev/full
says 'No space'
run sh -c 'regckpt export web >/dev/full'
is "$CODE" 111 "the standard output on a full device"
gives 111 "export into a directory that is not there" export web "$TMP/no/such.reg"
gives 111 "export onto a directory" export web "$TMP/dir.reg"
ok '! ls "$TMP" | grep -q "reg\.[A-Za-z0-9]\{6\}$"' "nothing of it is left"
gives 100 "export of an unknown resource" export wbe
if command -v script >/dev/null; then
    run script -qec 'regckpt export web' /dev/null
    ok 'grep -q "UTF-8" "$TMP/stdout" && grep -q "\"kept\"=\"yes\"" "$TMP/stdout"' "a terminal gets UTF-8"
else
    skip 1 "no script(1): output to a terminal"
fi
cp "$CKPT" "$TMP/good.tdb"
printf 'x' | dd of="$CKPT" bs=1 seek=3000 conv=notrunc 2>/dev/null
truncate -s -4096 "$CKPT"
gives 2 "export of a damaged checkpoint" export web "$TMP/damaged.reg"
gives 2 "import into one" import web "$TMP/view.reg"
cp "$TMP/good.tdb" "$CKPT"

# --- owned elsewhere ---
perl -e 'use Fcntl; open(my $f, "+<", $ARGV[0]) or die;
    my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
    fcntl($f, 37, $lock) or die; # F_OFD_SETLK
    open(my $ready, ">", $ARGV[1]); close($ready); sleep 600' "$STORE/web/lock" "$TMP/held" &
HOLDER=$!
wait_for $PATIENCE test -e "$TMP/held"
refused 3 "import into what is owned elsewhere" view "$HOLDER"
gives 1 "export of it" export web "$TMP/held.reg"
gives 0 "dry run on it" import web "$TMP/view.reg" --view 32 --dry-run
kill "$HOLDER" && wait "$HOLDER" 2>/dev/null
gives 0 "free again: import" import web "$TMP/view.reg"
