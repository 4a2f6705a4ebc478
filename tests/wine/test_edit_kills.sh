# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An edit with something of it killed in the middle: nothing of it is saved, and nothing of it is left,
# but what a command did that is killed and waited for.  Killed while it is saved: all of it is, or nothing.
# (tests/unit/test_monitor_edit.c kills the monitor at each of its calls to the store.)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite edit_kills
node a
KEY='Software\RegckptTest\Edit'
WRITER=$(winpath "$PE/svcwriter64.exe")

content() { ckptdump app "$1" --key "$KEY" --view 64; }
unchanged() { content "$TMP/now" && same "$TMP/kept" "$TMP/now"; }
changed() { content "$TMP/now" && ! cmp -s "$TMP/kept" "$TMP/now"; }

# The process of the edit that works, below the one that watches it.
worker() { pgrep -P $EDIT; }

# victims WHAT: the pids; those of the edit that runs just now.
victims()
{
    local monitor
    monitor=$(monitor_pids a)
    case $1 in
        edit) echo $EDIT ;;
        monitor) echo "$monitor" ;;
        agent) host_pids a | while read -r pid; do grep -qz "agent.$monitor" "/proc/$pid/cmdline" && echo "$pid"; done ;;
        runner) host_pids a | while read -r pid; do grep -qz "agent.$(worker)" "/proc/$pid/cmdline" && echo "$pid"; done ;;
        command) program_pids a svcwriter64 | grep -vx "$EDIT\|$(worker)" ;;
        shell) program_pids a "read -r never" | grep -vx "$EDIT\|$(worker)" ;;
        server) server_pids a ;;
        edit+monitor) echo "$EDIT $monitor" ;;
        monitor+agent+runner) echo "$monitor $(host_pids a)" ;;
        all) echo "$EDIT $monitor $(prefix_pids "$PREFIX_a")" ;;
    esac
}

# begin windows|unix: an edit whose command goes on changing the registry. Sets EDIT.
begin()
{
    rm -f "$TMP/log"
    if [ "$1" = windows ]; then
        set -- "$WRITER" run "$KEY" 0 5 --log "$(winpath "$TMP/log")"
    else
        set -- bash -c '"$WINE" "$0" run "$1" 0 5 --log "$2" </dev/null >"$3/out" 2>&1 & read -r never <"$3/gate"' \
            "$PE/svcwriter64.exe" "$KEY" "$(winpath "$TMP/log")" "$TMP"
    fi
    REGCKPT_CONF=$CONF_a WINEPREFIX=$PREFIX_a regckpt edit app -- "$@" >"$TMP/edit.out" 2>"$TMP/edit.err" \
        </dev/null &
    EDIT=$!
    wait_for $PATIENCE log_has "$TMP/log" 20
}

ends() { ! kill -0 $EDIT 2>/dev/null; }
free() { on_quietly a timeout $PATIENCE regckpt edit app -- cmd.exe /c exit 0; }

wine_up a
on a regckpt init
on a regckpt create app --command notepad.exe
fill a "$KEY" 50
on a regckpt add app "$KEY" --view 64
is "$CODE" 0 "a resource with a key"
content "$TMP/kept"
mkfifo "$TMP/gate"

for kind in windows unix; do
    for victim in edit monitor agent runner server edit+monitor monitor+agent+runner shell all; do
        case $kind-$victim in windows-shell | unix-runner) continue ;; esac
        ok 'begin $kind' "$kind command: it changes the registry" || { cat "$TMP/edit.err"; exit; }
        read -ra pids <<<"$(victims $victim | xargs)"
        ok '((${#pids[@]} > 0))' "$kind command: kill $victim (${#pids[@]} processes)"
        kill -KILL "${pids[@]}"
        wait $EDIT 2>/dev/null
        code=$?
        case $victim in
            edit* | all) is $code 137 "... it is killed" ;;
            *) ok '((code >= 120 && code <= 124))' "... its exit code is one of its own failures ($code)" ;;
        esac
        ok 'wait_for $PATIENCE no_monitor a' "... no monitor is left"
        if [ $kind-$victim = unix-edit+monitor ]; then # nobody is left who could end what the shell left
            on a timeout $PATIENCE regckpt edit app -- cmd.exe /c exit 0
            ok '((CODE == 3)) && grep -q svcwriter64 "$TMP/stderr"' "... what the command left holds the resource"
            on a timeout $PATIENCE regckpt offline app
            is "$CODE" 0 "... until offline ends it"
        fi
        ok 'wait_for $PATIENCE no_program a svcwriter64' "... nor the command" || exit
        [ $victim != server ] && [ $victim != all ] || wine_up a
        ok 'wait_for $PATIENCE free' "... the resource is free for the next edit" || { cat "$TMP/quiet"; exit; }
        ok unchanged "... nothing is saved"
    done
done

# Who ends the command itself ends it as any command ends.
ok 'begin windows' "a Windows command that is killed"
read -ra pids <<<"$(victims command | xargs)"
kill -KILL "${pids[@]}"
wait $EDIT
code=$?
cat "$TMP/edit.err"
ok 'changed && live_is_checkpointed a app "$KEY"' "what it had done is saved (its exit code: $code)"

# Killed behind the command's end, at moments of the final scan, the commit and the release.
MOMENTS=${MOMENTS:-0 60} # ms; more by hand
PART="$KEY\\Part"
# fills: an edit in the background that adds 4,000 values, and says when its command ends.  Sets EDIT.
fills()
{
    rm -f "$TMP/filled"
    REGCKPT_CONF=$CONF_a WINEPREFIX=$PREFIX_a regckpt edit app -- bash -c \
        '"$WINE" "$0" "$1" 4000 </dev/null >"$2/out" 2>&1 && : >"$2/filled"' "$PE/fillkey64.exe" "$PART" "$TMP" \
        >"$TMP/edit.out" 2>"$TMP/edit.err" </dev/null &
    EDIT=$!
    wait_for $PATIENCE test -e "$TMP/filled"
}
empties() { on_quietly a timeout $PATIENCE regckpt edit app -- reg delete "HKLM\\$PART" /f /reg:64 && unchanged; }
# whole_or_nothing: counts in WHOLE and NOTHING which of them it is.
whole_or_nothing()
{
    if unchanged >/dev/null; then
        ((NOTHING += 1))
    else
        ((WHOLE += 1))
        same "$TMP/full" "$TMP/now"
    fi
}
on a regckpt edit app -- reg add "HKLM\\$KEY" /v Plain /d x /f /reg:64
content "$TMP/kept"
ok fills "an edit of 4,000 values"
wait $EDIT
is $? 0 "... that is not killed"
content "$TMP/full"
ok '(($(grep -c "^value" "$TMP/full") >= 4000)) && empties' "... is saved, and taken back"
WHOLE=0 NOTHING=0
for victim in edit monitor agent server edit+monitor all; do
    for moment in $MOMENTS; do
        ok fills "an edit of 4,000 values" || { cat "$TMP/edit.err"; exit; }
        sleep "$(printf '0.%03d' "$moment")"
        read -ra pids <<<"$(victims $victim | xargs)"
        ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null
        wait $EDIT 2>/dev/null
        ok 'wait_for $PATIENCE no_monitor a' "$victim killed $moment ms behind its command: no monitor is left"
        [ $victim != server ] && [ $victim != all ] || wine_up a
        ok 'wait_for $PATIENCE free' "... the resource is free" || { cat "$TMP/quiet"; exit; }
        ok whole_or_nothing "... all of it is saved, or nothing"
        unchanged >/dev/null || ok empties "... (it was saved, and is taken back)"
    done
done
echo "$WHOLE of these were saved, $NOTHING not"
