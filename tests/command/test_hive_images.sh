# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The hives that the hivex library is tested with (tools/deps hivex-images, in $HIVEX_IMAGES): one from
# Windows XP among them, and a large one that the library itself makes.  What regckpt import reads in them
# is what hivexregedit reads, and what the format's own rules say (tests/hivedump.py).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite hive_images
export REGCKPT_STORE=$STORE
KEY='Software\Tree'
IMAGES=${HIVEX_IMAGES:-}

# image NAME FILE KEYS VALUES: how many there are at least.
image()
{
    local name=$1 file=$2 least_keys=$3 least_values=$4
    run regckpt create "$name" --service "$name"
    run regckpt add "$name" "$KEY" --view 64 --future
    run regckpt import "$name" "$file"
    is "$CODE" 0 "$name: import"
    ckptdump "$name" "$TMP/held"
    ok '(($(grep -c "^key" "$TMP/held") >= least_keys && $(grep -c "^value" "$TMP/held") >= least_values))' "... has all"
    ok 'python3 "$SRC/tests/hivedump.py" "$file" >"$TMP/walked" && same "$TMP/walked" "$TMP/held"' "... is what lies there"
    PERL_UNICODE=SO run hivexregedit --export --max-depth 99 --prefix "HKEY_LOCAL_MACHINE\\$KEY" "$file" '\'
    ok 'python3 "$SRC/tests/regtext.py" "$TMP/stdout" "HKEY_LOCAL_MACHINE\\$KEY" >"$TMP/said" && same "$TMP/said" "$TMP/held"' \
        "... is what hivexregedit reads"
    run regckpt export "$name" "$TMP/$name.hive" --hive
    ok 'python3 "$SRC/tests/hivedump.py" "$TMP/$name.hive" >"$TMP/walked" && same "$TMP/walked" "$TMP/held"' "... goes into a hive of ours"
    run regckpt verify "$name"
    is "$CODE" 0 "... is whole"
    run regckpt remove "$name" "$KEY"
}

if ! [ -s "$IMAGES/minimal" ]; then
    skip 25 "hivex' own hives are not here (HIVEX_IMAGES=DIR, tools/deps hivex-images DIR)"
    exit
fi
if ! command -v hivexregedit >/dev/null; then
    skip 25 "hivexregedit (libwin-hivex-perl) is missing"
    exit
fi
run regckpt init
image minimal "$IMAGES/minimal" 1 0
image special "$IMAGES/special" 4 3
ok 'grep -q "^key $(utf16_hex zero)0000$(utf16_hex key) " "$TMP/held"' "a name with a NUL in it, made on Windows XP"
image rlenvalue "$IMAGES/rlenvalue_test_hive" 2 4
: >"$TMP/config.h"
run gcc -O1 -I "$TMP" -o "$TMP/mklarge" "$IMAGES/mklarge.c" -lhivex
run "$TMP/mklarge" "$IMAGES/minimal" "$TMP/large"
is "$CODE" 0 "the library makes its large one"
image large "$TMP/large" 1000 2000
