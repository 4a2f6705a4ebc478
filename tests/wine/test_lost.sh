# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A checkpoint that is lost, or cannot be read, while the last good one is there: every command that meets it
# says what happened and offers the last good one by a command, and that command is carried out as it stands
# there and brings the resource online with the last good content.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite lost
node a
KEY='Software\RegckptTest\Lost'
CKPT=$STORE/app/checkpoint.tdb
wine_up a
on a regckpt init
set_value a "$KEY" Mode good
on a regckpt create app --command "ping.exe -n 600 127.0.0.1"
on a regckpt add app "$KEY" --view 64
online a app
offline a app
is "$CODE" 0 "a clean offline: the last good content"
online a app
set_value a "$KEY" Mode later
ok 'wait_for $PATIENCE in_checkpoint app Mode later' "a change after it"
kill -KILL "$(monitor_pids a)"
offline a app
ok 'in_checkpoint app Mode later' "an end that is not clean: the last good one stays"
cp "$CKPT" "$TMP/later.tdb"

# Root may read everything: for one situation it must not.
HAND=()
hand() { on a "${HAND[@]}" timeout $PATIENCE "$@"; }

# tells WHERE CODE WORDS...: what the last command said, with the way out.
tells()
{
    local where=$1 verb=$2 code=$3 words=$4
    ok '((CODE == code)) && grep -Eq "$words" "$TMP/$where"' "... $verb says what happened"
    ok 'grep -Eq "\"regckpt rollback app\" puts the last good checkpoint, of 2[0-9-]* [0-9:]*," "$TMP/$where"' \
        "... and offers the last good one"
}

# lost WHAT ERROR WORDS KEPT [VERB...]: the checkpoint is broken; ERROR is the commands' exit code, VERBs those
# that can do nothing either.
lost()
{
    local what=$1 error=$2 words=$3 kept=$4 verb command before
    shift 4
    before=$(find "$STORE/app" -name 'checkpoint.damaged.*' | wc -l)
    echo "    the checkpoint is $what:"
    for verb in online verify "$@"; do
        hand regckpt $verb app
        tells stderr "$verb" "$error" "$words"
    done
    hand regckpt status app
    tells stdout status "$((error == 2 ? 2 : 1))" "$words"
    hand regckpt doctor app
    tells stdout doctor 1 "$words"
    command=$(sed -n 's/.*"\(regckpt rollback app\)".*/\1/p' "$TMP/stdout")
    hand $command --dry-run
    ok '((CODE == 0)) && grep -Eq "$words" "$TMP/stdout"' "... its dry run does"
    hand $command
    is "$CODE" 0 "... what is offered is done"
    is "$(($(find "$STORE/app" -name 'checkpoint.damaged.*' | wc -l) - before))" "$kept" "... what was there is kept"
    hand regckpt online app
    is "$CODE" 0 "... then it goes online"
    is "$(value a "$KEY" Mode)" good "... with the last good content"
    hand regckpt offline app
    is "$CODE" 0 "... and offline"
    cp "$TMP/later.tdb" "$CKPT"
}

rm "$CKPT"
lost gone 2 'checkpoint of "app" is gone' 0 repair
: >"$CKPT"
lost empty 2 'it has only 0 bytes' 1 repair
dd if=/dev/zero of="$CKPT" bs=100 count=1 conv=notrunc 2>/dev/null
lost 'without its head' 2 'does not begin as a TDB file' 1
# In a value: what online reads first, the head, is whole, and the monitor finds it.
python3 - "$CKPT" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.rindex("later".encode("utf-16-le"))
while at >= 0:
    data[at] ^= 1
    at = data.rfind("later".encode("utf-16-le"))
open(sys.argv[1], "wb").write(data)
END
lost 'damaged in a value' 2 'is damaged' 1
if HAND=(setpriv --bounding-set=-dac_override,-dac_read_search) && "${HAND[@]}" true 2>/dev/null; then
    chmod 000 "$CKPT"
    lost 'not to be read' 111 "cannot open the checkpoint .*Permission denied.* with mode 0000.*chmod 600 $CKPT" 1 repair
else
    skip 16 "rights cannot be given up here"
fi

# Nor is there a last good one: then that is not offered.
HAND=()
: >"$CKPT"
cp "$STORE/app/last-good.tdb" "$TMP/good.tdb"
: >"$STORE/app/last-good.tdb"
hand regckpt online app
ok '((CODE == 2)) && grep -q "last good checkpoint cannot be used either: .*last-good.tdb" "$TMP/stderr"' \
    "a last good one that is no checkpoint"
hand regckpt rollback app
is "$CODE" 2 "... is not put back"
rm "$STORE/app/last-good.tdb"
hand regckpt rollback app
ok '((CODE == 2)) && grep -q "no last good checkpoint of it" "$TMP/stderr"' "none at all"
ok '[ ! -s "$CKPT" ]' "... and nothing was touched"
