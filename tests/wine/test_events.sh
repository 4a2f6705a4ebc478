# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Every event that regckpt-monitoring(7) lists is provoked and arrives, once with syslog's tag and form and
# once with the journal's fields, at the priority that the page says; and the metrics of a resource that is
# online are what Prometheus reads.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite events
PAGE=$SRC/tools/man/regckpt-monitoring.7
KEY='Software\RegckptTest\Events'

# A storage that can be filled.
mkdir "$TMP/shared"
STORE=$TMP/shared/store
if ! mount -t tmpfs -o size=160m tmpfs "$TMP/shared" 2>/dev/null; then
    skip 41 "a file system of its own cannot be mounted"
    exit 0
fi
echo "$TMP/shared" >>"$TMP/mounts"
# full KEY: no room is left, and more is to be saved than the whole checkpoint has room for, of which much
# may be free inside: a value takes more than 150 bytes there.
full()
{
    dd if=/dev/zero of="$TMP/shared/filler" bs=64k >/dev/null 2>&1
    fill a "$KEY\\App\\$1" $(($(stat -c %s "$STORE/app/checkpoint.tdb") / 150))
}

# a tells syslog, b the journal.
for name in a b; do
    python3 "$SRC/tests/eventsink.py" "$TMP/socket-$name" "$TMP/told-$name" &
    wait_for $PATIENCE test -S "$TMP/socket-$name"
    node $name
done
sed -i "s|^events = .*|events = syslog:$TMP/socket-a|" "$CONF_a"
sed -i "s|^events = .*|events = journal:$TMP/socket-b|" "$CONF_b"

PRIORITIES=(emerg alert crit err warning notice)
ALL=$(sed -n '/^} table\[\]/,/^};/p' "$SRC/tools/monitor/events.c" | grep -o '"[a-z-]*"' | tr -d '"')
SEEN=
# told NODE RESOURCE EVENT [TEXT]: it arrives, with the priority of the page, and TEXT (a pattern) in it.
told()
{
    local word priority=
    word=$(sed -n "/^\.It Li $3\$/{n;s/^(\([a-z]*\))\$/\1/p}" "$PAGE")
    for i in "${!PRIORITIES[@]}"; do
        [ "${PRIORITIES[i]}" != "$word" ] || priority=$i
    done
    EVENT="$3" RESOURCE=$2 TEXT=${4:-} PRIORITY=${priority:-none}
    ok "wait_for $PATIENCE arrived_$1" "$1 is told: $2: $3${4:+, $4}" || tail -n 5 "$TMP/told-$1"
    SEEN+=" $3"
}
# Facility daemon is 3 (RFC 3164).
arrived_a() { grep -Eq "^<$((3 * 8 + PRIORITY))>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} regckpt\[[0-9]+\]: $RESOURCE: $EVENT: .*$TEXT" "$TMP/told-a"; }
arrived_b()
{
    grep -E "^MESSAGE=$RESOURCE: .*$TEXT" "$TMP/told-b" | grep -F " | PRIORITY=$PRIORITY | SYSLOG_FACILITY=3 | SYSLOG_IDENTIFIER=regckpt | " |
        grep -F " | REGCKPT_EVENT=$EVENT | REGCKPT_RESOURCE=$RESOURCE | REGCKPT_NODE=b | REGCKPT_STORE=$STORE" >/dev/null
}
# resource NAME KEY COUNT: a program that makes COUNT changes, 0 is without end.
resource()
{
    on a regckpt create "$1" --command "$(winpath "$PE/svcwriter64.exe") run $KEY\\$2 $3 20 --log $(winpath "$TMP/$1.log")"
    on a regckpt add "$1" "$KEY\\$2" --future --view 64
    is "$CODE" 0 "a resource $1"
}
ok 'wine_up a && wine_up b' "two prefixes"
on a regckpt init
is "$CODE" 0 "a store" || exit 1
resource app App 0
resource short Short 3

# --- what goes its way ---
online a app
is "$CODE" 0 "online"
told a app online
log_grows() { log_has "$TMP/app.log" 50; }
ok 'wait_for $PATIENCE log_grows' "it writes"

on a regckpt status --metrics "$TMP/regckpt.prom"
ok 'python3 "$SRC/tests/promparse.py" "$TMP/regckpt.prom" >"$TMP/samples" 2>"$TMP/stderr"' "its metrics can be read"
for metric in $(grep -o '^    {"[a-z_]*"' "$SRC/tools/regckpt/statusmetrics.c" | grep -o '[a-z_]*'); do
    grep -q "^regckpt_$metric resource=app " "$TMP/samples" || echo $metric
done >"$TMP/lacking"
is "$(xargs <"$TMP/lacking")" "" "all that there are"
ok 'grep -qx "regckpt_state resource=app,state=online 1" "$TMP/samples"' "it is online"
ok 'awk "/^regckpt_(hook_changes_total|commits_total|changes_total|checkpoint_values) resource=app / && \$3 > 0 { n++ } END { exit n != 4 }" "$TMP/samples"' \
    "changes, commits and values are counted"
if [ -x "${PROMTOOL:-}/promtool" ]; then
    run sh -c '"$0/promtool" check metrics <"$1"' "$PROMTOOL" "$TMP/regckpt.prom"
    ok '[ $CODE = 0 ] && [ ! -s "$TMP/stderr" ] && [ ! -s "$TMP/stdout" ]' "promtool has nothing to say"
else
    skip 1 "there is no promtool (tools/deps promtool DIR, PROMTOOL=DIR)"
fi

# A class that somebody else gives to a key that is there: Wine tells nobody.
fill a "$KEY\\App" 0 --class
is "$CODE" 0 "a change that nothing tells of"
on a regckpt save app
told a app correction 'scans found [0-9]+ changes that nothing had told of'

# --- storage ---
full First
offline a app
ok '((CODE != 0))' "offline while the storage is full fails"
told a app save-failed
rm "$TMP/shared/filler"
ok 'wait_for $PATIENCE no_monitor a' "nothing of it is left"
online a app
is "$CODE" 0 "online again"
: >"$TMP/told-a" # of the storage, too
began=$(date '+%F %T')
full Second
told a app storage-failed
on a regckpt status app
until=$(date '+%F %T')
# between FIRST LAST 'DESCRIPTION': $since is from then.
between() { ok "[ -n \"\$since\" ] && [[ ! \"\$since\" < \"$1\" && ! \"\$since\" > \"$2\" ]]" "$3"; }
since=$(sed -n 's/.*RUNNING UNPROTECTED.*storage failing since \([0-9-]* [0-9:]*\).*/\1/p' "$TMP/stdout")
between "$began" "$until" "status says that, and since when"
since=$(grep -h 'storage fails: ' "$TMP"/run-a/app.*/log | tail -n 1 | grep -Eo '^[0-9-]+ [0-9:]+')
between "$began" "$until" "so does the log"
rm "$TMP/shared/filler"
told a app storage-back

# --- what ends by itself, and what is ended ---
online a short
told a short program-ended 'exit code 0'
kill -KILL $(server_pids a)
told a app registry-lost
ok 'wait_for $PATIENCE no_monitor a' "its monitor ends"
prefix_kill "$PREFIX_a"
wine_up a
online a app
is "$CODE" 0 "online again"

# --- two nodes ---
kill -KILL $(monitor_pids a) $(prefix_pids "$PREFIX_a")
ok 'wait_for $PATIENCE prefix_is_idle "$PREFIX_a"' "node a is gone"
online b app
is "$CODE" 0 "b takes over"
told b app takeover 'from node a, whose owner is gone'
told b app online
wine_up a
frozen=$(monitor_pids b; prefix_pids "$PREFIX_b")
kill -STOP $frozen
on a timeout $PATIENCE regckpt online app --takeover
is "$CODE" 0 "b is frozen: a takes over by force"
told a app takeover 'from node b, by force'
kill -CONT $frozen
told b app displaced
ok 'wait_for $PATIENCE no_monitor b' "b has ended it"
offline a app
is "$CODE" 0 "offline"
told a app offline

# --- what cannot be ---
on a regckpt create none --command 'C:\there\is\none.exe'
online b none
ok '((CODE != 0))' "a program that is not there"
told b none online-failed
fill a "$KEY\\App\\Blocked\\Volatile\\Below" 5
fill b "$KEY\\App\\Blocked" 0 --volatile
on a regckpt edit app -- reg.exe add "HKLM\\$KEY\\App\\Blocked\\Volatile\\Below" /v x /d x /f /reg:64
online b app
ok '((CODE != 0))' "a registry that cannot be made equal"
told b app restore-failed Blocked

# Without the hook.
cp -a "$STAGE" "$TMP/unhooked"
rm "$TMP/unhooked${STAGE_PKGLIBDIR#"$STAGE"}"/regckpt*.dll.so
on b "$TMP/unhooked${STAGE_BINDIR#"$STAGE"}/regckpt" run short
is "$CODE" 0 "a program without the hook"
told b short unprotected 'WITHOUT THE HOOK'

is "$(comm -23 <(sort -u <<<"$ALL") <(xargs -n 1 <<<"$SEEN" | sort -u))" "" "every event was told"
