# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# How Wine's own tests are built, from its sources in WINE_SOURCE (tools/deps wine-source fills it), and
# run by a command line.

WORK=$TMP/work # where they write their files
mkdir "$WORK"

# own_test_compile NAME 'SOURCE...' WIDTH [FLAG...]: $TMP/NAMEWIDTH.exe of C files of one directory and, if
# there is one beside them, its rsrc.rc; the tests are called as the files are.
own_test_compile()
{
    local name=$1 sources source width=$3 test cpu=x86_64 extra=()
    local system=(-isystem "$WINE_SOURCE/include" -isystem /usr/include/wine
        -isystem /usr/include/wine/wine/windows)
    read -ra sources <<<"$2"
    shift 3
    [ "$width" = 64 ] || cpu=i686
    {
        printf '%s\n' '#define STANDALONE' '#include <windows.h>' '#include <wine/test.h>'
        for source in "${sources[@]}"; do echo "extern void func_$(basename "$source" .c)(void);"; done
        echo 'const struct test winetest_testlist[] = {'
        for source in "${sources[@]}"; do
            test=$(basename "$source" .c)
            echo "    {\"$test\", func_$test},"
        done
        echo '    {0, 0}};'
    } >"$TMP/list.c"
    if [ -f "${sources[0]%/*}/rsrc.rc" ]; then
        $cpu-w64-mingw32-windres "-I$WINE_SOURCE/include" -I/usr/include/wine/wine/windows \
            "${sources[0]%/*}/rsrc.rc" "$TMP/$name$width.res.o" || return
        extra=("$TMP/$name$width.res.o")
    fi
    $cpu-w64-mingw32-gcc -O1 -D__WINESRC__ -D__WINE_PE_BUILD "${system[@]}" -c \
        "$WINE_SOURCE/dlls/winecrt0/debug.c" -o "$TMP/debug$width.o" &&
        $cpu-w64-mingw32-gcc -O1 -w "$@" "${system[@]}" -Ddebugstr_a=wine_dbgstr_a \
            -Ddebugstr_an=wine_dbgstr_an -Ddebugstr_w=wine_dbgstr_w -Ddebugstr_wn=wine_dbgstr_wn \
            -Ddebugstr_guid=wine_dbgstr_guid -o "$TMP/$name$width.exe" "$TMP/list.c" "${sources[@]}" \
            "$TMP/debug$width.o" ${extra[@]+"${extra[@]}"} -ladvapi32 -lntdll
}

# own_test_script NAME 'TEST...' FILE: what a command line does: the tests, their output into FILE, and behind
# each its number of failures; then FILE.code is there, with the last one's.
own_test_script()
{
    local test to
    to=$(winpath "$3")
    printf '@cd /d %s\r\n@set WINETEST_PLATFORM=wine\r\n@type nul >%s\r\n' "$(winpath "$WORK")" "$to"
    for test in $2; do
        printf '@%s %s >>%s 2>&1\r\n' "$(winpath "$TMP/$1.exe")" "$test" "$to"
        printf '@set failures=%%errorlevel%%\r\n@echo failures: %%failures%% >>%s\r\n' "$to"
    done
    printf '@echo %%failures%% >%s\r\n' "$(winpath "$3.code")"
}

# own_test_lines FILE: what does not differ from run to run.
own_test_lines()
{
    sed 's/\r$//; s/^[0-9a-f]*:\([a-z]*:\)/\1/; s/\(ValueData: \)[0-9a-f]*$/\1(an address)/' "$1"
}
