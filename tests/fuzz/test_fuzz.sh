#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs each harness for SECONDS_EACH seconds, from its kept seeds (corpus/NAME) and from what was a
# finding once (regressions/NAME).  Says how many inputs were tried; the input of a finding stays in
# $BUILD/fuzz-findings/NAME: "out/fuzz/fuzz_NAME FILE" shows it again.  HARNESSES="ring message" tries these
# alone.  SEED=N goes another way, 0 another each time: what is new is for who looks for it, not for who
# checks a change.  One that is stopped for INPUT_SECONDS has, to libFuzzer, an input that hangs.
. "$(dirname "$0")/../lib.sh"
suite test_fuzz

SECONDS_EACH=${SECONDS_EACH:-10}
AT_ONCE=${AT_ONCE:-2} # harnesses
SEED=${SEED:-1}
MEMORY_MB=512     # of a harness, with its sanitizers
INPUT_SECONDS=60  # one input that takes so long hangs: usual are milliseconds
harnesses=("$SRC"/tests/fuzz/fuzz_*.c)
if [ -n "${HARNESSES:-}" ]; then # these alone
    harnesses=()
    for name in $HARNESSES; do
        harnesses+=("$SRC/tests/fuzz/fuzz_$name.c")
    done
fi
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

# figure NAME LOG: a number of libFuzzer's closing statistics.
figure() { sed -n "s/^stat::$1: *//p" "$2" | tail -n 1; }

# finding LOG: what was found, in a line.
finding()
{
    grep -m1 -e '^SUMMARY: ' -e 'does not hold: ' "$1" || tail -n 1 "$1"
}

# tries NAME: one harness for its time; its exit code is in $TMP/NAME.code.
tries()
{
    local name=$1 findings=$BUILD/fuzz-findings/$1 code=0
    local given=("$SRC/tests/fuzz/corpus/$name")

    rm -rf "$findings"
    mkdir -p "$TMP/$name" "$findings"
    [ ! -d "$SRC/tests/fuzz/regressions/$name" ] || given+=("$SRC/tests/fuzz/regressions/$name")
    TMPDIR="$TMP" nice -n 10 "$BUILD/out/fuzz/fuzz_$name" \
        -seed="$SEED" -max_total_time="$SECONDS_EACH" -rss_limit_mb=$MEMORY_MB -timeout=$INPUT_SECONDS \
        -report_slow_units=$INPUT_SECONDS -print_final_stats=1 -artifact_prefix="$findings/" \
        "$TMP/$name" "${given[@]}" >"$TMP/$name.log" 2>&1 </dev/null || code=$?
    echo $code >"$TMP/$name.code"
}

# tell NAME: what came of it, and the test's result.
tell()
{
    local name=$1 findings=$BUILD/fuzz-findings/$1 log=$TMP/$1.log tried found="nothing found"

    CODE=$(cat "$TMP/$name.code" 2>/dev/null)
    tried=$(figure number_of_executed_units "$log")
    [ "$CODE" = 0 ] || found="FOUND: $(finding "$log"); input: $(ls -d "$findings"/* 2>/dev/null)"
    rmdir "$findings" 2>/dev/null
    printf 'fuzz: %-12s %10d inputs, %s MB, %s\n' "$name" "${tried:-0}" "$(figure peak_rss_mb "$log")" \
        "$found"
    : >"$TMP/stdout"
    tail -c 3000 "$log" >"$TMP/stderr"
    ok '[ "$CODE" = 0 ] && ((${tried:-0} > 0))' "$name"
}

names=()
for source in "${harnesses[@]}"; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    if [ ! -x "$BUILD/out/fuzz/fuzz_$name" ]; then
        skip ${#harnesses[@]} "all fuzzing: clang with libFuzzer (libclang-rt-dev) is missing"
        names=()
        break
    fi
    names+=("$name")
done
for name in ${names[@]+"${names[@]}"}; do
    while (($(jobs -rp | wc -l) >= AT_ONCE)); do wait -n; done
    tries "$name" &
done
wait
for name in ${names[@]+"${names[@]}"}; do tell "$name"; done
rmdir "$BUILD/fuzz-findings" 2>/dev/null
exit 0
