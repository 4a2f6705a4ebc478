# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The command where no Wine is needed: stores, resources, keys by name, what it prints and refuses,
# and with which exit codes.  HOME has no prefix, so the prefix can never be read here.
. "$(dirname "$0")/../lib.sh"
suite command
STORE=$TMP/store
export REGCKPT_STORE=$STORE

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

# is_json: the last run printed one JSON text, and ASCII only.
is_json() { ok 'python3 -m json.tool <"$TMP/stdout" >"$TMP/json"' "... prints JSON" &&
    ok '! LC_ALL=C grep -q "[^ -~]" "$TMP/stdout"' "... in ASCII"; }

# --- usage ---
gives 0 "--help" --help
says 'Usage: regckpt VERB' stdout
for verb in $(regckpt --help | awk '/^  [a-z]/ { print $1 }'); do
    gives 0 "$verb --help" "$verb" --help
    says "Usage: regckpt $verb" stdout
done
gives 0 "--version" --version
says '^regckpt [0-9]' stdout
gives 100 "no verb"
says 'verb is missing'
gives 100 "unknown verb" statsu
says 'Did you mean "status"'
gives 100 "nothing near" frobnicate
ok '! grep -q "Did you mean" "$TMP/stderr"' "... and no guess"
gives 100 "unknown option in front" --frob list
gives 100 "unknown option" list --frob
says 'no option --frob.*list --help'
gives 100 "option without its value" list --store
says 'needs a value'
gives 100 "a flag with a value" list --json=yes
says 'takes no value'
gives 100 "a word too many" init web
says 'too many'
gives 100 "a word missing" show
says 'missing'
gives 100 "--json where there is none" delete web --json
run sh -c 'regckpt --help >/dev/full'
is "$CODE" 111 "output to a full device: exit code"
says 'No space left'

# --- settings ---
gives 100 "no store" list
says 'no store.*regckpt init'
gives 100 "no store, with --json" list --json
says '"error"' stdout
is_json
REGCKPT_STORE=relative gives 100 "relative REGCKPT_STORE" list
says 'absolute'
echo 'stroe = /x' >"$TMP/bad.conf"
REGCKPT_CONF=$TMP/bad.conf gives 100 "unknown setting" list
says 'bad.conf, line 1.*stroe'
REGCKPT_CONF=$TMP/none.conf gives 100 "missing configuration" list
says 'none.conf'

# --- init ---
gives 0 "init" init
says "Made the store $STORE" stdout
is "$(stat -c %a "$STORE")" 700 "a store is its owner's"
gives 0 "init again" init
says 'already' stdout
gives 0 "init --json" init --json
is_json
mkdir "$TMP/other" && touch "$TMP/other/file"
gives 2 "init in another directory" init --store "$TMP/other"
gives 111 "init below what is not there" init --store "$TMP/no/such/dir"
gives 2 "init on a file" init --store "$TMP/other/file"
if mkdir "$TMP/ro" && mount -t tmpfs -o ro,size=1m none "$TMP/ro" 2>/dev/null; then
    echo "$TMP/ro" >>"$TMP/mounts"
    gives 111 "init where nothing can be written" init --store "$TMP/ro/s"
    says "$TMP/ro"
else
    skip 2 "no mounts here: a store that cannot be written"
fi
(cd "$TMP" && gives 0 "relative --store" init --store ./relative)
ok '[ -d "$TMP/relative" ]' "... is below the current directory"

# --- create, set, list, delete ---
gives 0 "list of an empty store" list
says 'no resources' stdout
gives 0 "create" create web --service Web --lag 50
gives 100 "create again" create web --service Web
says 'web'
gives 100 "create without what" create none
says '--service'
gives 100 "create with both" create none --service a --command b
says 'exclude each other'
gives 100 "create with a bad lag" create none --service a --lag soon
says 'lag.*soon'
gives 100 "create with a bad policy" create none --service a --on-storage-error maybe
gives 100 "create with a relative prefix" create none --service a --prefix wine
for name in a/b .hidden -x '' "$(printf '%064d' 0)" 'a b'; do
    gives 100 "create with the name '$name'" create --service a -- "$name"
done
gives 0 "create with lag 0" create app --command 'C:\app.exe --x "y z"' --lag 0 \
    --on-storage-error stop
says 'hook'
gives 100 "create with lag 0 that is to go on" create none --service a --lag 0 \
    --on-storage-error continue
says 'does not go with lag 0.*--lag 100'
gives 0 "list" list
says '^web +service +Web' stdout
says '^app +program +C:\\app.exe --x "y z"' stdout
gives 0 "list --json" list --json
is_json
is "$(python3 -c 'import json,sys
for r in json.load(open(sys.argv[1]))["resources"]:
    print(r["resource"], r["properties"]["lag"])' "$TMP/json" |
    paste -sd,)" "app 0,web 50" "... with names and properties"
gives 0 "--json in front of the verb" --json list
is_json
gives 0 "set" set web --lag 75 --history 1M
says 'lag is now "75"' stdout
gives 100 "set nothing" set web
gives 100 "set a bad value" set web --history lots
gives 100 "set of an unknown resource" set wbe --lag 1
says 'Did you mean "web"'
gives 0 "show" show web
says 'lag +75' stdout
says 'history +1048576' stdout
gives 100 "set: with lag 0 a program cannot go on" set app --on-storage-error continue
says 'does not go with lag 0'
gives 0 "set: lag 0 where the program goes on" set web --lag 0
says 'on-storage-error counts again with a lag'
gives 0 "show: it does not then" show web
says 'on-storage-error +stop \(always with lag 0\)' stdout
gives 0 "show --json: it does not then" show web --json
says '"on-storage-error": "stop"' stdout
gives 0 "set: a lag, and what was set before" set web --lag 75 --on-storage-error continue
gives 0 "show: it counts again" show web
says 'on-storage-error +continue' stdout
gives 0 "delete" delete app
gives 100 "show of a deleted one" show app
says 'There are: web'
ok '[ ! -e "$STORE/app" ]' "... and its directory is gone"

# --- keys ---
gives 100 "backslashes eaten by the shell" add web SoftwareVendorApp --view 64
says 'single quotes'
gives 100 "leading backslash" add web '\Software\Vendor' --view 64
says 'begins with a backslash'
gives 100 "HKCU" add web 'HKCU\Software\Vendor' --view 64
says 'HKEY_LOCAL_MACHINE'
gives 100 "slashes" add web Software/Vendor/App --view 64
gives 100 "empty key" add web '' --view 64
gives 100 "view that cannot be found out" add web 'Software\Vendor\App'
says '--view 64 or --view 32'
gives 100 "unknown view" add web 'Software\Vendor\App' --view 16
for key in Software 'HKLM\System\CurrentControlSet\Services' 'Software\Wine' \
    'Software\Wow6432Node'; do
    gives 100 "broad key $key" add web "$key" --view 64
    says '--broad'
done
gives 0 "add without a prefix" add web 'HKLM\Software\Vendor\App\' --view 64
says 'not captured' stdout
says 'prefix could not be read'
gives 100 "the same again" add web 'software\VENDOR\app' --view 64
says 'registered already'
gives 0 "the same in the other view" add web 'Software\Vendor\App' --view 32
gives 100 "the other view by its physical name" add web 'Software\Wow6432Node\Vendor\App' --view 64
says 'same key as'
gives 100 "below a registered key" add web 'Software\Vendor\App\Sub' --view 64
says 'lies in'
gives 100 "above a registered key" add web 'Software\Vendor' --view 64
says 'holds'
gives 0 "a second resource" create db --service Db
gives 100 "a key of another resource" add db 'Software\Vendor\App' --view 64
says 'for web'
gives 100 "below a key of another resource" add db 'Software\Vendor\App\Sub' --view 32
says 'for web'
gives 100 "two keys, one of them bad" add db 'Software\Db' 'Software\Db\Sub' --view 64
gives 0 "... adds none" list db
says 'no registered keys' stdout
gives 0 "two keys" add db 'Software\Db' 'System\CurrentControlSet\Services\Db' --view 64 --json
is_json
gives 0 "a broad key" add db 'Software\Policies' --broad --view 64 --exclude 'Temp*' --future
gives 0 "list of keys" list db
says 'Software\\Policies +64 +not yet +future broad +Temp\*' stdout
gives 0 "list of keys --json" list db --json
is_json
gives 0 "exclude" exclude web 'Software\Vendor\App' --view 32 --exclude 'C*' --exclude-value 'Sub\*' --exclude 'C*'
says 'leaves out C\*, value Sub' stdout
gives 0 "exclude --json" exclude web 'Software\Vendor\App' --view 32 --include 'C*' --exclude-value '' --json
is_json
gives 100 "exclude of nothing" exclude web 'Software\Vendor\App' --view 32
says 'name a pattern'
gives 100 "exclude of a key in both views" exclude web 'Software\Vendor\App' --exclude x
says '--view'
gives 100 "exclude of a pattern that matches nothing" exclude web 'Software\Vendor\App' --view 32 --exclude '\Cache'
says 'matches no key'
gives 100 "exclude of an empty pattern" exclude web 'Software\Vendor\App' --view 32 --exclude ''
gives 100 "exclude of what is not UTF-8" exclude web 'Software\Vendor\App' --view 32 --exclude-value $'\xff'
gives 100 "add with such a pattern" add web 'Software\Excl' --view 64 --exclude 'Cache\'
gives 100 "include of what is not excluded" exclude web 'Software\Vendor\App' --view 32 --include 'C*'
says 'does not exclude "C\*"'
gives 0 "show of an uncaptured key" show web 'Software\Vendor\App'
says 'not captured yet' stdout
gives 0 "show --json" show web --json
is_json
gives 100 "show of a key that is not there" show web 'Software\Other'
says 'holds no key'
gives 100 "remove what is not registered" remove web 'Software\Other'
says 'Registered are'
gives 100 "remove what is there twice" remove web 'Software\Vendor\App'
says '--view'
gives 0 "remove with its view" remove web 'software\vendor\APP' --view 32
gives 100 "remove two, one of them unknown" remove db 'Software\Db' 'Software\Other'
gives 0 "... removes none" list db
says 'Software\\Db ' stdout
gives 0 "remove two" remove db 'Software\Db' 'Software\Policies'

# --- status, verify, what needs a resource that is online ---
gives 0 "status" status
says '^web: OFFLINE, never online' stdout
gives 0 "status of one" status web
says 'registered +1 keys, 1 not captured' stdout
gives 0 "status --json" status --json
is_json
gives 100 "status of an unknown one" status wbe
says 'Did you mean "web"'
gives 0 "verify" verify
says '^db: fine' stdout
gives 0 "verify --json" verify --json
is_json
tree_sum() { (cd "$STORE" && find . -type f -exec sha256sum {} + | sort -k 2 | sha256sum); }
before=$(tree_sum)
gives 0 "upgrade" upgrade
says '^db: has format 1, which is the newest: nothing to do' stdout
says '^web: has format 1' stdout
gives 0 "upgrade of one" upgrade web --json
is_json
ok 'grep -q "\"format\": *1" "$TMP/stdout" && ! grep -q "\"db\"" "$TMP/stdout"' "... with its format"
gives 100 "upgrade of an unknown one" upgrade wbe
says 'Did you mean "web"'
is "$(tree_sum)" "$before" "upgrade changes nothing where there is nothing to do"
gives 0 "offline of what is offline" offline web
says 'already' stdout
gives 100 "save of what is offline" save web
says 'is offline'
gives 100 "run of an unknown one" run wbe
REGCKPT_STORE=$TMP/nowhere gives 123 "run without a store" run web
gives 0 "create a program" create prog --command 'C:\p.exe'
gives 100 "wrap of a program" wrap prog
says 'nothing to wrap'
for verb in "diff web" "online web --dry-run" "wrap web" "online web"; do
    # shellcheck disable=SC2086
    run timeout 60 regckpt $verb
    ok '((CODE != 0))' "$verb without a prefix fails ($CODE)"
    says "$HOME/.wine"
done
gives 100 "online with a bad timeout" online web --timeout 0
gives 1 "doctor without a prefix" doctor web
says 'no +.*\.wine' stdout
says '^store +ok' stdout
gives 1 "doctor --json" doctor web --json
is_json
gives 1 "doctor without a store" doctor --store "$TMP/nowhere"
says '^store +no' stdout

# --- history and the way back ---
gives 0 "log of what has none" log web
says 'holds no change' stdout
gives 0 "log --json" log web --json
is_json
gives 100 "log with a bad time" log web --since yesterday
says '10m, 2h, 3d'
gives 0 "log with times" log web --since '2026-01-01 12:30' --until 0s --key 'Software\Vendor'
gives 100 "log of a bad key" log web --key Software/Vendor
gives 100 "log of an unknown one" log wbe
says 'Did you mean "web"'
gives 100 "rollback without a last good one" rollback web
says 'no last good checkpoint.*regckpt log web'
gives 100 "rollback to nothing" rollback web --to soon
says 'last-good.*10m'
gives 100 "rollback to a change to come" rollback web --to 1000
says 'the last one is change'
gives 100 "rollback of a key that is not registered" rollback web --to 0 --key 'Software\Other'
says 'regckpt list web'
gives 0 "rollback to where it is" rollback web --to 0
says 'nothing to do' stdout
gives 0 "rollback --dry-run" rollback web --to 0 --dry-run --json
is_json
gives 0 "repair of what is whole" repair web
says 'nothing to repair' stdout
gives 0 "repair --json" repair web --json
is_json

# --- owned elsewhere: another process holds the lock ---
perl -e 'use Fcntl; open(my $f, "+<", $ARGV[0]) or die;
    my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
    fcntl($f, 37, $lock) or die; # F_OFD_SETLK
    open(my $ready, ">", $ARGV[1]); close($ready); sleep 600' "$STORE/web/lock" "$TMP/held" &
HOLDER=$!
wait_for $PATIENCE test -e "$TMP/held"
for verb in "delete web" "set web --lag 10" "remove web 'Software\Vendor\App'" "save web" \
    "rollback web --to 0" "repair web"; do
    eval "gives 3 'owned elsewhere: $verb' $verb"
    says "$HOLDER"
done
gives 3 "owned elsewhere: add" add web 'Software\More' --view 64
gives 3 "owned elsewhere: online --dry-run" online web --dry-run
gives 0 "owned elsewhere: list" list web
gives 0 "owned elsewhere: show" show web
gives 0 "owned elsewhere: verify" verify web
run timeout 60 regckpt status web
says '^web: TAKEN' stdout
gives 0 "owned elsewhere: log" log web
gives 0 "held on this node by what no monitor looks after: offline ends it" offline web
says 'its monitor had gone' stdout
says "Ending process $HOLDER"
wait "$HOLDER" 2>/dev/null
is "$?" 137 "... by SIGKILL"
gives 0 "free again" set web --lag 80

# --- damaged, foreign, newer ---
CKPT=$STORE/web/checkpoint.tdb
cp "$CKPT" "$TMP/good.tdb"

# refuses 'WHAT' WORDS: every verb refuses the checkpoint as it is now, and leaves it alone.
refuses()
{
    local before words=$2 verb code
    before=$(sha256sum <"$CKPT")
    for verb in "show web" "list web" "verify web" "upgrade web" "upgrade" "set web --lag 1" \
        "add web 'Software\New' --view 64" "online web" "status web" "list" "status"; do
        eval "gives 2 '$1: $verb' $verb"
        ok 'grep -Eqi "$words" "$TMP/stdout" "$TMP/stderr"' "... says: $words"
    done
    gives 2 "$1: rollback without a last good one" rollback web
    gives 2 "$1: rollback to a point" rollback web --to 0
    gives 121 "$1: run web" run web
    gives 0 "$1: the other resource" show db
    # What a newer version registered cannot be known; what is damaged cannot be restored anyway.
    code=$([ "$1" = newer ] && echo 2 || echo 0)
    gives "$code" "$1: another resource's keys" add db "Software\\$RANDOM$RUN" --view 64
    is "$(sha256sum <"$CKPT")" "$before" "$1: the file is left alone"
    cp "$TMP/good.tdb" "$CKPT"
}
python3 - "$CKPT" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"on-storage-error") + 3
data[at] ^= 1
open(sys.argv[1], "wb").write(data)
PY
gives 2 "damaged: online names the ways out" online web
says 'regckpt repair web.*no last good checkpoint.*from a backup.*regckpt delete web'
refuses "damaged" 'damaged'

# --- the ways out of damage ---
cp "$CKPT" "$STORE/web/last-good.tdb"
printf '\377\377\377' | dd of="$CKPT" bs=1 seek="$(grep -abo 'on-storage-error' "$CKPT" |
    head -n 1 | cut -d: -f1)" conv=notrunc 2>/dev/null
cp "$CKPT" "$TMP/damaged.tdb"
gives 2 "damaged: rollback --key" rollback web --key 'Software\Vendor\App'
says 'leave --to and --key out'
gives 0 "damaged: rollback --dry-run" rollback web --dry-run
ok 'cmp -s "$CKPT" "$TMP/damaged.tdb"' "... changes nothing"
gives 0 "damaged: rollback puts back the last good one" rollback web
says 'checkpoint.damaged.1' stdout
ok 'cmp -s "$STORE/web/checkpoint.damaged.1" "$TMP/damaged.tdb"' "... and keeps the damaged one"
gives 0 "... which is fine" verify web
cp "$TMP/damaged.tdb" "$CKPT"
gives 1 "damaged: repair tells what is lost" repair web
says 'lost: .*properties' stdout
says 'checkpoint.damaged.2' stdout
gives 0 "... and makes it fine" verify web
gives 0 "... with its key" list web
says 'Software\\Vendor\\App' stdout
rm "$STORE/web/last-good.tdb"
cp "$TMP/damaged.tdb" "$CKPT"
gives 2 "damaged: repair without properties and a last good one" repair web --json
is_json
cp "$TMP/good.tdb" "$CKPT"
: >"$CKPT"
refuses "empty" 'checkpoint'
echo 'Dear diary' >"$CKPT"
refuses "foreign" 'not a checkpoint|not.*TDB'
python3 - "$SRC/tests" "$CKPT" <<'PY'
import ast, struct, sys
# The checksum of the independent reader, without the rest of that program.
tree = ast.parse(open(sys.argv[1] + "/ckptdump.py").read())
tree.body = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom, ast.FunctionDef)) or
             isinstance(n, ast.Assign) and not any(isinstance(c, ast.Call) for c in ast.walk(n))]
exec(compile(tree, "ckptdump", "exec"))
data = bytearray(open(sys.argv[2], "rb").read())
at = data.index(b"REGCKPT\0" + struct.pack("<I", 1))
content = b"REGCKPT\0" + struct.pack("<I", 2)
data[at:at + 12] = content
data[at - 8:at] = struct.pack("<Q", xxh64(b"format" + content))
open(sys.argv[2], "wb").write(data)
PY
refuses "newer" 'format 2|newer'
gives 0 "good again" verify
rm "$CKPT"
for verb in show online verify repair rollback; do
    gives 2 "gone: $verb" $verb web
    says 'checkpoint of "web" is gone.*no last good checkpoint.*backup.*regckpt delete web'
done
gives 2 "gone: status" status
says 'web: DAMAGED: The checkpoint of "web" is gone' stdout
gives 0 "gone: the other resource's keys" add db 'Software\Gone' --view 64
gives 0 "gone: delete" delete web
gives 0 "made again" create web --service Web
gives 0 "... with its key" add web 'Software\Vendor\App' --view 64 --future
truncate -s 100 "$CKPT"
gives 0 "delete of a damaged one" delete web
ok '[ ! -e "$STORE/web" ]' "... takes the kept ones along"
sed -i 's/format 1/format 9/' "$STORE/regckpt.store"
gives 2 "a newer store" list
says 'format 9'

# --- a full store ---
if mkdir "$TMP/small" && mount -t tmpfs -o size=80m none "$TMP/small" 2>/dev/null; then
    echo "$TMP/small" >>"$TMP/mounts"
    export REGCKPT_STORE=$TMP/small/s
    gives 0 "a small store" init
    gives 0 "... with a resource" create web --service Web
    gives 0 "... and a key" add web 'Software\Vendor' --view 64
    dd if=/dev/zero of="$TMP/small/fill" bs=4096 2>/dev/null
    cp "$REGCKPT_STORE/web/checkpoint.tdb" "$TMP/before.tdb"
    gives 111 "full: init" init
    says 'space|full'
    gives 111 "full: create" create more --service More
    says 'space|full|room'
    ok '[ ! -e "$REGCKPT_STORE/more" ]' "... leaves nothing behind"
    gives 0 "full: list" list
    gives 0 "full: show" show web
    gives 0 "full: verify" verify
    gives 0 "full: status" status
    gives 1 "full: doctor" doctor web
    says '^store: .* no ' stdout
    rm "$TMP/small/fill"
    gives 0 "room again" create more --service More
else
    skip 15 "no mounts here: a full store"
fi
