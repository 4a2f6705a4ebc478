# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# regckpt-cluster: the forms that scripts for cluster.exe have, and the numbers they get back.
. "$(dirname "$0")/../lib.sh"
suite cluster
STORE=$TMP/store
export REGCKPT_STORE=$STORE

# gives CODE 'DESCRIPTION' WORDS...: runs regckpt-cluster, in the 64-bit view, and tests its exit code.
gives()
{
    local expected=$1 what=$2
    shift 2
    run timeout 60 regckpt-cluster --view 64 "$@"
    is "$CODE" "$expected" "$what: exit code"
}
# says WORDS [stdout|stderr]: the last run's output has these words (an extended expression).
says() { ok "grep -Eq -- '${1//\'/\'\\\'\'}' '$TMP/${2:-stderr}'" "... says: $1"; }
# has KEY...: these keys are registered for ERP-1, in this order.
has()
{
    local list
    list=$(regckpt-cluster res ERP-1 /check | sed '1d; s/^ERP-1 *//' | paste -sd '|')
    is "$list" "$(IFS='|'; echo "$*")" "... registered is: $*"
}

regckpt init >/dev/null
regckpt create ERP-1 --service Erp >/dev/null

# --- the forms ---
gives 0 "/addcheckpoints:KEY" res ERP-1 '/addcheckpoints:Software\Vendor\A'
has 'Software\Vendor\A'
gives 0 "a name as it was in the cluster, and the shortest form" res 'ERP (1)' '/addcheck:Software\Vendor\B'
has 'Software\Vendor\A' 'Software\Vendor\B'
gives 0 "case does not count, a blank behind the colon" RES erp-1 '/AddCheckPoints:' 'Software\Vendor\C'
gives 0 "two keys" resource ERP-1 '/addcheckpoints:"Software\Vendor\D","Software\Vendor\E"'
gives 0 "two keys, blanks between them" res ERP-1 '/ADDCHECK:' 'Software\Vendor\F,' 'Software\Vendor\G'
gives 0 "a key with a comma" res ERP-1 '/addcheck:"Software\Vendor\H, I"'
has 'Software\Vendor\A' 'Software\Vendor\B' 'Software\Vendor\C' 'Software\Vendor\D' 'Software\Vendor\E' \
    'Software\Vendor\F' 'Software\Vendor\G' 'Software\Vendor\H, I'
gives 0 "/checkpoints" res ERP-1 /checkpoints
says '^Resource +Name$' stdout
says '^ERP-1 +Software.Vendor.H, I$' stdout
is "$(wc -l <"$TMP/stdout")" 9 "... a line each"
gives 0 "/check" res ERP-1 /CHECK
gives 0 "/removecheckpoints: two" res ERP-1 '/removecheckpoints:software\vendor\d,Software\Vendor\E'
gives 0 "/removecheck: of a quoted one" res ERP-1 '/removecheck:"Software\Vendor\H, I"'
gives 0 "/removecheck" res ERP-1 '/removecheck:Software\Vendor\C' '"Software\Vendor\F",' '"Software\Vendor\G"'
has 'Software\Vendor\A' 'Software\Vendor\B'

# --- the numbers ---
gives 183 "the same key again" res ERP-1 '/addcheck:SOFTWARE\Vendor\a'
says 'System error 183 .*already'
run timeout 60 regckpt-cluster --view 32 res ERP-1 '/addcheck:Software\Vendor\A'
is "$CODE" 183 "the same key in the other view: exit code"
gives 183 "two keys, one of them again" res ERP-1 '/addcheck:Software\New,Software\Vendor\A'
has 'Software\Vendor\A' 'Software\Vendor\B'
gives 2 "remove what is not registered" res ERP-1 '/removecheck:Software\New'
gives 2 "remove two, one of them not registered" res ERP-1 '/removecheck:Software\Vendor\A,Software\New'
has 'Software\Vendor\A' 'Software\Vendor\B'
gives 125 "no such resource" res Other /check
says 'System error 5007'
gives 87 "a leading backslash" res ERP-1 '/addcheck:\Software\New'
gives 87 "a key below one" res ERP-1 '/addcheck:Software\Vendor\A\Sub'
gives 87 "another root" res ERP-1 '/addcheck:HKCU\Software\New'
has 'Software\Vendor\A' 'Software\Vendor\B'

# --- wrong usage ---
gives 87 "nothing"
gives 87 "no option" res ERP-1
gives 87 "no resource" group ERP-1 /check
says 'Only resources'
gives 87 "an option that is too short" res ERP-1 '/addchec:Software\New'
gives 87 "an option that is too long" res ERP-1 '/addcheckpointsx:Software\New'
gives 87 "another option" res ERP-1 /online
says 'done by regckpt'
gives 87 "no key" res ERP-1 /addcheckpoints:
gives 87 "no colon" res ERP-1 /addcheckpoints 'Software\New'
gives 87 "commas only" res ERP-1 '/addcheck:,,'
gives 87 "keys to list" res ERP-1 '/check:Software\New'
gives 87 "two options" res ERP-1 '/addcheck:Software\New' /check
gives 87 "an option of no program" --frob res ERP-1 /check
gives 87 "a view that is none" --view 16 res ERP-1 /check
gives 87 "no view" --view
gives 125 "an empty name" res '' /check
has 'Software\Vendor\A' 'Software\Vendor\B'
run regckpt-cluster --store "$TMP/nowhere" res ERP-1 /check
ok '((CODE != 0))' "no store: fails ($CODE)"
run regckpt-cluster --help
is "$CODE" 0 "--help"
says 'addcheckpoints' stdout
run sh -c 'regckpt-cluster --view 64 res ERP-1 /check >/dev/full'
is "$CODE" 31 "a full disk behind the standard output"
