# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# configure: what it proves, what it says of what is missing, what it ends with; and what the Makefile
# that it made knows.  What is missing is played by compilers that refuse.
. "$(dirname "$0")/../lib.sh"
suite configure
WINEGCC_HERE=$(sed -n 's/^WINEGCC = //p' "$BUILD/Makefile")
CC_HERE=$(sed -n 's/^CC = //p' "$BUILD/Makefile")
unset CC CFLAGS CPPFLAGS LDFLAGS AR WINEGCC WINECFLAGS MINGW64_CC MINGW32_CC

# refusing NAME COMMAND PATTERN: a compiler that does not know one of its arguments; prints its path.
refusing()
{
    printf '#!/bin/sh\ncase " $* " in %s) echo "cannot do that" >&2; exit 1 ;; esac\nexec %s "$@"\n' \
        "$3" "$2" >"$TMP/$1"
    chmod 755 "$TMP/$1"
    echo "$TMP/$1"
}

# gives CODE 'DESCRIPTION' ARGUMENT...: configures in an empty directory.
gives()
{
    local code=$1 what=$2
    shift 2
    rm -rf "$TMP/tree"
    mkdir "$TMP/tree"
    cd "$TMP/tree" || exit 1
    run "$SRC/configure" "$@"
    is "$CODE" "$code" "$what: exit code"
}
# says WORDS [stderr]: an extended expression.
says() { ok "grep -Eq -- '$1' '$TMP/${2:-stdout}'" "... says: $1"; }
# lacks PACKAGE...: names these as missing, with one line that installs them all, and makes no Makefile.
lacks()
{
    local package all=
    for package; do
        all+="[^:]* $package"
        ok 'grep -qF "(Debian package: $package)" "$TMP/stderr"' "... names $package"
    done
    says "^ *apt-get install$all( |\$)" stderr
    ok '[ ! -e Makefile ]' "... no Makefile"
}

# --- all is there ---
gives 0 "as it is"
says '^ *command +/usr/local/bin/regckpt$'
says '^ *configuration +/etc/regckpt.conf$'
says '^ *64-bit host +yes'
says "^ *32-bit host +$HOST32( |\$)"
says '^ *sanitizers +no$'
ok '[ ! -e "$SRC/Makefile" ] && [ ! -e "$SRC/config.log" ] || [ "$BUILD" = "$SRC" ]' "... leaves the source tree alone"
run make -n install DESTDIR=/staged
ok 'grep -q "/staged/usr/local/lib/regckpt" "$TMP/stdout"' "... make install knows DESTDIR"
gives 0 "other directories, sanitizers, paths of compilers" --prefix=/opt/x --libdir=/opt/y \
    --with-sanitizers --disable-host32 CC="$(command -v gcc)" WINEGCC="$(command -v winegcc)" \
    AR="$(command -v ar)"
says '^ *command +/opt/x/bin/regckpt$'
says '^ *its programs +/opt/y/regckpt$'
says '^ *configuration +/etc/regckpt.conf$'
says '^ *sanitizers +yes'
says '^ *32-bit host +no \(left out by --disable-host32\)$'
run make -n install DESTDIR=/staged
ok 'grep -q "/staged/opt/x/bin" "$TMP/stdout" && ! grep -q /usr/local "$TMP/stdout"' "... make install knows it"

# --- something is missing ---
gives 1 "a winegcc that is gcc" WINEGCC="$(refusing winegcc1 gcc '*" -m32 "*')"
says 'winegcc that makes 64-bit Wine programs' stderr
lacks wine64-tools libwine-dev
gives 1 "no libraries" CC="$(refusing cc1 "$CC_HERE" '*" -ltdb "*|*" -lxxhash "*|*" -lhivex "*')"
lacks libtdb-dev libxxhash-dev libhivex-dev
gives 0 "no cmocka, and no tests" CC="$(refusing cc2 "$CC_HERE" '*" -lcmocka "*')" --disable-tests
says '^ *tests +no$'
gives 1 "no compiler for Windows programs" MINGW64_CC=false MINGW32_CC=false
lacks gcc-mingw-w64-x86-64 gcc-mingw-w64-i686
gives 1 "no sanitizers" --with-sanitizers CC="$(refusing cc3 "$CC_HERE" '*" -fsanitize=address,undefined "*')"
says 'sanitizers. runtime' stderr
none=$(refusing winegcc2 "$WINEGCC_HERE" '*" -m32 "*')
gives 0 "no 32-bit Wine" WINEGCC="$none"
says '^ *32-bit host +no \(.*missing\?\)$'
gives 1 "no 32-bit Wine, though it was asked for" WINEGCC="$none" --enable-host32
says '32-bit Wine programs' stderr
gives 1 "no compiler at all, and more" CC=no-such-cc WINEGCC=no-such-winegcc MINGW64_CC=false
says 'libtdb \(not tried, for want of a compiler\)' stderr
lacks gcc libc6-dev libtdb-dev libxxhash-dev libhivex-dev wine64-tools libwine-dev libcmocka-dev gcc-mingw-w64-x86-64

# --- what make knows ---
cd "$BUILD" || exit 1
python3 - compile_commands.json >"$TMP/listed" <<'END'
import json, os, sys
entries = json.load(open(sys.argv[1]))
print(sum(os.path.exists(os.path.join(e["directory"], e["file"])) for e in entries), len(entries))
END
read -r there listed <"$TMP/listed"
ok '((listed > 0 && there == listed))' "compile_commands.json: all its $listed files are there"
source=$(sed -n 's/^srcdir = //p' Makefile)
for pair in hostproto.h:host_main.o hostproto.h:hostlink.o ring.h:hook_values.o checkpoint.h:engine.o; do
    header=dlls/libregckpt/${pair%:*}
    # By each name that it is included under.
    run make -n V=1 -W "$source/$header" -W "$source/tools/host/../../$header" \
        -W "$source/tools/monitor/../../$header" all
    ok 'grep -q -- "-o [^ ]*/${pair#*:} " "$TMP/stdout"' "who changes ${pair%:*} makes ${pair#*:} anew"
done
run make -n V=1 all
ok '! grep -q -- "-c -o" "$TMP/stdout"' "... and nothing else"
