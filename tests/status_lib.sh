# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What tests ask a running resource's status for, on top of wine_lib.sh.

# status_text NODE RESOURCE NAME: what the monitor says of itself.
status_text()
{
    on_quietly "$1" regckpt status "$2" --json
    python3 - "$TMP/quiet" "$3" <<'END'
import json, sys
status = json.load(open(sys.argv[1], encoding="utf-8"))
if "resources" in status:
    status = status["resources"][0]
print(status["monitor"].get(sys.argv[2], ""))
END
}
# status_number: the same, 0 if it does not say.
status_number()
{
    local text
    text=$(status_text "$@" 2>/dev/null)
    echo "${text:-0}"
}
