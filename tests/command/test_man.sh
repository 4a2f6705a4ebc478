# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The manual pages: mandoc finds nothing wrong with them, and nothing that there is is missing in them.
. "$(dirname "$0")/../lib.sh"
suite man
pages=$(dirname "$STAGE_BINDIR")/share/man

# Lines have 100 columns here, and pages of other packages need not be installed.
for page in "$pages"/man*/*; do
    mandoc -Tlint "$page" 2>"$TMP/stderr" | grep -v 'input text line longer than 80\|referenced manual not found' \
        >"$TMP/stdout"
    ok '[ ! -s "$TMP/stdout" ]' "$(basename "$page"): mandoc -Tlint"
done
mandoc -Tascii "$pages/man1/regckpt.1" 2>/dev/null | col -b >"$TMP/regckpt.1"
for verb in $(regckpt --help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
    ok 'grep -Eq "^ *$verb( |$)" "$TMP/regckpt.1"' "regckpt(1) has $verb"
    for option in $(regckpt "$verb" --help | grep -o '^  --[a-z0-9-]*'); do
        ok 'grep -q -- "$option" "$TMP/regckpt.1"' "regckpt(1) has $option"
    done
done
echo 'x = y' >"$TMP/bad.conf"
run env REGCKPT_CONF="$TMP/bad.conf" regckpt list
for setting in $(sed -n 's/.*There are: \(.*\)\..*/\1/p' "$TMP/stderr" | tr -d ,); do
    ok 'grep -q "^\.It Cm $setting " "$pages/man5/regckpt.conf.5"' "regckpt.conf(5) has $setting"
done

number() { sed -n "s/^#define $1 \([0-9]*\).*/\1/p" "$SRC/dlls/libregckpt/$2"; }
ok 'grep -q "version, which is $(number RING_VERSION ring.h)," "$pages/man5/regckpt-formats.5"' \
    "regckpt-formats(5) has the ring's version"
ok 'grep -q "there is format $(number CHECKPOINT_FORMAT checkpoint.h) alone" "$pages/man5/regckpt-formats.5"' \
    "... and the checkpoint's"
