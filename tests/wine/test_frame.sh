# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The Windows tests on bare Wine: both widths, with our own header and, where Wine's source is at hand
# (WINE_SOURCE, tools/deps wine-source), with Wine's.  What they say here is what they must say as a
# resource's program too (test_program.sh).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite frame
node a

# compile NAME WIDTH: the test with Wine's own header, into $TMP.
compile()
{
    local cc=x86_64-w64-mingw32-gcc
    [ "$2" = 64 ] || cc=i686-w64-mingw32-gcc
    local system=(-isystem "$WINE_SOURCE/include" -isystem /usr/include/wine
        -isystem /usr/include/wine/wine/windows)
    [ -f "$TMP/debug$2.o" ] ||
        "$cc" -O1 -D__WINESRC__ -D__WINE_PE_BUILD "${system[@]}" -c \
            "$WINE_SOURCE/dlls/winecrt0/debug.c" -o "$TMP/debug$2.o" || return 1
    "$cc" -std=gnu11 -O1 -Wall -Wextra -Werror -DSTANDALONE -DREGCKPT_USE_WINE_TEST_H \
        -Ddebugstr_w=wine_dbgstr_w -I"$SRC/tests/wine" "${system[@]}" \
        -o "$TMP/wine_$1$2.exe" "$SRC/tests/wine/$1.c" "$TMP/debug$2.o" -ladvapi32 -lntdll
}

# check PROGRAM WIDTH FRAME
check()
{
    local name=${1##*/} last
    on a timeout 120 "$WINE" "$1"
    last=$(tail -n 1 "$TMP/stdout" | tr -d '\r')
    case $name in
        *frame_counts*)
            ok '[[ $last == *": 7 tests executed (1 marked as todo, 0 as flaky, 3 failures), 1 skipped." ]]' \
                "frame_counts, $2 bits, $3: counts are right"
            is "$CODE" 3 "frame_counts, $2 bits, $3: the exit code is the number of failures"
            ok 'grep -q "frame_counts.c:20: Test failed: outer 1: inner two: failure one" "$TMP/stdout"' \
                "frame_counts, $2 bits, $3: a failure has its place and its contexts"
            ;;
        *)
            ok '[[ $CODE == 0 && $last == *" 0 failures), 0 skipped." ]]' "$name, $3"
            echo "    ${last#*:}"
            ;;
    esac
}

wine_up a
for width in 64 32; do
    if [ $width = 32 ] && ! have_wine32; then
        skip 6 "32-bit programs do not run here"
        continue
    fi
    on a "$WINE" "$PE/fillkey$width.exe" 'Software\RegckptTest\Content' 0 --odd --view $width
    is "$CODE" 0 "fillkey, $width bits, makes odd content"
    for test in frame_counts service_registry open_handles odd_content; do
        check "$PE/$test$width.exe" $width "our header"
        if [ -z "${WINE_SOURCE:-}" ]; then
            skip 1 "$test with Wine's own wine/test.h: WINE_SOURCE is not set"
        elif ok 'compile $test $width' "$test, $width bits, compiles with Wine's header"; then
            check "$TMP/wine_$test$width.exe" $width "Wine's header"
        fi
    done
done

# The dump is the same whichever width reads it.
if have_wine32; then
    dump a 'Software\RegckptTest' "$TMP/by64" --view 32
    on a "$WINE" "$PE/regdump32.exe" 'Software\RegckptTest' --view 32
    mv "$TMP/stdout" "$TMP/by32"
    ok 'same "$TMP/by64" "$TMP/by32"' "both widths of regdump print the same"
fi
dump a 'Software\No Such Key' "$TMP/none"
ok '[ ! -e "$TMP/none" ]' "regdump of a key that does not exist fails"
