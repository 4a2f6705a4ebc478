# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The hook's random test with the patched wineserver as the source of changes.
MANNERS=${MANNERS:-steady rough} STEPS=${STEPS:-400}
. "${BASH_SOURCE[0]%/*}/../hook/test_random.sh"
