# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Random changes by racing threads and processes of both widths: what the hook reported, the checkpoint
# and the live registry must be one.  SEED=N runs one again; STEPS=N (changes a thread, 800) and
# ROUNDS=N make it longer, MANNERS="steady calm rough" (racer.c) are the ways of it, PROCESSES=N (4) race.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite random
node a
node b
KEY='Software\RegckptTest\Random'
RACERS=$BUILD/out/hook
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
STEPS=${STEPS:-800}
ROUNDS=${ROUNDS:-1}
PROCESSES=${PROCESSES:-4}
MANNERS=${MANNERS:-steady calm rough}
WIDTHS=64
! have_wine32 || WIDTHS=both

# equal NODE RESOURCE: are both keys in the checkpoint as they are in the registry?
equal()
{
    local view
    for view in 64 32; do
        live_is_checkpointed "$1" "$2" "$KEY" --view $view --without Volatile || return 1
    done
}
# dump_both NODE FILE
dump_both()
{
    dump "$1" "$KEY" "$2.64" --without Volatile --view 64 &&
        dump "$1" "$KEY" "$2.32" --without Volatile --view 32
}

# The racers are done, or one of them is gone with the driver waiting no more.
finished() { [ -s "$DONE" ] || no_program a "racer64.exe drive"; }
racing() { (($(status_number a "$1" hook_changes) > $2)); }

doomed_pids() { program_pids a '.exe" doomed '; program_pids a '.exe doomed '; }
two_doomed() { (($(doomed_pids | wc -l) == 2)); }

# all_ended: no worker is left.  A doomed process that came after the others were killed is ended too: a
# thread that was terminated may hold a lock of Wine's own, and then its process never ends.
all_ended()
{
    local -a late
    finished && return 0
    mapfile -t late < <(doomed_pids)
    ((${#late[@]} == 0)) || kill -KILL "${late[@]}" 2>/dev/null
    sleep 0.5
    return 1
}

# kill_doomed RESOURCE: ends the doomed processes one by one, while the others go on: the workers do at
# least until the last one is gone, a doomed one may hang already.
kill_doomed()
{
    local pid before
    local -a doomed
    wait_for $PATIENCE racing "$1" 1000 && wait_for $PATIENCE two_doomed || return 1
    mapfile -t doomed < <(doomed_pids)
    for pid in "${doomed[@]}"; do
        before=$(status_number a "$1" hook_changes)
        kill -KILL "$pid"
        wait_for $PATIENCE racing "$1" $((before + 200)) || finished || return 1
    done
}

# round MANNER SEED
round()
{
    local manner=$1 seed=$2 name=$1 view
    DONE=$TMP/$name.done
    rm -f "$DONE"
    echo "$manner, SEED=$seed STEPS=$STEPS PROCESSES=$PROCESSES"
    on a regckpt create "$name" --command \
        "$(winpath "$RACERS/racer64.exe") drive $manner $KEY $seed $STEPS $PROCESSES $WIDTHS $(winpath "$DONE")"
    is "$CODE" 0 "$name: a resource"
    for view in 64 32; do
        on a regckpt add "$name" "$KEY" --future --view $view
    done
    online a "$name"
    is "$CODE" 0 "$name: online"
    is "$(status_text a "$name" source)" "$SOURCE" "$name: changes come from the $SOURCE"
    if [ "$manner" = rough ]; then
        ok 'kill_doomed "$name"' "$name: processes killed in the middle"
    fi
    ok 'wait_for 600 all_ended && [ "$(cat "$DONE")" = fine ]' "$name: all workers came to their end"
    ok 'wait_for $PATIENCE equal a "$name"' "$name: checkpoint and registry are equal"
    ok 'racing "$name" $((STEPS * PROCESSES))' "$name: the hook reported $(status_number a "$name" hook_changes) changes"
    [ "$manner" = rough ] || sleep 1.5 # the longest until a scan settles what may have been somebody else
    is "$(status_number a "$name" unhooked)" 0 "$name: all processes were hooked"
    echo "    $(status_number a "$name" commits) commits, $(status_number a "$name" scans) scans," \
        "$(status_number a "$name" corrections) corrections"
    if [ "$manner" != rough ]; then
        is "$(status_number a "$name" corrections)" 0 "$name: no scan found what the hook had not told"
    fi
    ok 'equal a "$name"' "$name: they still are"
    offline a "$name"
    is "$CODE" 0 "$name: offline"
    ok 'equal a "$name"' "$name: they are after that"
    dump_both a "$TMP/$name.a"
    on a regckpt set "$name" --command "$(winpath "$RACERS/racer64.exe") idle"
    online b "$name"
    is "$CODE" 0 "$name: online on another node"
    dump_both b "$TMP/$name.b"
    for view in 64 32; do
        ok 'same "$TMP/$name.a.$view" "$TMP/$name.b.$view"' "$name: restored there, view $view"
    done
    offline b "$name"
    on a regckpt delete "$name"
}

wine_up a
on a regckpt init
for ((i = 0; i < ROUNDS; i++)); do
    for manner in $MANNERS; do
        round "$manner" $((SEED + i))
    done
done
