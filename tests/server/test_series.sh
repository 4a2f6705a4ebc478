# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The patches of server_patch as somebody takes them who has Wine's source: git am, one commit each, none
# of which touches the protocol.  (That each compiles by itself, without a warning, is "make wineserver".)
# And what they make the server call that Wine's own does not: nothing that could wait or sync.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../wine_lib.sh"
suite series
series=$(series_of_wine)
FIRST=$BUILD/wine-tree-first # make wineserver-first: all but the reports
mapfile -t names < <(cd "$series" && printf '%s\n' *.patch)

run dpkg-source --no-copy -x "$WINE_PACKAGE"/wine_*.dsc "$TMP/wine"
is "$CODE" 0 "Wine's source"
# A repository of what the patches touch.
cd "$TMP/wine" || exit 1
mapfile -t touched < <(sed -n 's/^\(--- a\|+++ b\)\///p' "$series"/*.patch | sort -u)
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@test.invalid GIT_COMMITTER_NAME=test \
    GIT_COMMITTER_EMAIL=test@test.invalid
run git init -q .
git add -f -- $(ls -d "${touched[@]}" 2>/dev/null)
run git commit -q -m "Wine as it is."
is "$CODE" 0 "is in a repository" || stderr
# in_form: a patch without what differs from one writing, or version of git, to the next.
in_form() { sed -e 's|\([0-9]\) [+-]*$|\1|' -e '/^\(From\|Date:\|index\) /d' -e '/^-- $/,$d' -e 's/^Subject: \[PATCH[^]]*\]/Subject: [PATCH]/'; }
for name in "${names[@]}"; do
    run git am -q "$series/$name"
    is "$CODE" 0 "git am takes $name" || { stdout; stderr; }
    run git format-patch -q --stdout -1
    is "$(in_form <"$TMP/stdout")" "$(in_form <"$series/$name")" "it is as git writes it"
    ok '[[ $(git log -1 --format=%s) =~ ^(server|ntdll)[a-z/]*:\ [A-Z].*\.$ ]]' "its subject is in Wine's style"
    ok 'git log -1 --format=%b | grep -q "[a-z]"' "it says why"
done
is "$(git log --oneline | wc -l)" $((${#names[@]} + 1)) "a commit each"
is "$(printf '%s\n' "${touched[@]}" | grep -v '^server/\|^dlls/[a-z0-9]*/tests/\|^$')" "" "Wine's DLLs stay as they are"
is "$(printf '%s\n' "${touched[@]}" | grep 'protocol\|request\|trace')" "" "so does the protocol"

# calls TREE: what its server takes from the C library.
calls() { nm -D --undefined-only "$1/lib/wine/wineserver64" | awk '{ sub(/@.*/, "", $2); print $2 }' | sort; }
calls "$FIRST" >"$TMP/first"
calls "$WINE_TREE" >"$TMP/all"
ok '[ "$(wc -l <"$TMP/all")" -gt 100 ]' "what the servers call is known"
is "$(comm -13 "$TMP/first" "$TMP/all" | xargs)" "geteuid memchr" "the reports add calls that neither wait nor sync"
is "$(grep -E 'sync' "$TMP/all")" "" "nothing in the server syncs"
