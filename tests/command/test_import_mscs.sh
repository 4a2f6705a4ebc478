# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# import-mscs: what an exported HKLM\Cluster becomes, as a .reg file and as a hive; what is left out and
# said; that nothing is made where something fails.
. "$(dirname "$0")/../lib.sh"
suite import_mscs
STORE=$TMP/store
export REGCKPT_STORE=$STORE

# gives CODE 'DESCRIPTION' COMMAND...: runs regckpt and tests its exit code.
gives()
{
    local expected=$1 what=$2
    shift 2
    run timeout 60 regckpt "$@"
    is "$CODE" "$expected" "$what: exit code"
}
# says WORDS [stdout|stderr]: the last run's output has these words (an extended expression).
says() { ok "grep -Eq -- '${1//\'/\'\\\'\'}' '$TMP/${2:-stderr}'" "... says: $1"; }
# file NAME: makes a version 5 file of the standard input.
file() { { printf 'Windows Registry Editor Version 5.00\r\n\r\n'; sed 's/$/\r/'; } >"$TMP/$1.reg"; }
# has COUNT: so many resources are in the store.
has() { is "$(find "$STORE" -name checkpoint.tdb | wc -l)" "$1" "... $1 resources are there"; }

regckpt init >/dev/null

file cluster <<'END'
[HKEY_LOCAL_MACHINE\Cluster]
"ClusterName"="OLD"

[HKEY_LOCAL_MACHINE\Cluster\Resources]

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000001}]
"Name"="ERP Server (production)"
"Type"="Generic Service"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000001}\Parameters]
"ServiceName"="ErpSvc"
"StartupParameters"="-x \"y\""
"UseNetworkName"=dword:00000001

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000001}\RegSync]
"00000001"="Software\\Vendor\\Erp"
"00000002"="System\\CurrentControlSet\\Services\\ErpSvc\\Parameters"
"00000003"="SOFTWARE\\Vendor\\ERP"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000001}\CryptoSync]
"00000001"="1\\Microsoft\\Key"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000002}]
"Name"="web"
"Type"="GENERIC APPLICATION"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000002}\Parameters]
"CommandLine"="\"C:\\Program Files\\web.exe\" -p 80"
"CurrentDirectory"="C:\\Data"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000002}\RegSync]
"00000001"="Software\\Vendor\\Web"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000003}]
"Name"="Disk Q:"
"Type"="Physical Disk"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000004}]
"Name"="Web"
"Type"="Generic Service"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000004}\Parameters]
"ServiceName"="W3"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000005}]
"Name"="Ablage Köln"
"Type"="Generic Service"

[HKEY_LOCAL_MACHINE\Cluster\Resources\{11111111-0000-0000-0000-000000000005}\Parameters]
"ServiceName"="Ablage"

[HKEY_LOCAL_MACHINE\Software\Other]
"x"="y"
END

# --- the plan ---
gives 1 "--dry-run" import-mscs "$TMP/cluster.reg" --dry-run
says '^ERP Server \(production\) +Generic Service +ERP-Server-production +2 +ErpSvc$' stdout
says '^web +GENERIC APPLICATION +web +1 +"C:.Program Files.web.exe" -p 80$' stdout
says '^Disk Q: +Physical Disk +- +0 +-$' stdout
says '^Web +Generic Service +Web-2 ' stdout
says '^Ablage Köln +Generic Service +Ablage-K-ln ' stdout
says '^ERP-Server-production +auto +System.CurrentControlSet.Services.ErpSvc.Parameters$' stdout
says 'Would make 4 of 5' stdout
says 'Disk Q:: left out: it is neither'
says 'StartupParameters'
says 'UseNetworkName'
says 'cryptographic key checkpoints \(1 entries\)'
says 'is named "Ablage-K-ln" here'
says '2 statements .* not below'
says 'in that of its program \(auto\)'
has 0
gives 1 "--dry-run --json" import-mscs "$TMP/cluster.reg" --dry-run --json --view 64
is "$(python3 -c 'import json,sys
for r in json.load(sys.stdin)["resources"]:
    print(r["action"], r["resource"], len(r["keys"]), r.get("service") or r.get("command"))' <"$TMP/stdout")" \
    'create ERP-Server-production 2 ErpSvc
create web 1 "C:\Program Files\web.exe" -p 80
skip Disk-Q 0 None
create Web-2 0 W3
create Ablage-K-ln 0 Ablage' "... says the same"
has 0

# --- auto needs Wine to ask; nothing stays where it fails ---
gives 100 "without a prefix and a view" import-mscs "$TMP/cluster.reg"
says 'Making ERP-Server-production: .*view'
has 0

# --- made ---
gives 1 "--view 64" import-mscs "$TMP/cluster.reg" --view 64 --prefix "$TMP/none"
says 'Made 4 of 5' stdout
has 4
gives 0 "its keys" list ERP-Server-production
says 'Software.Vendor.Erp +64 +not yet' stdout
says 'ErpSvc.Parameters +64 +not yet' stdout
gives 0 "its properties" list --json
is "$(python3 -c 'import json,sys
for r in sorted(json.load(sys.stdin)["resources"], key=lambda r: r["resource"]):
    p = r["properties"]; print(r["resource"], p.get("service"), p.get("command"), p.get("directory"), p["prefix"] != "")' \
    <"$TMP/stdout" | grep '^web')" 'web  "C:\Program Files\web.exe" -p 80 C:\Data True' "... of a program"
gives 0 "verify" verify
sums=$(find "$STORE" -name checkpoint.tdb -exec md5sum {} + | sort)
gives 1 "again" import-mscs "$TMP/cluster.reg" --view 64
says 'web: left out: there is a resource web already'
says 'Made 0 of 5' stdout
is "$(find "$STORE" -name checkpoint.tdb -exec md5sum {} + | sort)" "$sums" "... touches none of them"

# --- chosen ones ---
REGCKPT_STORE=$STORE/../second
STORE=$TMP/second
regckpt init >/dev/null
gives 1 "--resource, one of another type with them" import-mscs "$TMP/cluster.reg" --view 32 --resource WEB --resource 'Disk Q:'
says 'Made 2 of 3' stdout
has 2
gives 0 "its key" list web
says 'Software.Vendor.Web +32' stdout
gives 100 "--resource of none" import-mscs "$TMP/cluster.reg" --view 32 --resource Wbe
says 'no resource "Wbe"'

# --- a hive is the same ---
REGCKPT_STORE=$TMP/third
STORE=$TMP/third
regckpt init >/dev/null
regckpt create carrier --service c >/dev/null
run regckpt add carrier 'Cluster' --view 64 --future --broad
is "$CODE" 0 "a key that carries the cluster's"
grep -v 'Software.Other\|^"x"' "$TMP/cluster.reg" >"$TMP/only.reg"
gives 0 "... filled" import carrier "$TMP/only.reg"
gives 0 "... as a hive" export carrier "$TMP/cluster.hive" --hive
gives 1 "import of the hive" import-mscs "$TMP/cluster.hive" --view 64 --dry-run
says 'Would make 4 of 5' stdout
run sh -c "regckpt import-mscs - --view 64 <'$TMP/cluster.hive'"
is "$CODE" 1 "import of the hive from the standard input"
has 5

# --- what cannot be stops all ---
REGCKPT_STORE=$TMP/fourth
STORE=$TMP/fourth
regckpt init >/dev/null
# bad NAME CODE WORDS: a file like this makes nothing
bad()
{
    gives "$2" "$1" import-mscs "$TMP/bad.reg" --view 64
    says "$3"
    has 0
}
# resource NUMBER TYPE PARAMETERS KEYS...
resource()
{
    local n=$1 type=$2 parameters=$3 i=0 key
    shift 3
    printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\%s]\n"Name"="r%s"\n"Type"="%s"\n' "$n" "$n" "$type"
    printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\%s\\Parameters]\n%s\n' "$n" "$parameters"
    printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\%s\\RegSync]\n' "$n"
    for key; do printf '"%08d"="%s"\n' $((i += 1)) "${key//\\/\\\\}"; done
}
good='"ServiceName"="s"'
{ resource 1 'Generic Service' "$good" 'Software\A'; resource 2 'Generic Service' ''; } | file bad
bad "no ServiceName" 100 '"r2" cannot be made: .*ServiceName'
{ resource 1 'Generic Service' "$good" 'Software\A'; resource 2 'Generic Application' "$good"; } | file bad
bad "no CommandLine" 100 'CommandLine'
{ resource 1 'Generic Service' "$good" 'Software\A'; resource 2 'Generic Service' "$good" 'Software\A\Sub'; } | file bad
bad "keys of two that overlap" 100 'r1'
gives 1 "... --dry-run" import-mscs "$TMP/bad.reg" --view 64 --dry-run
says 'r2: left out'
gives 0 "... and one of them" import-mscs "$TMP/bad.reg" --view 64 --resource r1
rm -r "$STORE/r1"
resource 1 'Generic Service' "$good" 'Software\A' 'Software\Microsoft' | file bad
bad "a key that everybody shares" 100 'broad|share'
gives 0 "... --broad" import-mscs "$TMP/bad.reg" --view 64 --broad
rm -r "$STORE/r1"
resource 1 'Generic Service' "$good" '\Software\A' | file bad
bad "a key with a leading backslash" 100 'backslash'
{ resource 1 'Generic Service' "$good" 'Software\A'; printf '"00000002"=dword:1\n'; } | file bad
gives 1 "an entry that is no text" import-mscs "$TMP/bad.reg" --view 64
says 'no text'
rm -r "$STORE/r1"
{ resource 1 'Generic Service' "$good"; printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\\1\\RegSync32]\n"1"="Software\\\\A"\n'; } | file bad
gives 1 "a list that is not documented" import-mscs "$TMP/bad.reg" --view 64 --dry-run
says 'RegSync32 lists \(1 entries\)'
resource 1 'File Share' '' 'Software\A' | file bad
gives 1 "another type with checkpoints" import-mscs "$TMP/bad.reg" --view 64 --dry-run
says 'Its 1 registry checkpoints do not come over'
{ resource 1 'Generic Service' "$good"; resource 2 'Physical Disk' ''; resource 3 'IP Address' ''; } | file bad
gives 0 "types that have no program and no checkpoints" import-mscs "$TMP/bad.reg" --view 64 --dry-run
says 'r2: left out'
gives 0 "... and one that is chosen" import-mscs "$TMP/bad.reg" --view 64 --dry-run --resource r1
gives 1 "... one of them chosen" import-mscs "$TMP/bad.reg" --view 64 --dry-run --resource r2
printf '[HKEY_LOCAL_MACHINE\\Software\\A]\n"a"="b"\n' | file bad
bad "no cluster" 100 'reg export HKLM.Cluster'
printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources]\n' | file bad
gives 0 "a cluster without resources" import-mscs "$TMP/bad.reg" --view 64
says 'Made 0 of 0' stdout
printf '[HKEY_LOCAL_MACHINE\\Cluster\\Resources\n' | file bad
bad "a line that is cut" 100 'Line 3'
printf 'MZ' >"$TMP/bad.reg"
bad "no such file at all" 2 'bad.reg'
gives 100 "no file" import-mscs "$TMP/none.reg"
gives 100 "no file named" import-mscs
gives 100 "a view that is none" import-mscs "$TMP/cluster.reg" --view 16
gives 100 "no store" import-mscs "$TMP/cluster.reg" --store "$TMP/nowhere"
