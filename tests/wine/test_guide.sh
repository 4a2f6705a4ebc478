# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt(7) is true: its commands are carried out as they stand there, in its order, on two nodes, each
# with mounts and a name of its own, so that /etc/regckpt.conf, /srv/erp and /run are each node's and
# /mnt/regckpt is both's.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite guide
PAGE=$SRC/tools/man/regckpt.7
KEY='Software\Vendor\Erp'

if ! unshare --mount --uts true 2>/dev/null; then
    skip 1 "no namespaces can be made here"
    exit 0
fi

# A node: a process that holds its mounts and its name.
mkdir "$TMP/blocks" "$TMP/store"
cat >"$TMP/setup" <<'SH'
set -e
mount -t tmpfs none /srv && mkdir /srv/erp && mount --bind "$2" /srv/erp
mount -t tmpfs none /mnt && mkdir /mnt/regckpt && mount --bind "$3" /mnt/regckpt
mount -t tmpfs none /run
mkdir -p "$4/etc" "$4/work" "$4/lib" "$4/libwork"
mount -t overlay none -o "lowerdir=/etc,upperdir=$4/etc,workdir=$4/work" /etc
mount -t overlay none -o "lowerdir=/var/lib,upperdir=$4/lib,workdir=$4/libwork" /var/lib
mkdir -p /var/lib/prometheus/node-exporter
rm -f /etc/regckpt.conf
hostname "$1"
touch "$4/up"
exec sleep 3600
SH
declare -A HOLDER PREFIXES
for n in alpha beta; do
    prefix_new $n
    PREFIXES[$n]=$PREFIX
    mkdir "$TMP/$n"
    unshare --mount --uts --propagation private sh "$TMP/setup" $n "$PREFIX" "$TMP/store" "$TMP/$n" \
        >"$TMP/$n/log" 2>&1 </dev/null &
    HOLDER[$n]=$!
    ok 'wait_for $PATIENCE test -e "$TMP/$n/up"' "$n is up" || cat "$TMP/$n/log"
done

# in_node NODE COMMAND...: as run, there, with no setting of this test's but the programs' place.
in_node()
{
    local node=$1
    shift
    LAST_RUN="$* (on $node)"
    CODE=0
    nsenter --mount --uts --target "${HOLDER[$node]}" --wd=/root env -u REGCKPT_CONF -u REGCKPT_STORE \
        -u WINEPREFIX timeout 300 "$@" >"$TMP/stdout.$node" 2>"$TMP/stderr.$node" </dev/null || CODE=$?
    cat "$TMP/stdout.$node" >"$TMP/stdout"
    cat "$TMP/stderr.$node" >"$TMP/stderr"
}
wine_in() { in_node "$1" env WINEPREFIX=/srv/erp "$WINE" "${@:2}"; }
monitors() { pgrep -f "^$(readlink -f "$STAGE_PKGLIBDIR/regckpt-monitor")"; }
test_cleanup()
{
    local pids
    mapfile -t pids < <(monitors)
    ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}"
    kill -KILL "${HOLDER[@]}"
}
is_online() { in_node "$1" regckpt status erp && grep -q "^erp: ONLINE on node $1" "$TMP/stdout"; }
# online_on NODE, offline: what the cluster would do meanwhile.
online_on()
{
    is_online "$1" && return
    all_offline
    in_node "$1" regckpt online erp
    is "$CODE" 0 "(online on $1)"
}
all_offline()
{
    local n
    for n in alpha beta; do
        if is_online $n; then
            in_node $n regckpt offline erp
            is "$CODE" 0 "(offline on $n)"
        fi
    done
}

# What the setup program would have done.
for n in alpha beta; do
    wait_for $PATIENCE wine_in $n wineboot.exe
    wine_in $n "$PE/svcwriter64.exe" install ErpServer "$KEY" "$(winpath "$TMP/service.log")" --interval 30
    is "$CODE" 0 "$n: the service is installed"
    wine_in $n reg.exe add "HKLM\\$KEY\\Settings" /v Port /d 8080 /f /reg:64
    is "$CODE" 0 "$n: and its settings"
done
printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\%s\\Settings]\n"Fixed"="yes"\n' "$KEY" >"$TMP/fix.reg"

python3 "$SRC/tests/guideblocks.py" "$PAGE" "$TMP/blocks" >"$TMP/says" 2>"$TMP/stderr"
said=$?
ok '((said == 0)) && (($(wc -l <"$TMP/says") > 15))' "each block of commands says whether it is carried out"

# carry_out NODE BLOCK: line by line, as typed; each must do, or be the one that tells a difference by 1.
carry_out()
{
    local node=$1 block=$2 script=$TMP/script.$1
    # Wine's loader by name may be the 32-bit one here.
    { echo "set -e; cd /root"; sed -E "s|^wine |$WINE |; s|^(.* --dry-run)\$|\1 \|\| [ \$? = 1 ]|
        s|^(regckpt doctor erp)\$|\1 \|\| [ \$? = 1 ]|; s|^(regckpt (status erp\|export .*))\$|\1 \|\| [ \$? = 1 ]|
        s|fix.reg|$TMP/fix.reg|; s|erp.reg|$TMP/erp.reg|; s| --to 10m| --to $NUMBER|" "$block"; } >"$script"
    in_node "$node" bash "$script"
    is "$CODE" 0 "$node: $(tr '\n' ';' <"$block" | head -c 100)"
}

NUMBER=0 AT=0
while read -r says <&3; do
    AT=$((AT + 1))
    block=$TMP/blocks/$AT
    case $says in
        "only read"*) continue ;;
        "together on "*)
            for n in ${says#together on }; do
                carry_out "$n" "$block" &
                eval "PID_$n=\$!"
            done
            wait "$PID_alpha"
            wait "$PID_beta"
            ok 'for n in alpha beta; do (($(grep -c "^  ok" "$TMP/stdout.$n") == 13)) || exit; done' "both find all fine"
            continue
            ;;
        "while it is online on "*) online_on "${says##* }" && carry_out "${says##* }" "$block" ;;
        "while it is offline on "*)
            all_offline
            n=${says#while it is offline on }
            carry_out "${n%%,*}" "$block"
            ;;
        "lost alpha, on beta")
            online_on alpha
            mapfile -t victims < <(monitors; prefix_pids /srv/erp)
            kill -KILL "${victims[@]}" 2>/dev/null
            wait_for $PATIENCE prefix_is_idle /srv/erp
            carry_out beta "$block"
            ok 'is_online beta' "beta has it"
            ;;
        "on "*) for n in ${says#on }; do carry_out "$n" "$block"; done ;;
        *) ok false "block $AT is carried out: '$says' is not known" ;;
    esac
    case $(cat "$block") in # what the page says of it
        "regckpt online erp"*) ok 'grep -q "ErpServer\|online" "$TMP/stdout"' "... says what it did" ;;
        *"/d none "*)
            ok 'wait_for $PATIENCE in_checkpoint erp Port none' "the bad value is in the checkpoint"
            in_node alpha regckpt log erp --since 2h --key "$KEY\\Settings"
            NUMBER=$(($(awk '/ Port /&& / none/ { print $1 }' "$TMP/stdout") - 1))
            ok '((NUMBER > 0))' "its change has a number"
            ;;
        *"rollback erp"*) ok 'in_checkpoint erp Port 8080' "the good value is back" ;;
        *"import erp"*) ok 'in_checkpoint erp Fixed yes' "the correction is in the checkpoint" ;;
        *--metrics*) ok '[ -s "$TMP/alpha/lib/prometheus/node-exporter/regckpt.prom" ]' "the metrics are there" ;;
        *export*) ok '[ -s "$TMP/erp.reg" ]' "the content is in a file" ;;
        *delete*) ok '[ ! -e "$TMP/store/erp" ]' "the resource is gone" ;;
    esac
done 3<"$TMP/says"
for n in alpha beta; do
    wine_in $n reg.exe query 'HKLM\System\CurrentControlSet\Services\ErpServer' /v ImagePath /reg:64
    ok 'grep -q svcwriter "$TMP/stdout" && ! grep -q regckpt-host "$TMP/stdout"' "$n: Wine has its service back"
done
