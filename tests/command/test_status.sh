# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Status where no Wine is needed: its states and exit codes, --json against its manual page, --metrics,
# --watch on a terminal and not, and storage that hangs.
. "$(dirname "$0")/../lib.sh"
suite status
STORE=$TMP/store
export REGCKPT_STORE=$STORE
echo "node = n1" >>"$REGCKPT_CONF"
PAGE=$SRC/tools/man/regckpt-monitoring.7

# status CODE ARGUMENTS...: runs it and tests its exit code.
status()
{
    local expected=$1
    shift
    run timeout 60 regckpt status "$@"
    is "$CODE" "$expected" "status $*: exit code"
}
# state NAME: the word --json has for it.
state()
{
    regckpt status --json 2>/dev/null </dev/null | python3 -c '
import json, sys
print([r["state"] for r in json.load(sys.stdin)["resources"] if r["resource"] == sys.argv[1]][0])' "$1"
}

regckpt init >/dev/null
for name in erp web old; do
    run regckpt create $name --service "$name"
done
run regckpt add erp 'Software\Vendor\Erp' --future --view 64
printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\Software\\Vendor\\Erp\\Sub]\n"a"="12"\n"b"=hex:01,02\n' \
    >"$TMP/erp.reg"
run regckpt import erp "$TMP/erp.reg"
is "$CODE" 0 "a checkpoint with content"

# --- states ---
status 0
ok 'grep -q "^erp: OFFLINE, never online" "$TMP/stdout"' "offline"
status 0 erp
ok 'grep -Eq "^ +checkpoint +2 keys, 2 values, 8 bytes of data$" "$TMP/stdout"' "what an offline one holds"
ok 'grep -Eq "^ +last owner +nobody so far$" "$TMP/stdout"' "... and who had it"
is "$(state erp)" offline "the word for it"
cp "$STORE/old/checkpoint.tdb" "$TMP/whole"
printf 'xxxxxxxxxxxxxxxx' | dd of="$STORE/old/checkpoint.tdb" bs=1 conv=notrunc status=none
status 2
ok 'grep -q "^old: DAMAGED" "$TMP/stdout"' "damaged"
is "$(state old)" damaged "the word for it"
cp "$TMP/whole" "$STORE/old/checkpoint.tdb"
# A lock that another process has: as of an owner elsewhere, or, since nobody says he has it, for now.
python3 -c '
import fcntl, struct, sys
f = open(sys.argv[1], "r+")
fcntl.fcntl(f, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0) + bytes(4))  # F_OFD_SETLK
open(sys.argv[2], "w").close()
sys.stdin.read()' "$STORE/web/lock" "$TMP/locked" < <(sleep 600) &
LOCKER=$!
ok 'wait_for $PATIENCE test -e "$TMP/locked"' "a lock is held"
status 0
is "$(state web)" taken "the word for a lock just taken"
kill $LOCKER

# --- --json is what the page says ---
regckpt status --json >"$TMP/status.json" 2>/dev/null </dev/null
ok 'python3 -m json.tool <"$TMP/status.json" >/dev/null' "--json prints JSON"
# json_fields FUNCTION: the names that the source gives this object's members.
json_fields()
{
    sed -n "/^static void $1(/,/^}/p; /^void $1(/,/^}/p" "$SRC/tools/regckpt/statusprint.c" |
        grep -o 'json_[a-z_]*([&a-z]*, "[a-z_]*"' | grep -o '"[a-z_]*"' | tr -d '"' | sort -u
}
for function in json_monitor json_status status_print_json; do
    for field in $(json_fields $function); do
        ok 'grep -q "^\.It Li $field\$" "$PAGE"' "--json: $field is in the manual"
    done
done
for word in $(sed -n '/status_words\[\] = {/,/};/p' "$SRC/tools/regckpt/verdict.c" | grep -o '"[a-z-]*"' | tr -d '"'); do
    ok 'grep -q "^\.It Li $word\$" "$PAGE"' "state $word is in the manual"
done
for event in $(sed -n '/^} table\[\]/,/^};/p' "$SRC/tools/monitor/events.c" | grep -o '"[a-z-]*"' | tr -d '"'); do
    ok 'grep -q "^\.It Li $event\$" "$PAGE"' "event $event is in the manual"
done

if command -v mandoc >/dev/null; then
    run mandoc -T lint -W warning "$SRC"/tools/man/*.[1-8]
    is "$CODE" 0 "the manual pages have no faults"
else
    skip 1 "there is no mandoc"
fi

# --- metrics ---
printf 'old' >"$TMP/regckpt.prom"
status 0 --metrics "$TMP/regckpt.prom"
ok '[ ! -s "$TMP/stdout" ]' "metrics into a file: nothing else is printed"
ok 'python3 "$SRC/tests/promparse.py" "$TMP/regckpt.prom" >"$TMP/samples" 2>"$TMP/stderr"' "they can be read"
is "$(stat -c %a "$TMP/regckpt.prom")" 644 "by the collector, too"
ok 'grep -qx "regckpt_state resource=erp,state=offline 1" "$TMP/samples"' "the state of one"
ok 'grep -qx "regckpt_state resource=erp,state=online 0" "$TMP/samples"' "... and what it is not"
ok 'grep -qx "regckpt_registered_keys resource=erp 1" "$TMP/samples"' "its keys"
ok 'grep -q "^regckpt_info version=.*,store=$STORE 1$" "$TMP/samples"' "what wrote it"
ok '! grep -q "^regckpt_lag" "$TMP/samples"' "nothing of a monitor that is not there"
run regckpt status --metrics -
ok 'cmp -s "$TMP/stdout" "$TMP/regckpt.prom"' "the same on the standard output"
for metric in $(grep -o '^    {"[a-z_]*"' "$SRC/tools/regckpt/statusmetrics.c" | grep -o '[a-z_]*') info state store_readable; do
    ok 'grep -q "^\.It Li regckpt_$metric\$" "$PAGE"' "metric regckpt_$metric is in the manual"
done
if [ -x "${PROMTOOL:-}/promtool" ]; then
    run sh -c '"$0/promtool" check metrics <"$1"' "$PROMTOOL" "$TMP/regckpt.prom"
    ok '[ $CODE = 0 ] && [ ! -s "$TMP/stderr" ] && [ ! -s "$TMP/stdout" ]' "promtool has nothing to say"
else
    skip 1 "there is no promtool (tools/deps promtool DIR, PROMTOOL=DIR)"
fi
ok '! ls "$TMP"/regckpt.prom.* 2>/dev/null' "no file is left beside it"
run regckpt status --metrics "$TMP/no/such/dir/x.prom"
is "$CODE" 111 "a file that cannot be written: exit code"
run regckpt --store "$TMP/none" status --metrics -
is "$CODE" 1 "metrics of no store: exit code"
ok 'grep -qx "regckpt_store_readable 0" "$TMP/stdout"' "... say that it is not there"
status 100 --metrics - erp
status 100 --metrics - --json
status 100 --watch --json

# --- watch ---
regckpt status --watch >"$TMP/watch" 2>&1 </dev/null &
WATCH=$!
ok 'wait_for $PATIENCE grep -q "^web: OFFLINE" "$TMP/watch"' "watch, no terminal: all at first"
run regckpt create new --service New
ok 'wait_for $PATIENCE grep -Eq "^2[-0-9: ]+ new: OFFLINE" "$TMP/watch"' "... then what is new"
run regckpt delete new
ok 'wait_for $PATIENCE grep -Eq " new: there is no such" "$TMP/watch"' "... and gone"
ok 'kill -0 $WATCH && [ "$(grep -c "^web: " "$TMP/watch")" = 1 ]' "... and nothing of what stays"
kill -INT $WATCH
kill $WATCH 2>/dev/null
wait $WATCH 2>/dev/null
status 100 --watch wbe

# terminal KEYS FILE COMMAND...: the command on a terminal of its own; once it shows the word of $SHOWN, it
# gets these keys.  Prints its exit code, and whether the terminal is as it was.
terminal() { python3 "$SRC/tests/onterminal.py" "$@"; }
is "$(SHOWN='erp: OFFLINE' terminal q "$TMP/screen" regckpt status --watch)" "0 same" "watch ends by q, the terminal as it was"
ok 'grep -q "q ends it" "$TMP/screen"' "... and says so"
is "$(SHOWN='2 keys, 2 values' terminal q "$TMP/screen" regckpt status erp --watch)" "0 same" "watch of one"
is "$(SHOWN='erp: OFFLINE' terminal $'\003' "$TMP/screen" regckpt status --watch)" "0 same" "watch ends by Ctrl-C"

# --- readers that are left behind, as hang in a dead NFS server: they keep their places ---
python3 -c '
import fcntl, sys
files = [open(f"{sys.argv[1]}/reader-{i}", "w") for i in range(8)]
for f in files:
    fcntl.flock(f, fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
sys.stdin.read()' "$TMP/run" "$TMP/placed" < <(sleep 600) &
LOCKER=$!
ok 'wait_for $PATIENCE test -e "$TMP/placed"' "eight readers hang"
status 1
ok 'grep -q "does not answer within 5 s" "$TMP/stderr"' "... and no ninth is started"
kill $LOCKER
wait $LOCKER 2>/dev/null
status 0

# --- storage that hangs: a file system whose process stands still ---
mkdir "$TMP/hang" "$TMP/behind"
test_cleanup() { ! mountpoint -q "$TMP/hang" || umount "$TMP/hang" || umount -l "$TMP/hang"; }
if [ -e /dev/fuse ] && command -v bindfs >/dev/null; then
    bindfs -f "$TMP/behind" "$TMP/hang" >"$TMP/bindfs.log" 2>&1 </dev/null &
    BINDFS=$!
    wait_for 10 mountpoint -q "$TMP/hang" || kill $BINDFS
fi
if mountpoint -q "$TMP/hang"; then
    export REGCKPT_STORE=$TMP/hang/store
    regckpt init >/dev/null
    run regckpt create erp --service erp
    kill -STOP $BINDFS
    for i in $(seq 12); do
        timeout 60 regckpt status >"$TMP/hung.$i" 2>&1 </dev/null &
        HUNG[i]=$!
    done
    for i in $(seq 12); do
        wait "${HUNG[i]}"
        is "$?" 1 "status $i of storage that hangs: exit code"
    done
    ok 'grep -q "does not answer within 5 s" "$TMP/hung.1"' "... says so"
    status 1 --metrics -
    ok 'grep -qx "regckpt_store_readable 0" "$TMP/stdout"' "metrics say it, too"
    is "$(SHOWN='does not answer' terminal q "$TMP/screen" regckpt status --watch)" "1 same" "watch goes on, and ends by q"
    echo "storage_timeout = 3" >>"$REGCKPT_CONF"
    for verb in list "show erp" "online erp" "offline erp" "add erp Software\\X" "log erp" verify "repair erp" \
        "rollback erp" init doctor; do
        read -ra words <<<"$verb"
        timeout 60 regckpt "${words[@]}" >"$TMP/hung" 2>&1 </dev/null
        code=$?
        ok '((code != 0 && code < 124)) && grep -q "does not answer within 3 s.*mounted" "$TMP/hung"' \
            "$verb: does not hang, says why"
    done
    ok 'grep -q "Waiting for the store" "$TMP/hung"' "... and that it waits, before"
    kill -CONT $BINDFS
    status 0
else
    skip 29 "no file system of a process can be mounted here (fuse, bindfs)"
fi
