# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt run: exit codes passed on, what a program did to the last moment, programs that end at once,
# and the Windows tests as programs of a resource.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite run
node a
KEY='Software\RegckptTest\Run'
WRITER=$(winpath "$PE/svcwriter64.exe")

# run_as COMMANDLINE: the resource's command from now on, and one run of it.
run_as()
{
    on a regckpt set app --command "$1"
    [ $CODE = 0 ] || return
    on a timeout $PATIENCE regckpt run app
}

wine_up a
on a regckpt init
on a regckpt create app --command "$WRITER run $KEY 30 1"
on a regckpt add app "$KEY" --future --view 64
is "$CODE" 0 "a resource with a key to come"

on a timeout $PATIENCE regckpt run app
is "$CODE" 0 "run passes on 0"
ok 'live_is_checkpointed a app "$KEY"' "what the program wrote is in the checkpoint"
ok 'wait_for $PATIENCE no_monitor a' "the resource is released"
for pair in 7:7 255:255 300:125; do
    run_as "$WRITER run $KEY 15 1 --exit ${pair%:*}"
    is "$CODE" "${pair#*:}" "run: a program's exit code ${pair%:*} is passed on as ${pair#*:}"
done
run_as "$WRITER run $KEY 0 0 --at-once --exit 9"
is "$CODE" 9 "run of a program that ends at once passes its code on"
run_as "$(winpath "$TMP/no such program.exe")"
is "$CODE" 122 "run of a program that does not exist fails by itself"
ok 'grep -q "no such program" "$TMP/stderr"' "... and names it"
printf 'not a program' >"$TMP/text.exe"
run_as "$(winpath "$TMP/text.exe")"
is "$CODE" 122 "run of a file that is no program"
ok 'wait_for $PATIENCE no_monitor a' "nothing is left"

# Everything up to the last write, however short the life.
rm -f "$TMP/log"
run_as "$WRITER run $KEY 1000 0 --log $(winpath "$TMP/log")"
is "$CODE" 0 "a burst of 1000 changes and the end"
dump a "$KEY" "$TMP/final"
ok 'ckptdump app "$TMP/ckpt" --key "$KEY" && same "$TMP/final" "$TMP/ckpt"' "all of it is in the checkpoint"

# A child goes with its parent.
run_as "$WRITER run $KEY 50 1 --child --log $(winpath "$TMP/log")"
is "$CODE" 0 "run of a program with a child that goes on"
ok 'wait_for $PATIENCE no_program a svcwriter64' "the child is ended with it"
ok 'live_is_checkpointed a app "$KEY"' "and what it wrote is saved too"

# The foreground can be interrupted.
on a regckpt set app --command "$WRITER run $KEY 0 20"
REGCKPT_CONF=$CONF_a WINEPREFIX=$PREFIX_a regckpt run app >"$TMP/run.out" 2>&1 </dev/null &
RUN_PID=$!
ok 'wait_for $PATIENCE a_program a svcwriter64' "run starts the program" || cat "$TMP/run.out"
kill -TERM $RUN_PID
wait $RUN_PID
ok 'wait_for $PATIENCE no_program a svcwriter64' "SIGTERM to run ends the program"
ok 'wait_for $PATIENCE no_monitor a && live_is_checkpointed a app "$KEY"' "... and saves"

# The Windows tests say the same as on bare Wine (test_frame.sh).
for width in 64 32; do
    if [ $width = 32 ] && ! have_wine32; then
        skip 6 "32-bit programs do not run here"
        continue
    fi
    on a regckpt add app 'Software\RegckptTest\Registry' 'Software\RegckptTest\Handles' --future --view $width
    is "$CODE" 0 "keys for the $width-bit tests"
    fill a 'Software\RegckptTest\Content' 0 --odd --view $width
    is "$CODE" 0 "and odd content"
    on a regckpt add app 'Software\RegckptTest\Content' --view $width
    for test in service_registry open_handles odd_content marker_key; do
        run_as "cmd.exe /c $(winpath "$PE/$test$width.exe") >$(winpath "$TMP/$test.out")"
        is "$CODE" 0 "$test, $width bits, as a resource's program"
        tail -n 1 "$TMP/$test.out"
        ok '[[ $(tail -n 1 "$TMP/$test.out") == *" 0 failures), 0 skipped."* ]]' "... ran to its end"
    done
    for key in Registry Handles Content; do
        ok 'live_is_checkpointed a app "Software\\RegckptTest\\$key" --view $width' \
            "$width bits: Software\\RegckptTest\\$key is in the checkpoint as it is"
        on a regckpt remove app "Software\\RegckptTest\\$key" --view $width
    done
done
