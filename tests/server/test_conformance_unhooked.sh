# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Wine's own registry tests with the patched wineserver as the source of changes, and no hook.
. "${BASH_SOURCE[0]%/*}/unhooked_lib.sh"
. "${BASH_SOURCE[0]%/*}/../hook/test_conformance.sh"
