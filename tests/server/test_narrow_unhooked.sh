# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The same where the hook is not installed.
. "${BASH_SOURCE[0]%/*}/unhooked_lib.sh"
UNHOOKED=yes
. "${BASH_SOURCE[0]%/*}/test_narrow.sh"
