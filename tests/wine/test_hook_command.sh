# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the command says of the hook: doctor tries it, status shows whether it is in place, lag 0 is
# refused where it is not.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite hook_command
node a
wine_up a
run regckpt --store "$STORE" init

KEY='Software\RegckptHookCommand'
fill a "$KEY" 10
on a regckpt create app --command "$(winpath "$PE/svcwriter64.exe") run $KEY 0 600000 --child" --lag 0
on a regckpt add app "$KEY" --view 64
is "$CODE" 0 "a resource with lag 0"

# try COMMAND...: as on a; does it succeed?
try() { on a "$@" && [ "$CODE" = 0 ]; }

# at_work PROCESSES CHANGES: is the hook in that many processes, and has it reported that many changes?
# Each is waited for: the program alone may have reported them all before its child is there.
at_work()
{
    try regckpt status app --json && (($(json resources.0.monitor.hooked) == $1)) &&
        (($(json resources.0.monitor.hook_changes) >= $2))
}

# json NAME: what the last run's JSON has at that path, as "resources.0.monitor.source".
json()
{
    python3 -c 'import json, sys
at = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    at = at[int(name)] if name.isdigit() else at[name]
print(at)' "$TMP/stdout" "$1"
}

# --- where the hook can be loaded ---
on a regckpt doctor app
is "$CODE" 0 "doctor finds nothing wrong"
ok 'grep -Eq "^64-bit hook +ok" "$TMP/stdout"' "doctor: the hook is installed"
ok 'grep -Eq "^hook loads into a 64-bit program +ok" "$TMP/stdout"' "doctor: it loads, 64-bit"
if have_wine32; then
    ok 'grep -Eq "^hook loads into a 32-bit program +ok" "$TMP/stdout"' "doctor: it loads, 32-bit"
else
    skip 1 "no 32-bit programs here"
fi
ok '! compgen -G "$TMP/run-a/app.*/hook.*"' "doctor leaves nothing behind"
ok 'wait_for $PATIENCE no_program a cmd.exe' "... and no program"

on a regckpt online app --dry-run
is "$CODE" 0 "online --dry-run with lag 0"
online a app
is "$CODE" 0 "online with lag 0"
# The program and its child, one change each and no more for ten minutes.
ok 'wait_for $PATIENCE at_work 2 2' "status: what the hook reports is counted"
on a regckpt status app
is "$CODE" 0 "status: fine"
ok 'grep -Eq "^app: ONLINE on node a, protected(, lag [0-9]+ ms)?$" "$TMP/stdout"' "status: protected"
ok 'grep -Eq "^ +capture +hook, 2 processes$" "$TMP/stdout"' "status: by the hook"
on a regckpt status app --json
is "$(json resources.0.monitor.source)" hook "status --json: source"
is "$(json resources.0.monitor.hooked)" 2 "status --json: hooked"
is "$(json resources.0.monitor.unhooked)" 0 "status --json: unhooked"
is "$(json resources.0.monitor.corrections)" 0 "status --json: corrections"
on a regckpt set app --lag 50
is "$CODE" 0 "set: a lag while it is online"
on a regckpt set app --lag 0
is "$CODE" 0 "set: lag 0 while it is online and hooked"
offline a app

# --- where it cannot: the same tree with DLLs that are none ---
cp -a "$STAGE_BINDIR/.." "$TMP/tree"
for dll in "$TMP/tree/lib/regckpt/"*.dll.so; do
    rm "$dll"
    echo 'no library' >"$dll"
done
broken=$TMP/tree/bin/regckpt
on a "$broken" doctor app
is "$CODE" 1 "doctor finds something wrong"
ok 'grep -Eq "^hook loads into a 64-bit program +no +.*regckpt set app --lag 100" "$TMP/stdout"' \
    "doctor: it does not load, and the way out"
on a timeout $ONLINE_SECONDS "$broken" online app
is "$CODE" 111 "online with lag 0 is refused"
ok 'grep -q "could not be hooked.*doctor app" "$TMP/stderr"' "... and says why"
on a "$broken" set app --lag 100
is "$CODE" 0 "set: a lag where lag 0 was refused, at once: it is released"
on a timeout $ONLINE_SECONDS "$broken" online app
is "$CODE" 0 "online with a lag is not"
on a "$broken" status app
is "$CODE" 0 "status: fine"
ok 'grep -q "^app: ONLINE .* protected within a second (the watch alone" "$TMP/stdout"' \
    "status: protected by the watch"
ok 'grep -Eq "^ +capture +watch alone" "$TMP/stdout"' "... alone"
on a "$broken" status app --json
is "$(json resources.0.monitor.source)" watch "status --json: source"
on a "$broken" set app --lag 0
is "$CODE" 111 "set: no lag 0 while it is online unhooked"
ok 'grep -q "needs the hook" "$TMP/stderr"' "... and why"
on a timeout $ONLINE_SECONDS "$broken" offline app

rm "$TMP/tree/lib/regckpt/"*.dll.so
ok 'wait_for $PATIENCE try "$broken" set app --lag 0' "set: lag 0 while it is offline"
on a "$broken" doctor app
is "$CODE" 1 "doctor finds something missing"
ok 'grep -Eq "^64-bit hook +no" "$TMP/stdout"' "doctor: the hook is not installed"
on a "$broken" online app --dry-run
is "$CODE" 111 "online --dry-run: lag 0 would be refused"
ok 'grep -q "lag 0, which needs the hook" "$TMP/stderr"' "... and why"
