# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Nothing later without what came earlier, across threads, keys and processes of both widths: values
# that depend on each other, a node that dies at random instants with all that runs there, and the
# checkpoint as it lies there then.  With lag 0, nothing that was acknowledged is missing either.
# DEATHS=N (4) is for each lag of LAGS (100 0); with SERVER_DIES=yes every second one is of wineserver alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite order
node a
node b
KEY='Software\RegckptTest\Order'
CHAINS=2 LENGTH=4 PROCESSES=3
DEATHS=${DEATHS:-4}
SAMPLES=10 # at least, of a life
SEED=${SEED:-$RANDOM}
WIDTHS=64
! have_wine32 || WIDTHS=both
RANDOM=$SEED

chains() { python3 "$SRC/tests/hook/chains.py" "$@"; }
prefix_of() { local p=PREFIX_$1; echo "${!p}"; }
committed() { (($(status_number "$1" "$2" commits) >= $3)); }
gone() { [ -z "$(monitor_pids "$1")$(prefix_pids "$(prefix_of "$1")")" ]; }

# die NODE RESOURCE N: the power of the node is cut, or wineserver dies alone, and the monitor ends what is
# left; the checkpoint is copied as it lies there.
die()
{
    local pids
    if [ -n "${SERVER_DIES:-}" ] && (($3 % 2 == 0)); then
        pids=$(server_pids "$1")
        ok '[ -n "$pids" ] && kill -KILL $pids' "$what: of wineserver alone"
        ok 'wait_for $PATIENCE no_monitor "$node"' "$what: the monitor saves, and ends"
    else
        pids="$(monitor_pids "$1") $(prefix_pids "$(prefix_of "$1")")"
        # shellcheck disable=SC2086
        kill -KILL $pids 2>/dev/null # some end with others
        wait_for 5 no_monitor "$1"   # out of its last call
    fi
    cp "$STORE/$2/checkpoint.tdb" "$TMP/kept.tdb"
    wait_for 15 gone "$1" || prefix_kill "$(prefix_of "$1")"
    prefix_end "$(prefix_of "$1")"
}

# life NODE RESOURCE LAG N: from an online to a death, the N-th.
life()
{
    local node=$1 name=$2 lag=$3 what="lag $3, death $4" sampler sum conf=CONF_$1 commits=30
    local -a logs=()
    [ "$lag" != 0 ] || logs=(--logs "$TMP/logs-$name") commits=200
    rm -f "$TMP/stop"
    online "$node" "$name"
    is "$CODE" 0 "$what: online on node $node"
    is "$(status_text "$node" "$name" source)" "$SOURCE" "$what: changes come from the $SOURCE"
    REGCKPT_CONF=${!conf} chains sample "$STORE/$name/checkpoint.tdb" "$KEY" "$TMP/stop" >"$TMP/samples" 2>&1 &
    sampler=$!
    ok 'wait_for $PATIENCE committed $node $name $commits' "$what: $commits commits"
    if [ "$lag" != 0 ]; then # else the file hardly ever rests
        ok 'wait_for $PATIENCE grep -q "^different $SAMPLES" "$TMP/samples"' "$what: $SAMPLES samples that differ"
    fi
    sleep "0.$((RANDOM % 900 + 100))" # no condition: the instant is random
    die "$node" "$name" "$4"
    touch "$TMP/stop"
    ok 'wait $sampler' "$what: no sample had a link ahead"
    grep -v '^different' "$TMP/samples" | sed 's/^/    /'
    if chains in-commit "$TMP/kept.tdb"; then
        IN_COMMIT=$((IN_COMMIT + 1))
        echo "    it was in the middle of a commit"
    fi
    run chains check "$TMP/kept.tdb" "$KEY" "${logs[@]}"
    is "$CODE" 0 "$what: the checkpoint as it lies there holds nothing later without what came earlier"
    sed 's/^/    /' "$TMP/stdout"
    sum=$(sed -n 's/.* sum //p' "$TMP/stdout")
    ok '((${sum:-0} > LAST_SUM))' "$what: the numbers went on"
    LAST_SUM=${sum:-0}
}

# lives LAG
lives()
{
    local lag=$1 name=lag$1 node i
    LAST_SUM=0 IN_COMMIT=0
    mkdir "$TMP/logs-$name"
    on a regckpt create "$name" --lag "$lag" --command \
        "$(winpath "$BUILD/out/hook/chainer64.exe") drive $KEY $CHAINS $LENGTH $PROCESSES $WIDTHS $(winpath "$TMP/logs-$name")"
    is "$CODE" 0 "a resource with lag $lag"
    on a regckpt add "$name" "$KEY" --future --view 64
    for ((i = 1; i <= DEATHS; i++)); do
        node=a # one time in three it comes back where it died, and finds its ring
        ((i % 3 == 2)) || node=b
        life $node "$name" "$lag" $i
    done
    node=a
    online $node "$name"
    is "$CODE" 0 "lag $lag: online on node $node"
    offline $node "$name"
    is "$CODE" 0 "lag $lag: offline"
    run chains check "$STORE/$name/checkpoint.tdb" "$KEY"
    is "$CODE" 0 "lag $lag: and its checkpoint is fine"
    on $node regckpt delete "$name"
    echo "    $IN_COMMIT of $DEATHS deaths were in the middle of a commit"
}

echo "SEED=$SEED DEATHS=$DEATHS"
on a regckpt init
for lag in ${LAGS:-100 0}; do
    lives "$lag"
done
