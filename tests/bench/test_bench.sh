# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The bench: measures what regckpt costs, beside bare Wine and bare TDB in the same run, and prints
# tables.  "make bench" shows them; "make check-bench" only tests with small sizes that it works.
# ONLY_ROWS="restore commit" leaves the other tables out.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
. "$here/../wine_lib.sh"
. "$here/bench_lib.sh"
suite bench

echo "What regckpt costs; medians of alternating runs, both sides in this run."
machine
[ $tenth = 1 ] || echo "QUICK: a tenth of the sizes, too few runs: these figures say little."
run regckpt --store "$STORE" init
for rows in ${ONLY_ROWS:-restore start scan watch calls durable commit million server}; do
    . "$here/rows_$rows.sh"
done

echo
if ((${#MISSED[@]} == 0)); then
    echo "All $MET goals are met."
else
    echo "$MET goals are met, ${#MISSED[@]} missed:"
    printf '    %s\n' "${MISSED[@]}"
fi
