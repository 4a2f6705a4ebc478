#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what a .reg file says of one key, in the form of regdump (tests/wine/regdump.c).

    regtext.py FILE KEY     KEY as it stands in the file, HKEY_LOCAL_MACHINE\\Software\\...

Reads version 5 as regedit writes it (UTF-16 with a mark, lines ending in CR LF), and as hivexregedit does
(UTF-8, lines ending in LF).  It shares no code with the product, and takes nothing that is not exactly of
the form: a file of ours has no line that it does not know.  Keys have no class there, and are no links.

Exit code: 0, 1 there is no such key in it, 2 it is not of the form.
"""
import re
import sys

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"=', re.S)
ESCAPES = {"r": "\r", "n": "\n"}


def stop(number, why):
    print(f"regtext: line {number}: {why}", file=sys.stderr)
    sys.exit(2)


def to_hex(text):
    return text.encode("utf-16-le", "surrogatepass").hex() or "-"


def unescape(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), text, flags=re.S)


def data_of(text, number):
    """A type and bytes."""
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return 1, (unescape(text[1:-1]) + "\0").encode("utf-16-le", "surrogatepass")
    if re.fullmatch("dword:[0-9a-f]{8}", text):
        return 4, int(text[6:], 16).to_bytes(4, "little")
    match = re.fullmatch(r"hex(?:\(([0-9a-f]+)\))?:((?:[0-9a-f]{2},)*[0-9a-f]{2}|)", text)
    if not match:
        stop(number, f"no data: {text[:100]!r}")
    return int(match.group(1) or "3", 16), bytes.fromhex(match.group(2).replace(",", ""))


def lines_of(data):
    """The lines, with those that go on in the next one joined, and their numbers."""
    wide = data.startswith(b"\xff\xfe")
    text = data[2:].decode("utf-16-le", "surrogatepass") if wide else data.decode("utf-8", "surrogatepass")
    lines = text.split("\r\n" if wide else "\n")
    at = 0
    while at < len(lines):
        first, line = at, lines[at]
        parts = [line]
        while "hex" in line and parts[-1].endswith(",\\"):
            at += 1
            parts[-1] = parts[-1][:-1]
            parts.append(lines[at].lstrip(" "))
        yield first + 1, "".join(parts)
        at += 1


def main(path, root):
    out, where, header = [], None, False
    with open(path, "rb") as file:
        data = file.read()
    for number, line in lines_of(data):
        if not header:
            if line != "Windows Registry Editor Version 5.00":
                stop(number, "no .reg file")
            header = True
        elif not line or line.startswith(";"):
            continue
        elif line.startswith("[") and line.endswith("]"):
            key, where = line[1:-1], None
            if key == root or key.startswith(root + "\\"):
                parts = key[len(root):].rstrip("\\").split("\\")[1:]  # hivexregedit ends the first one so
                where = "/".join(to_hex(part) for part in parts) or "."
                out.append(f"key {where} - plain")
        else:
            match = QUOTED.match(line)
            name = unescape(match.group(1)) if match else ""
            if not match and not line.startswith("@="):
                stop(number, f"not of the form: {line[:100]!r}")
            kind, content = data_of(line[match.end() if match else 2:], number)
            if where:
                out.append(f"value {where} {to_hex(name)} {kind} {content.hex() or '-'}")
    print("\n".join(sorted(out)))
    return 0 if out else 1


sys.exit(main(sys.argv[1], sys.argv[2]))
