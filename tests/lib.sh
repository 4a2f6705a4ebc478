# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What shell tests share.  A test is tests/GROUP/test_*.sh:
#
#     . "$(dirname "$0")/../lib.sh"
#     suite failover
#     prefix_new a; A=$PREFIX
#     run regckpt --store "$TMP/store" init
#     ok '((CODE == 0))' 'init makes a store'
#
# and is run by "make check-GROUP" (tests/run), which says where things are:
#     SRC      the source tree             BUILD  the build directory (out/wine/NAME64.exe, ...32.exe)
#     STAGE_BINDIR, STAGE_PKGLIBDIR        what "make stage" installed; the former is first in PATH
#     HOST32   yes if there is a 32-bit host
# lib.sh adds:
#     PATIENCE how long to wait for a condition (wait_for)
#     TMP      an empty directory of this test's own, removed at the end (so is everything in it)
#     WINE     the 64-bit Wine loader      WINESERVER  its server
#              (WINE_TREE=DIR: those of server_patch/build's tree)
#     REGCKPT_CONF   $TMP/regckpt.conf: run_dir and state_dir in $TMP, no events, nothing else set
#     HOME     $TMP/home, so that no test can touch the user's own prefix
# The exit trap ends what runs in the prefixes of this test, unmounts them, ends the background jobs,
# removes TMP and prints the suite line.  Nothing else is ended.

set -u

SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
BUILD=${BUILD:-$PWD}
STAGE=${STAGE:-$BUILD/stage}
STAGE_BINDIR=${STAGE_BINDIR:-$STAGE/usr/local/bin}
STAGE_PKGLIBDIR=${STAGE_PKGLIBDIR:-$STAGE/usr/local/lib/regckpt}
HOST32=${HOST32:-no}
PATH=$STAGE_BINDIR:$PATH

# Another Wine than the system's: its own tree, which the resources are told of (wine_lib.sh).
WINE_TREE=${WINE_TREE:-}
[ -z "$WINE_TREE" ] || WINE=$WINE_TREE/lib/wine/wine64
# Wine's loader itself: the "wine" in PATH may be a script, or the 32-bit one.
if [ -z "${WINE:-}" ]; then
    for WINE in /usr/lib/wine/wine64 /usr/lib/x86_64-linux-gnu/wine/wine64 "$(command -v wine64)" \
        "$(command -v wine)"; do
        [ ! -x "$WINE" ] || break
    done
fi
for WINESERVER in "${WINE%/*}/wineserver64" "${WINE%/*}/wineserver" "$(command -v wineserver)"; do
    [ ! -x "$WINESERVER" ] || break
done
export WINE WINESERVER
export WINEDEBUG=${WINEDEBUG:--all}
export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'
unset DISPLAY WAYLAND_DISPLAY WINEPREFIX WINEARCH REGCKPT_STORE

TMP=$(mktemp -d "${TMPDIR:-/tmp}/t.XXXXXX") || exit 1
export TMP
# Wine may put its server's socket into TMPDIR, and then who starts Wine with another one gets a
# second server on the same prefix: no test does that unknowingly.
unset TMPDIR
export HOME=$TMP/home REGCKPT_CONF=$TMP/regckpt.conf
mkdir "$HOME" "$TMP/prefix"
: >"$TMP/mounts"
: >"$TMP/prefixes"
printf 'run_dir = %s/run\nstate_dir = %s/state\nevents = none\n' "$TMP" "$TMP" >"$REGCKPT_CONF"

SUITE=$(basename "$0" .sh)
RUN=0 FAILED=0 SKIPPED=0
CODE=0
PATIENCE=120 # seconds for what takes far less: every wait ends by what it waits for

# suite NAME: what the counters go by.
suite() { SUITE=$1; }

# ok 'COMMAND' 'DESCRIPTION': one test; it passes if the command (shell text) succeeds.
ok()
{
    RUN=$((RUN + 1))
    if eval "$1"; then
        echo "ok: $2"
        return 0
    fi
    FAILED=$((FAILED + 1))
    echo "FAILED: $2"
    echo "    line ${BASH_LINENO[${#BASH_LINENO[@]} - 2]} of ${0##*/}: $1"
    echo "    last run: ${LAST_RUN:-none}, exit code $CODE"
    [ ! -s "$TMP/stdout" ] || head -c 4000 "$TMP/stdout" | sed 's/^/    stdout: /'
    [ ! -s "$TMP/stderr" ] || head -c 4000 "$TMP/stderr" | sed 's/^/    stderr: /'
    return 1
}

# is ACTUAL EXPECTED 'DESCRIPTION': one test; shows both where they differ.
is()
{
    local actual=$1 expected=$2
    ok '[ "$actual" = "$expected" ]' "$3" && return 0
    printf '    expected: %s\n    actual:   %s\n' "$expected" "$actual"
    return 1
}

# skip COUNT 'WHY': counts tests that this machine cannot run.
skip()
{
    RUN=$((RUN + $1)) SKIPPED=$((SKIPPED + $1))
    echo "skip: $SUITE: $1 tests: $2"
}

# run COMMAND...: sets CODE; its output goes to $TMP/stdout and $TMP/stderr.  Files, never pipes: a
# wineserver that is started on the way keeps its standard streams for as long as it lives.
run()
{
    LAST_RUN=$*
    CODE=0
    "$@" >"$TMP/stdout" 2>"$TMP/stderr" </dev/null || CODE=$?
    return 0
}
stdout() { cat "$TMP/stdout"; }
stderr() { cat "$TMP/stderr"; }

# wait_for SECONDS COMMAND...: polls until the command succeeds; fails if it does not in time.
wait_for()
{
    local end=$(($(date +%s%N) + $1 * 1000000000))
    shift
    until "$@"; do
        (($(date +%s%N) < end)) || return 1
        sleep 0.05
    done
}

# prefix_pids PREFIX: the processes that run in it, its wineserver too.
prefix_pids()
{
    local environ pid
    for environ in /proc/[0-9]*/environ; do
        pid=${environ#/proc/}
        pid=${pid%/environ}
        if [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] &&
            grep -qzxF "WINEPREFIX=$1" "$environ" 2>/dev/null; then
            echo "$pid"
        fi
    done
}

prefix_is_idle() { [ -z "$(prefix_pids "$1")" ]; }

# prefix_kill PREFIX [SIGNAL]: a signal (KILL) to everything in it at once, as a power cut would.
prefix_kill()
{
    local pids
    mapfile -t pids < <(prefix_pids "$1")
    ((${#pids[@]} == 0)) || kill -"${2:-KILL}" "${pids[@]}" 2>/dev/null
}

# prefix_end PREFIX: ends all of it in order, what does not end then by force, and waits.
prefix_end()
{
    local server parent
    [ -d "$1" ] || return 0
    server=server-$(stat -c %D "$1")-$(printf %x "$(stat -c %i "$1")")
    if [ -n "$(prefix_pids "$1")" ]; then
        WINEPREFIX=$1 timeout 20 "$WINESERVER" -k >/dev/null 2>&1 </dev/null
        # After its server is gone a client may hang for minutes.
        wait_for 2 prefix_is_idle "$1" || prefix_kill "$1"
        wait_for 10 prefix_is_idle "$1"
    fi
    # The server's socket lies outside of the prefix; Debian keeps the directory's name in there.
    for parent in "/run/user/$(id -u)/wine" "/tmp/.wine-$(id -u)" \
        "/tmp/$(cat "$1/wineserver" 2>/dev/null)"; do
        if [ -d "$parent/$server" ]; then
            rm -rf "${parent:?}/$server"
            rmdir "$parent" 2>/dev/null
        fi
    done
    return 0
}

# prefix_template: makes the prefix that all others are copies of, once for a build directory, and
# sets TEMPLATE to it.  Takes about 10 s the first time.
prefix_template()
{
    TEMPLATE=$BUILD/prefix/template
    mkdir -p "$BUILD/prefix"
    (
        flock 9
        # A prefix made before the 32-bit Wine came cannot run 32-bit programs.
        [ "$(cat "$TEMPLATE.of" 2>/dev/null)" = "$(wine_kind)" ] && exit 0
        rm -rf "$TEMPLATE" "$TEMPLATE.of"
        export WINEPREFIX=$TEMPLATE
        timeout 180 "$WINE" wineboot.exe -i >"$TEMPLATE.log" 2>&1 </dev/null 9>&-
        timeout $PATIENCE "$WINESERVER" -w >>"$TEMPLATE.log" 2>&1 9>&-
        prefix_end "$TEMPLATE"
        [ -s "$TEMPLATE/system.reg" ] && [ -s "$TEMPLATE/user.reg" ] || exit 1
        wine_kind >"$TEMPLATE.of"
    ) 9>"$BUILD/prefix/lock" && return 0
    echo "prefix_template: $WINE made no prefix in $TEMPLATE; its output:"
    cat "$TEMPLATE.log"
    exit 1
}

# wine_kind: what a prefix made now would depend on.
wine_kind()
{
    "$WINE" --version </dev/null
    [ ! -e "${WINE%/*}/wine" ] || echo "and 32-bit"
}

# prefix_new NAME: a prefix of this test's own, booted before but not running; sets PREFIX.
prefix_new()
{
    PREFIX=$TMP/prefix/$1
    prefix_template
    mkdir -p "$PREFIX" "$TMP/layers/$1/upper" "$TMP/layers/$1/work"
    if mount -t overlay overlay -o "lowerdir=$TEMPLATE,upperdir=$TMP/layers/$1/upper" \
        -o "workdir=$TMP/layers/$1/work" "$PREFIX" 2>/dev/null; then
        echo "$PREFIX" >>"$TMP/mounts"
    else
        cp -a --reflink=auto "$TEMPLATE/." "$PREFIX"
    fi
    echo "$PREFIX" >>"$TMP/prefixes"
}

# in_prefix PREFIX COMMAND...: as run, in that prefix; the command may be "$WINE" program.exe ...
in_prefix()
{
    local prefix=$1
    shift
    LAST_RUN="$* (in $prefix)"
    CODE=0
    WINEPREFIX=$prefix "$@" >"$TMP/stdout" 2>"$TMP/stderr" </dev/null || CODE=$?
    return 0
}

cleanup()
{
    local code=$? path pids
    trap - EXIT
    if ((BASH_SUBSHELL > 0)); then
        exit "$code"
    fi
    declare -F test_cleanup >/dev/null && test_cleanup
    while read -r path; do
        prefix_end "$path"
    done <"$TMP/prefixes"
    mapfile -t pids < <(jobs -p)
    ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null
    while read -r path; do
        umount "$path" || umount -l "$path"
    done <"$TMP/mounts"
    cd /
    rm -rf --one-file-system "$TMP"
    [ -n "$SUITE" ] || exit "$code" # no test: something else that uses these functions
    if ((code != 0 && FAILED == 0)); then
        # It did not reach its end.
        RUN=$((RUN + 1)) FAILED=1
        echo "FAILED: the test ended by itself with exit code $code"
    fi
    echo "suite $SUITE: $RUN run, $FAILED failed, $SKIPPED skipped"
    exit $((FAILED > 0))
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
