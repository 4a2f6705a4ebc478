# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An orderly move of a service between two nodes, there and back: the registered subtrees are the same on
# both, and nothing that was acknowledged is missing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite orderly
node a
node b
KEY='Software\RegckptTest\Move'
CONTENT='Software\RegckptTest\Content'
LOG=$TMP/writer.log

wine_up a
wine_up b
on a regckpt init
for n in a b; do
    on $n "$WINE" "$PE/svcwriter64.exe" install Mover "$KEY" "$(winpath "$LOG")" --interval 10
    is "$CODE" 0 "the service is installed on node $n"
done
fill a "$CONTENT" 2000 --odd
on a regckpt create mover --service Mover
on a regckpt add mover "$KEY" --future --view 64
is "$CODE" 0 "its key"
on a regckpt add mover "$CONTENT" --view 64
is "$CODE" 0 "and one with content of every kind"

touch "$TMP/restored"
: >"$TMP/restored"
for n in a b a b; do
    rm -f "$LOG"
    started=$(date +%s%N)
    online $n mover
    is "$CODE" 0 "online on node $n"
    echo "    $((($(date +%s%N) - started) / 1000000)) ms"
    ok 'wait_for $PATIENCE log_has "$LOG" 200' "the service writes on node $n"
    offline $n mover
    is "$CODE" 0 "offline on node $n"
    ok 'wait_for $PATIENCE no_monitor $n && wait_for $PATIENCE no_program $n svcwriter64' "no process of it is left"
    ok 'live_is_checkpointed $n mover "$KEY"' "node $n: its key and the checkpoint are equal"
    ok 'live_is_checkpointed $n mover "$CONTENT"' "node $n: the content and the checkpoint are equal"
    dump $n "$KEY" "$TMP/now"
    if [ -s "$TMP/restored" ]; then
        python3 "$SRC/tests/replay.py" --all --from "$TMP/restored" "$LOG" "$TMP/now" >"$TMP/verdict"
    else
        python3 "$SRC/tests/replay.py" --all "$LOG" "$TMP/now" >"$TMP/verdict"
    fi
    ok 'grep -q "^fits.* 0 newer ones missing" "$TMP/verdict"' \
        "what was there before and all acknowledged changes since, no more"
    sed 's/^/    /' "$TMP/verdict"
    cp "$TMP/now" "$TMP/restored"
    dump $n "$CONTENT" "$TMP/content.$n"
done
ok 'same "$TMP/content.a" "$TMP/content.b"' "the content is the same on both nodes"
ok 'same "$TMP/restored" "$TMP/now"' "and so is the service's own key"
