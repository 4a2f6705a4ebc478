# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The same where the hook is not installed.
. "${BASH_SOURCE[0]%/*}/unhooked_lib.sh"
MANNERS=${MANNERS:-calm} STEPS=${STEPS:-400}
. "${BASH_SOURCE[0]%/*}/../hook/test_random.sh"
