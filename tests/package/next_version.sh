#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes of the source tree it stands in, with its debian/, what a next version might be: another number,
# and another layout of what processes share among themselves, the ring and the host's protocol.  "make
# deb-next" builds its packages, for the tests of upgrades.
set -e
version=$(sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" configure)
next=$version+next
sed -i "s/^\(PACKAGE_VERSION=\)'$version'/\1'$next'/; s/^\(PACKAGE_STRING=\)'regckpt $version'/\1'regckpt $next'/" configure
sed -i "s/^AC_INIT(\[regckpt\], \[$version\])/AC_INIT([regckpt], [$next])/" configure.ac
{
    printf 'regckpt (%s) unstable; urgency=medium\n\n  * A next version, for the tests.\n\n' "$next"
    printf ' -- regckpt maintainers <regckpt@regckpt.invalid>  Fri, 27 Nov 2026 00:00:01 +0000\n\n'
    cat debian/changelog
} >debian/changelog.new
mv debian/changelog.new debian/changelog
# raise FILE NAME: the number that is defined there.
raise()
{
    number=$(sed -n "s/^#define $2 \([0-9]*\).*/\1/p" "$1")
    sed -i "s/^\(#define $2 \)$number/\1$((number + 1))/" "$1"
}
raise dlls/libregckpt/ring.h RING_VERSION
raise dlls/libregckpt/hostproto.h HOSTPROTO_VERSION
