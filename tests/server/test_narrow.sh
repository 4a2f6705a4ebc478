# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A 32-bit service and a 32-bit program with the patched wineserver as the source of changes: what they
# and others write in their view of the registry is in the checkpoint, and on the other node they go on
# with it.  UNHOOKED is set where the hook is not installed (test_narrow_unhooked).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../status_lib.sh"
suite "narrow${UNHOOKED:+_unhooked}"
if ! have_wine32; then
    skip 60 "32-bit programs: there is no 32-bit Wine, or no 32-bit host"
    exit 0
fi
KEY='Software\RegckptTest\Narrow'
WRITER=$PE/svcwriter32.exe

# Of the resource $1, which is "svc" or "app":
log() { echo "$TMP/$1.log"; }
start_found() { grep ' start ' "$(log "$1")" | tail -n 1 | cut -d ' ' -f 3; }
starts() { [ ! -e "$(log "$1")" ] || grep -c ' start ' "$(log "$1")"; }
started_again() { (($(starts "$1") + 0 > $2)); }
last_done() { awk '$2 == "done" && $4 == 0 { n = $3 } END { print n + 0 }' "$(log "$1")"; }
wrote_to() { (($(last_done "$1") >= $2)); }
goes_on() { wait_for $PATIENCE wrote_to "$1" $(($(last_done "$1") + 15)); }
arrived() { in_checkpoint "$1" "$2" "$3" --key "$KEY\\$1" --view 32; }
equal() { live_is_checkpointed "$1" "$2" "$KEY\\$2" --view 32; }
narrow_reg() { on "$1" "${WINE%/*}/wine" reg.exe "${@:2}"; }
# hooked NODE RESOURCE: its program is, if it can be.
hooked()
{
    local count
    count=$(status_number "$1" "$2" hooked)
    if [ -n "${UNHOOKED:-}" ]; then ((count == 0)); else ((count > 0)); fi
}
# begin NODE RESOURCE WHAT: online there, and captured as it should be.
begin()
{
    local node=$1 name=$2 what=$3 count
    count=$(starts "$name")
    online "$node" "$name"
    is "$CODE" 0 "$what: online" || stderr
    ok 'wait_for $PATIENCE started_again "$name" "${count:-0}"' "$what: it starts"
    is "$(status_text "$node" "$name" source)" server "$what: changes come from the server"
    ok 'hooked "$node" "$name"' "$what: ${UNHOOKED:+not }hooked"
    ok 'goes_on "$name"' "$what: it writes"
}
# finish NODE RESOURCE WHAT
finish()
{
    local node=$1 name=$2 what=$3
    is "$(status_number "$node" "$name" corrections)" 0 "$what: no scan found what had not been told"
    offline "$node" "$name"
    is "$CODE" 0 "$what: offline" || stderr
    is "$(grep -c 'scan found' "$(echo "$TMP/run-$node/$name".*/log)")" 0 "$what: the last scan found nothing either"
    ok 'equal "$node" "$name"' "$what: what is saved is what is there"
}

for node in a b; do
    node $node
    ok 'wine_up $node' "$node: the prefix comes up"
    on $node "$WINE" "$WRITER" install RegckptNarrow "$KEY\\svc" "$(winpath "$(log svc)")" --interval 30
    is "$CODE" 0 "$node: a 32-bit service"
done
on a regckpt init
on a regckpt create svc --service RegckptNarrow
on a regckpt create app --command "$(winpath "$WRITER") run $KEY\\app 0 30 --log $(winpath "$(log app)")"
for name in svc app; do
    on a regckpt add $name "$KEY\\$name" --future
    is "$CODE" 0 "$name: protected, in the view that its program has"
done

for name in svc app; do
    begin a $name "$name on a"
    ok '[ -n "$(value a "$KEY\\$name" Counter 32)" ] && [ -z "$(value a "$KEY\\$name" Counter 64)" ]' \
        "$name on a: in the 32-bit view alone"
    scans=$(status_number a $name scans)
    narrow_reg a add "HKLM\\$KEY\\$name" /v Other /d narrow /f
    ok 'wait_for $PATIENCE arrived $name Other narrow' "$name on a: what another 32-bit program writes arrives"
    ok 'set_value a "$KEY\\$name" Other wide 32 && wait_for $PATIENCE arrived $name Other wide' \
        "$name on a: what a 64-bit one writes there, too"
    ok 'set_value a "Software\\Wow6432Node\\${KEY#*\\}\\$name" Other deep && wait_for $PATIENCE arrived $name Other deep' \
        "$name on a: by the other name of the key, too"
    is "$(status_number a $name scans)" "$scans" "$name on a: no scan was made for it"
    finish a $name "$name on a"
    at=$(($(value a "$KEY\\$name" Counter 32)))
    ok '((at > 0))' "$name has counted to $at on a"
    ok 'set_value b "$KEY\\$name" stale "from before" 32' "$name: b has something of its own"
    begin b $name "$name on b"
    ok '(($(start_found $name) == at + 1))' "$name on b: goes on behind that"
    ok '[ "$(value b "$KEY\\$name" Other 32)" = deep ] && [ -z "$(value b "$KEY\\$name" stale 32)" ]' \
        "$name on b: has what others wrote on a, and no more"
    finish b $name "$name on b"
done
