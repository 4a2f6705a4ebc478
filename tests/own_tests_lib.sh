# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# How Wine's own tests are built, from its sources in WINE_SOURCE (tools/deps wine-source fills it).

# own_test_compile NAME SOURCE WIDTH [FLAG...]: $TMP/NAMEWIDTH.exe of one C file and, if there is one
# beside it, its rsrc.rc; the test is called as the file is.
own_test_compile()
{
    local name=$1 source=$2 width=$3 test cpu=x86_64 extra=()
    local system=(-isystem "$WINE_SOURCE/include" -isystem /usr/include/wine
        -isystem /usr/include/wine/wine/windows)
    shift 3
    test=$(basename "$source" .c)
    [ "$width" = 64 ] || cpu=i686
    printf '%s\n' '#define STANDALONE' '#include <windows.h>' '#include <wine/test.h>' \
        "extern void func_$test(void);" \
        "const struct test winetest_testlist[] = {{\"$test\", func_$test}, {0, 0}};" >"$TMP/list.c"
    if [ -f "${source%/*}/rsrc.rc" ]; then
        $cpu-w64-mingw32-windres "-I$WINE_SOURCE/include" -I/usr/include/wine/wine/windows \
            "${source%/*}/rsrc.rc" "$TMP/$name$width.res.o" || return
        extra=("$TMP/$name$width.res.o")
    fi
    $cpu-w64-mingw32-gcc -O1 -D__WINESRC__ -D__WINE_PE_BUILD "${system[@]}" -c \
        "$WINE_SOURCE/dlls/winecrt0/debug.c" -o "$TMP/debug$width.o" &&
        $cpu-w64-mingw32-gcc -O1 -w "$@" "${system[@]}" -Ddebugstr_a=wine_dbgstr_a \
            -Ddebugstr_an=wine_dbgstr_an -Ddebugstr_w=wine_dbgstr_w -Ddebugstr_wn=wine_dbgstr_wn \
            -Ddebugstr_guid=wine_dbgstr_guid -o "$TMP/$name$width.exe" "$TMP/list.c" "$source" \
            "$TMP/debug$width.o" ${extra[@]+"${extra[@]}"} -ladvapi32 -lntdll
}
