# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Everything a user can get wrong, and every part that can be missing: the exit code, and a message that
# names what is wrong and the way out.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite messages
node a
KEY='Software\RegckptTest\Messages'
WRITER="$(winpath "$PE/svcwriter64.exe") run $KEY 3 1"

# fails CODE PATTERN 'DESCRIPTION' COMMAND...: on node a.
fails()
{
    local code=$1 pattern=$2 what=$3
    shift 3
    on a timeout $PATIENCE "$@"
    is "$CODE" "$code" "$what: exit code"
    ok 'grep -Eqi -- "$pattern" "$TMP/stderr"' "$what: the message says $pattern"
    ok '! grep -q "^$" "$TMP/stderr" && [ "$(wc -c <"$TMP/stderr")" -gt 30 ]' "$what: it is a sentence"
}

wine_up a

# The store.
fails 100 'regckpt init' "no store" regckpt list
fails 100 'regckpt init' "no store" regckpt create app --command "$WRITER"
mkdir "$TMP/other" && echo hello >"$TMP/other/file"
fails 2 "$TMP/other" "a directory with other things is no place for a store" regckpt --store "$TMP/other" init
on a regckpt init
is "$CODE" 0 "init"
on a regckpt init
is "$CODE" 0 "init of a store that is there is no error"
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$TMP"
    mkdir -m 755 "$TMP/rootonly"
    LAST_RUN="init as nobody"
    # By descriptor: the build may lie where nobody else may go.
    # shellcheck disable=SC2016
    fails 111 'denied' "a place that cannot be written to" \
        bash -c 'exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ /proc/self/fd/3 "$@" 3<"$0"' \
        "$STAGE_BINDIR/regckpt" --store "$TMP/rootonly/s" init
    mkdir "$TMP/full"
    if mount -t tmpfs -o size=64k none "$TMP/full" 2>/dev/null; then
        echo "$TMP/full" >>"$TMP/mounts"
        fails 111 'make room' "a full store" regckpt --store "$TMP/full/s" init
    else
        skip 3 "no file system can be mounted here"
    fi
else
    skip 6 "rights are tried as root"
fi

# Words.
fails 100 'online' "a verb with a slip" regckpt onlin app
fails 100 'app' "a resource that does not exist" regckpt online app
fails 100 'app' "show of it" regckpt show app
fails 100 '\.\./x' "a name that is a path" regckpt create ../x --command "$WRITER"
fails 100 'service.*command|--command' "neither service nor command" regckpt create app
fails 100 'lag' "a lag that is no number" regckpt create app --command "$WRITER" --lag soon
on a regckpt create app --command "$WRITER"
is "$CODE" 0 "create"
fails 100 'app' "create twice" regckpt create app --command "$WRITER"

# Keys.
fill a "$KEY" 3
fails 100 'quot' "backslashes eaten by the shell" regckpt add app SoftwareRegckptTestMessages
fails 100 'backslash' "a leading backslash" regckpt add app "\\$KEY"
fails 100 'HKEY_LOCAL_MACHINE|HKLM' "another root" regckpt add app 'HKCU\Software\X'
fails 100 'backslash|\\\\' "slashes" regckpt add app 'Software/RegckptTest/Messages'
fails 100 'empty|name' "an empty key" regckpt add app ''
fails 100 'future' "a key that does not exist" regckpt add app 'Software\RegckptTest\Messages\Nope'
fails 100 '32' "a key that exists in the other view only" regckpt add app 'Software\Wow6432Node\RegckptTest\Messages' --view 32
fill a 'Software\RegckptTest\Only32' 3 --view 32
fails 100 '32' "a key of the 32-bit view, named in the other" regckpt add app 'Software\RegckptTest\Only32' --view 64
fails 100 'view' "a view that is none" regckpt add app "$KEY" --view 16
on a regckpt add app "HKLM\\$KEY\\"
is "$CODE" 0 "HKLM in front and a backslash behind are taken"
on a regckpt list app
ok 'grep -F "$KEY" "$TMP/stdout" | grep -qv HKLM' "... and left away"
fails 100 'Nope' "remove of a key that is not registered" regckpt remove app 'Software\Nope'

# A store that can be read and not be written to.
if mkdir "$TMP/readonly" && mount --bind -o ro "$STORE" "$TMP/readonly" 2>/dev/null; then
    echo "$TMP/readonly" >>"$TMP/mounts"
    mount -o remount,bind,ro "$TMP/readonly"
    for verb in "create new --service New" "set app --lag 50" "delete app" "online app" \
        "add app Software\\RegckptTest\\Only32 --view 32" "remove app $KEY" "rollback app --to 0"; do
        # shellcheck disable=SC2086
        fails 111 "$TMP/readonly.*(Read-only|only be read)" "a read-only store: ${verb%% *}" \
            timeout $PATIENCE regckpt --store "$TMP/readonly" $verb
    done
    fails 123 "$TMP/readonly.*(Read-only|only be read)" "a read-only store: run" \
        timeout $PATIENCE regckpt --store "$TMP/readonly" run app
    for verb in "list app" "show app" "verify app" "status app"; do
        on a regckpt --store "$TMP/readonly" $verb
        is "$CODE" 0 "a read-only store: $verb works"
    done
    ok 'wait_for $PATIENCE no_monitor a' "a read-only store: nothing stays owned"
else
    skip 29 "no file system can be mounted here"
fi

# The prefix.
fails 100 "$TMP/nowhere" "a prefix that does not exist" env WINEPREFIX="$TMP/nowhere" regckpt online app
fails 100 "wineboot|WINEPREFIX" "... and how to make one" env WINEPREFIX="$TMP/nowhere" regckpt online app
ok '[ ! -e "$TMP/nowhere" ]' "it is not made behind one's back"
mkdir "$TMP/emptydir"
fails 100 "$TMP/emptydir" "a directory that is no prefix" env WINEPREFIX="$TMP/emptydir" regckpt online app
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$TMP/foreign/drive_c" && cp "$PREFIX_a/system.reg" "$TMP/foreign" &&
        chown -R 65534:65534 "$TMP/foreign"
    fails 111 "nobody|65534" "another user's prefix names the user" env WINEPREFIX="$TMP/foreign" regckpt online app
else
    skip 3 "another user's prefix is tried as root"
fi

# Wine.
cp "$CONF_a" "$TMP/nowine.conf" && echo "wine = /nonexistent" >>"$TMP/nowine.conf"
fails 111 '/nonexistent' "Wine missing" env REGCKPT_CONF="$TMP/nowine.conf" regckpt online app
for verb in "list app" "show app" "verify app" "status app"; do
    on a env REGCKPT_CONF="$TMP/nowine.conf" regckpt $verb
    is "$CODE" 0 "$verb works without Wine"
done
on a env REGCKPT_CONF="$TMP/nowine.conf" regckpt doctor app
is "$CODE" 1 "doctor says that something is missing"
ok 'grep -q /nonexistent "$TMP/stdout"' "... namely Wine"
on a regckpt doctor app
is "$CODE" 0 "doctor of a node that can"

# A 32-bit program where Wine runs only 64-bit ones: the 32-bit loader and libraries are hidden.
if have_wine32 && [ -d /usr/lib/i386-linux-gnu/wine ] && unshare --mount true 2>/dev/null; then
    on a regckpt create app32 --command "$(winpath "$PE/svcwriter32.exe") run $KEY 3 1"
    prefix_end "$PREFIX_a"
    cat >"$TMP/without32" <<'SH'
mount -t tmpfs -o mode=755 none /usr/lib/i386-linux-gnu/wine &&
    mount --bind /dev/null "${WINE%/*}/wine" && exec "$@"
SH
    fails 111 '32' "a 32-bit program without 32-bit Wine" unshare --mount sh "$TMP/without32" regckpt online app32
    on a unshare --mount sh "$TMP/without32" regckpt online app
    is "$CODE" 0 "... where a 64-bit one goes online"
    wait_for $PATIENCE no_monitor a
    prefix_end "$PREFIX_a"
else
    skip 4 "the 32-bit Wine cannot be hidden here, or there is none"
fi

# The configuration.
fails 100 'missing.conf' "a configuration file that does not exist" env REGCKPT_CONF="$TMP/missing.conf" regckpt list
printf 'store = here\n' >"$TMP/relative.conf"
fails 100 'absolute|relative' "a relative store in the configuration" env REGCKPT_CONF="$TMP/relative.conf" regckpt list
printf 'stor = /x\n' >"$TMP/bad.conf"
fails 100 'bad.conf.*1|line 1' "a slip in the configuration" env REGCKPT_CONF="$TMP/bad.conf" regckpt list

# Every verb has a help that works anywhere.
for verb in init create set delete add remove list online offline run save status show diff verify wrap unwrap doctor; do
    on a regckpt $verb --help
    ok '[ $CODE = 0 ] && grep -q "$verb" "$TMP/stdout"' "$verb --help"
done
