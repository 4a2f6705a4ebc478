# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The package regckpt-wineserver: a resource uses it by configuration; what keeps it on the node; what
# becomes of it when Wine is upgraded; with and without wine32; removal, and that nothing is left behind.
. "$(dirname "$0")/../lib.sh"
. "$SRC/tests/package_lib.sh"
suite wineserver

deb=$(cd "$DEBS" && ls regckpt-wineserver_*.deb 2>/dev/null)
if [ -z "$deb" ]; then
    skip 60 "there is no such package: Wine's source package could not be had (tools/deps wine-package)"
    exit 0
fi
if ! can_have_roots 2>/dev/null; then
    skip 60 "this needs root, and mounts"
    exit 0
fi
version=$(dpkg-deb -f "$DEBS/$deb" Version)
TREE=/usr/lib/regckpt/wine
KEY='Software\RegckptTest\Wineserver'
mapfile -t debs < <(packages "$version")
root_new a
inside a dpkg -i "${debs[@]}"
is "$CODE" 0 "regckpt is installed"
inside a dpkg -i "/srv/debs/$deb"
is "$CODE" 0 "and its wineserver"
inside a dpkg --audit
ok '[ ! -s "$TMP/stdout" ]' "all is configured"

# source_is SOURCE: where changes of the resource come from.
source_is() { inside a regckpt status svc --json && grep -q "\"source\": \"$1\"" "$TMP/stdout"; }
has_value() { inside_quietly a regckpt show svc "$KEY" && grep -q "$1" "$TMP/stdout"; }
wrote_more() { [ "$(grep -c ' done ' "$SHARED/log" 2>/dev/null)" -gt "$1" ]; }
goes_on() { wait_for $PATIENCE wrote_more $(($(grep -c ' done ' "$SHARED/log" 2>/dev/null) + 5)); }

# --- a service with it ---
root_prefix a
cp "$BUILD/out/wine/svcwriter64.exe" "$SHARED"
LOADER=$TREE/lib/wine/wine64
inside a $LOADER 'Z:\srv\shared\svcwriter64.exe' install RegckptServer "$KEY" 'Z:\srv\shared\log' --interval 50
is "$CODE" 0 "a service is installed"
inside a sh -c "regckpt init && regckpt create svc --service RegckptServer --wine $TREE && regckpt add svc '$KEY' --future"
is "$CODE" 0 "it is protected, with the tree as its Wine"
inside a regckpt online svc
is "$CODE" 0 "online"
ok 'source_is server' "changes come from the server"
ok 'goes_on' "the service writes"
inside a $LOADER reg.exe add "HKLM\\$KEY" /v Outside /d others /f /reg:64
ok 'wait_for $PATIENCE has_value others' "what others write is in the checkpoint"
inside a regckpt doctor svc
is "$CODE" 0 "doctor finds nothing wrong"
ok 'grep -Eq "^Wine that reports +ok +$TREE: made for Wine [0-9]" "$TMP/stdout"' "doctor knows the tree"
if [ -x /usr/lib/wine/wine ]; then
    inside a $TREE/lib/wine/wine reg.exe add "HKLM\\$KEY" /v Narrow /d small /f /reg:64
    is "$CODE" 0 "a 32-bit program runs"
    ok 'wait_for $PATIENCE has_value small' "and what it writes is in the checkpoint"
fi

inside a dpkg -r regckpt-wineserver
ok '((CODE != 0)) && grep -q "a prefix uses this wineserver on this node: /srv/prefix" "$TMP/stderr"' \
    "removal is refused while it runs, and says where"
inside a dpkg -i "/srv/debs/$deb"
is "$CODE" 0 "it is installed anew under the running one"
ok 'goes_on' "the service goes on"
inside a $LOADER reg.exe add "HKLM\\$KEY" /v Outside /d later /f /reg:64
ok 'wait_for $PATIENCE has_value later' "programs that start now use the running server"

# --- the next version of it, while it runs ---
# rebuilt VERSION [WINE]: the package made again, with another server, for that Wine; sets NEXT.
rebuilt()
{
    local dir=$TMP/rebuilt
    rm -rf "$dir" && dpkg-deb -R "$DEBS/$deb" "$dir" || return 1
    sed -i "s/^Version: .*/Version: $1/" "$dir/DEBIAN/control"
    echo "$1" >>"$dir$TREE/lib/wine/wineserver64" # a byte more or less is the same to the kernel
    [ -z "${2:-}" ] || sed -i "s/\(libwine\|wine64\) (= [^)]*)/\1 (= $2)/g" "$dir/DEBIAN/control"
    [ -z "${2:-}" ] || sed -i "1s/.*/Wine $2/" "$dir$TREE/regckpt-wineserver"
    NEXT=/srv/debs/next_$1.deb
    dpkg-deb --root-owner-group -Znone -b "$dir" "$ROOT_a$NEXT" >/dev/null
}
# the_new_one_runs: is the server of the prefix the file that is in the tree now?
the_new_one_runs()
{
    local pid
    for pid in $(root_pids a); do
        [[ $(readlink "/proc/$pid/exe") == *wineserver64* ]] || continue
        cmp -s "/proc/$pid/exe" "$ROOT_a$TREE/lib/wine/wineserver64"
        return
    done
    return 1
}
says_nothing() { ! grep -q "the prefix runs with\|made for" "$TMP/stderr"; }
no_trouble() { inside a regckpt status svc --json && grep -q '"wine_trouble": ""' "$TMP/stdout"; }
replaced='the prefix runs with /[^ ]*/wineserver64, which has been replaced or removed since \(process [0-9]*\)'
ok 'the_new_one_runs || ! no_trouble' "status knows that the server is not the one that was installed anew"
ok 'rebuilt "$version+b1"' "a next version"
inside a dpkg -i "$NEXT"
ok '((CODE == 0)) && grep -q "a prefix uses this wineserver on this node: /srv/prefix" "$TMP/stderr" &&
    grep -q "goes on with it, and uses the new one after its next start" "$TMP/stderr"' \
    "it is installed while the old one runs, and says what becomes of that"
inside a dpkg-query -W -f '${Version}' regckpt-wineserver
is "$(stdout)" "$version+b1" "it is the next version"
ok 'goes_on && source_is server' "the service goes on, and the old server reports"
inside a $LOADER reg.exe add "HKLM\\$KEY" /v Outside /d "by both" /f /reg:64
ok 'wait_for $PATIENCE has_value "by both"' "what others write is in the checkpoint"
inside a regckpt status svc
ok '((CODE == 0)) && grep -Eq "^ *Wine +$replaced" "$TMP/stdout"' "status says which server it is"
inside a regckpt doctor svc
ok '((CODE == 1)) && grep -Eq "^wineserver +no +$replaced" "$TMP/stdout"' "so does doctor"
inside_quietly a $LOADER ping.exe -n 1000 127.0.0.1 & # keeps the prefix up
ok 'wait_for $PATIENCE eval "[ -n \"\$(pgrep -f \"[p]ing.exe -n 1000\")\" ]"' "another program runs in the prefix"
inside a regckpt offline svc
is "$CODE" 0 "offline"
inside a regckpt online svc
ok '((CODE == 0)) && grep -Eq "svc: $replaced.*wineserver -k" "$TMP/stderr"' "online in that prefix says it, too, and what to do"
ok 'source_is server && goes_on' "and works"
inside a regckpt offline svc
inside a $TREE/lib/wine/wineserver -k
ok 'wait_for $PATIENCE nobody_in a' "the prefix ends"
inside a regckpt online svc
ok '((CODE == 0)) && says_nothing' "the next online has nothing to say"
ok 'the_new_one_runs' "and uses the new server"
ok 'source_is server && goes_on && no_trouble' "which reports"
inside a regckpt doctor svc
is "$CODE" 0 "doctor finds nothing wrong"

# --- another Wine ---
mapfile -t wines < <(dpkg-query -W -f '${source:Package} ${db:Status-Abbrev} ${Package} ${Architecture} ${Version}\n' |
    awk '$1 == "wine" && $2 ~ /^.i/ { print $3, $4, $5 }')
repo=$ROOT_a/srv/debs/next
mkdir "$repo"
for one in "${wines[@]}"; do
    read -r name arch wine <<<"$one"
    echo "Package: $name"
    echo "Architecture: $arch"
    echo "Version: $wine+next"
    dpkg-query -W -f 'Multi-Arch: ${Multi-Arch}\nDepends: ${Depends}\n' "$name:$arch" 2>/dev/null |
        sed "s/= $wine)/= $wine+next)/g; /: \$/d"
    printf 'Filename: ./none.deb\nSize: 1\nSHA256: %064d\nMaintainer: none\nDescription: none\n\n' 0
done >"$repo/Packages"
rm -rf "$ROOT_a"/etc/apt/sources.list "$ROOT_a"/etc/apt/sources.list.d/* "$ROOT_a"/var/lib/apt/lists/*
echo 'deb [trusted=yes] copy:/srv/debs/next ./' >"$ROOT_a/etc/apt/sources.list"
inside a apt-get update
is "$CODE" 0 "apt knows of a newer Wine"
# It keeps back what it cannot have without a removal, or finds no way to and ends with an error.
inside a apt-get -s upgrade
ok '! grep -Eq "^(Inst|Remv)" "$TMP/stdout" && grep -q wine64 "$TMP/stdout"' "upgrade changes nothing"
inside a apt-get -s dist-upgrade
ok '((CODE == 0)) && grep -q "^Inst wine64 " "$TMP/stdout" && grep -q "^Remv regckpt-wineserver " "$TMP/stdout"' \
    "dist-upgrade takes it and removes the wineserver"
# dpkg takes what it is given, while the service is online.
sed -i -E "/^Package: (libwine|wine64)\$/,/^\$/ s/^Version: .*/&+next/" "$ROOT_a/var/lib/dpkg/status"
stale="$TREE: made for Wine .*, but .*next is installed"
inside a regckpt status svc
ok '((CODE == 0)) && grep -Eq "^ *Wine +$stale" "$TMP/stdout"' "status knows that the tree is for another Wine"
inside a regckpt doctor svc
ok '((CODE == 1)) && grep -Eq "^Wine that reports +no +$stale" "$TMP/stdout"' "so does doctor"
inside a regckpt offline svc
is "$CODE" 0 "offline"
inside a regckpt online svc
ok '((CODE == 0)) && grep -Eq "svc: $stale" "$TMP/stderr"' "online says it; this Wine works with it all the same"
ok 'source_is server && goes_on' "the server reports"
inside a dpkg-query -W -f '${Version}' wine64
ok 'rebuilt "$version+b2" "$(stdout)"' "the package for that Wine"
inside a dpkg -i "$NEXT"
is "$CODE" 0 "is installed"
inside a regckpt offline svc
inside a $TREE/lib/wine/wineserver -k
ok 'wait_for $PATIENCE nobody_in a' "the prefix ends"
inside a regckpt online svc
ok '((CODE == 0)) && says_nothing && the_new_one_runs && source_is server && no_trouble' "now it is the right one"
inside a regckpt doctor svc
ok '((CODE == 0)) && grep -Eq "^Wine that reports +ok +$TREE: made for Wine .*next, which is installed" "$TMP/stdout"' \
    "doctor agrees"
inside a regckpt offline svc
inside a $TREE/lib/wine/wineserver -k
sed -i -E "/^Package: (libwine|wine64)\$/,/^\$/ s/^(Version: .*)\+next\$/\1/" "$ROOT_a/var/lib/dpkg/status"
inside a dpkg -i "/srv/debs/$deb"
is "$CODE" 0 "the first version is installed again"

# --- wine32 comes and goes ---
if [ -x /usr/lib/wine/wine ]; then
    ok 'cmp -s "$ROOT_a$TREE/lib/wine/wine" /usr/lib/wine/wine' "the 32-bit loader is there"
    inside a dpkg --purge --force-depends wine32:i386
    ok '[ ! -e "$ROOT_a$TREE/lib/wine/wine" ]' "without wine32 it is not"
    cp /usr/lib/wine/wine "$ROOT_a/usr/lib/wine/wine"
    inside a sh -c 'dpkg-trigger --by-package=wine32 --no-await /usr/lib/wine/wine; dpkg --triggers-only -a'
    ok 'cmp -s "$ROOT_a$TREE/lib/wine/wine" /usr/lib/wine/wine' "with it it is again"
fi

# --- removal ---
inside a dpkg -r regckpt-wineserver
is "$CODE" 0 "nothing runs: it can be removed"
inside a regckpt online svc
ok '((CODE != 0)) && grep -q "no Wine loader at $TREE" "$TMP/stderr"' "a resource that wants it does not start, and says why"
inside a sh -c "regckpt set svc --wine '' && regckpt online svc"
is "$CODE" 0 "with the system's Wine it does"
ok 'source_is hook' "by the hook"
ok 'has_value "by both"' "and with what it had"
inside a regckpt offline svc
is "$CODE" 0 "offline"
root_kill a
inside a dpkg --purge regckpt-wineserver
is "$CODE" 0 "purge"
is "$(cd "$ROOT_a/usr/lib/regckpt" && ls -d wine* 2>&1 | grep -v 'No such\|cannot access'; ls -d "$ROOT_a"/usr/share/doc/regckpt-wineserver* "$ROOT_a"/var/lib/dpkg/info/regckpt-wineserver* 2>/dev/null)" \
    "" "nothing is left behind"
