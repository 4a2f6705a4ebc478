# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Storage that stops answering while a command is at work: every verb ends within storage_timeout, and says
# on what it waited.  (What hangs from the first is test_status's.)  Two kinds: a file system whose process
# is stopped at the n-th call that the command makes to it, of which Linux lets a killed process go; and a
# frozen ext4, of which it does not, as with a suspended disk.
. "$(dirname "$0")/../lib.sh"
suite store_hangs
printf 'node = n1\nstorage_timeout = 1\n' >>"$REGCKPT_CONF"
LIMIT=60 # seconds: what ends takes far less
FAULTS_SO=$BUILD/out/preload/faults.so
mkdir "$TMP/mnt" "$TMP/behind" "$TMP/frozen"
export REGCKPT_STORE=$TMP/mnt/store

test_cleanup()
{
    [ -z "${BINDFS:-}" ] || kill -CONT "$BINDFS"
    ! mountpoint -q "$TMP/mnt" || umount "$TMP/mnt" || umount -l "$TMP/mnt"
    ! mountpoint -q "$TMP/frozen" || fsfreeze -u "$TMP/frozen" 2>/dev/null
    ! mountpoint -q "$TMP/frozen" || umount "$TMP/frozen" || umount -l "$TMP/frozen"
}

# faults KIND CALLS: what the calls below $TMP/mnt do from now on (struct faults of tests/preload/faults.h).
faults()
{
    python3 -c '
import struct, sys
kind, calls, dir, server = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode(), int(sys.argv[5])
open(sys.argv[1], "wb").write(struct.pack("=128s6Iq", dir, kind, 0, 0, calls, 0, server, 0))' \
        "$TMP/faults" "$1" "$2" "$TMP/mnt" "$BINDFS"
}
# How many calls were made.
hit() { python3 -c 'import struct, sys; print(struct.unpack_from("=I", open(sys.argv[1], "rb").read(), 144)[0])' "$TMP/faults"; }
WORKS=0 HANGS_LATER=6 # enum storage_fault

# faulty WORDS...: the command with the library of faults in it and in all that it starts.
faulty()
{
    run env ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" LD_PRELOAD="$FAULTS_SO" \
        FAULTS="$TMP/faults" timeout $LIMIT regckpt "$@"
}

# Who is at work with these faults; one in a call that hangs is until that is over.
nobody_is_left() { ! grep -qszxF "FAULTS=$TMP/faults" /proc/[0-9]*/environ; }

# Puts the store back as it was.
afresh() { wait_for $PATIENCE nobody_is_left && rm -rf "$REGCKPT_STORE" && cp -a "$TMP/pristine" "$REGCKPT_STORE"; }

# hangs VERB WORDS...: twice at least the storage stops at a call after the first try of it; each time the
# command is over in time, and says so.  Steps back from its last call: not every one gets as far as the file
# system's process.  Where storage answers, the exit code is 0 or 1, or that of CODES.
hangs()
{
    local calls at step told=0 wrong='' codes=" ${CODES:-0 1} "
    afresh || wrong="the store cannot be put back"
    faults $HANGS_LATER 1000000
    faulty "$@"
    calls=$(hit)
    ok '[[ $codes == *" $CODE "* ]] && ((calls > 2))' "$1 works, by $calls calls to the storage"
    step=$(((calls + 11) / 12))
    for ((at = calls - 1; at > 0 && told < 2; at -= step)); do
        afresh || wrong="the store cannot be put back"
        faults $HANGS_LATER $at
        faulty "$@"
        kill -CONT "$BINDFS"
        if grep -q "$REGCKPT_STORE (from .*) has not answered for 1 s (storage_timeout) to an attempt to [a-z]* .*mounted" \
            "$TMP/stderr"; then
            told=$((told + 1))
            case $CODE in 111 | 123) ;; *) wrong="exit code $CODE at call $at" ;; esac
        elif ! grep -q "does not answer within 1 s" "$TMP/stderr" && [[ $codes != *" $CODE "* ]]; then
            wrong="exit code $CODE at call $at: $(tail -n 1 "$TMP/stderr")"
        fi
    done
    ok '((told >= 2)) && [ -z "$wrong" ]' "$1 ends and says why, at $told later calls${wrong:+: $wrong}"
}

if [ -e /dev/fuse ] && command -v bindfs >/dev/null; then
    bindfs -f "$TMP/behind" "$TMP/mnt" >"$TMP/bindfs.log" 2>&1 </dev/null &
    BINDFS=$!
    wait_for 10 mountpoint -q "$TMP/mnt" || kill $BINDFS
fi
if mountpoint -q "$TMP/mnt"; then
    regckpt init >/dev/null
    regckpt create erp --service erp >/dev/null
    regckpt add erp 'Software\X' 'Software\Y' --future --view 64 2>/dev/null
    printf 'Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\Software\\X]\r\n"a"="1"\r\n' >"$TMP/x.reg"
    regckpt import erp "$TMP/x.reg" >/dev/null
    cp -a "$REGCKPT_STORE" "$TMP/pristine"
    hangs list
    hangs show erp
    hangs log erp
    hangs verify
    hangs export erp "$TMP/out.reg"
    hangs diff erp --from "$TMP/x.reg" --to checkpoint
    hangs init
    hangs create new --service new
    hangs add erp 'Software\Z' --future --view 64
    hangs remove erp 'Software\Y'
    hangs exclude erp 'Software\X' --exclude 'A*'
    hangs set erp --lag 200
    hangs import erp "$TMP/x.reg"
    hangs rollback erp --to 1
    hangs repair erp
    hangs delete erp
    hangs upgrade erp
    hangs offline erp
    hangs doctor
    # no prefix is here: what comes after that has its tests with Wine, and the monitor's start its own
    CODES=100 hangs online erp
    CODES=100 hangs edit erp -- true
    CODES=100 hangs save erp

    # Who ends it, ends it all.
    afresh
    faults $HANGS_LATER 9
    env LD_PRELOAD="$FAULTS_SO" FAULTS="$TMP/faults" regckpt show erp >"$TMP/out" 2>&1 </dev/null &
    COMMAND=$!
    is_stopped() { grep -q '^State:[[:space:]]*T' "/proc/$BINDFS/status"; }
    wait_for $PATIENCE is_stopped
    kill -KILL $COMMAND
    wait $COMMAND 2>/dev/null
    kill -CONT $BINDFS
    ok 'wait_for $PATIENCE nobody_is_left' "a command that is killed leaves nobody"
    regckpt init --peer --timeout 60 >"$TMP/out" 2>&1 </dev/null &
    COMMAND=$!
    ok 'wait_for $PATIENCE grep -qi "waiting" "$TMP/out"' "a command that waits for another node"
    kill -TERM $COMMAND
    wait $COMMAND
    is $? 143 "... ends by the signal that its first process got"
else
    skip 47 "no file system of a process can be mounted here (fuse, bindfs)"
fi

# --- what Linux does not let go: each command leaves a process, until the file system is thawed ---
is_gone() { ! [ -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }

# frozen WORDS...: the store on an ext4 that can be read, and to change which hangs.
frozen()
{
    rm -rf "$TMP/frozen/store" && cp -a "$TMP/small" "$TMP/frozen/store" && sync -f "$TMP/frozen"
    fsfreeze -f "$TMP/frozen"
    run timeout $LIMIT regckpt "$@"
    LEFT=$(sed -n 's/.*Until then process \([0-9]*\) is left behind.*/\1/p' "$TMP/stderr")
    ok '((CODE == 111)) && grep -q "has not answered for 1 s (storage_timeout) to an attempt to [a-z ]* $TMP/frozen/store.*mounted" \
        "$TMP/stderr"' "$1 on a frozen file system: ends and says why"
    ok 'grep -q "^State:[[:space:]]*D" "/proc/${LEFT:-none}/status"' "... what it left cannot be ended"
}
thawed()
{
    fsfreeze -u "$TMP/frozen"
    ok 'wait_for $PATIENCE is_gone "$LEFT"' "... until it is thawed"
    run timeout $LIMIT regckpt verify
    is "$CODE" 0 "... and nothing is damaged"
}

export REGCKPT_STORE=$TMP/frozen/store
truncate -s 200M "$TMP/image"
if PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q "$TMP/image" && mount -o loop "$TMP/image" "$TMP/frozen" 2>"$TMP/mount.err" &&
    regckpt init >/dev/null; then
    regckpt create erp --service erp >/dev/null
    cp -a "$REGCKPT_STORE" "$TMP/small"
    frozen set erp --lag 200
    run timeout $LIMIT regckpt set erp --lag 300
    is "$CODE" 3 "what is left behind holds the lock: the next is told so"
    ok 'grep -q "its lock is open in: $LEFT (regckpt)" "$TMP/stderr"' "... and who it is"
    thawed
    frozen create new --service new
    thawed
else
    skip 10 "no file system can be mounted from a file here: $(head -n 1 "$TMP/mount.err")"
fi
