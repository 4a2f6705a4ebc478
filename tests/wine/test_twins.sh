# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Keys that are named by NULs alone, and keys whose names differ by NULs at the end: Wine's own picture writes
# "a" for both of "a" and "a" with a NUL, and nothing for the name of one NUL, which directly below the
# registered key looks like the registered key itself.  Each pattern of such keys is captured, found again
# by a scan that somebody without the hook caused, restored on another node, and goes through a hive.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite twins
node a
node b
KEY='Software\RegckptTest\Twins'
wine_up a
wine_up b
on a regckpt init
on a regckpt create app --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"

# pattern LINE...: "key PATH" and "value PATH NAME" lines of regdump, in which 0 is a NUL and other letters stand for
# themselves; the registered key is ".".
hex_of()
{
    local text=$1 i out=
    [ "$text" != . ] || { printf .; return; }
    for ((i = 0; i < ${#text}; i++)); do
        case ${text:i:1} in
        0) out+=0000 ;;
        /) out+=/ ;;
        *) out+=$(printf '%02x00' "'${text:i:1}") ;;
        esac
    done
    printf %s "$out"
}
pattern()
{
    local line words
    for line in "$@"; do
        read -ra words <<<"$line"
        case ${words[0]} in
        key) echo "key $(hex_of "${words[1]}") - plain" ;;
        class) echo "key $(hex_of "${words[1]}") $(hex_of "${words[2]}") plain" ;;
        value) echo "value $(hex_of "${words[1]}") $(hex_of "${words[2]}") 3 $(hex_of "${words[3]}")" ;;
        esac
    done | sort
}
# equal NODE FILE: the live key and the checkpoint are what the file says.
lives() { dump "$1" "$KEY" "$TMP/live" && same "$2" "$TMP/live"; }
holds() { ckptdump app "$TMP/held" --key "$KEY" && same "$1" "$TMP/held"; }
has_come() { ckptdump app "$TMP/seen" --quick --key "$KEY" >/dev/null && cmp -s "$1" "$TMP/seen"; }
script() { python3 "$SRC/tests/randomreg.py" script "$1" "$2"; }

R='key .'
patterns=(
    # Of the registered key and the one named by a NUL, which has values?
    "$R|key 0|value 0 v 1"
    "$R|value . v 1|key 0|value 0 v 1"
    "$R|value . v 1|key 0|key 0/x|value 0/x v 2"
    "$R|key 0"
    "$R|key a|value a v 1|class 0 k"
    "$R|key 0|key 0/0|value 0/0 v 1|key 0/0/0|value 0/0/0 0 1"
    # More NULs.
    "$R|key 0|key 00|value 00 v 2|key 000|value 000 v 3"
    "$R|key 00|value 00 v 2|key 000|value 000 v 2"
    "$R|key 00|key 00/x|key 000|key 000/x"
    "$R|key 0|value 0 v 1|key 000|value 000 v 3|key 0a|value 0a v 4"
    "$R|value . v 9|key 0|key 0/b|key 00|key 00/a|value 00/a v 1"
    # Two of one path, alike and not, with and without sections of their own.
    "$R|key a|value a v 1|key a0|value a0 v 1"
    "$R|key a|value a v 1|key a0|value a0 v 2|value a0 w 3"
    "$R|key a|key a/b|value a/b v 1|key a0|key a0/c|value a0/c v 2"
    "$R|key a|key a/c|value a/c v 1|key a0|key a0/b|value a0/b v 2"
    "$R|key a|key a/b|value a/b v 1|key a0|key a0/B|value a0/B v 2"
    "$R|key a|key a/b|value a/b v 1|key a0|key a0/b|value a0/b v 2"
    "$R|key a|key A0|key A0/b|key a00|value a00 v 1|key c|key c/D|key C0|key C0/d"
    "$R|key a|key a/b|key a0|value a0 v 1"
    "$R|key a|key a/b|class a0 k"
    "$R|key a|key a0|key a0/b|key a00|key a00/b|value a00/b 0 1"
    "$R|key a0|key a0/b|key a00|key a00/b|value a00/b v0 1"
    "$R|key a|key a/0|value a/0 v 1|key a/00|value a/00 v 1|key a0|key a0/0|value a0/0 v 2|key a0/00|value a0/00 v 3"
    "$R|key m|key m/n|key m/n/a|value m/n/a v 1|key m/n/a0|key m/n/a0/x|key m/n0|key m/n0/a|value m/n0/a v 2"
)
ROOTED=11 # of them need the registered key
count=${#patterns[@]}
split() { IFS='|' read -ra lines <<<"${patterns[$1]}"; }
for ((i = 0; i < count; i++)); do
    split $i
    pattern "${lines[@]}" >"$TMP/p$i"
done
# all_from N: all of them, each below a key of its own, whose letters begin with the N-th.
all_from()
{
    local i line words sub all=("$R" "value . v 1")
    for ((i = 0; i < count; i++)); do
        sub=k$(printf %02d $(((i + $1) % count)) | tr 0123456789 ABCDEFGHIJ)
        split $i
        for line in "${lines[@]}"; do
            read -ra words <<<"$line"
            [ "${words[1]}" = . ] && words[1]=$sub || words[1]=$sub/${words[1]}
            all+=("${words[*]}")
        done
    done
    pattern "${all[@]}"
}
# play FROM TO: makes the live key of node a the one content, which was the other.
play()
{
    script "$1" "$2" >"$TMP/script"
    on a "$WINE" "$PE/regplay64.exe" "$KEY" "$(winpath "$TMP/script")"
}

# --- captured when the key is registered ---
pattern "$R" >"$TMP/none"
before=$TMP/none
for ((i = 0; i < ROOTED; i++)); do
    play "$before" "$TMP/p$i"
    before=$TMP/p$i
    ok 'lives a "$TMP/p$i"' "${patterns[i]}: the registry takes it"
    on a regckpt add app "$KEY" --view 64
    ok '((CODE == 0)) && holds "$TMP/p$i"' "... add captures it"
    on a regckpt remove app "$KEY"
done
all_from 0 >"$TMP/all"
all_from 1 >"$TMP/other"
play "$before" "$TMP/all"
ok 'lives a "$TMP/all"' "all patterns of names, each below a key"
on a regckpt add app "$KEY" --view 64
ok '((CODE == 0)) && holds "$TMP/all"' "... add captures them"
on a regckpt show app "$KEY"
SHOWN='\kAG\\x0000\x0000\x0000'
ok '((CODE == 0)) && grep -qF "$SHOWN" "$TMP/stdout"' "show"
on a regckpt verify app
is "$CODE" 0 "verify"
on a regckpt diff app
is "$CODE" 0 "diff finds nothing"

# --- files ---
on a regckpt export app "$TMP/all.hive" --hive
ok 'python3 "$SRC/tests/hivedump.py" "$TMP/all.hive" >"$TMP/walked" && same "$TMP/all" "$TMP/walked"' "a hive carries them"
on a regckpt export app "$TMP/all.reg"
ok '((CODE != 0)) && grep -q NUL "$TMP/stderr"' "a .reg file has no words for them, and export says so"
on a regckpt diff app --from live --to "$TMP/all.hive"
is "$CODE" 0 "diff with the hive finds nothing"

# --- by a program with the hook, on a node that has nothing ---
script "$TMP/all" "$TMP/other" >"$TMP/script"
on a regckpt set app --command "$(winpath "$PE/regplay64.exe") $KEY $(winpath "$TMP/script")"
on b timeout $PATIENCE regckpt run app
is "$CODE" 0 "a program on the other node finds all of them and makes others"
ok 'lives b "$TMP/other"' "it has made them"
ok 'holds "$TMP/other"' "the checkpoint has followed"
on b regckpt import app "$TMP/all.hive"
is "$CODE" 0 "import of the hive"
ok 'holds "$TMP/all"' "... brings the first back"

# --- while it is online, by others ---
on a regckpt set app --command "$(winpath "$PE/svcwriter64.exe") run Software\\RegckptTest\\Writer 0 100"
play "$TMP/all" "$TMP/other"
online a app
is "$CODE" 0 "online on the first node, over others of such names"
ok 'lives a "$TMP/all"' "the registry is equal"
play "$TMP/all" "$TMP/other"
ok 'wait_for $PATIENCE has_come "$TMP/other"' "a scan finds what somebody else has made of them"
before=$TMP/other
for ((i = 0; i < ROOTED; i++)); do
    play "$before" "$TMP/p$i"
    before=$TMP/p$i
    ok 'wait_for $PATIENCE has_come "$TMP/p$i"' "${patterns[i]}: a scan finds it"
done
offline a app
is "$CODE" 0 "offline"
ok 'lives a "$before" && holds "$before"' "both are equal at the end"
