#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes an ntdll whose stub of one function has other code that does the same.

    reshape.py NTDLL FUNCTION OUT

The hook knows the code of Wine's stubs (dlls/regckpt/hook_stub.c), and must leave any other alone.
"""
import struct
import sys


def offset_of(pe, rva):
    """Where in the file an address is."""
    header = struct.unpack_from("<I", pe, 0x3C)[0]
    count, optional = struct.unpack_from("<H12xH", pe, header + 6)
    for i in range(count):
        size, at, _, raw = struct.unpack_from("<IIII", pe, header + 24 + optional + 40 * i + 8)
        if at <= rva < at + size:
            return rva - at + raw
    sys.exit("reshape.py: no section has address %#x" % rva)


def stub_of(pe, name):
    """Where in the file the code of an export is."""
    header = struct.unpack_from("<I", pe, 0x3C)[0] + 24
    wide = struct.unpack_from("<H", pe, header)[0] == 0x20B
    table = offset_of(pe, struct.unpack_from("<I", pe, header + (112 if wide else 96))[0])
    names, functions, by_name, ordinals = struct.unpack_from("<IIII", pe, table + 24)
    for i in range(names):
        at = offset_of(pe, struct.unpack_from("<I", pe, offset_of(pe, by_name) + 4 * i)[0])
        if pe[at:pe.index(b"\0", at)] == name.encode():
            ordinal = struct.unpack_from("<H", pe, offset_of(pe, ordinals) + 2 * i)[0]
            rva = struct.unpack_from("<I", pe, offset_of(pe, functions) + 4 * ordinal)[0]
            return offset_of(pe, rva), wide
    sys.exit("reshape.py: no export is called " + name)


def main(ntdll, function, out):
    pe = bytearray(open(ntdll, "rb").read())
    at, wide = stub_of(pe, function)
    if wide and pe[at:at + 3] == b"\x4c\x8b\xd1":
        pe[at:at + 3] = b"\x49\x89\xca"  # mov rcx, r10, by its other opcode
    elif not wide and pe[at + 15] == 0x90:
        pe[at + 15] = 0xCC  # behind the return: never reached
    else:
        sys.exit("reshape.py: %s of %s is not as expected: %s" % (function, ntdll, pe[at:at + 32].hex()))
    open(out, "wb").write(pe)


main(*sys.argv[1:])
