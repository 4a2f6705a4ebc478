# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What a commit costs, against TDB alone and against the least that storage allows.
title "A commit to storage, checkpoints of $FEW and of $MILLION values, on CPU $CPU"
mkdir "$TMP/commit"
run pinned "$BENCH/bench_commit" "$TMP/commit" "$FEW" "$MILLION" $((ROUNDS * 12))
[ "$CODE" = 0 ] || sed 's/^/    /' "$TMP/stderr"
cp "$TMP/stdout" "$TMP/commit.out"
rm -rf "$TMP/commit"
us() { figure "$TMP/commit.out" "$1"; }
row "fdatasync of one block alone" "$(calc "$(us fdatasync) / 1000" %.2f)" ms
for changes in 1 100; do
    what="$changes changes"
    [ $changes != 1 ] || what="1 change"
    for size in few many; do
        count=$FEW
        [ $size = few ] || count=$MILLION
        row "$what, $count values: bare TDB" "$(calc "$(us tdb-$size-$changes) / 1000" %.2f)" ms
        row "$what, $count values: the checkpoint" \
            "$(calc "$(us ours-$size-$changes) / 1000" %.2f)" ms
        row "... checkpoint / bare TDB" "$(calc "$(us ours-$size-$changes) / $(us tdb-$size-$changes)" %.2f)" x
    done
    limit=
    [ $changes != 1 ] || limit=1.2
    row "$what: $MILLION values / $FEW values" \
        "$(calc "$(us ours-many-$changes) / $(us ours-few-$changes)" %.2f)" x $limit
done
for changes in 1 100; do
    what="$changes changes"
    [ $changes != 1 ] || what="1 change"
    row "$what, $FEW values: without history" "$(calc "$(us ours-few-plain-$changes) / 1000" %.2f)" ms
    row "... with history / without" "$(calc "$(us ours-few-$changes) / $(us ours-few-plain-$changes)" %.2f)" x
done
