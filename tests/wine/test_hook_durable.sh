# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Lag 0, seen from the program: a call returns when its change is committed and not before; where
# nobody commits it fails within its bound, and what comes after it is refused before the real call.
# And what is written stays in the ring however the process or thread ends.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../hook_lib.sh"
suite hook_durable
node a
wine_up a

KEY='Software\RegckptHook'
IO_FAILED=1016 # ERROR_REGISTRY_IO_FAILED
LONG=60000     # a bound that is not reached
SHORT=300      # one that is

# fresh WIDTH [ringtool make's options]: the key as a run finds it, and a ring.
fresh()
{
    width=$1
    shift
    dir=$TMP/hook
    delete_key a "$KEY" "$width"
    set_value a "$KEY\\Durable" Old old "$width"
    set_value a "$KEY\\Durable" "" "" "$width"
    set_value a "$KEY\\Durable\\Old" "" "" "$width"
    set_value a "$KEY\\Durable\\Name" "" "" "$width"
    dump a "$KEY" "$TMP/before" --view "$width"
    hook_make "$dir" "$@" "1=$(physical "$width" "$KEY")"
}

# begin ACTION...: the program, in the background; its output is $TMP/said.  end: waits for it, sets CODE.
begin()
{
    : >"$TMP/said"
    WINEPREFIX=$PREFIX_a timeout $PATIENCE "$WINE" "$PE/hook_durable$width.exe" "$(hook_dll "$dir" "$width")" \
        "$@" >"$TMP/said" 2>"$TMP/said.err" </dev/null &
    PROGRAM=$!
}
end()
{
    CODE=0
    wait "$PROGRAM" || CODE=$?
    tr -d '\r' <"$TMP/said" >"$TMP/stdout"
    cp "$TMP/said.err" "$TMP/stderr"
}
says() { tr -d '\r' <"$TMP/said" | grep -qx "$1"; }
has_reported() { (($(ring_stat "$dir" counter) >= $1)); }
said_result() { sed -n "s/^$1 //p" "$TMP/stdout"; }

for width in $(widths); do
    # --- a call waits for the commit ---
    fresh "$width" --durable --wait $LONG
    begin sets 2
    ok 'wait_for $PATIENCE has_reported 1' "$width bits, lag 0: the change is in the ring"
    ok '[ ! -s "$TMP/said" ]' "... the call has not returned"
    is "$(value a "$KEY\\Durable" V0 "$width")" set "... though the value is set"
    "$RINGTOOL" cut "$dir" >"$TMP/changes"
    ok '[ ! -s "$TMP/said" ]' "... nor when the change was only read"
    "$RINGTOOL" drain "$dir" >>"$TMP/changes"
    ok 'wait_for $PATIENCE says "V0 0"' "... and returns when it is durable"
    ok 'wait_for $PATIENCE has_reported 2 && ! says "V1 0"' "... the next one waits again"
    "$RINGTOOL" drain "$dir" >>"$TMP/changes"
    end
    is "$CODE" 0 "... and the program ends"
    ok 'hooked "$dir" "hook_durable$width.exe" "$width"' "... its changes came through the hook"

    # --- a flush waits, with a lag too ---
    fresh "$width" --wait $LONG
    begin flush
    ok 'wait_for $PATIENCE says "V0 0"' "$width bits, with a lag: the call returns at once"
    ok '! says "flush 0"' "... and a flush does not"
    "$RINGTOOL" drain "$dir" >"$TMP/changes"
    end
    is "$(said_result flush)" 0 "... before all is durable"
    fresh "$width" --durable
    serve_start "$dir" "$TMP/changes"
    begin flush
    end
    serve_stop "$TMP/changes"
    is "$(said_result flush)" 0 "$width bits, lag 0: a flush passes"

    # --- nobody commits: an error within the bound, then refusals ---
    fresh "$width" --durable --wait $SHORT
    serve_start "$dir" "$TMP/changes"
    serve_pause "$dir"
    begin sets 3
    end
    is "$CODE" 0 "$width bits, the monitor stopped: the program goes on"
    is "$(said_result V0)" $IO_FAILED "... the first call fails"
    is "$(said_result V1)" $IO_FAILED "... the next ones too"
    is "$(value a "$KEY\\Durable" V0 "$width")" set "... the first was made"
    is "$(value a "$KEY\\Durable" V1 "$width")" "" "... the next one was refused before the real call"
    is "$(ring_stat "$dir" state)" 2 "... the ring refuses"
    kill -CONT "$SERVER"
    serve_stop "$TMP/changes"

    fresh "$width" --durable --wait $SHORT
    serve_start "$dir" "$TMP/changes"
    serve_pause "$dir"
    begin others
    end
    for what in V0 create delete-value delete-key rename; do
        is "$(said_result $what)" $IO_FAILED "$width bits, refused: $what"
    done
    is "$(said_result open) $(said_result read)" "0 0" "... opening and reading are not"
    dump a "$KEY" "$TMP/after" --view "$width"
    kill -CONT "$SERVER"
    serve_stop "$TMP/changes"
    judge replay "$TMP/before" "$TMP/changes" "$TMP/after"
    ok '[ ! -s "$TMP/judged" ]' "$width bits, the monitor goes on: it gets what was made, V0 alone" ||
        head -n 5 "$TMP/judged"

    # --- a process that comes when changes are refused already ---
    fresh "$width" --durable
    "$RINGTOOL" state "$dir" refusing
    begin sets 1
    end
    is "$(said_result V0)" $IO_FAILED "$width bits, a process that comes later is refused as well"
    is "$(value a "$KEY\\Durable" V0 "$width")" "" "... before the real call"

    # --- the monitor is dead: no need to wait ---
    fresh "$width" --durable --wait $LONG
    serve_start "$dir" "$TMP/changes"
    kill -KILL "$SERVER"
    wait "$SERVER" 2>/dev/null
    begin sets 2
    ok 'wait_for 50 says "V0 $IO_FAILED"' "$width bits, the monitor dead: an error before the bound"
    end
    is "$(said_result V1)" $IO_FAILED "... and again"
    fresh "$width" --wait $LONG
    serve_start "$dir" "$TMP/changes"
    kill -KILL "$SERVER"
    wait "$SERVER" 2>/dev/null
    begin flush
    ok 'wait_for 50 says "flush $IO_FAILED"' "$width bits, the monitor dead: a flush fails too"
    end
    is "$(said_result V0)" 0 "... with a lag a write does not"

    # --- a process that ends right behind its writes ---
    for how in exit terminate; do
        fresh "$width"
        begin gone 200 $how
        end
        "$RINGTOOL" drain "$dir" >"$TMP/changes"
        is "$(grep -c '^set-value	1	Durable	Gone' "$TMP/changes")" 200 \
            "$width bits, ended by $how: everything is in the ring"
    done

    # --- a thread that is stopped in the middle of a write ---
    fresh "$width"
    serve_start "$dir" "$TMP/changes"
    begin suspend 400
    end
    serve_stop "$TMP/changes"
    is "$CODE" 0 "$width bits, a thread is suspended and terminated: the others go on"
    dump a "$KEY" "$TMP/after" --view "$width"
    if (($(ring_stat "$dir" scan-wanted) > 0)); then
        ok 'true' "... a scan was flagged"
    else
        judge replay "$TMP/before" "$TMP/changes" "$TMP/after"
        ok '[ ! -s "$TMP/judged" ]' "... what was reported is what happened" || head -n 5 "$TMP/judged"
    fi
done
