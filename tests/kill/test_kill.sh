# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Random kills (killtest.py): of the program, its children, the host, the monitor, wineserver, or all at
# once, while several processes and threads write.  Nothing that was acknowledged may be missing after
# that.  KILLS=N of them; SEED=N makes the same choices again; LAG=MS for a lag other than 0 and 100 in
# turn; VICTIMS="host monitor" for some alone; KEEP=DIR gets the notes of a round that went wrong.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite kill
KILLS=${KILLS:-60}
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
KEY='Software\RegckptTest\Kill'
node a
node b
export PREFIX_a CONF_a PREFIX_b CONF_b STORE

on a regckpt init
on a regckpt create app --history 100000 --command \
    "$(winpath "$BUILD/out/kill/killwriter64.exe") $KEY $(winpath "$TMP/killed/now")"
is "$CODE" 0 "a resource"
on a regckpt add app "$KEY" --future --view 64
! have_wine32 || on a regckpt add app "$KEY" --future --view 32
is "$CODE" 0 "its keys"
echo "KILLS=$KILLS SEED=$SEED"
run python3 "$SRC/tests/kill/killtest.py" "$KILLS" "$SEED" "${LAG:-0 0 100}"
cat "$TMP/stdout"
is "$CODE" 0 "$(tail -n 1 "$TMP/stdout")"
