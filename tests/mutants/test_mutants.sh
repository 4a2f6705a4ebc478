# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Can the tests of the hook fail?  In a copy of the sources one thing at a time is taken out of
# regckpt.dll, and tests/hook/test_random.sh must find that out, in one of a few tries: it is random, and
# on a busy machine calls do not get their lanes in time, for which scans make up, and for the fault too.
# Fewer processes need fewer scans.  (What the ring does without its cut is seen natively:
# tests/unit/test_ring_order.c.)
. "$(dirname "$0")/../lib.sh"
suite mutants
BUILT=$BUILD
WIDE=
[ "$HOST32" != yes ] || WIDE=regckpt32.dll.so

# copy: the sources, configured, and what is installed.
copy()
{
    mkdir "$TMP/source" "$TMP/build"
    cp -r "$SRC/configure" "$SRC/Makefile.in" "$SRC/dlls" "$SRC/tools" "$SRC/tests" "$TMP/source"
    cp -r "$STAGE" "$TMP/stage"
    (cd "$TMP/build" && "$TMP/source/configure") >"$TMP/configure.log" 2>&1
}

is_found_out()
{
    ((CODE == 1)) && grep -q "^FAILED: .*: no scan found what the hook had not told" "$TMP/stdout"
}

# mutant NAME FILE SED-EXPRESSION [FILE SED-EXPRESSION]...: changes lines of the copy's files, each
# expression at least one.
mutant()
{
    local name=$1 file processes files=()
    shift
    while (($#)); do
        file=$TMP/source/$1
        files+=("$1")
        cp "$file" "$TMP/before"
        sed -i "$2" "$file"
        ok '! cmp -s "$TMP/before" "$file"' "$name: $1: $2" || return
        shift 2
    done
    # shellcheck disable=SC2086
    run make -C "$TMP/build" regckpt.dll.so $WIDE
    is "$CODE" 0 "$name: it builds" || return
    cp "$TMP/build/"*.dll.so "$TMP/stage${STAGE_PKGLIBDIR#"$STAGE"}"
    for processes in 4 4 2 2 1 1 1 1; do
        run env STAGE="$TMP/stage" STAGE_BINDIR="$TMP/stage${STAGE_BINDIR#"$STAGE"}" \
            STAGE_PKGLIBDIR="$TMP/stage${STAGE_PKGLIBDIR#"$STAGE"}" BUILD="$BUILT" TMPDIR="$TMP" \
            MANNERS=steady STEPS=1500 PROCESSES=$processes bash "$SRC/tests/hook/test_random.sh"
        grep -e SEED= -e ' corrections$' "$TMP/stdout"
        ! is_found_out || break
    done
    ok is_found_out "$name: is found out"
    for file in "${files[@]}"; do
        cp "$SRC/$file" "$TMP/source/$file"
    done
}

ok copy "a copy of the sources is configured"
mutant "lanes are not locked" \
    dlls/libregckpt/ring_lane.c \
    '/^bool ring_lane_take(/,/^}/s/ring_word_try(&lane->lock, ring_tid())/(lane->lock || true)/' \
    dlls/libregckpt/ring_quick.h \
    's/!ring_word_try(&lane->lock, tid)/false/'
mutant "handles are not forgotten" \
    dlls/regckpt/hook_handles.h 's/word >> 32 == generation ?/word || generation ?/' \
    dlls/regckpt/hook_handles.h '/^static inline void handle_forget(/,/^}/s/if (!entry)/if (entry || !entry)/'
