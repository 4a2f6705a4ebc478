# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Moving from a Microsoft cluster: what reg export wrote of HKLM\Cluster becomes resources, with what their
# keys hold here, in the views of their programs; and a script for cluster.exe goes on with them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite moving
node a
node b

# cluster: its registry as it was, of a service for each width and a disk.
cluster()
{
    local width
    printf 'Windows Registry Editor Version 5.00\r\n\r\n'
    for width in $WIDTHS; do
        printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\%s]\r\n"Name"="Orders (%s)"\r\n"Type"="Generic Service"\r\n' \
            "$width" "$width"
        printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\%s\\Parameters]\r\n"ServiceName"="Orders%s"\r\n' "$width" "$width"
        printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\%s\\RegSync]\r\n"00000001"="Software\\\\Vendor\\\\Orders%s"\r\n' \
            "$width" "$width"
        printf '"00000002"="Software\\\\Vendor\\\\Later%s"\r\n' "$width"
    done
    printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\q]\r\n"Name"="Disk Q:"\r\n"Type"="Physical Disk"\r\n'
}
# services NODE: its program, installed there.
services()
{
    local width
    for width in $WIDTHS; do
        on "$1" "$WINE" "$PE/svcwriter$width.exe" install "Orders$width" "Software\\Vendor\\Orders$width\\Run" \
            "$(winpath "$TMP/orders$width.$1.log")"
        ((CODE == 0)) || return
    done
}
resources() { find "$STORE" -name checkpoint.tdb | wc -l; }
# script NODE WORD...: a script for cluster.exe.
script() { on "$1" timeout $PATIENCE regckpt-cluster res "${@:2}"; }

WIDTHS=64
if have_wine32; then
    WIDTHS="64 32"
else
    skip 14 "32-bit programs do not run here"
fi
wine_up a
wine_up b
ok 'services a && services b' "the services are installed on both nodes" || exit
on a regckpt init
for width in $WIDTHS; do
    set_value a "Software\\Vendor\\Orders$width" Last 4711 "$width"
done
cluster >"$TMP/written.reg"
on a "$WINE" regedit.exe /S "$(winpath "$TMP/written.reg")"
on a "$WINE" reg.exe export 'HKLM\Cluster' "$(winpath "$TMP/cluster.reg")" /y /reg:64
ok '((CODE == 0)) && [ "$(head -c 2 "$TMP/cluster.reg" | od -An -tx1)" = " ff fe" ]' "the cluster's registry, by reg export"

on a regckpt import-mscs "$TMP/cluster.reg" --dry-run
is "$CODE" 0 "import-mscs --dry-run"
ok 'grep -q "Would make" "$TMP/stdout" && grep -q "Disk Q:: left out" "$TMP/stderr"' "... says what would come over, and what not"
is "$(resources)" 0 "... nothing is made"
on a timeout $PATIENCE regckpt import-mscs "$TMP/cluster.reg"
is "$CODE" 0 "import-mscs"
is "$(resources)" "$(wc -w <<<"$WIDTHS")" "... makes them"

for width in $WIDTHS; do
    name=Orders-$width
    on a regckpt list $name
    ok 'grep -Eq "Software.Vendor.Orders$width +$width +yes" "$TMP/stdout"' \
        "$width bits: the key is in its program's view, and captured" || cat "$TMP/stdout"
    ok 'in_checkpoint $name Last 4711 --key "Software\\Vendor\\Orders$width" --view $width' "... with what it holds"
    ok 'grep -Eq "Software.Vendor.Later$width +$width +not yet" "$TMP/stdout"' "... one that is not there yet, too"
    script a "Orders ($width)" "/addcheckpoints:Software\\Vendor\\Orders$width"
    is "$CODE" 183 "a script finds it registered"
    set_value a "Software\\Vendor\\More$width" x y "$width"
    script a "Orders ($width)" "/addcheck:\"Software\\Vendor\\More$width\""
    is "$CODE" 0 "... and adds one that is there"
    script a "Orders ($width)" "/addcheck:Software\\Vendor\\None$width"
    is "$CODE" 2 "... but none that is nowhere"
    script a "Orders ($width)" /checkpoints
    is "$(grep -c "$name  *Software.Vendor" "$TMP/stdout")" 3 "... and lists three"

    online a $name
    is "$CODE" 0 "$width bits: online"
    ok 'wait_for $PATIENCE log_has "$TMP/orders$width.a.log" 20' "... the service writes"
    set_value a "Software\\Vendor\\Again$width" x again "$width"
    script a "Orders ($width)" "/addcheck:Software\\Vendor\\Again$width"
    is "$CODE" 0 "... a script adds a key meanwhile"
    offline a $name
    online b $name
    is "$CODE" 0 "$width bits: online on the other node"
    is "$(value b "Software\\Vendor\\Orders$width" Last "$width"), $(value b "Software\\Vendor\\Again$width" x "$width")" \
        "4711, again" "... with what the keys hold"
    script a "Orders ($width)" "/removecheck:Software\\Vendor\\Again$width"
    ok '((CODE == 125)) && grep -q 5015 "$TMP/stderr"' "... from the first one no script can change it now"
    script b "Orders ($width)" "/removecheck:Software\\Vendor\\Again$width"
    is "$CODE" 0 "... from the other one it can"
    offline b $name
done
