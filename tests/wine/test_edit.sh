# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt edit: commands of all kinds run on a resource's registry, captured, and saved as a whole.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite edit
node a
node b
KEY='Software\RegckptTest\Edit'
WRITER=$(winpath "$PE/svcwriter64.exe")

# edit NODE COMMAND...: what it says is in $TMP/stderr, with the command's own.
edit() { on "$1" timeout $PATIENCE regckpt edit app -- "${@:2}"; }
says() { grep -qF -- "$1" "$TMP/stderr"; }
content() { ckptdump app "$1" --key "$KEY" --view 64; }
# unchanged: the checkpoint holds what it held at the last `content "$TMP/kept"`.
unchanged() { content "$TMP/now" && same "$TMP/kept" "$TMP/now"; }
status_word() { on "$1" regckpt status app --json; grep -q "\"state\": *\"$2\"" "$TMP/stdout"; }

wine_up a
wine_up b
on a regckpt init
on a regckpt create app --command "$WRITER run $KEY 0 20"
on a regckpt edit app -- reg query 'HKLM\Software'
is "$CODE" 100 "a resource without keys is not edited"
ok 'says "regckpt add app"' "... and it is said what to do"
on a regckpt add app "$KEY" --future --view 64

# --- Windows commands ---
edit a reg add "HKLM\\$KEY" /v One /t REG_SZ /d 'two  words "quoted" \' /f /reg:64
is "$CODE" 0 "reg.exe, by its name"
ok 'in_checkpoint app One "two  words \"quoted\" \\"' "its arguments reach it as they are" ||
    cat "$TMP/seen"
ok 'live_is_checkpointed a app "$KEY"' "what it did is in the checkpoint"
ok 'grep -q "completed successfully" "$TMP/stdout"' "its output is ours"
ok 'says "$PREFIX_a" && says "$STORE" && says "saved"' "it is said where, and what was saved"
ok 'no_program a svcwriter' "the resource's program was not started"
edit a reg add "HKLM\\$KEY" /v Two /t REG_DWORD /d 7 /f /reg:64
on a regckpt log app
ok 'grep -q reg.exe "$TMP/stdout"' "the history says that it was reg.exe: it was hooked"
edit b reg query "HKLM\\$KEY" /v Two /reg:64
ok '((CODE == 0)) && grep -q 0x7 "$TMP/stdout"' "the other node's edit begins with what this one saved"
ok 'live_is_checkpointed b app "$KEY"' "... all of it"
edit a cmd.exe /c 'exit 7'
is "$CODE" 7 "a command's exit code is passed on"
edit a cmd /c 'exit 300'
is "$CODE" 125 "... above 255 as 125"
set_value a "$KEY" One changed
edit a reg query "HKLM\\$KEY" /v One /reg:64
ok '! grep -q changed "$TMP/stdout"' "what was edited without regckpt is overwritten before"
printf 'a\r\nb\r\n' >"$TMP/in"
edit a "$PE/svcwriter64.exe" run "$KEY" 20 1 --exit 5
is "$CODE" 5 "a program by its Unix path"
edit a "$WRITER" run "$KEY" 20 1 --exit 6
is "$CODE" 6 "... and by its Windows path"
ok 'live_is_checkpointed a app "$KEY"' "what both did is in the checkpoint"
mkdir "$TMP/a b"
cp "$PE/svcwriter64.exe" "$TMP/a b/the setup.exe"
(cd "$TMP/a b" && edit a './the setup.exe' run "$KEY" 5 1 --exit 8; echo "$CODE" >"$TMP/code")
is "$(cat "$TMP/code")" 8 "a path with blanks, from its own directory"
(cd "$TMP/a b" && edit a 'the setup.exe' run "$KEY" 5 1 --exit 9; echo "$CODE" >"$TMP/code")
is "$(cat "$TMP/code")" 9 "... and its bare name there"
printf '@start /b %s run %s 60 20 --log %s\r\n' "$WRITER" "$KEY" "$(winpath "$TMP/late.log")" >"$TMP/setup.bat"
edit a "$TMP/setup.bat"
is "$CODE" 0 "a program that ends before what it started"
ok 'grep -q " end$" "$TMP/late.log"' "that has come to its end"
ok 'live_is_checkpointed a app "$KEY"' "and what it did is in the checkpoint"
if have_wine32; then
    edit a "$PE/svcwriter32.exe" run "$KEY" 20 1 --view 64
    ok '((CODE == 0)) && live_is_checkpointed a app "$KEY"' "a 32-bit program"
else
    skip 1 "32-bit programs do not run here"
fi

# --- Unix commands ---
edit a bash -c 'echo "$WINEPREFIX"; pwd; "$WINE" reg.exe add "HKLM\\$0" /v Three /d x /f /reg:64 >/dev/null; exit 3' "$KEY"
is "$CODE" 3 "a shell, with its exit code"
is "$(head -n 1 "$TMP/stdout")" "$PREFIX_a" "... in the prefix"
is "$(sed -n 2p "$TMP/stdout")" "$PWD" "... and our directory"
ok 'in_checkpoint app Three x && live_is_checkpointed a app "$KEY"' \
    "what a Wine program did that the shell started is in the checkpoint"
printf '#!/bin/sh\ncat\nsleep 2 &\nsleep 3 &\n' >"$TMP/script"
chmod +x "$TMP/script"
content "$TMP/kept"
REGCKPT_CONF=$CONF_a WINEPREFIX=$PREFIX_a regckpt edit app -- "$TMP/script" <"$TMP/in" >"$TMP/stdout" 2>"$TMP/stderr"
CODE=$?
ok '((CODE == 0)) && cmp "$TMP/in" "$TMP/stdout"' "a script by its path, with our standard input"
ok 'says "waiting for what it started" && says "sleep ("' "what it left running is waited for, and named"
ok unchanged "and nothing has changed"
cat >"$TMP/onpty.py" <<'END'
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
END
on a timeout $PATIENCE python3 "$TMP/onpty.py" regckpt edit app -- sh -c 'test -t 0 && test -t 1 && test -t 2 && exit 42'
is "$CODE" 42 "a command on a terminal has the terminal"

# --- what is refused, and what fails ---
content "$TMP/kept"
mkdir "$TMP/directory"
: >"$TMP/plain"
: >"$TMP/package.msi"
says_arg() { says "$WORD"; }
refuse() # CODE WORD DESCRIPTION COMMAND...
{
    WORD=$2
    on a timeout $PATIENCE "${@:4}"
    is "$CODE" "$1" "$3: exit code $1"
    ok says_arg "... and it says \"$2\""
}
refuse 100 'missing' 'no command' regckpt edit app
refuse 100 'missing' 'nothing behind --' regckpt edit app --
refuse 100 'There is no resource' 'an unknown resource' regckpt edit nobody -- reg
refuse 100 'no Wine prefix' 'a prefix that is not there' regckpt edit app --prefix "$TMP/none" -- reg
refuse 100 'is a directory' 'a directory' regckpt edit app -- "$TMP/directory"
refuse 100 'may not be executed' 'a file that is no command' regckpt edit app -- "$TMP/plain"
refuse 100 'msiexec /i' 'a package' regckpt edit app -- "$TMP/package.msi"
refuse 122 'There is no file' 'a path of nothing' regckpt edit app -- "$TMP/nothing"
refuse 122 'Neither Wine' 'a name that nobody knows' regckpt edit app -- nosuchcommand
refuse 122 'Wine finds no program' 'a program that Wine does not find' regckpt edit app -- nosuch.exe
refuse 122 'Wine finds no program' 'a Windows path of nothing' regckpt edit app -- 'C:\nothing\here.exe'
printf 'not a program' >"$TMP/text.exe"
refuse 122 'not a Windows program' 'a file that only looks like a program' regckpt edit app -- "$TMP/text.exe"
refuse 122 'signal 9' 'a command that is killed' regckpt edit app -- sh -c "'$WINE' reg.exe add 'HKLM\\$KEY' /v Lost /d x /f /reg:64 >/dev/null; kill -9 \$\$"
if [ "$(id -u)" = 0 ]; then
    mkdir "$TMP/foreign"
    : >"$TMP/foreign/system.reg"
    chown nobody "$TMP/foreign"
    refuse 124 'belongs to user nobody' "another user's prefix" regckpt edit app --prefix "$TMP/foreign" -- reg
else
    skip 2 "only root can make another user's prefix"
fi
ok unchanged "none of these has changed the checkpoint"

# --- owned already ---
online b app
is "$CODE" 0 "online on the other node"
refuse 3 'node b' 'online elsewhere' regckpt edit app -- reg query 'HKLM\Software'
on a regckpt show app
is "$CODE" 0 "show reads it meanwhile"
on a regckpt export app "$TMP/out.reg"
ok '((CODE < 2)) && grep -aq R.e.g.c.k.p.t.T.e.s.t "$TMP/out.reg"' "and so does export"

# --- online here ---
on b timeout $PATIENCE regckpt edit app -- "$WRITER" run "$KEY\\More" 30 1 --exit 4
is "$CODE" 4 "online here the command just runs"
on b timeout $PATIENCE regckpt edit app -- reg add "HKLM\\$KEY" /v Direct /d y /f /reg:64
ok '((CODE == 0)) && in_checkpoint app Direct y' "what it did is saved when it returns"
on b timeout $PATIENCE regckpt edit app -- sh -c '"$WINE" reg.exe add "HKLM\\$0" /v Here /d x /f /reg:64' "$KEY"
ok '((CODE == 0)) && in_checkpoint app Here x' "a shell's too"
ok 'a_program b svcwriter64 && status_word b online' "the resource goes on"
on b timeout $PATIENCE regckpt edit app --prefix "$PREFIX_a" -- reg
is "$CODE" 100 "... but not in another prefix"
offline b app

# --- an edit in progress ---
mkfifo "$TMP/gate"
content "$TMP/kept"
# edit_waits: an edit in the background that has changed something and waits; `echo >gate` ends it.
edit_waits()
{
    rm -f "$TMP/waits"
    (
        REGCKPT_CONF=$CONF_a WINEPREFIX=$PREFIX_a exec regckpt edit app -- bash -c \
            '"$WINE" reg.exe add "HKLM\\$1" /v Gate /d "$2" /f /reg:64; : >"$0/waits"; read -r line <"$0/gate"; exit 11' \
            "$TMP" "$KEY" "$1"
    ) >"$TMP/edit.out" 2>"$TMP/edit.err" </dev/null &
    EDIT=$!
    wait_for $PATIENCE test -e "$TMP/waits"
}
ok 'edit_waits first' "an edit that waits"
ok unchanged "nothing is in the checkpoint before its end"
refuse 3 'being edited' 'a second edit' regckpt edit app -- reg query 'HKLM\Software'
refuse 3 'being edited' 'online meanwhile' regckpt online app
refuse 3 'being edited' 'save meanwhile' regckpt save app
refuse 3 'being edited' 'set meanwhile' regckpt set app --lag 50
on b timeout $PATIENCE regckpt online app
is "$CODE" 3 "online on the other node meanwhile: exit code 3"
on a regckpt status app
ok 'grep -q "EDITED on node a" "$TMP/stdout"' "status says it"
on a regckpt show app
is "$CODE" 0 "show reads what was before"
echo >"$TMP/gate"
wait $EDIT
is $? 11 "it ends with its command's exit code"
ok 'in_checkpoint app Gate first' "and is saved"

ok 'edit_waits second' "another one"
on a timeout $PATIENCE regckpt offline app
is "$CODE" 0 "offline gives it up"
wait $EDIT
is $? 122 "... with exit code 122"
ok 'grep -q "Nothing of this edit is saved" "$TMP/edit.err"' "... and it is said that nothing is saved"
ok 'in_checkpoint app Gate first' "nothing of it is saved"
for signal in TERM HUP; do
    ok 'edit_waits "$signal"' "one that gets SIG$signal"
    kill -$signal $EDIT
    wait $EDIT
    is $? 122 "SIG$signal gives it up"
    ok 'in_checkpoint app Gate first' "nothing of it is saved"
    ok 'wait_for $PATIENCE no_monitor a' "nothing is left of it"
done
on a regckpt rollback app
ok '((CODE < 2)) && unchanged' "rollback goes back behind what was edited"

# --- a damaged checkpoint ---
cp "$STORE/app/checkpoint.tdb" "$TMP/whole.tdb"
printf 'damage, damage, damage' | dd of="$STORE/app/checkpoint.tdb" bs=1 seek=300 conv=notrunc 2>/dev/null
refuse 121 'amaged' 'a damaged checkpoint' regckpt edit app -- reg query 'HKLM\Software'
cp "$TMP/whole.tdb" "$STORE/app/checkpoint.tdb"

# --- a service ---
SVC=RegckptEditService
SVCKEY='Software\RegckptTest\EditService'
on a "$WINE" "$PE/svcwriter64.exe" install $SVC "$SVCKEY" "$(winpath "$TMP/service.log")"
on a regckpt create svc --service $SVC
on a regckpt add svc "$SVCKEY" --future --view 64
is "$CODE" 0 "a resource with a service"
on a "$WINE" net.exe start $SVC
ok 'wait_for $PATIENCE service_is a $SVC RUNNING' "(it runs, unprotected)"
refuse 122 'is running' 'a service that runs' regckpt edit svc -- reg query 'HKLM\Software'
on a "$WINE" net.exe stop $SVC
ok 'wait_for $PATIENCE service_is a $SVC STOPPED' "(it is stopped)"
on a timeout $PATIENCE regckpt edit svc -- net start $SVC
ok '((CODE == 0)) && says "was stopped"' "a service that the command starts is stopped again"
ok 'service_is a $SVC STOPPED && live_is_checkpointed a svc "$SVCKEY"' "... and what it did is saved"
online a svc
offline a svc
on a timeout $PATIENCE regckpt edit svc -- net start $SVC
ok '((CODE != 0)) && service_is a $SVC STOPPED' "a service behind regckpt-host does not start"
ok 'wait_for $PATIENCE no_monitor a' "nothing is left"

# --- a vendor's setup program ---
# nsis WIDTH: a setup program, and its uninstaller, which goes on as a copy of itself when it has ended.
nsis()
{
    local target=x86-unicode
    [ "$1" = 32 ] || target=amd64-unicode
    cat >"$TMP/setup.nsi" <<END
Unicode true
Target $target
Name Vendor
OutFile "$TMP/setup$1.exe"
InstallDir "C:\\Vendor$1"
SilentInstall silent
SilentUnInstall silent
Section
    SetRegView $1
    SetOutPath \$INSTDIR
    WriteUninstaller \$INSTDIR\\uninstall.exe
    StrCpy \$0 0
    again:
    WriteRegStr HKLM "$SETUPKEY\\Part" "Value \$0" "data of \$0"
    IntOp \$0 \$0 + 1
    IntCmp \$0 2000 0 again
    WriteRegDWORD HKLM "$SETUPKEY" Installed 1
SectionEnd
Section Uninstall
    SetRegView $1
    Sleep 1500
    DeleteRegKey HKLM "$SETUPKEY\\Part"
    WriteRegStr HKLM "$SETUPKEY" Removed yes
SectionEnd
END
    makensis -V2 "$TMP/setup.nsi" >"$TMP/nsis.log" 2>&1 || { cat "$TMP/nsis.log"; return 1; }
}
SETUPKEY='Software\RegckptTest\Setup'
for width in 64 32; do
    if [ $width = 32 ] && ! have_wine32; then
        skip 6 "32-bit programs do not run here"
        continue
    fi
    on a regckpt add app "$SETUPKEY" --future --view $width
    ok 'nsis $width' "a $width-bit setup program is made"
    edit a "$TMP/setup$width.exe"
    ok '((CODE == 0)) && live_is_checkpointed a app "$SETUPKEY" --view $width' "it runs, and is saved"
    is "$(grep -c '^value' "$TMP/ckpt")" 2001 "... with all its values"
    edit a "C:\\Vendor$width\\uninstall.exe"
    ok '((CODE == 0)) && live_is_checkpointed a app "$SETUPKEY" --view $width' "its uninstaller, waited for"
    ok 'in_checkpoint app Removed yes --key "$SETUPKEY" --view $width' "... to its end"
    on a regckpt remove app "$SETUPKEY" --view $width
    is "$CODE" 0 "($width-bit key is forgotten)"
done
