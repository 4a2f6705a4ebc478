# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The resource agents on one node, without a cluster: ocf-tester, and the exit code in every state.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../cluster_lib.sh"
suite agent
cluster_space 60 "$@"

# Not in TMP's file system: a storage of its own, which can be unmounted.
mkdir "$TMP/shared"
mount -t tmpfs -o size=160m tmpfs "$TMP/shared" && echo "$TMP/shared" >>"$TMP/mounts"
STORE=$TMP/shared/store
node a
export REGCKPT_CONF=$CONF_a
PREFIX=$PREFIX_a
KEY='Software\RegckptTest\Agent'
wine_up a
on a regckpt init
is "$CODE" 0 "a store" || exit 1
on a "$WINE" "$PE/svcwriter64.exe" install Writer "$KEY" "$(winpath "$TMP/writer.log")" --interval 50
is "$CODE" 0 "a service"
on a regckpt create svc --service Writer --prefix "$PREFIX"
on a regckpt add svc "$KEY" --future --view 64
is "$CODE" 0 "a resource of it"
on a regckpt create app --prefix "$PREFIX" --command \
    "$(winpath "$PE/svcwriter64.exe") run ${KEY}App 0 50 --log $(winpath "$TMP/app.log")"
on a regckpt add app "${KEY}App" --future --view 64
is "$CODE" 0 "a resource of a program"

svc() { agent wineservice "$@" resource=svc; }

# ocf-tester gives each operation 20 s.
tester() { run timeout 300 ocf-tester -n test -o "resource=$1" "/usr/lib/ocf/resource.d/regckpt/$2"; }
tester svc wineservice
is "$CODE" 0 "ocf-tester passes: wineservice"
stdout | grep -v '^\*.*optional' | sed 's/^/    /'
tester app wineapp
is "$CODE" 0 "ocf-tester passes: wineapp"
if have_wine32; then
    on a regckpt create app32 --prefix "$PREFIX" --command \
        "$(winpath "$PE/svcwriter32.exe") run ${KEY}App32 0 50 --log $(winpath "$TMP/app32.log")"
    on a regckpt add app32 "${KEY}App32" --future --view 32
    on a "$WINE" "$PE/svcwriter32.exe" install Writer32 "${KEY}32" "$(winpath "$TMP/writer32.log")" --interval 50
    on a regckpt create svc32 --service Writer32 --prefix "$PREFIX"
    on a regckpt add svc32 "${KEY}32" --future --view 32
    tester svc32 wineservice
    is "$CODE" 0 "ocf-tester passes: wineservice, 32-bit"
    tester app32 wineapp
    is "$CODE" 0 "ocf-tester passes: wineapp, 32-bit"
else
    skip 2 "32-bit programs do not run here"
fi

# What is wrong with a node or with the configuration.
agent wineservice validate-all
is "$CODE" $OCF_ERR_CONFIGURED "no resource named"
agent wineservice validate-all resource=other
is "$CODE" $OCF_ERR_CONFIGURED "a resource that the store does not have"
agent wineservice start resource='../x'
is "$CODE" $OCF_ERR_CONFIGURED "a name that none can have"
agent wineapp validate-all resource=svc
is "$CODE" $OCF_ERR_CONFIGURED "a service given to the agent of programs"
agent wineservice validate-all resource=app
is "$CODE" $OCF_ERR_CONFIGURED "a program given to the agent of services"
svc validate-all user=nobody
is "$CODE" $OCF_ERR_PERM "a user that does not own the prefix"
svc validate-all user=there-is-none
is "$CODE" $OCF_ERR_INSTALLED "a user that this node does not have"
svc validate-all prefix="$TMP/no-prefix"
is "$CODE" $OCF_ERR_INSTALLED "a prefix that this node does not have"
svc validate-all wine="$TMP/no-wine"
is "$CODE" $OCF_ERR_INSTALLED "a Wine that this node does not have"
svc validate-all store="$TMP/no-store"
is "$CODE" $OCF_ERR_INSTALLED "a store that this node does not have"
svc start store="$TMP/no-store"
is "$CODE" $OCF_ERR_INSTALLED "nothing starts without it"
svc validate-all max_lag=soon
is "$CODE" $OCF_SUCCESS "(max_lag is for the monitor)"
CHECK_LEVEL=20 svc monitor max_lag=soon
is "$CODE" $OCF_ERR_CONFIGURED "a lag that is no number"
svc bring-online
is "$CODE" $OCF_ERR_UNIMPLEMENTED "an action that there is not"
on a regckpt create none --service NotThere --prefix "$PREFIX"
agent wineservice start resource=none
is "$CODE" $OCF_ERR_INSTALLED "a service that the prefix does not have"
agent wineservice monitor resource=none
is "$CODE" $OCF_NOT_RUNNING "it does not run then"

# A life.
INTERVAL=0 svc monitor
is "$CODE" $OCF_NOT_RUNNING "probe of what is offline"
svc start
is "$CODE" $OCF_SUCCESS "start"
for depth in 0 10 20; do
    CHECK_LEVEL=$depth svc monitor
    is "$CODE" $OCF_SUCCESS "monitor, depth $depth"
done
CHECK_LEVEL=20 svc monitor probe='test -s /etc/passwd'
is "$CODE" $OCF_SUCCESS "with a probe command that succeeds"
CHECK_LEVEL=20 svc monitor probe='echo it is broken >&2; exit 3'
is "$CODE" $OCF_ERR_GENERIC "with one that fails"
ok 'grep -q "it is broken" "$TMP/stderr"' "its words are the reason"
CHECK_LEVEL=20 svc monitor max_lag=0
ok '((CODE == OCF_DEGRADED || CODE == OCF_SUCCESS))' "a lag beyond what is allowed is degraded"

# Frozen: the program's own process.
program=$(comm -23 <(program_pids a svcwriter64.exe | sort) <(host_pids a | sort))
kill -STOP $program
svc monitor
is "$CODE" $OCF_SUCCESS "a program that is stopped: depth 0 does not see it"
CHECK_LEVEL=10 svc monitor
is "$CODE" $OCF_ERR_GENERIC "depth 10 does"
kill -CONT $program

# Wine: it hangs, as a whole.
kill -STOP "$(server_pids a)"
CHECK_LEVEL=10 TIMEOUT=12000 svc monitor
is "$CODE" $OCF_ERR_GENERIC "a Wine that does not answer: depth 10 fails"
ok 'grep -q "Wine does not answer in time" "$TMP/stderr"' "... and says so"
kill -CONT "$(server_pids a)"
CHECK_LEVEL=10 svc monitor
is "$CODE" $OCF_SUCCESS "it answers again"
kill -STOP "$(server_pids a)"
TIMEOUT=20000 svc stop
is "$CODE" $OCF_SUCCESS "a Wine that hangs: stop"
ok 'no_monitor a && no_program a svcwriter64.exe' "... leaves nothing"
wine_up a
on a "$WINE" "$PE/svcwriter64.exe" install Writer "$KEY" "$(winpath "$TMP/writer.log")" --interval 50
svc start
is "$CODE" $OCF_SUCCESS "... and it starts again"

# What cannot be saved, though storage is fine: beyond a limit of regckpt's.
for level in $(seq 513); do
    printf 'key %s - plain\n' "$(printf '6400/%.0s' $(seq "$level") | sed 's,/$,,')"
done >"$TMP/deep"
on a "$WINE" "$PE/regplay64.exe" "$KEY\\deep" "$(winpath "$TMP/deep")"
unprotected() { CHECK_LEVEL=20 svc monitor; ((CODE == OCF_DEGRADED)); }
ok 'wait_for $PATIENCE unprotected' "what cannot be saved: degraded at depth 20"
ok 'grep -q "not all saved since .* levels below" "$TMP/ha.log"' "... and says what"
CHECK_LEVEL=10 svc monitor
is "$CODE" $OCF_SUCCESS "and running, at depth 10"
CHECK_LEVEL=20 svc monitor probe=false
is "$CODE" $OCF_ERR_GENERIC "a probe that fails is a failure then, too"
on a "$WINE" reg.exe delete "HKLM\\$KEY\\deep" /f /reg:64
protected() { CHECK_LEVEL=20 svc monitor; ((CODE == OCF_SUCCESS)); }
ok 'wait_for $PATIENCE protected' "it is gone: fine"

# Storage: full, then fine again.
dd if=/dev/zero of="$TMP/shared/filler" bs=1M >/dev/null 2>&1
ok 'wait_for $PATIENCE unprotected' "storage is full: degraded at depth 20"
CHECK_LEVEL=0 svc monitor
is "$CODE" $OCF_SUCCESS "and running"
rm "$TMP/shared/filler"
ok 'wait_for $PATIENCE protected' "there is room again: fine"

# Another resource of the same prefix stays, whatever becomes of this one.
agent wineapp start resource=app
is "$CODE" $OCF_SUCCESS "another one in the same prefix"
for pid in $(monitor_pids a); do
    ! tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- '--resource svc ' || kill -KILL "$pid"
done
gone() { svc monitor; ((CODE != OCF_SUCCESS)); }
ok 'wait_for $PATIENCE gone' "its monitor is killed: no longer running"
svc stop
is "$CODE" $OCF_SUCCESS "stop ends what is left"
svc monitor
is "$CODE" $OCF_NOT_RUNNING "nothing is"
agent wineapp monitor resource=app
is "$CODE" $OCF_SUCCESS "the other one runs on"

# A service that hangs.
on a "$WINE" "$PE/svcwriter64.exe" uninstall Writer
on a "$WINE" "$PE/svcwriter64.exe" install Writer "$KEY" "$(winpath "$TMP/writer.log")" --interval 50 --hang
svc start
is "$CODE" $OCF_SUCCESS "a service that does not stop when it is told to"
TIMEOUT=20000 svc stop
is "$CODE" $OCF_SUCCESS "is stopped in time"
svc start
agent wineapp stop resource=app
is "$CODE" $OCF_SUCCESS "the other one is stopped"

# Wine dead, its processes hanging.
kill -KILL "$(server_pids a)"
svc stop
is "$CODE" $OCF_SUCCESS "stop with a dead wineserver"
ok 'no_program a svcwriter64.exe' "nothing of it is left"
svc monitor
is "$CODE" $OCF_NOT_RUNNING "not running"

# The monitor frozen.  What Wine had not written out when its server was killed is set up again.
wine_up a
on a "$WINE" "$PE/svcwriter64.exe" install Writer "$KEY" "$(winpath "$TMP/writer.log")" --interval 50
svc start
is "$CODE" $OCF_SUCCESS "start again"
kill -STOP $(monitor_pids a)
svc monitor
is "$CODE" $OCF_ERR_GENERIC "a monitor that does not answer has failed"
TIMEOUT=20000 svc stop
is "$CODE" $OCF_SUCCESS "and is stopped all the same"
ok 'no_monitor a && no_program a svcwriter64.exe' "with its program"

# Its checkpoint is gone: the log offers the last good one, and it starts again.
rm "$STORE/svc/checkpoint.tdb"
: >"$TMP/ha.log"
svc start
is "$CODE" $OCF_ERR_INSTALLED "a resource whose checkpoint is gone: another node may see it"
ok 'grep -q "checkpoint of \"svc\" is gone.*\"regckpt rollback svc\".*crm_resource --cleanup --resource test" "$TMP/ha.log"' \
    "... the log says so, and what to do"
on a regckpt rollback svc
is "$CODE" 0 "... which works"
svc start
is "$CODE" $OCF_SUCCESS "... it starts"
svc stop

# The storage can be unmounted, whatever of the prefix has it open.
wine_up a
svc start
(cd "$TMP/shared" && WINEPREFIX=$PREFIX "$WINE" ping.exe -n 1000 127.0.0.1 >/dev/null 2>&1 </dev/null) &
ok 'wait_for $PATIENCE a_program a ping.exe' "a program of the prefix works in the storage"
svc stop
is "$CODE" $OCF_SUCCESS "stop"
ok 'umount "$TMP/shared"' "the storage can be unmounted"
INTERVAL=0 svc monitor
is "$CODE" $OCF_NOT_RUNNING "a probe without the storage: not running"
svc stop
is "$CODE" $OCF_SUCCESS "a stop without the storage"
svc start
is "$CODE" $OCF_ERR_INSTALLED "a start without the storage"
sed -i "\|^$TMP/shared\$|d" "$TMP/mounts"

# Not installed at all.
mount -t tmpfs tmpfs /usr/lib/regckpt && mount --bind /dev/null /usr/bin/regckpt
INTERVAL=0 svc monitor
is "$CODE" $OCF_NOT_RUNNING "regckpt is not installed: a probe says that it does not run"
svc start
is "$CODE" $OCF_ERR_INSTALLED "a start that it lacks"
svc stop
is "$CODE" $OCF_SUCCESS "a stop is done"
agent wineservice meta-data
is "$CODE" $OCF_SUCCESS "and meta-data are there"
umount /usr/bin/regckpt /usr/lib/regckpt
