# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The packages by themselves: what lintian says, install, what is there then, what keeps them on the
# node, removal, purge, and that nothing is left behind.
. "$(dirname "$0")/../lib.sh"
. "$SRC/tests/package_lib.sh"
suite install

cp "$DEBS"/* "$TMP" 2>/dev/null
run lintian --allow-root --fail-on error,warning "$TMP"/regckpt_*.changes
is "$CODE" 0 "lintian: neither an error nor a warning"
ok '! grep -q "^[EW]:" "$TMP/stdout"' "... prints none"

if ! can_have_roots 2>/dev/null; then
    skip 40 "this needs root, and mounts"
    exit 0
fi
version=$(dpkg-deb -f "$TMP"/regckpt_*.deb Version)
has32=no
[ ! -e "$TMP/regckpt-wine32_${version}_amd64.deb" ] || has32=yes
root_new a
before=$(cd "$UPPER_a" && find . ! -type d | sort)
mapfile -t debs < <(packages "$version")

inside a dpkg -i "${debs[@]}"
is "$CODE" 0 "dpkg -i"
inside a dpkg --audit
ok '[ ! -s "$TMP/stdout" ]' "all is configured"
inside a regckpt --version
is "$(stdout)" "regckpt $version" "regckpt --version is the package's"
inside a sh -c 'dpkg-query -W -f "\${Conffiles}\n" regckpt'
ok 'grep -q "/etc/regckpt.conf" "$TMP/stdout"' "/etc/regckpt.conf is a conffile"
inside a regckpt list
ok '((CODE == 100)) && grep -q "no store at /var/lib/regckpt" "$TMP/stderr"' "as it is shipped, it is read and sets nothing"
inside a systemd-analyze verify regckpt@erp.service
ok '((CODE == 0)) && ! grep -q "regckpt@" "$TMP/stderr"' "systemd-analyze verify of the unit"
inside a bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader regckpt; complete -p regckpt'
ok 'grep -q "_regckpt regckpt" "$TMP/stdout"' "bash-completion finds the completion"
for page in regckpt.1 regckpt-cluster.1 regckpt.conf.5 regckpt-formats.5 regckpt.7 regckpt-monitoring.7 \
    ocf_regckpt_wineservice.7 ocf_regckpt_wineapp.7 regckpt-monitor.8 regckpt-host.8; do
    inside a man -w "${page##*.}" "${page%.*}"
    is "$CODE" 0 "man ${page##*.} ${page%.*}"
done
inside a runuser -u nobody -- test -w /var/lib/regckpt-node/wrapped
is "$CODE" 0 "every user may leave notes of wrapped services"

# --- what keeps it on the node ---
root_prefix a
cp "$BUILD/out/wine/svcwriter64.exe" "$BUILD/out/wine/svcwriter32.exe" "$SHARED"
SERVICE=(/usr/lib/wine/wine64 'Z:\srv\shared\svcwriter64.exe')
inside a "${SERVICE[@]}" install RegckptPkg 'Software\RegckptTest\Package' 'Z:\srv\shared\log' --interval 50
is "$CODE" 0 "a service is installed"
inside a sh -c 'regckpt init && regckpt create svc --service RegckptPkg && regckpt add svc "Software\RegckptTest\Package" --future'
is "$CODE" 0 "it is protected, in the default store"
inside a regckpt online svc
is "$CODE" 0 "online"
ok 'wait_for $PATIENCE test -s "$SHARED/log"' "it writes"
inside a dpkg -r regckpt-wine32 regckpt
ok '((CODE != 0)) && grep -q "online on this node: svc" "$TMP/stderr"' "removal is refused while it is online"
inside a dpkg-query -W -f '${db:Status-Status}\n' regckpt
is "$(stdout)" installed "... and regckpt is still installed"
[ $has32 = no ] || inside a dpkg -i "${debs[1]}"
inside a regckpt status svc
is "$CODE" 0 "... and the resource is as it was"
inside a regckpt offline svc
is "$CODE" 0 "offline"
if [ $has32 = yes ]; then
    inside a dpkg -r regckpt-wine32
    is "$CODE" 0 "the 32-bit part may go: the wrapped service is a 64-bit one"
    inside a dpkg -i "${debs[1]}"
fi
inside a dpkg -r regckpt-wine32 regckpt
ok '((CODE != 0)) && grep -q "RegckptPkg.*in the prefix /srv/prefix" "$TMP/stderr"' "removal is refused while a service is wrapped, and names it"
ok 'grep -q "regckpt unwrap --all" "$TMP/stderr"' "... and says what to do"
inside a regckpt unwrap --all
is "$CODE" 0 "unwrap --all"
if [ $has32 = yes ]; then
    inside a dpkg -i "${debs[1]}"
    inside a "${SERVICE[0]}" 'Z:\srv\shared\svcwriter32.exe' install RegckptPkg32 'Software\RegckptTest\P32' \
        'Z:\srv\shared\log32' --interval 50
    inside a sh -c 'regckpt create s32 --service RegckptPkg32 && regckpt wrap s32'
    is "$CODE" 0 "a 32-bit service is wrapped"
    inside a dpkg -r regckpt-wine32
    ok '((CODE != 0)) && grep -q "RegckptPkg32" "$TMP/stderr"' "it keeps the 32-bit part"
    inside a regckpt unwrap --all
    is "$CODE" 0 "unwrap --all clears it"
fi
inside a dpkg -r regckpt-wine32 regckpt
is "$CODE" 0 "then it can be removed"
inside a "${SERVICE[0]}" net.exe start RegckptPkg
is "$CODE" 0 "the service starts by itself, without regckpt"
root_kill a

# --- purge ---
ok '[ -e "$ROOT_a/etc/regckpt.conf" ]' "removal leaves the configuration"
inside a dpkg --purge regckpt-wine32 regckpt
is "$CODE" 0 "purge"
ok '[ ! -e "$ROOT_a/etc/regckpt.conf" ]' "... takes it"
ok '[ -s "$ROOT_a/var/lib/regckpt/svc/checkpoint.tdb" ]' "... and no store that holds a checkpoint"
ok 'grep -q "store /var/lib/regckpt stays" "$TMP/stderr"' "... which is said"
rm -r "$ROOT_a/var/lib/regckpt"
# What dpkg and others keep by themselves: lists, logs, caches.
after=$(cd "$UPPER_a" && find . ! -type d ! -type c ! -path './var/lib/dpkg/*' ! -path './var/log/*' \
    ! -path './var/cache/*' ! -path './root/*' ! -path './var/lib/systemd/*' ! -path './etc/ld.so.cache' | sort)
is "$(comm -13 <(echo "$before") <(echo "$after"))" "" "nothing is left behind"
is "$(cd "$UPPER_a" && find . -iname '*regckpt*' ! -path './var/lib/dpkg/*' ! -path './var/log/*' -type d; ls -d "$ROOT_a"/run/regckpt 2>/dev/null)" \
    "" "... no directory either"
