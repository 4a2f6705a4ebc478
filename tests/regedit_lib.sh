# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A display of a test's own, and Wine's regedit on it, driven by keys, on top of wine_lib.sh.  The X server
# keeps the order of keys, and a window that has the focus gets them all: what is waited for is the focus.

DISPLAY_PIDS=()

# display_start: an X server with a window manager; sets DISPLAY.  Before the prefixes' first process.
display_start()
{
    : >"$TMP/display"
    Xvfb -displayfd 5 -screen 0 1000x640x24 -nolisten tcp 5>"$TMP/display" >"$TMP/xvfb.log" 2>&1 </dev/null &
    DISPLAY_PIDS=($!)
    wait_for $PATIENCE test -s "$TMP/display" || { cat "$TMP/xvfb.log"; return 1; }
    DISPLAY=:$(cat "$TMP/display")
    export DISPLAY
    openbox >"$TMP/openbox.log" 2>&1 </dev/null &
    DISPLAY_PIDS+=($!)
    wait_for $PATIENCE xdotool get_desktop >"$TMP/quiet" 2>&1 # what a window manager alone answers
}

# display_end: its files lie outside of TMP, and it removes them itself.
display_end()
{
    ((${#DISPLAY_PIDS[@]} > 0)) || return 0
    kill "${DISPLAY_PIDS[@]}" 2>/dev/null
    wait "${DISPLAY_PIDS[@]}" 2>/dev/null
    DISPLAY_PIDS=()
}

# picture NAME: of the window, into the directory KEEP, if that is set.
picture() { [ -z "${KEEP:-}" ] || import -window "$WINDOW" -frame -strip +dither -colors 32 "PNG8:$KEEP/$1.png"; }

# regedit_open NODE WORD...: regckpt regedit WORD... in the background, until its window has the focus, with
# the resource's name in its title.  Sets REGEDIT (the process) and WINDOW.
regedit_open()
{
    local prefix=PREFIX_$1 conf=CONF_$1
    LAST_RUN="regckpt regedit ${*:2}"
    REGCKPT_CONF=${!conf} WINEPREFIX=${!prefix} timeout $((2 * PATIENCE)) regckpt regedit "${@:2}" \
        >"$TMP/stdout" 2>"$TMP/stderr" </dev/null &
    REGEDIT=$!
    wait_for $PATIENCE focus_is "^Registry Editor - $2 "
}

# focus_is PATTERN: has a window of this title the focus?  Sets WINDOW.
focus_is()
{
    WINDOW=$(xdotool getwindowfocus 2>/dev/null) && [[ $(title) =~ $1 ]]
}
title() { xdotool getwindowname "$WINDOW" 2>/dev/null; }

keys() { xdotool key --delay 50 "$@"; }
text() { xdotool type --delay 20 "$1"; }

# new_string NAME DATA: Edit, New, String Value; its name is typed in place, its data in a dialog.
new_string()
{
    keys alt+e n s && text "$1" && keys Return Return
    wait_for $PATIENCE focus_is '^Edit String' || return
    text "$2"
    keys Return
    wait_for $PATIENCE focus_is '^Registry Editor'
}

# regedit_close: by the window manager's key; sets CODE.
regedit_close()
{
    keys alt+F4
    CODE=0
    wait "$REGEDIT" || CODE=$?
}
