# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What must not be done: start from a checkpoint that is damaged, foreign or newer; own what another
# owns; start a program on a registry that could not be made equal; take a scan of another registry.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite refusals
node a
node b
KEY='Software\RegckptTest\Refusals'
LOG=$TMP/app.log
wine_up a
wine_up b # volatile keys live as long as the server
on a regckpt init
fill a "$KEY" 50
is "$CODE" 0 "a key"
on a regckpt create app --command "$(winpath "$PE/svcwriter64.exe") run $KEY\\Writer 0 20 --log $(winpath "$LOG")"
on a regckpt add app "$KEY" --view 64
is "$CODE" 0 "a resource"
CKPT=$STORE/app/checkpoint.tdb
cp "$CKPT" "$TMP/good.tdb"

# refused CODE PATTERN 'DESCRIPTION': online does not start from the checkpoint as it is now.
refused()
{
    local sum code=$1 pattern=$2 what=$3
    sum=$(sha256sum <"$CKPT")
    for verb in "online app" "verify app" "show app"; do
        on a timeout $PATIENCE regckpt $verb
        is "$CODE" "$code" "$what: $verb"
        ok 'grep -Eqi "$pattern" "$TMP/stderr" "$TMP/stdout"' "$what: $verb says $pattern"
    done
    is "$(sha256sum <"$CKPT")" "$sum" "$what: the file is left alone"
    ok 'no_program a svcwriter64' "$what: the program is not started"
    ok 'wait_for $PATIENCE no_monitor a' "$what: nothing stays owned"
    cp "$TMP/good.tdb" "$CKPT"
}
# One byte inside a record's data; tdbdump still reads it.
python3 - "$CKPT" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    at = data.find("Value 000004".encode("utf-16-le"), data.find(b"value:"))
    data[at + 2] ^= 1
    f.seek(0)
    f.write(data)
PY
refused 2 'damaged' "one flipped bit"
truncate -s $(($(stat -c %s "$CKPT") / 2)) "$CKPT"
refused 2 'damaged' "a file cut in half"
: >"$CKPT"
refused 2 'damaged|not a checkpoint|empty' "an empty file"
echo 'this is no checkpoint' >"$CKPT"
refused 2 'not a checkpoint|not.*regckpt' "a foreign file"
rm -f "$CKPT"
printf '{\nkey(5) = "hello"\ndata(5) = "world"\n}\n' | tdbrestore "$CKPT" >/dev/null 2>&1
refused 2 'not a checkpoint|not.*regckpt' "somebody else's TDB"

# Second owner.
online a app
is "$CODE" 0 "the good checkpoint is taken"
on b timeout $PATIENCE regckpt online app
is "$CODE" 3 "a second owner is refused"
ok 'grep -qw a "$TMP/stderr"' "... and told on which node the first is"
ok 'grep -q "$(monitor_pids a | head -n 1)" "$TMP/stderr"' "... and its process"
dump b "$KEY" "$TMP/none" >/dev/null
ok '[ ! -e "$TMP/none" ]' "... and changed nothing"
on b timeout $PATIENCE regckpt run app
is "$CODE" 120 "run by a second owner is refused"
on b timeout $PATIENCE regckpt delete app
is "$CODE" 3 "delete of what another owns is refused"
ok 'wait_for $PATIENCE a_program a svcwriter64' "the first goes on"
on b timeout $PATIENCE regckpt offline app
is "$CODE" 3 "offline on a node that does not own it"
on b regckpt status app
ok '[ $CODE = 1 ] && grep -q "$(monitor_pids a | head -n 1)" "$TMP/stdout"' \
    "status with another node's configuration says who holds it"
offline a app
is "$CODE" 0 "offline"

# A registry that cannot be made equal: in place of a key there is a volatile one, which cannot hold it.
rm -f "$LOG"
fill a 'Software\RegckptTest\Blocked\Volatile\Below' 5
is "$CODE" 0 "a key below"
on a regckpt add app 'Software\RegckptTest\Blocked' --view 64
is "$CODE" 0 "a key is captured that the other node cannot take"
dump a 'Software\RegckptTest\Blocked' "$TMP/want"
fill b 'Software\RegckptTest\Blocked' 0 --volatile
is "$CODE" 0 "and what it has there"
on b timeout $PATIENCE regckpt online app
is "$CODE" 111 "a restore that is not exact is an error"
ok 'grep -q Blocked "$TMP/stderr"' "... that names the key"
ok '[ ! -s "$LOG" ] && no_program b svcwriter64' "the program is not started"
ok 'wait_for $PATIENCE no_monitor b' "nothing stays owned"
ckptdump app "$TMP/still" --key 'Software\RegckptTest\Blocked'
ok 'same "$TMP/want" "$TMP/still"' "and the checkpoint holds what it held"
online a app
is "$CODE" 0 "the other node can go on"
offline a app

# Two names that differ in a NUL at the end, which NtSaveKey does not write: the order tells them apart.
fill a 'Software\RegckptTest\Twins' 1 --twins
is "$CODE" 0 "twins"
on a regckpt create twins --command "$(winpath "$PE/svcwriter64.exe") run $KEY\\Twins 1 1"
on a regckpt add twins 'Software\RegckptTest\Twins' --view 64
is "$CODE" 0 "twins are registered"
ok 'live_is_checkpointed a twins "Software\RegckptTest\Twins"' "and captured as two"
on b timeout $PATIENCE regckpt run twins
is "$CODE" 0 "and restored"
ok 'live_is_checkpointed b twins "Software\RegckptTest\Twins"' "as two"
