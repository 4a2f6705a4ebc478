# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What is installed, once more without the hook: before lib.sh.
UNHOOKED=$(mktemp -d "${TMPDIR:-/tmp}/unhooked.XXXXXX") || exit 1
cp -a "$STAGE/." "$UNHOOKED" || exit 1
STAGE_BINDIR=$UNHOOKED${STAGE_BINDIR#"$STAGE"} STAGE_PKGLIBDIR=$UNHOOKED${STAGE_PKGLIBDIR#"$STAGE"}
STAGE=$UNHOOKED
rm "$STAGE_PKGLIBDIR"/regckpt*.dll.so
trap 'rm -rf "$UNHOOKED"' EXIT
