# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A takeover that was begun and not finished, or a failed sync, leaves a checkpoint whose file is not to
# be used: another may still write to it, or it is not what is on storage.  Whoever changes the resource
# next, online or not, works on a copy.
. "$(dirname "$0")/../lib.sh"
suite in_doubt
export REGCKPT_STORE=$TMP/store
lock=$TMP/store/app/lock checkpoint=$TMP/store/app/checkpoint.tdb

# left TEXT: so the last owner has left the lock file.
left() { printf '%s' "$1" >"$TMP/text" && truncate -s 512 "$TMP/text" && cat "$TMP/text" >"$lock"; }
# file: which one the checkpoint is.
file() { stat -c %i "$checkpoint"; }
text() { tr -d '\0' <"$lock"; }

run regckpt init
run regckpt create app --command app.exe
is "$CODE" 0 "a resource"
before=$(file)
run regckpt set app --lag 50
is "$CODE" 0 "a change"
is "$(file)" "$before" "... is made in the file as it is"
is "$(text)" "" "... and the lock file names no owner afterwards"
lag=50
for word in "being taken over by" "left in doubt by"; do
    before=$(file)
    lag=$((lag + 10))
    left "$word process 4711 of node other since 2026-01-01 00:00:00.000000000 UTC"
    run regckpt set app --lag $lag
    is "$CODE" 0 "a change of what was $word another"
    ok '[ "$(file)" != "$before" ]' "... is made in a copy"
    is "$(text)" "" "... and that is settled"
    run regckpt show app --json
    ok 'grep -q "\"lag[^,]*\b$lag\b" "$TMP/stdout"' "... with the change"
    run regckpt verify app
    is "$CODE" 0 "... and whole"
done
ok '[ -z "$(find "$TMP/store" -name "*.new*")" ]' "nothing is left beside it"
