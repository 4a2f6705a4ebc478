# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The hook's order test with the patched wineserver as the source of changes.
DEATHS=${DEATHS:-2} SERVER_DIES=yes
. "${BASH_SOURCE[0]%/*}/../hook/test_order.sh"
