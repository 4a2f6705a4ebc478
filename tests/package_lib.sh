# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Machines of their own to install packages on, on top of lib.sh: this one's file system with a layer
# over it that takes all changes, so that nothing of it reaches the machine itself.
#     root_new a                 makes it; ROOT_a is where it lies
#     inside a dpkg -i ...       as run, in there
#     machine_boot a             boots a systemd in there; with it, processes and network of its own
#     in_machine a systemctl ... as run, in the booted one
# A process in there is one of this machine's.

DEBS=$BUILD/deb NEXT_DEBS=$BUILD/deb-next
SHARED=$TMP/shared # is /srv/shared in each
mkdir "$SHARED"

# root_new NAME [SIZE]
root_new()
{
    local layers=$TMP/roots/$1 root=$TMP/roots/$1/root
    mkdir -p "$layers"
    mount -t tmpfs -o size="${2:-1g}" none "$layers" || return 1
    echo "$layers" >>"$TMP/mounts.first"
    mkdir "$layers/upper" "$layers/work" "$root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$root" || return 1
    declare -g "ROOT_$1=$root" "UPPER_$1=$layers/upper"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev"
    mount -t tmpfs -o mode=755 none "$root/run"
    mount -t tmpfs -o mode=1777 none "$root/tmp"
    mount -t tmpfs none "$root/srv"
    mkdir "$root/srv/shared" "$root/srv/debs" "$root/srv/prefix"
    mount --bind "$SHARED" "$root/srv/shared"
    cp "$DEBS"/regckpt*_*.deb "$root/srv/debs"
    [ ! -d "$NEXT_DEBS" ] || cp "$NEXT_DEBS"/regckpt*_*.deb "$root/srv/debs"
    rm -f "$root"/srv/debs/*-dbgsym_*
    # Services of this machine are not this one's to start; and pages need not be indexed.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d"
    echo 'man-db man-db/auto-update boolean false' | chroot "$root" debconf-set-selections
    # Here it may be installed already.
    rm -rf "$root/var/lib/regckpt" "$root/var/lib/regckpt-node" "$root/etc/regckpt.conf"
    chroot "$root" dpkg --purge regckpt-wineserver regckpt-wine32 regckpt >/dev/null 2>&1 </dev/null
    return 0
}

# packages VERSION: those every node gets, as paths in there: of both widths, as far as there are any.
packages()
{
    local deb
    for deb in "$DEBS"/regckpt{,-wine32}_"$1"_*.deb "$NEXT_DEBS"/regckpt{,-wine32}_"$1"_*.deb; do
        [ ! -e "$deb" ] || echo "/srv/debs/${deb##*/}"
    done
}

# root_prefix NAME: a prefix in there, at /srv/prefix.
root_prefix()
{
    local root=ROOT_$1
    prefix_new "$1"
    mount --rbind "$PREFIX" "${!root}/srv/prefix"
}

# inside NAME COMMAND...: sets CODE; output in $TMP/stdout and $TMP/stderr.
inside()
{
    local root=ROOT_$1
    shift
    LAST_RUN="$* (in ${!root})"
    CODE=0
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root \
        WINEPREFIX=/srv/prefix WINEDEBUG=-all WINEDLLOVERRIDES="$WINEDLLOVERRIDES" \
        timeout 300 chroot "${!root}" "$@" >"$TMP/stdout" 2>"$TMP/stderr" </dev/null || CODE=$?
    return 0
}
inside_quietly() { (inside "$@"; exit "$CODE"); }

# root_pids NAME: all processes in there.
root_pids()
{
    local root=ROOT_$1 link
    for link in /proc/[0-9]*/root; do
        [ "$(readlink "$link")" != "${!root}" ] || echo "${link//[^0-9]/}"
    done
}
nobody_in() { [ -z "$(root_pids "$1")" ]; }

# root_kill NAME: its power goes.
root_kill()
{
    local pids
    while mapfile -t pids < <(root_pids "$1") && ((${#pids[@]} > 0)); do
        kill -KILL "${pids[@]}" 2>/dev/null
        sleep 0.1
    done
}

test_cleanup()
{
    local layers machine name
    for machine in "${MACHINES:-/nothing}"/*/; do
        [ -d "$machine" ] || continue
        name=$(basename "$machine")
        machine_off "$name"
    done
    [ ! -d "${MACHINES:-/nothing}" ] || rmdir "$MACHINES"
    [ -e "$TMP/mounts.first" ] || return 0
    while read -r layers; do
        root_kill "$(basename "$layers")"
        umount -R "$layers/root" 2>/dev/null || umount -R -l "$layers/root"
        umount "$layers" 2>/dev/null || umount -l "$layers"
    done <"$TMP/mounts.first"
}

# machine_space: a group in the first hierarchy of cgroups version 2 there is, for machines to be booted in.
MACHINES=
machine_space()
{
    local hierarchy
    hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    # Not by process id, which is the same in every test's namespace.
    [ -n "$hierarchy" ] && MACHINES=$(mktemp -d "$hierarchy/regckpt-test.XXXXXX" 2>/dev/null)
}

# machine_boot NAME: sets INIT_NAME, its process 1, and FRONT_NAME, the one in front of it.
machine_boot()
{
    local name=$1 root=ROOT_$1
    root=${!root}
    mkdir "$MACHINES/$name" && mkdir -p "$root/sys/fs/cgroup" && mount -t tmpfs none "$root/sys" &&
        mkdir -p "$root/sys/fs/cgroup" || return 1
    # Nothing of this machine is started there but what systemd itself needs.
    rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/rc?.d/S*
    md5sum <<<"$name" | cut -d ' ' -f 1 >"$root/etc/machine-id"
    cat >"$TMP/boot.sh" <<'BOOT'
hostname "$2" && echo "$2" >"$1/etc/hostname"
umount -l "$1/proc" && mount -t proc proc "$1/proc" && mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup" &&
    exec chroot "$1" /usr/bin/env -i container=regckpt-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --unit=multi-user.target --log-target=console --show-status=0
BOOT
    (echo "$BASHPID" >"$MACHINES/$name/cgroup.procs"
        exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child=KILL --mount-proc -- \
            bash "$TMP/boot.sh" "$root" "$name") >"$TMP/console.$name" 2>&1 </dev/null &
    declare -g "FRONT_$name=$!"
    wait_for $PATIENCE machine_is_up "$name" && return
    tail -n 20 "$TMP/console.$name"
    return 1
}
machine_is_up()
{
    local front=FRONT_$1
    declare -g "INIT_$1=$(pgrep -P "${!front}" | head -n 1)"
    machine_quietly "$1" systemctl is-active basic.target >/dev/null 2>&1
}
# machine_quietly NAME COMMAND...: leaves CODE and the output of the last run alone.
machine_quietly()
{
    local init=INIT_$1
    shift
    [ -n "${!init:-}" ] && nsenter -t "${!init}" --mount --pid --uts --ipc --net --cgroup --root --wd -- \
        /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root WINEPREFIX=/srv/prefix \
        WINEDEBUG=-all timeout 300 "$@" </dev/null
}
in_machine() { run machine_quietly "$@"; }

# machine_off NAME: its power goes; its groups, too.
machine_off()
{
    local init=INIT_$1 front=FRONT_$1
    kill -KILL ${!init:-} ${!front:-}
    wait "${!front:-}" 2>/dev/null
    wait_for $PATIENCE no_group "$MACHINES/$1"
}
# A group whose last process has just ended may be busy for a moment.
no_group()
{
    find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
    [ ! -e "$1" ]
}

# can_have_roots: else says why not.
can_have_roots() { [ "$(id -u)" = 0 ] && mkdir "$TMP/try" && mount -t tmpfs none "$TMP/try" && umount "$TMP/try"; }
