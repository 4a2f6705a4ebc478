# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What regckpt makes of the answers of Pacemaker's tools, here played ones: which resources are Pacemaker's,
# and whether the node that a lock names was fenced since.  The real ones: tests/cluster.
. "$(dirname "$0")/../lib.sh"
suite pacemaker
STORE=$TMP/store
printf 'store = %s\nrun_dir = %s\nnode = here\n' "$STORE" "$TMP/run" >"$REGCKPT_CONF"
mkdir -p "$TMP/bin" "$TMP/prefix/p/drive_c"
PATH=$TMP/bin:$PATH

# plays TOOL: the standard input is its script.
plays()
{
    { echo '#!/bin/sh'; cat; } >"$TMP/bin/$1"
    chmod +x "$TMP/bin/$1"
}
# says TOOL CODE: its output is the standard input.
says()
{
    cat >"$TMP/answer.$1"
    plays "$1" <<<"echo \"\$*\" >>$TMP/asked; cat $TMP/answer.$1; exit $2"
}
run regckpt init
run regckpt create erp --service Erp --prefix "$TMP/prefix/p" --wine /bin/false
is "$CODE" 0 "a resource"

# Whose is it?
says cibadmin 0 <<<"/cib/configuration/resources/group[@id='g 1']/primitive[@id='erp-1']"
says crm_mon 0 <<<'<resource id="erp-10" managed="false"/><resource id="erp-1" active="true" managed="true" failed="false">'
for verb in online offline; do
    run regckpt $verb erp
    is "$CODE" 100 "$verb of what Pacemaker manages"
    ok 'grep -q "managed by Pacemaker as \"erp-1\"" "$TMP/stderr"' "says as what"
    ok 'grep -q "pcs resource disable erp-1" "$TMP/stderr" && grep -q -- "$verb erp --force" "$TMP/stderr"' "and what to do"
done
ok 'grep -q "@name='\''resource'\'' and @value='\''erp'\''" "$TMP/asked" && grep -q "@value!='\''$STORE'\''" "$TMP/asked" &&
    grep -q "regckpt@erp" "$TMP/asked"' "asked for were our agents, with this store, and units"
run regckpt offline erp --force
is "$CODE" 0 "with --force"
run regckpt online erp --dry-run
ok '! grep -q "managed by" "$TMP/stderr"' "--dry-run may look"
says crm_mon 0 <<<'<resource id="erp-1" active="true" managed="false" failed="false">'
run regckpt offline erp
is "$CODE" 0 "one that is unmanaged is the administrator's"
says cibadmin 105 </dev/null
run regckpt offline erp
is "$CODE" 0 "one that Pacemaker does not know"
says cibadmin 102 <<<"/cib/configuration/resources/primitive[@id='erp-1']"
run regckpt offline erp
is "$CODE" 0 "no cluster runs"
says cibadmin 0 <<<"no path at all [@id='erp-1"
run regckpt offline erp
is "$CODE" 0 "an answer that makes no sense"
plays cibadmin <<<'exec sleep 1000'
run timeout 100 regckpt offline erp
is "$CODE" 0 "one that never comes"
rm "$TMP/bin/cibadmin"

# Was its owner fenced?  Somebody else has the lock all the time, who is on another node, so to speak.
elsewhere=(unshare --mount --pid --fork --mount-proc --)
if ! "${elsewhere[@]}" true 2>/dev/null; then
    skip 21 "namespaces cannot be made here"
    exit 0
fi
cat >"$TMP/hold.py" <<'END'
import fcntl, os, signal, struct, sys
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
os.pwrite(lock, sys.argv[2].encode().ljust(512, b"\0"), 0)
print("held", flush=True)
signal.pause()
END
# held_by TEXT
held_by()
{
    [ -z "${HOLDER:-}" ] || kill "$HOLDER"
    rm -f "$TMP/held"
    python3 "$TMP/hold.py" "$STORE/erp/lock" "$1" >"$TMP/held" 2>&1 &
    HOLDER=$!
    wait_for $PATIENCE grep -q held "$TMP/held"
}
OWNER='owned by process 7 of node over there since 2026-11-27 03:00:05.500000000 UTC'
# not_taken WHY DESCRIPTION
not_taken()
{
    local why=$1
    held_by "$OWNER"
    run "${elsewhere[@]}" regckpt agent start erp --timeout 2
    is "$CODE" 1 "$2: not started"
    ok 'grep -qF "Not taken by force: $why" "$TMP/stderr"' "and why"
    is "$(tr -d '\0' <"$STORE/erp/lock")" "$OWNER" "its owner is left alone"
}
event() { echo "<fence_event action=\"$1\" target=\"over there\" origin=\"x\" status=\"$2\" delegate=\"x\" completed=\"$3\"/>"; }

rm -f "$TMP/bin/stonith_admin"
plays stonith_admin <<<'exit 127'
not_taken 'Pacemaker tells of no successful fencing of node over there' "no Pacemaker"
says stonith_admin 0 </dev/null
not_taken 'Pacemaker tells of no successful fencing of node over there' "no fencing"
ok 'grep -q -- "--history over there --verbose" "$TMP/asked"' "asked for was the lock's node"
says stonith_admin 0 < <(event reboot failed '2026-11-27 03:10:00Z'; event on success '2026-11-27 03:10:00Z'
    event off pending '2026-11-27 03:10:00Z'; echo '<fence_event action="off"'; event off success 'soon')
not_taken 'Pacemaker tells of no successful fencing of node over there' "fencing that failed, or is not over"
says stonith_admin 0 < <(event reboot success '2026-11-27 02:59:59Z'; event off success '2026-11-27 03:00:05Z')
not_taken "Pacemaker's last fencing of node over there was before it became owner" "fencing before, or in the same second"
says stonith_admin 113 < <(event off success '2026-11-27 03:10:00Z')
not_taken 'Pacemaker tells of no successful fencing of node over there' "a tool that fails"
OWNER='somebody has it'
says stonith_admin 0 < <(event off success '2026-11-27 03:10:00Z')
not_taken 'the lock does not say which node owns it' "an owner without a name"
OWNER='being taken over by process 7 of node over there since 2026-11-27 03:00:05.500000000 UTC'
held_by "$OWNER"
says stonith_admin 0 < <(event off success '2026-11-27 03:00:06Z'; event off failed '2026-11-27 03:20:00Z')
run "${elsewhere[@]}" regckpt agent start erp --timeout 30
ok '! grep -q "Not taken by force" "$TMP/stderr"' "fenced since: nobody waits"
ok '! grep -qF "$OWNER" "$STORE/erp/lock"' "and it is taken over"
kill "$HOLDER"
