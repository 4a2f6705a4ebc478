#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what a checkpoint holds of a registered key, in the form of regdump (tests/wine/regdump.c).

    ckptdump.py FILE [--key PATH [--view 64|32]]   the content; PATH may be left out if there is one key
    ckptdump.py FILE ... --quick                   without checking the checksums
    ckptdump.py FILE --list                        ID VIEW PATH FLAGS of each registered key
    ckptdump.py FILE --state                       epoch, sequence, status, node, ...

It reads a copy by tdbdump, knows the records from dlls/libregckpt/checkpoint_record.h, and shares no
code with the product.  Every checksum and the sum over all records are checked on the way.

Exit code: 0, 1 the key is not registered or the checkpoint has no content of it, 2 damaged,
100 usage, 111 tdbdump failed.
"""
import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                      0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def damaged(why):
    print(f"ckptdump: damaged: {why}", file=sys.stderr)
    sys.exit(2)


def rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def xxh64(data):
    """XXH64 with seed 0, from the public description of the algorithm."""
    size, at = len(data), 0
    if size >= 32:
        lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        whole = size // 32 * 4
        words = struct.unpack_from(f"<{whole}Q", data)
        for index in range(0, whole, 4):
            for lane in range(4):
                x = (lanes[lane] + words[index + lane] * P2) & MASK
                lanes[lane] = ((x << 31 | x >> 33) & MASK) * P1 & MASK
        at = whole * 8
        total = sum(rotate(lane, n) for lane, n in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            total ^= rotate(lane * P2 & MASK, 31) * P1 & MASK
            total = (total * P1 + P4) & MASK
    else:
        total = P5
    total = (total + size) & MASK
    while at + 8 <= size:
        word = struct.unpack_from("<Q", data, at)[0]
        total ^= rotate(word * P2 & MASK, 31) * P1 & MASK
        total = (rotate(total, 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= size:
        total ^= struct.unpack_from("<I", data, at)[0] * P1 & MASK
        total = (rotate(total, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        total ^= byte * P5 & MASK
        total = rotate(total, 11) * P1 & MASK
    total = (total ^ total >> 33) * P2 & MASK
    total = (total ^ total >> 29) * P3 & MASK
    return total ^ total >> 32


class Reader:
    """Takes packed numbers and strings from the front of some bytes."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def raw(self, size):
        if self.at + size > len(self.data):
            damaged(f"{self.what}: ends early")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.raw(size), "little")

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def bytes(self):
        return self.raw(self.u32())

    def text(self):
        return self.bytes().decode("utf-8", "surrogatepass")

    def utf16(self):
        return self.raw(2 * self.u32())

    def end(self):
        if self.at != len(self.data):
            damaged(f"{self.what}: {len(self.data) - self.at} bytes too long")


LINE = re.compile(rb'^(key|data)\((\d+)\) = "(.*)"$')
ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2})")


def copy_quietly(path, copy):
    """Copies a file that somebody may be writing to: again, until nothing changed meanwhile."""
    for _ in range(100):
        before = os.stat(path)
        shutil.copyfile(path, copy)
        after = os.stat(path)
        if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
            time.sleep(0.003)  # a commit writes for a while
            after = os.stat(path)
            if before.st_mtime_ns == after.st_mtime_ns:
                return
        time.sleep(0.01)
    print(f"ckptdump: {path} never rests", file=sys.stderr)
    sys.exit(111)


def tdb_records(path):
    """All records of a TDB file, as tdbdump prints them: a dictionary of bytes."""
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, "copy.tdb")
        copy_quietly(path, copy)
        dump = subprocess.run(["tdbdump", copy], capture_output=True, check=False)
        if dump.returncode:
            # A writer died in the middle of a commit: opening for writing takes it back.
            subprocess.run(["tdbtool", copy, "check"], capture_output=True, check=False)
            dump = subprocess.run(["tdbdump", copy], capture_output=True, check=False)
    if dump.returncode:
        print(f"ckptdump: tdbdump {path}: {dump.stderr.decode()}", file=sys.stderr)
        sys.exit(111)
    records, key = {}, None
    for line in dump.stdout.split(b"\n"):
        match = LINE.match(line)
        if not match:
            if line not in (b"{", b"}", b""):
                damaged(f"tdbdump printed {line[:100]!r}")
            continue
        content = ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), match.group(3))
        if len(content) != int(match.group(2)):
            damaged(f"tdbdump printed {len(content)} bytes where it says {match.group(2)}")
        if match.group(1) == b"key":
            key = content
        else:
            records[key] = content
    return records


class Checkpoint:
    """The records by kind, with all checksums checked."""

    def __init__(self, path, quick):
        self.contents, self.roots = {}, {}
        total = count = 0
        for key, data in tdb_records(path).items():
            stored = int.from_bytes(data[:8], "little")
            if len(data) < 8 or (not quick and stored != xxh64(key + data[8:])):
                damaged(f"record {key[:100]!r}: checksum")
            if key != b"state":
                total, count = (total + stored) & MASK, count + 1
            self.contents[key] = data[8:]
        r = self.reader(b"format")
        if r.raw(8) != b"REGCKPT\0":
            damaged("not a checkpoint")
        self.format = r.u32()
        r = self.reader(b"state")
        if (r.u64(), r.u64()) != (count, total):
            damaged("the sum over all records")
        self.state = dict(zip(("history_first", "history_next", "history_bytes"),
                              (r.u64(), r.u64(), r.u64())))
        self.state["next_id"] = r.u32()
        self.state.update(epoch=r.u64(), sequence=r.u64(), status=r.u32(), node=r.text(),
                          boot_id=r.text(), pid=r.u32(), since=r.u64(), saved=r.u64())
        r.end()
        for key in self.contents:
            if key.startswith(b"root:"):
                r = self.reader(key)
                root = {"id": r.u32(), "view": r.u32(), "path": r.text(), "flags": r.u32()}
                root["keys"] = [r.text() for _ in range(r.u32())]
                root["values"] = [r.text() for _ in range(r.u32())]
                r.end()
                if key != b"root:%08x" % root["id"]:
                    damaged(f"record {key!r} says id {root['id']}")
                self.roots[root["id"]] = root

    def reader(self, key):
        if key not in self.contents:
            damaged(f"no record {key!r}")
        return Reader(self.contents[key], repr(key[:100]))

    def lines(self, number):
        """The sorted lines of one registered key."""
        names, lines = {}, []
        key_prefix, value_prefix = b"key:%08x:" % number, b"value:%08x:" % number
        for key in self.contents:
            if key.startswith(key_prefix):
                r = self.reader(key)
                names[key[len(key_prefix):]] = (r.utf16(), r.utf16(), r.u32())
                r.end()
        for path, (_, key_class, flags) in names.items():
            lines.append(f"key {self.full(names, path)} {to_hex(key_class)} "
                         f"{'link' if flags & 1 else 'plain'}")
        for key in self.contents:
            if key.startswith(value_prefix):
                path, zero, _ = key[len(value_prefix):].partition(b"\0")
                if not zero or path not in names:
                    damaged(f"record {key[:100]!r}: a value without a key")
                r = self.reader(key)
                name, kind, data = r.utf16(), r.u32(), r.bytes()
                r.end()
                lines.append(f"value {self.full(names, path)} {to_hex(name)} {kind} {to_hex(data)}")
        return sorted(lines)

    @staticmethod
    def full(names, path):
        """A key's path with the case of each component."""
        if not path:
            return "."
        parts, words = path.split(b"\\"), []
        for end in range(1, len(parts) + 1):
            above = b"\\".join(parts[:end])
            if above not in names:
                damaged(f"key {path[:100]!r}: nothing is recorded of {above[:100]!r}")
            words.append(to_hex(names[above][0]))
        return "/".join(words)


def to_hex(data):
    return data.hex() if data else "-"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--key")
    parser.add_argument("--view", type=int, default=64)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--state", action="store_true")
    try:
        args = parser.parse_args()
    except SystemExit as stop:
        sys.exit(100 if stop.code else 0)

    try:
        checkpoint = Checkpoint(args.file, args.quick)
    except OSError as error:
        print(f"ckptdump: {error}", file=sys.stderr)
        return 111
    if args.list:
        for number, root in sorted(checkpoint.roots.items()):
            print(number, root["view"], root["path"], root["flags"])
        return 0
    if args.state:
        for name, value in checkpoint.state.items():
            print(name, value)
        return 0
    found = [n for n, root in checkpoint.roots.items() if not args.key or
             (root["path"].lower() == args.key.lower() and root["view"] == args.view)]
    if len(found) != 1:
        print(f"ckptdump: {len(found)} keys fit", file=sys.stderr)
        return 1
    lines = checkpoint.lines(found[0])
    if lines:
        print("\n".join(lines))
    return 0 if lines else 1


sys.exit(main())
