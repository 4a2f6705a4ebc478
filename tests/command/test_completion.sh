# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Completion in bash: what the functions offer for a line, and one line typed into a real shell.
. "$(dirname "$0")/../lib.sh"
suite completion
export REGCKPT_STORE=$TMP/store
completion=$(dirname "$STAGE_BINDIR")/share/bash-completion/completions/regckpt
run regckpt init
run regckpt create web --service Web
run regckpt create web-2 --service Web2
run regckpt create db --command 'db.exe'
run regckpt add web 'Software\Vendor\App' 'Software\Vendor\Other' 'System\CurrentControlSet\Services\Web' \
    --view 64 --future
ok '[ -s "$completion" ]' "it is installed"

# offers 'LINE' WORD...: what TAB at the line's end offers, in any order.
offers()
{
    local line=$1
    shift
    LAST_RUN="TAB behind: $line"
    # shellcheck disable=SC2016
    bash --norc -c '. "$1"; COMP_LINE=$2; COMP_POINT=${#2}; read -r -a COMP_WORDS < <(sed "s/=/ = /g" <<<"$2")
        [[ $2 != *" " ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _regckpt; printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$completion" "$line" >"$TMP/stdout" 2>"$TMP/stderr" </dev/null
    CODE=$?
    is "$(sort "$TMP/stdout" | tr '\n' ' ')" "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" "$line<TAB>"
}

mapfile -t verbs < <(regckpt --help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
ok '((${#verbs[@]} > 20))' "the help lists the verbs"
offers 'regckpt ' "${verbs[@]}"
offers 'regckpt st' status
offers 'regckpt --store /x st' status
offers 'regckpt --v' --version
offers 'regckpt x'
for verb in "${verbs[@]}"; do
    mapfile -t options < <(regckpt "$verb" --help | grep -o '^  --[a-z0-9-]*' | tr -d ' ')
    offers "regckpt $verb --" "${options[@]}"
done
offers 'regckpt status ' web web-2 db
offers 'regckpt status web-' web-2
offers 'regckpt status --json w' web web-2
offers 'regckpt status web '
offers 'regckpt create '
offers 'regckpt verify web d' db
offers 'regckpt status --store /nowhere '
offers "regckpt --store $TMP/store offline d" db
offers 'regckpt set web --on-storage-error ' continue stop
offers 'regckpt set web --on-storage-error=s' stop
offers 'regckpt add web Software\X --view ' auto 64 32
offers 'regckpt remove web Software\X --view 6' 64
offers 'regckpt set web --user roo' root
offers 'regckpt import web /dev/nul' /dev/null
offers 'regckpt init --store /dev/nul' /dev/null
offers "regckpt remove web " "'Software\\Vendor\\App'" "'Software\\Vendor\\Other'" \
    "'System\\CurrentControlSet\\Services\\Web'"
offers "regckpt remove web 'Software" 'Software\Vendor\App' 'Software\Vendor\Other'
offers "regckpt show web 'software\\vendor\\o" 'Software\Vendor\Other'
offers "regckpt show web Sys" "'System\\CurrentControlSet\\Services\\Web'"
offers "regckpt log web --key 'Sys" 'System\CurrentControlSet\Services\Web'
offers "regckpt remove db "

# A real shell on a real terminal: what it makes of the keys typed is echoed by the command itself.
cat >"$TMP/rc" <<RC
. "$completion"
PATH=$STAGE_BINDIR:\$PATH PS1=
RC
run python3 - "$TMP/rc" "$STAGE_BINDIR/regckpt" "$completion" <<'PY'
import os, pty, re, select, sys, time
pid, terminal = pty.fork()
if not pid:
    os.environ.update(TERM="dumb", PS1="$ ")
    os.execvp("bash", ["bash", "--noprofile", "--rcfile", sys.argv[1], "-i"])
seen = b""
def until(pattern):
    global seen
    end = time.monotonic() + 60
    while not re.search(pattern, seen):
        if time.monotonic() > end:
            sys.exit(f"no {pattern} in {seen}")
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536)
def line(typed, expected):
    global seen
    os.write(terminal, b"echo ready-$((1+1))\r")
    until(rb"ready-2\r\n")
    seen = b""
    os.write(typed and terminal, typed)
    until(expected)
    os.write(terminal, b"\x15\r")  # ^U: the line is not carried out
line(b"regckpt stat\t", rb"regckpt status ")
line(b"regckpt show web 'Software\\Vendor\\A\t", rb"regckpt show web 'Software\\Vendor\\App' ")
line(b"regckpt show web Sys\t", rb"regckpt show web 'System\\CurrentControlSet\\Services\\Web'")
os.write(terminal, b"exit\r")
os.waitpid(pid, 0)
PY
is "$CODE" 0 "typed into a shell"
