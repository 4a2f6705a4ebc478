# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# diff where no Wine is needed: the checkpoint, points of its history and files against each other, in
# both directions.  Against the live registry: tests/wine/test_restore_local.sh.
. "$(dirname "$0")/../lib.sh"
suite diff
STORE=$TMP/store
export REGCKPT_STORE=$STORE
KEY='Software\Vendor\App'

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
# differs FROM TO LINES: the lines of values and keys that diff prints, in its order, joined by "; ".
differs()
{
    gives "$([ -z "$3" ] && echo 0 || echo 1)" "diff from $1 to $2" diff app --from "$1" --to "$2" "${@:4}"
    is "$(sed -n 's/^  \([-+]\) /\1 /p' "$TMP/stdout" | tr -s ' ' | paste -sd';')" "$3" \
        "diff from $1 to $2"
}

regckpt init >/dev/null
regckpt create app --service App >/dev/null
regckpt add app "$KEY" --view 64 --future --exclude Cache >/dev/null
regckpt add app 'Software\Vendor\Other' --view 64 --future >/dev/null
file one <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\App]
"Mode"="good"
"Port"=dword:00000050
[HKEY_LOCAL_MACHINE\Software\Vendor\App\Sub]
"a"="1"
[HKEY_LOCAL_MACHINE\Software\Vendor\Other]
"x"="y"
END
file two <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\App]
"Mode"="bad"
"Port"=-
[HKEY_LOCAL_MACHINE\Software\Vendor\App\New]
END
gives 0 "import" import app "$TMP/one.reg"
gives 0 "log" log app
FIRST=$(awk '$1 ~ /^[0-9]+$/ { n = $1 } END { print n }' "$TMP/stdout")
cp "$STORE/app/checkpoint.tdb" "$STORE/app/last-good.tdb"
gives 0 "import" import app "$TMP/two.reg"

# --- points ---
differs "$FIRST" checkpoint '- Port REG_DWORD 0x50;- Mode REG_SZ good;+ Mode REG_SZ bad;+ (key)'
says "- the content after change $FIRST, .* \+ in the checkpoint: 1 added, 1 changed, 1 removed" stdout
differs checkpoint "$FIRST" '- (key);- Mode REG_SZ bad;+ Mode REG_SZ good;+ Port REG_DWORD 0x50'
differs last-good checkpoint '- Port REG_DWORD 0x50;- Mode REG_SZ good;+ Mode REG_SZ bad;+ (key)'
differs 0 "$FIRST" '+ (key);+ Mode REG_SZ good;+ Port REG_DWORD 0x50;+ (key);+ a REG_SZ 1;+ (key);+ x REG_SZ y'
differs "$FIRST" last-good ''
says 'no difference' stdout
gives 1 "a time" diff app --from 1h
gives 100 "a change to come" diff app --from 100000
says 'the last one is change'

# --- files: what they name, and what is below it ---
differs checkpoint "$TMP/one.reg" '- (key);- Mode REG_SZ bad;+ Mode REG_SZ good;+ Port REG_DWORD 0x50'
differs "$TMP/one.reg" "$FIRST" ''
file sub <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\App\Sub]
"a"="2"
END
differs checkpoint "$TMP/sub.reg" '- a REG_SZ 1;+ a REG_SZ 2'
says 'Other' stdout
says 'not in the file' stdout
file gone <<'END'
[-HKEY_LOCAL_MACHINE\Software\Vendor\App\Sub]
END
differs "$TMP/gone.reg" checkpoint '+ (key);+ a REG_SZ 1'
differs "$TMP/sub.reg" "$TMP/gone.reg" '- a REG_SZ 2;- (key)'
file excluded <<'END'
[HKEY_LOCAL_MACHINE\Software\Vendor\App\Cache]
"node"="mine"
[HKEY_LOCAL_MACHINE\Software\Vendor\App\Sub]
"a"="1"
END
differs checkpoint "$TMP/excluded.reg" ''
regckpt export app "$TMP/all.reg"
differs checkpoint "$TMP/all.reg" ''
regckpt export app "$TMP/app.hive" --hive --key "$KEY"
differs checkpoint "$TMP/app.hive" '' --key "$KEY"
differs "$TMP/app.hive" "$FIRST" '- (key);- Mode REG_SZ bad;+ Mode REG_SZ good;+ Port REG_DWORD 0x50' --key "$KEY"
gives 100 "a hive of one of several keys" diff app --to "$TMP/app.hive"
says 'Say it by --key'
file foreign <<'END'
[HKEY_LOCAL_MACHINE\Software\Elsewhere]
END
gives 100 "a file with a key that is not registered" diff app --to "$TMP/foreign.reg"
says 'Line 3 .*not registered'
cp "$TMP/sub.reg" "$TMP/10m"
cd "$TMP" || exit 1
gives 1 "a file whose name could be a time" diff app --from checkpoint --to ./10m
gives 2 "no .reg file" diff app --from checkpoint --to /dev/null
says 'is no .reg file'

# --- programs, and what is refused ---
gives 1 "--json" diff app --from "$FIRST" --to checkpoint --json
is "$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d["from"] != d["to"] == "checkpoint", [(c["change"], c["what"], c.get("here", {}).get("data"),
      c.get("after", {}).get("data")) for c in d["differences"]])' "$TMP/stdout")" \
    "True [('removed', 'value', 80, None), ('changed', 'value', 'good', 'bad'), ('added', 'key', None, None)]" \
    "... the same for programs"
gives 100 "neither a point nor a file" diff app --to nowhere
says 'none of live, checkpoint, last-good, the number of a change, a time, or a file'
gives 100 "twice the same" diff app --from checkpoint
says 'both "checkpoint"'
gives 100 "a bad view" diff app --to "$TMP/one.reg" --view 16
ok '[ "$(md5sum <"$STORE/app/checkpoint.tdb")" = "$(regckpt diff app --from 0 --to checkpoint >/dev/null; md5sum <"$STORE/app/checkpoint.tdb")" ]' \
    "diff changes nothing"
