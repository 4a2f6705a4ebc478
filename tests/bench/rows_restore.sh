# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Restoring a key into a prefix that does not have it, against regedit /S of the same data.  Each round
# has a prefix of its own, booted; both sides go into it, in turn first, all of it on one CPU.
title "Restore of $MANY values into a fresh prefix, all on CPU $CPU"
KEY=$ALL\\Restore
restore_ms=() online_ms=() program_ms=() regedit_ms=() empty_ms=()

# restore_by_regedit NODE: both files, the one without content for what any start costs.
restore_by_regedit()
{
    took on "$1" pinned "$WINE" regedit.exe /S "$(winpath "$TMP/empty.reg")"
    empty_ms+=("$TOOK")
    took on "$1" pinned "$WINE" regedit.exe /S "$(winpath "$TMP/many.reg")"
    regedit_ms+=("$TOOK")
}

restore_by_online()
{
    local began log
    rm -f "$TMP/first"
    began=$(now_us)
    took on "$1" pinned timeout $ONLINE_SECONDS regckpt online restore
    online_ms+=("$TOOK")
    wait_for 20 test -s "$TMP/first"
    program_ms+=("$(calc "($(figure "$TMP/first" first) - $began) / 1000")")
    log=$(monitor_log "$1" restore)
    restore_ms+=("$(calc "$(log_ms "$log" ' restored ') - $(log_ms "$log" ' looking at ')")")
}

node_pinned source
fill source "$KEY" "$MANY"
must source "$WINE" reg.exe add "HKLM\\$KEY" /v First /d there /f /reg:64
must source "$WINE" regedit.exe /E "$(winpath "$TMP/many.reg")" "HKEY_LOCAL_MACHINE\\$KEY"
# Of the same encoding as the other.
printf 'Windows Registry Editor Version 5.00\r\n\r\n' | iconv -t UTF-16 >"$TMP/empty.reg"
resource source restore "$REGBENCH first $KEY First $(winpath "$TMP/first")" "$KEY"
dump source "$KEY" "$TMP/wanted"
node_end source
for ((round = 1; round <= ROUNDS; round++)); do
    node_pinned "r$round"
    ((round % 2)) || restore_by_regedit "r$round"
    ((round % 2)) || delete_key "r$round" "$KEY"
    restore_by_online "r$round"
    if ((round == 1)); then
        ok 'dump r1 "$KEY" "$TMP/live" && same "$TMP/wanted" "$TMP/live"' "online restores all of it"
    fi
    must "r$round" regckpt offline restore
    delete_key "r$round" "$KEY"
    ((round % 2 == 0)) || restore_by_regedit "r$round"
    if ((round == 1)); then
        ok 'dump r1 "$KEY" "$TMP/live" && same "$TMP/wanted" "$TMP/live"' "and so does regedit"
    fi
    node_end "r$round"
done
restored=$(median "${restore_ms[@]}")
regedit=$(median "${regedit_ms[@]}")
empty=$(median "${empty_ms[@]}")
alone=$(calc "$regedit - $empty")
row "regckpt: the key restored and compared (the monitor's log)" "$restored" ms
row "regckpt: all of 'regckpt online', until it returns" "$(median "${online_ms[@]}")" ms
row "regckpt: from its start to the program's first value read" "$(median "${program_ms[@]}")" ms
row "regedit /S of the same data, its start included" "$regedit" ms
row "regedit /S of an empty file: what its start takes" "$empty" ms
row "restore / regedit /S without its start" "$(calc "$restored / $alone" %.2f)" x 0.2
row "all of 'regckpt online' / all of regedit /S" \
    "$(calc "$(median "${online_ms[@]}") / $regedit" %.2f)" x
