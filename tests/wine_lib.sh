# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests under real Wine share, on top of lib.sh: nodes, programs, dumps and their comparison.
#
# A node is a prefix and a configuration file of its own, all with one store:
#     node a; node b             makes them; A=$PREFIX_a ... conf_a ...
#     on a regckpt online NAME   as run, with that node's configuration and prefix
#     on a "$WINE" x.exe         a program in its prefix

STORE=$TMP/store
PE=$BUILD/out/wine
ONLINE_SECONDS=$PATIENCE
# Where changes are to come from, as status says it.
SOURCE=${SOURCE:-hook}

# The 32-bit loader is what makes 32-bit programs run.
have_wine32() { [ -e "${WINE%/*}/wine" ] && [ "$HOST32" = yes ]; }

# winpath PATH: as a Windows program takes it.
winpath() { printf 'Z:%s' "${1//\//\\}"; }

# series_of_wine: the folder with server_patch's patches for the installed Wine.
series_of_wine()
{
    local version
    version=$(dpkg-query -W -f '${source:Version}\n' libwine | head -n 1)
    echo "$SRC/server_patch/wine-${version%%[~+-]*}"
}

# node NAME: a machine of its own, as far as regckpt can tell.
node()
{
    prefix_new "$1"
    declare -g "PREFIX_$1=$PREFIX" "CONF_$1=$TMP/$1.conf"
    printf '%s = %s\n' store "$STORE" run_dir "$TMP/run-$1" state_dir "$TMP/state-$1" node "$1" \
        events none >"$TMP/$1.conf"
    [ -z "$WINE_TREE" ] || echo "wine = $WINE_TREE" >>"$TMP/$1.conf"
}

# on NODE COMMAND...: runs it there; sets CODE, output in $TMP/stdout and $TMP/stderr.
on()
{
    local prefix=PREFIX_$1 conf=CONF_$1
    shift
    LAST_RUN="$* (prefix ${!prefix})"
    CODE=0
    REGCKPT_CONF=${!conf} WINEPREFIX=${!prefix} "$@" >"$TMP/stdout" 2>"$TMP/stderr" </dev/null || CODE=$?
    return 0
}

# on_quietly NODE COMMAND...: the same without touching CODE and the output of the last run.
on_quietly()
{
    local prefix=PREFIX_$1 conf=CONF_$1
    shift
    REGCKPT_CONF=${!conf} WINEPREFIX=${!prefix} "$@" >"$TMP/quiet" 2>&1 </dev/null
}

# wine_up NODE: boots its prefix, and keeps it up until the test ends.  Without it a server ends 3 s after
# its last program: who comes just then fails, and the next server reads what Wine's files do not hold in
# full.  One that is still there from the command before cannot be told to stay, and is about to end.
wine_up()
{
    wait_for $PATIENCE on_quietly "$1" "$WINESERVER" -p && on_quietly "$1" "$WINE" wineboot.exe && return
    echo "    $1 does not come up:"
    sed 's/^/        /' "$TMP/quiet"
    return 1
}

# fill NODE KEY COUNT [fillkey's options]
fill() { on "$1" "$WINE" "$PE/fillkey64.exe" "${@:2}"; }

# dump NODE KEY FILE [regdump's options]: the live key; a file that is not there stands for no key.
dump()
{
    local node=$1 key=$2 file=$3 prefix=PREFIX_$1
    shift 3
    rm -f "$file"
    WINEPREFIX=${!prefix} timeout 120 "$WINE" "$PE/regdump64.exe" "$key" "$@" >"$file.part" \
        2>"$file.err" </dev/null || { cat "$file.err"; rm -f "$file.part"; return 1; }
    mv "$file.part" "$file"
}

# ckptdump RESOURCE FILE [its options]: the same of the checkpoint.
ckptdump()
{
    local resource=$1 file=$2
    shift 2
    rm -f "$file"
    python3 "$SRC/tests/ckptdump.py" "$STORE/$resource/checkpoint.tdb" "$@" >"$file.part" \
        2>"$file.err" || { cat "$file.err"; rm -f "$file.part"; return 1; }
    mv "$file.part" "$file"
}

# same FILE FILE: dumps that must be equal; says what is not, in short.
same()
{
    [ -s "$1" ] && [ -s "$2" ] && cmp -s "$1" "$2" && return 0
    [ -e "$1" ] && [ -e "$2" ] || { echo "    a dump is missing"; return 1; }
    echo "    $(wc -l <"$1") lines in $1, $(wc -l <"$2") in $2:"
    diff "$1" "$2" | head -n 12 | cut -c 1-300 | sed 's/^/    /'
    return 1
}

# live_is_checkpointed NODE RESOURCE KEY [regdump's options]: both sides, read without the product.
live_is_checkpointed()
{
    local node=$1 resource=$2 key=$3 view=64
    shift 3
    [[ $* != *"--view 32"* ]] || view=32
    dump "$node" "$key" "$TMP/live" "$@" && ckptdump "$resource" "$TMP/ckpt" --key "$key" --view $view &&
        same "$TMP/live" "$TMP/ckpt"
}

# value NODE KEY NAME [VIEW]: its data as "reg query" shows it; empty if it is not there.
value()
{
    local file
    file=$(mktemp "$TMP/value.XXXXXX")
    on_quietly_to "$file" "$1" "$WINE" reg.exe query "HKLM\\$2" /v "$3" "/reg:${4:-64}"
    sed -n 's/^    .*    REG_[A-Z_]*    //p' "$file" | tr -d '\r'
    rm -f "$file"
}
on_quietly_to()
{
    local file=$1 prefix=PREFIX_$2 conf=CONF_$2
    shift 2
    REGCKPT_CONF=${!conf} WINEPREFIX=${!prefix} "$@" >"$file" 2>/dev/null </dev/null
}

# set_value NODE KEY NAME DATA [VIEW]: by reg.exe, that is from outside of the resource's program.  What
# a test stands on is not left to one try, and not to silence.
set_value()
{
    local try
    for try in 1 2 3; do
        on_quietly "$1" "$WINE" reg.exe add "HKLM\\$2" /v "$3" /t REG_SZ /d "$4" /f \
            "/reg:${5:-64}" && return 0
        echo "    try $try of reg add HKLM\\$2 /v $3 ended with $?:"
        sed 's/^/        /' "$TMP/quiet"
    done
    return 1
}
delete_value() { on_quietly "$1" "$WINE" reg.exe delete "HKLM\\$2" /v "$3" /f "/reg:${4:-64}"; }
delete_key() { on_quietly "$1" "$WINE" reg.exe delete "HKLM\\$2" /f "/reg:${3:-64}"; }

# in_checkpoint RESOURCE NAME DATA [ckptdump's options]: is there a string value of this name and data?
in_checkpoint()
{
    local line
    line=" $(utf16_hex "$2") 1 $(utf16_hex "$3")0000"
    ckptdump "$1" "$TMP/seen" --quick "${@:4}" >/dev/null && grep -qF -- "$line" "$TMP/seen"
}
utf16_hex() { printf '%s' "$1" | iconv -t UTF-16LE | od -An -v -tx1 | tr -d ' \n'; }

# not_in_checkpoint: the same for none, of a checkpoint that can be read.
not_in_checkpoint() { ! in_checkpoint "$@" && [ -s "$TMP/seen" ]; }

# program_pids NODE NAME: the Unix processes of its prefix whose command line holds NAME.
program_pids()
{
    local prefix=PREFIX_$1 pid
    for pid in $(prefix_pids "${!prefix}"); do
        if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2"; then
            echo "$pid"
        fi
    done
}
no_program() { [ -z "$(program_pids "$1" "$2")" ]; }
a_program() { ! no_program "$1" "$2"; }

# monitor_pids NODE: regckpt-monitor processes started with its configuration.
monitor_pids()
{
    local conf=CONF_$1 exe pid
    for exe in /proc/[0-9]*/exe; do
        pid=${exe#/proc/}
        pid=${pid%/exe}
        if [ "$(readlink "$exe")" = "$(readlink -f "$STAGE_PKGLIBDIR/regckpt-monitor")" ] &&
            grep -qzxF "REGCKPT_CONF=${!conf}" "/proc/$pid/environ" 2>/dev/null; then
            echo "$pid"
        fi
    done
}
host_pids() { program_pids "$1" regckpt-host; }
server_pids() { program_pids "$1" wineserver; }
no_monitor() { [ -z "$(monitor_pids "$1")" ]; }

# online NODE RESOURCE: and waits for nothing more than regckpt itself does.
online() { on "$1" timeout $ONLINE_SECONDS regckpt online "$2"; }
offline() { on "$1" timeout $ONLINE_SECONDS regckpt offline "$2"; }

# service_state NODE SERVICE: RUNNING, STOPPED, ... ; empty: no such service.
service_state()
{
    local file
    file=$(mktemp "$TMP/state.XXXXXX")
    on_quietly_to "$file" "$1" "$WINE" sc.exe query "$2"
    sed -n 's/.*STATE *: *[0-9]* *\([A-Z_]*\).*/\1/p' "$file"
    rm -f "$file"
}
service_is() { [ "$(service_state "$1" "$2")" = "$3" ]; }

# log_has LOG COUNT: has svcwriter acknowledged that many changes there?
log_has() { [ -e "$1" ] && [ "$(grep -c ' done ' "$1")" -ge "$2" ]; }

# Whatever a node's monitor is still up to when a test ends: ended by its id.
test_cleanup()
{
    local conf pids
    for conf in "$TMP"/*.conf; do
        conf=${conf##*/}
        conf=${conf%.conf}
        [ "$conf" != regckpt ] || continue
        mapfile -t pids < <(monitor_pids "$conf")
        ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}"
    done
    ! declare -F display_end >/dev/null || display_end
}
