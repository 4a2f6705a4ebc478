# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of the hook share, on top of wine_lib.sh.  A hook directory is what a resource's run
# directory is to the hook, with ringtool in the monitor's place.

RINGTOOL=$BUILD/out/wine/ringtool

# widths: the widths whose programs run here, with a hook.
widths()
{
    echo 64
    ! have_wine32 || echo 32
}

# physical WIDTH PATH: where Software\... of a program of that width is.
physical()
{
    if [ "$1" = 32 ]; then
        printf '%s' "${2/#Software\\/Software\\Wow6432Node\\}"
    else
        printf '%s' "$2"
    fi
}

# hook_make DIR [ringtool make's options] ID=PATH...: a ring and the links to the DLLs, from scratch.
hook_make()
{
    local dir=$1
    shift
    rm -rf "$dir"
    mkdir -p "$dir"
    run "$RINGTOOL" make "$dir" "$STAGE_PKGLIBDIR" "$@"
    ((CODE == 0)) || { stderr; return 1; }
}

# hook_dll DIR WIDTH: what a program of that width loads.
hook_dll()
{
    if [ "$2" = 32 ]; then
        winpath "$1/regckpt32.dll.so"
    else
        winpath "$1/regckpt.dll.so"
    fi
}

# drained DIR FILE: appends what is in the ring.
drained() { "$RINGTOOL" drain "$1" >>"$2"; }

# serve_start DIR FILE: from now on what is in the ring goes to FILE, and is durable. Sets SERVER.
serve_start()
{
    : >"$2"
    "$RINGTOOL" serve "$1" >"$2" </dev/null &
    SERVER=$!
    wait_for $PATIENCE grep -q '^serving$' "$2"
}

# serve_pause DIR: it stands still, and holds no lane, as it does for a moment in each round; until it is sent
# SIGCONT.
serve_pause()
{
    while kill -STOP "$SERVER"; do
        wait_for $PATIENCE grep -q '^State:.*T' "/proc/$SERVER/status"
        [ "$(ring_stat "$1" lanes-held)" != 0 ] || return 0
        kill -CONT "$SERVER"
    done
    return 1
}

# serve_stop FILE: ends it in order; FILE holds the changes alone then.
serve_stop()
{
    kill "$SERVER"
    wait "$SERVER"
    sed -i '/^serving$/d' "$1"
}

# ring_stat DIR NAME: a line of ringtool stat.
ring_stat() { "$RINGTOOL" stat "$1" | sed -n "s/^$2 //p"; }

# hooked DIR PROGRAM [WIDTH]: has a process of that program reported changes, its hooks all in place?
hooked()
{
    "$RINGTOOL" stat "$1" |
        grep -Eq "^process .* bits ${3:-(64|32)} ready 1 changes [1-9][0-9]* $2\$"
}

# judge FILE...: hookjudge.py; what it says goes to $TMP/judged.
judge() { python3 "$SRC/tests/hookjudge.py" "$@" >"$TMP/judged" 2>&1; }
