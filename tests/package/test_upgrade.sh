# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A rolling upgrade: two nodes with this version, then one, then both with the next one, while a service
# moves between them in both directions and its counter goes on.  What is online goes on while the files
# under it are replaced, and stays protected, by the watch where the new hook does not know the old ring.
. "$(dirname "$0")/../lib.sh"
. "$SRC/tests/package_lib.sh"
suite upgrade
if ! can_have_roots 2>/dev/null; then
    skip 30 "this needs root, and mounts"
    exit 0
fi
version=$(dpkg-deb -f "$DEBS"/regckpt_*.deb Version)
next=$(dpkg-deb -f "$NEXT_DEBS"/regckpt_*.deb Version)
ok 'dpkg --compare-versions "$next" gt "$version"' "$next follows $version"
KEY='Software\RegckptTest\Upgrade' JOB='Software\RegckptTest\Job'
LOADER=/usr/lib/wine/wine64
cp "$BUILD/out/wine/svcwriter64.exe" "$SHARED"

# install NODE VERSION
install() { mapfile -t debs < <(packages "$2") && inside "$1" dpkg -i "${debs[@]}"; }
for node in a b; do
    root_new $node
    root_prefix $node
    root=ROOT_$node
    printf 'store = /srv/shared/store\nnode = %s\n' $node >"${!root}/etc/regckpt.conf.new"
    install $node "$version"
    is "$CODE" 0 "$node: $version is installed"
    mv "${!root}/etc/regckpt.conf.new" "${!root}/etc/regckpt.conf"
    inside $node "$LOADER" 'Z:\srv\shared\svcwriter64.exe' install Upgrade "$KEY" 'Z:\srv\shared\log' --interval 40
    is "$CODE" 0 "$node: the service is installed"
done
inside a sh -c "regckpt init && regckpt create up --service Upgrade && regckpt add up '$KEY' --future"
is "$CODE" 0 "it is protected" || exit 1

# start_found: what the last start of the service found; acknowledged: what it has made until now.
start_found() { grep ' start ' "$SHARED/log" | tail -n 1 | cut -d ' ' -f 3; }
acknowledged() { grep -c ' done ' "$SHARED/log" 2>/dev/null || true; }
# goes_on NODE FROM DESCRIPTION: online there, and the service finds at least the counter FROM.
goes_on()
{
    local starts from=$2
    starts=$(grep -c ' start ' "$SHARED/log" 2>/dev/null)
    inside "$1" regckpt online up
    is "$CODE" 0 "$3: online" || exit 1
    ok 'wait_for $PATIENCE started_again "$starts"' "$3: the service starts"
    ok '(($(start_found) >= from))' "$3: and goes on at $from or behind it"
    ok 'wait_for $PATIENCE wrote_more "$(acknowledged)"' "$3: it writes"
}
started_again() { [ "$(grep -c ' start ' "$SHARED/log" 2>/dev/null)" -gt "${1:-0}" ]; }
wrote_more() { [ "$(acknowledged)" -gt $(($1 + 20)) ]; }
# last_done: the last counter whose writing was acknowledged.
last_done()
{
    awk -v name="$(printf Counter | iconv -t UTF-16LE | od -An -v -tx1 | tr -d ' \n')" '
        $2 == "try" && $4 == "set" && $6 == name { n = $3 }
        $2 == "done" && $3 == n { last = n }
        END { print last + 0 }' "$SHARED/log"
}

goes_on a 0 "$version on a"
install b "$next"
is "$CODE" 0 "b: upgraded while a has it online"
inside b regckpt --version
is "$(stdout)" "regckpt $next" "b: has $next"
inside b regckpt online up
is "$CODE" 3 "b: does not get what a has"

inside a regckpt offline up
is "$CODE" 0 "offline on a"
at=$(last_done)
ok '((at > 0))' "it has counted to $at"
goes_on b "$at" "$next on b, from $version"
inside b regckpt save up
is "$CODE" 0 "saved on b"
at=$(last_done)
root_kill b
goes_on a "$at" "$version on a, from $next, which was killed"

# --- a, while it has it online ---
monitor=$(pgrep -f "regckpt-monitor .*--resource up" | head -n 1)
inside a sh -c "mkdir -p /srv/shared/job && regckpt create job --command 'cmd.exe /c Z:\\srv\\shared\\job\\job.bat' &&
    regckpt add job '$JOB' --future"
cat >"$SHARED/job/job.bat" <<'BAT'
@echo off
:again
if exist Z:\srv\shared\job\go goto work
ping.exe -n 2 127.0.0.1 >nul
goto again
:work
reg.exe add HKLM\Software\RegckptTest\Job /v Child /d late /f /reg:64
:rest
ping.exe -n 2 127.0.0.1 >nul
goto rest
BAT
inside a regckpt online job
is "$CODE" 0 "a program is online as well"
inside a regckpt status job --json
ok 'grep -q "\"source\": \"hook\"" "$TMP/stdout"' "it is hooked"
install a "$next"
is "$CODE" 0 "a: upgraded while it has both online"
ok 'kill -0 "$monitor"' "a: the old monitor is still there"
ok 'wait_for $PATIENCE wrote_more "$(acknowledged)"' "a: the service goes on writing"
inside a regckpt save up
is "$CODE" 0 "a: the new command saves by the old monitor"
inside a regckpt status up
ok '((CODE == 0)) && grep -q "ONLINE" "$TMP/stdout"' "a: and status knows it"
: >"$SHARED/job/go"
late_is_saved() { inside_quietly a regckpt show job "$JOB" && grep -q late "$TMP/stdout"; }
ok 'wait_for $PATIENCE late_is_saved' "a: what a child writes that the old program started is saved"
inside a regckpt status job
ok 'grep -Eq "not hooked|could not be hooked|unhooked" "$TMP/stdout"' "a: though it could not be hooked, and status says so"
inside a regckpt offline job
is "$CODE" 0 "a: the new command takes the old monitor's program offline"
inside a regckpt offline up
is "$CODE" 0 "a: and its service"
at=$(last_done)
goes_on a "$at" "$next on a"
inside a regckpt status up --json
ok 'grep -q "\"source\": \"hook\"" "$TMP/stdout"' "it is hooked by the new version"
inside a regckpt upgrade
ok '((CODE == 0)) && grep -q "nothing to do" "$TMP/stdout"' "upgrade: nothing is left to convert"
inside a regckpt offline up
is "$CODE" 0 "offline"
inside a regckpt verify
is "$CODE" 0 "all checkpoints are whole"
