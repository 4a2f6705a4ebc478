# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A Generic Service through Wine's own services.exe: however it is started (regckpt online, net start,
# sc start, with the prefix), its keys are restored first; however it ends, they are saved.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite service

# ready_again NODE: whoever owned the resource there is gone, as a start by the SCM needs.
released() { no_monitor "$1" && no_program "$1" svcwriter; }
started_with() { sed -n 's/^[0-9]* start \([0-9]*\) .*/\1/p' "$1" 2>/dev/null | tail -n 1; }
# stale NODE: what a node that did not have the resource last looks like.
stale() { delete_key "$1" "$KEY" "$WIDTH"; set_value "$1" "$KEY" "stale" "from before" "$WIDTH"; }
not_stale() { [ -z "$(value "$1" "$KEY" stale "$WIDTH")" ]; }

# play WIDTH: the whole life of one service of that width.
play()
{
    WIDTH=$1
    local service=RegckptTest$WIDTH node=n$WIDTH other=o$WIDTH name=svc$WIDTH
    local log=$TMP/$name.log n
    KEY="Software\\RegckptTest\\Service"
    node "$node"
    node "$other"
    wine_up "$node"
    wine_up "$other"
    for n in "$node" "$other"; do
        on "$n" "$WINE" "$PE/svcwriter$WIDTH.exe" install "$service" "$KEY" "$(winpath "$log")" --interval 30
        is "$CODE" 0 "$WIDTH: the service is installed on $n"
    done

    on "$node" regckpt create "$name" --service "$service"
    is "$CODE" 0 "$WIDTH: create --service"
    on "$node" regckpt add "$name" "$KEY" --future
    is "$CODE" 0 "$WIDTH: add; auto means the view of the program"
    ok 'regckpt_list_has "$name" "$WIDTH"' "$WIDTH: that is $WIDTH bits"
    on "$node" regckpt add "$name" "System\\CurrentControlSet\\Services\\$service"
    is "$CODE" 0 "$WIDTH: the service's own key"

    online "$node" "$name"
    is "$CODE" 0 "$WIDTH: online"
    ok 'wait_for $PATIENCE service_is "$node" "$service" RUNNING' "$WIDTH: the service is RUNNING"
    ok 'wait_for $PATIENCE log_has "$log" 20' "$WIDTH: it writes"
    ok '[ "$(value "$node" "System\\CurrentControlSet\\Services\\$service" ImagePath)" != "" ]' \
        "$WIDTH: it has an image path"
    ok 'value "$node" "System\\CurrentControlSet\\Services\\$service" ImagePath | grep -q regckpt-host' \
        "$WIDTH: online wrapped it by itself"
    ckptdump "$name" "$TMP/svc.dump" --key "System\\CurrentControlSet\\Services\\$service" --view "$WIDTH"
    ok '[ -s "$TMP/svc.dump" ] && ! grep -qi " $(utf16_hex ImagePath) " "$TMP/svc.dump" &&
        ! grep -qi " $(utf16_hex Start) " "$TMP/svc.dump"' "$WIDTH: ImagePath and Start are left out"
    ok 'grep -qi " $(utf16_hex DisplayName) " "$TMP/svc.dump"' "$WIDTH: the rest of its key is not"

    offline "$node" "$name"
    is "$CODE" 0 "$WIDTH: offline"
    ok 'wait_for $PATIENCE service_is "$node" "$service" STOPPED' "$WIDTH: the service is STOPPED"
    ok 'grep -q " stop$" "$log" && grep -q " end$" "$log"' "$WIDTH: it was asked to stop, and did"
    ok 'live_is_checkpointed "$node" "$name" "$KEY" --view "$WIDTH"' "$WIDTH: saved as it is"

    # By the SCM: net start, then sc start.
    local how counter
    for how in "net.exe start" "sc.exe start"; do
        stale "$node"
        counter=$(grep -c . "$log")
        ok 'wait_for $PATIENCE by_scm "$how" RUNNING' "$WIDTH: $how: RUNNING"
        ok 'wait_for $PATIENCE not_stale "$node"' "$WIDTH: $how: restored first"
        ok 'wait_for $PATIENCE log_grew "$log" "$counter" && [ "$(started_with "$log")" -gt 1 ]' \
            "$WIDTH: $how: the service found its counter"
        on "$node" regckpt status "$name"
        is "$CODE" 0 "$WIDTH: $how: status says that it is online"
        ok 'wait_for $PATIENCE by_scm "net.exe stop" STOPPED' "$WIDTH: net stop: STOPPED"
        ok 'wait_for $PATIENCE released "$node"' "$WIDTH: net stop: released"
        ok 'live_is_checkpointed "$node" "$name" "$KEY" --view "$WIDTH"' "$WIDTH: net stop: saved"
    done

    # With the prefix.
    on "$node" regckpt wrap "$name" --autostart
    is "$CODE" 0 "$WIDTH: wrap --autostart"
    stale "$node"
    prefix_end "$(prefix_of "$node")"
    wine_up "$node"
    ok 'wait_for $PATIENCE service_is "$node" "$service" RUNNING' "$WIDTH: the prefix starts, and it is RUNNING"
    ok 'wait_for $PATIENCE not_stale "$node"' "$WIDTH: restored first"
    offline "$node" "$name"
    is "$CODE" 0 "$WIDTH: offline of what the prefix started"
    on "$node" regckpt unwrap --all --dry-run
    is "$CODE" 1 "$WIDTH: it is known to be wrapped"
    ok 'grep -q "\"$service\" in the prefix $(prefix_of "$node") (resource $name): wrapped" "$TMP/stdout"' \
        "$WIDTH: by its service, prefix and resource"
    on "$node" regckpt unwrap "$name"
    is "$CODE" 0 "$WIDTH: unwrap"
    on "$node" regckpt unwrap --all --dry-run
    is "$CODE" 0 "$WIDTH: and nothing is known to be wrapped any more"
    ok '! value "$node" "System\\CurrentControlSet\\Services\\$service" ImagePath | grep -q regckpt-host' \
        "$WIDTH: the image path is the service's own again"

    # The other node.
    rm -f "$log"
    online "$other" "$name"
    is "$CODE" 0 "$WIDTH: online on the other node"
    ok 'wait_for $PATIENCE log_has "$log" 3' "$WIDTH: it writes there"
    ok '[ "$(started_with "$log")" -gt 1 ]' "$WIDTH: and found its counter"

    # It dies.
    local pid
    pid=$(writer_pid "$other")
    kill -KILL "$pid"
    ok 'wait_for $PATIENCE no_monitor "$other"' "$WIDTH: the program is killed: the resource is released"
    ok 'live_is_checkpointed "$other" "$name" "$KEY" --view "$WIDTH"' "$WIDTH: what it had written is saved"
    online "$other" "$name"
    is "$CODE" 0 "$WIDTH: online again after that"
    on "$other" regckpt unwrap --all
    is "$CODE" 3 "$WIDTH: unwrap --all of one that is online"
    ok 'grep -q "regckpt offline $name" "$TMP/stderr"' "$WIDTH: says what to do"
    offline "$other" "$name"
    is "$CODE" 0 "$WIDTH: offline"

    # Taken from the node: the store need not be there, nor the resource.
    mv "$STORE" "$STORE.away"
    on "$other" regckpt unwrap --all
    is "$CODE" 0 "$WIDTH: unwrap --all without the store"
    ok 'grep -q "\"$service\".*: unwrapped" "$TMP/stdout"' "$WIDTH: unwraps it"
    mv "$STORE.away" "$STORE"
    ok '! value "$other" "System\\CurrentControlSet\\Services\\$service" ImagePath | grep -q regckpt-host' \
        "$WIDTH: the image path is the service's own again"
    on "$other" regckpt unwrap --all --dry-run
    is "$CODE" 0 "$WIDTH: and it is forgotten"
    on "$other" regckpt wrap "$name"
    is "$CODE" 0 "$WIDTH: wrap"
    on "$other" "$WINE" "$PE/svcwriter$WIDTH.exe" uninstall "$service"
    is "$CODE" 0 "$WIDTH: the service is deleted"
    on "$other" regckpt unwrap --all --json
    is "$CODE" 0 "$WIDTH: unwrap --all of a service that is no more"
    ok 'python3 -m json.tool <"$TMP/stdout" | grep -q "is not installed any more"' \
        "$WIDTH: says so"
}
# by_scm COMMAND STATE: is the service in this state?  If not, the command is given: services.exe refuses
# it while it is about another service.
by_scm() { service_is "$node" "$service" "$2" || { on_quietly "$node" "$WINE" $1 "$service"; false; }; }
prefix_of() { local p=PREFIX_$1; echo "${!p}"; }
regckpt_list_has() { on_quietly "$node" regckpt list "$1"; grep -q "$2" "$TMP/quiet"; }
log_grew() { [ "$(grep -c . "$1")" -gt "$2" ]; }
# The program itself, not the host whose command line names it too.
writer_pid()
{
    local pid
    for pid in $(program_pids "$1" svcwriter); do
        tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q regckpt-host || echo "$pid"
    done | head -n 1
}

node x
on x regckpt init
play 64
if have_wine32; then
    play 32
else
    skip 40 "32-bit services do not run here"
fi

# What goes wrong.
wine_up x
KEY='Software\RegckptTest\Wrong'
on x regckpt create missing --service NoSuchService
is "$CODE" 0 "a service may be installed after its resource is made"
on x regckpt doctor missing
is "$CODE" 1 "doctor of a service that is not installed"
ok 'grep -Eq "^service +no +.*NoSuchService.*nstall" "$TMP/stdout"' "... says so"
online x missing
is "$CODE" 111 "online of a service that is not installed is refused"
ok 'grep -q "NoSuchService.*install it on this node" "$TMP/stderr"' "... by name, and what to do"
for verb in wrap unwrap; do
    on x regckpt $verb missing
    is "$CODE" 100 "$verb of a service that is not installed is refused"
    ok 'grep -q "NoSuchService.*install it here" "$TMP/stderr"' "... by name, and what to do"
done

on x "$WINE" "$PE/svcwriter64.exe" install AtOnce "$KEY" "$(winpath "$TMP/at-once.log")" --at-once --exit 5
on x regckpt create at-once --service AtOnce
on x regckpt set at-once --start-timeout 15
online x at-once
is "$CODE" 111 "a service that ends before it runs: online fails"
ok 'grep -q AtOnce "$TMP/stderr"' "... and names it"
ok 'wait_for $PATIENCE no_monitor x' "... and nothing is left owned"

on x "$WINE" "$PE/svcwriter64.exe" install Hangs "$KEY" "$(winpath "$TMP/hangs.log")" --hang
on x regckpt create hangs --service Hangs
on x regckpt set hangs --stop-timeout 3
on x regckpt add hangs "$KEY" --future
online x hangs
is "$CODE" 0 "a service that will not stop: online"
ok 'wait_for $PATIENCE log_has "$TMP/hangs.log" 5' "it writes"
offline x hangs
is "$CODE" 0 "offline ends it by force"
ok 'wait_for $PATIENCE no_program x Hangs' "it is gone"
ok 'live_is_checkpointed x hangs "$KEY"' "and what it wrote is saved"
