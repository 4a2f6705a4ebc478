# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The commands for Pacemaker that the manual shows are given to pcs and crm as they stand there, which look at
# the agents' meta-data, and write to a configuration that no cluster uses.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
. "$(dirname "$0")/../cluster_lib.sh"
suite pages
for program in pcs crm; do
    if ! PATH=$PATH:/usr/sbin command -v $program >/dev/null; then
        skip 17 "there is no $program"
        exit 0
    fi
done
cluster_space 17 "$@"
CIB=$TMP/cib.xml
# blocks PAGE BEGINNING: the blocks of commands in it whose first line begins so, numbered files; sets BLOCKS.
blocks()
{
    local block line
    mkdir -p "$TMP/$1"
    python3 "$SRC/tests/guideblocks.py" "$SRC/tools/man/$1" "$TMP/$1" >"$TMP/says" || exit 1
    BLOCKS=()
    for block in $(find "$TMP/$1" -type f | sort -V); do
        read -r line <"$block"
        [[ $line != "$2"* ]] || BLOCKS+=("$block")
    done
}
fresh() { cibadmin --empty >"$CIB" && CIB_file=$CIB crm configure property stonith-enabled=false >"$TMP/crm" 2>&1; }
# carry_out FILE
carry_out() { run env CIB_file="$CIB" timeout $PATIENCE bash -e <(sed "s|^pcs |pcs -f $CIB |" "$1"); }
has() { ok "cibadmin --query --xpath \"$1\" >/dev/null 2>&1" "$2"; }
export CIB_file=$CIB
AGENT="@class='ocf' and @provider='regckpt' and @type='wineservice'"
RESOURCE="//primitive[@id='erp' and $AGENT and instance_attributes/nvpair[@name='resource' and @value='erp']]"

for page in regckpt.7 ocf_regckpt_wineservice.7; do
    blocks $page 'pcs '
    fresh
    for block in "${BLOCKS[@]}"; do
        carry_out "$block"
        is "$CODE" 0 "$page: $(head -n 1 "$block" | cut -c 1-90)"
    done
    has "$RESOURCE/operations/op[@interval='30s']//nvpair[@name='OCF_CHECK_LEVEL' and @value='20']" \
        "... makes the resource, watched at depth 20"
    has "//op[@id='erp-stop-interval-0s' and @timeout='120s']" "... with the timeouts of the meta-data"
    [ $page != regckpt.7 ] || has "//group/primitive[@id='erp-disk']/following-sibling::primitive[@id='erp']" \
        "... in a group, behind its file system"
    run crm_verify --xml-file "$CIB"
    is "$CODE" 0 "... which Pacemaker takes"
done
for command in disable enable clear delete; do # of those that the pages name
    run pcs -f "$CIB" resource $command erp
    is "$CODE" 0 "pcs resource $command"
done
blocks ocf_regckpt_wineservice.7 'crm '
fresh
carry_out "${BLOCKS[0]}"
is "$CODE" 0 "the one for crm"
has "$RESOURCE/operations/op[@interval='30s']//nvpair[@name='OCF_CHECK_LEVEL' and @value='20']" "... makes the same"
run crm_verify --xml-file "$CIB"
is "$CODE" 0 "... which Pacemaker takes"
