# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What server_patch/build says where it cannot build: each time what is wrong, and what to do.  The
# machine it sees is made up, by programs of its own in PATH; what it takes to build is not needed.
. "$(dirname "$0")/../lib.sh"
suite server_build
VERSION=8.0~repack-4
BIN=$TMP/bin
TREE=$TMP/tree
mkdir "$BIN" "$TMP/lists"

# fake NAME 'COMMANDS'
fake() { printf '#!/bin/sh\n%s\n' "$2" >"$BIN/$1" && chmod 755 "$BIN/$1"; }
for tool in autoconf bison dpkg-source flex gcc make patch perl xz; do
    fake $tool 'exit 0'
done
fake dpkg 'echo amd64'
fake dpkg-query "echo $VERSION"
fake apt-get 'echo "E: You must put some deb-src URIs in your sources.list" >&2; exit 100'
build() { run env PATH="$BIN:/usr/bin:/bin" bash "$SRC/server_patch/build" "$@"; }
# says CODE 'PATTERN' 'DESCRIPTION'
says()
{
    local code=$1 pattern=$2
    ok '[ "$CODE" = "$code" ] && grep -Eq "$pattern" "$TMP/stderr" && [ ! -e "$TREE" ]' "$3"
}

for words in "" "tree" "--first x $TREE" "--nonsense $TREE" "$TREE more" "--source"; do
    # shellcheck disable=SC2086
    build $words
    says 100 '^usage: server_patch/build' "usage: '$words'"
done
fake dpkg 'echo arm64'
build "$TREE"
says 1 'for Debian on amd64' "another architecture"
fake dpkg 'echo amd64'
fake dpkg-query 'exit 1'
build "$TREE"
says 1 "Wine is not installed here.*tools/deps build" "no Wine"
fake dpkg-query 'echo 7.0~repack-1'
build "$TREE"
says 1 'no patches for the installed Wine 7.0~repack-1, only for: .*wine-8.0' "another version"
fake dpkg-query "echo $VERSION"
if [ ! -x /usr/lib/wine/wine64 ] || [ ! -e /usr/share/misc/config.guess ]; then
    skip 12 "wine64 or autotools-dev is not installed"
    exit 0
fi
build_without()
{
    mv "$BIN/$1" "$TMP/$1"
    run env PATH="$BIN:$TMP/few" "$(command -v bash)" "$SRC/server_patch/build" "$TREE"
    mv "$TMP/$1" "$BIN/$1"
}
mkdir "$TMP/few"
for tool in bash dirname realpath mktemp rm cat head tail sed ls sha256sum cut; do
    ln -s "$(command -v $tool)" "$TMP/few/$tool"
done
build_without gcc
says 1 'not installed: gcc. tools/deps server installs' "no compiler"
mkdir "$TMP/taken" && : >"$TMP/taken/file"
build "$TMP/taken"
says 1 "taken is there, and not made by this script" "a directory of something else"
ok '[ -e "$TMP/taken/file" ]' "... which stays"
# Where the tree is to go is looked at before anything is fetched.
build --source "$TMP/none" "$TMP/taken/file/tree"
says 1 "cannot make the tree in $TMP/taken/file: (Not a directory|File exists)" "a place below a file"
if mkdir "$TMP/small" "$TMP/closed" && mount -t tmpfs -o size=64k none "$TMP/small" 2>/dev/null &&
    mount --bind "$TMP/closed" "$TMP/closed" && mount -o remount,bind,ro "$TMP/closed"; then
    printf '%s\n' "$TMP/small" "$TMP/closed" >>"$TMP/mounts"
    build --source "$TMP/none" "$TMP/closed/tree"
    says 1 "cannot make the tree in $TMP/closed: Read-only file system" "a place that is read-only"
    build --source "$TMP/none" "$TMP/small/tree"
    says 1 "the tree needs [0-9]+ MB in $TMP/small, and [01] MB are free there: make room" "no room for the tree"
    is "$(ls -A "$TMP/small")" "" "... nothing is left there"
    run env TMPDIR="$TMP/small" PATH="$BIN:/usr/bin:/bin" bash "$SRC/server_patch/build" --source "$TMP/none" "$TREE"
    says 1 "building needs [0-9]+ MB in $TMP/small/.*, and [01] MB are free there: .* set TMPDIR" "no room to build in"
else
    skip 4 "no file systems can be mounted here"
fi
build --source "$TMP/none" "$TREE"
says 1 "source package of Wine $VERSION cannot be had" "the source package cannot be had"
ok 'grep -q "deb-src" "$TMP/stderr"' "... and what apt said"
mkdir "$TMP/package" && echo "$VERSION" >"$TMP/package/version" && : >"$TMP/package/wine_$VERSION.dsc"
fake dpkg-source 'echo "dpkg-source: error: File wine.tar.xz has size 3 instead of expected 5" >&2; exit 25'
build --source "$TMP/package" "$TREE"
says 1 "unpacking the source package in $TMP/package failed" "a damaged source package"
ok 'grep -q "instead of expected" "$TMP/stderr"' "... and what was wrong"
fake dpkg-source 'for out; do :; done; mkdir "$out"'
fake patch 'echo "1 out of 1 hunk FAILED"; exit 1'
build --source "$TMP/package" "$TREE"
says 1 "applying 0001-.*patch to Wine $VERSION failed" "a patch that does not apply"
