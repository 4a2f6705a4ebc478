# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What one scan costs: wineserver (NtSaveKey, during which it does nothing else), and the whole.
title "One scan, on all CPUs"
KEY=$ALL\\Scan
node scan
wine_up scan
# A host is found beside the program that starts it.
mkdir "$TMP/scan"
cp "$BENCH/bench_scan" "$STAGE_PKGLIBDIR"/regckpt-host* "$TMP/scan/"
for count in "$FEW" "$MANY"; do
    fill scan "$KEY\\$count" "$count"
    must scan "$TMP/scan/bench_scan" "$PREFIX_scan" "$KEY\\$count" $((ROUNDS * 4))
    cp "$TMP/stdout" "$TMP/scan.out"
    row "$count values: NtSaveKey" "$(calc "$(figure "$TMP/scan.out" save) / 1000" %.2f)" ms
    row "$count values: the whole: request, NtSaveKey, text read" \
        "$(calc "$(figure "$TMP/scan.out" scan) / 1000" %.2f)" ms
    row "$count values: ... and compared with the checkpoint's image" \
        "$(calc "$(figure "$TMP/scan.out" compare) / 1000" %.2f)" ms
done
node_end scan
