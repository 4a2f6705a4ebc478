# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt@.service under a systemd of its own: a machine is booted in namespaces, with the package.
. "$(dirname "$0")/../lib.sh"
. "$SRC/tests/package_lib.sh"
suite systemd
if ! can_have_roots 2>/dev/null || ! machine_space; then
    skip 15 "this needs root, mounts and a hierarchy of cgroups version 2"
    exit 0
fi
root_new a
root_prefix a
version=$(dpkg-deb -f "$DEBS"/regckpt_*.deb Version)
cp "$BUILD/out/wine/svcwriter64.exe" "$SHARED"
there() { machine_quietly a "$@"; }
ask() { in_machine a "$@"; }
is_state() { [ "$(there systemctl show -P "$1" regckpt@svc)" = "$2" ]; }

mapfile -t debs < <(packages "$version")
inside a dpkg -i "${debs[@]}"
if ! machine_boot a; then
    skip 15 "systemd does not boot in namespaces here"
    exit 0
fi
ask /usr/lib/wine/wine64 'Z:\srv\shared\svcwriter64.exe' install Svc 'Software\RegckptTest\Systemd' \
    'Z:\srv\shared\log' --interval 50
is "$CODE" 0 "a service is installed"
ask sh -c 'regckpt init && regckpt create svc --service Svc --prefix /srv/prefix &&
    regckpt add svc "Software\RegckptTest\Systemd" --future'
is "$CODE" 0 "it is protected"

ask systemctl start regckpt@svc
is "$CODE" 0 "systemctl start"
ask regckpt status svc
ok '((CODE == 0)) && grep -q ONLINE "$TMP/stdout"' "... returns when the resource is online"
is "$(there systemctl show -P StatusText regckpt@svc)" "Online" "the unit's status says so"
ok 'wait_for $PATIENCE test -s "$SHARED/log"' "the service writes"
ask journalctl -t regckpt -o json --no-pager
ok 'grep -q "svc is online" "$TMP/stdout"' "the journal has it, with the tag regckpt"
pid=$(there systemctl show -P MainPID regckpt@svc)
ask sh -c "tr '\\0' ' ' <'/proc/$pid/cmdline'"
ok 'grep -q "regckpt-monitor.*--resource svc" "$TMP/stdout"' "the main process is the monitor"
ask sh -c 'grep -lz "^WINELOADER\|^WINEPREFIX=/srv/prefix" /proc/[0-9]*/environ | xargs grep -lz "^NOTIFY_SOCKET="'
ok '[ ! -s "$TMP/stdout" ]' "nothing that it started may speak for it"

# It fails: systemd starts it again, with the registry as it was.
there kill -KILL "$pid"
restarted() { is_state ActiveState active && [ "$(there systemctl show -P MainPID regckpt@svc)" != "$pid" ]; }
ok 'wait_for $PATIENCE restarted' "the monitor is killed: the unit is started again"
ask systemctl stop regckpt@svc
is "$CODE" 0 "systemctl stop"
is "$(there systemctl show -P Result regckpt@svc)" success "... in order"
ok 'grep -q " stop$" "$SHARED/log" && grep -q " end$" "$SHARED/log"' "the service was asked to stop, and did"
ask regckpt status svc
ok 'grep -q OFFLINE "$TMP/stdout"' "the resource is offline"

# What another try would not change is not tried again.
ask sh -c 'exec 9>/dev/null; regckpt set svc --service NoSuchService'
ask systemctl start regckpt@svc
ok '((CODE != 0))' "a service that is not there: systemctl start fails"
there systemctl stop regckpt@svc
ask systemctl start regckpt@nosuch
ok '((CODE != 0))' "a resource that is not there: systemctl start fails"
is "$(there systemctl show -P NRestarts regckpt@nosuch)" 0 "... and is not tried again"

machine_off a
ok '[ ! -e "$MACHINES/a" ]' "no group is left"
