# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The same where the hook is not installed; lag 0 needs it.
. "${BASH_SOURCE[0]%/*}/unhooked_lib.sh"
DEATHS=${DEATHS:-2} SERVER_DIES=yes LAGS=100
. "${BASH_SOURCE[0]%/*}/../hook/test_order.sh"
