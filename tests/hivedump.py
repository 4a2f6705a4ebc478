#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what a hive file (regf) holds, in the form of regdump (tests/wine/regdump.c).

    hivedump.py FILE

It walks the file by the format's own rules, with no library and no code of the product, and checks on the
way what Windows checks: the base block's sum and sequence numbers, that bins follow each other, that each
cell it is led to is in use and within a bin, parents, counts, the order and the hashes of subkeys (of ASCII
names) and the numbers that say how long names and data get.

Exit code: 0, 2 the file breaks a rule.
"""
import struct
import sys

NONE = 0xffffffff


def stop(why):
    print(f"hivedump: {why}", file=sys.stderr)
    sys.exit(2)


def to_hex(data):
    return data.hex() if data else "-"


class Hive:
    def __init__(self, data):
        self.data, self.lines, self.cells, self.keys = data, [], {}, 0
        words = struct.unpack_from("<127I", data)
        total = 0
        for word in words:
            total ^= word
        if data[:4] != b"regf" or words[1] != words[2]:
            stop("no hive that was closed")
        if struct.unpack_from("<I", data, 508)[0] != {0: 1, NONE: NONE - 1}.get(total, total):
            stop("the base block's sum")
        size, at = words[10], 4096
        while at < 4096 + size:
            kind, place, length = struct.unpack_from("<4sII", data, at)
            if kind != b"hbin" or place != at - 4096 or not length or length % 4096:
                stop(f"bin at {at}")
            cell = at + 32
            while cell < at + length:
                room = struct.unpack_from("<i", data, cell)[0]
                if not room or room % 8 or cell + abs(room) > at + length:
                    stop(f"cell at {cell}")
                self.cells[cell - 4096] = -room
                cell += abs(room)
            at += length
        if at != len(data):
            stop(f"{len(data) - at} bytes behind the last bin")
        self.key(words[9], None, ".")

    def cell(self, place):
        if self.cells.get(place, 0) <= 0:
            stop(f"no cell in use at {place}")
        return self.data[4096 + place + 4:4096 + place + self.cells[place]]

    @staticmethod
    def name(cell, at, size, narrow):
        data = cell[at:at + size]
        if len(data) != size:
            stop("a name goes beyond its cell")
        return data.decode("latin-1").encode("utf-16-le") if narrow else data

    def key(self, place, parent, path):
        """A key with all below; its name in UTF-16 and its class."""
        cell = self.cell(place)
        (kind, flags, above, count, listed, values, value_list, class_cell, longest, longest_class,
         longest_name, longest_data, name_size, class_size) = struct.unpack_from("<2sH12xII4xI4xII4xIIIII4xHH", cell)
        if kind != b"nk" or (parent is not None and above != parent) or (parent is None) != bool(flags & 4):
            stop(f"key at {place}")
        name = self.name(cell, 76, name_size, flags & 0x20)
        key_class = self.cell(class_cell)[:class_size] if class_size else b""
        if parent is not None:
            path = name.hex() if path == "." else f"{path}/{name.hex()}"
        self.lines.append(f"key {path} {to_hex(key_class)} {'link' if flags & 0x10 else 'plain'}")
        self.values(path, values, value_list, longest_name, longest_data)
        below = []
        for sub, sum_of_name in self.listed(listed) if count else []:
            sub_name, sub_class = self.key(sub, place, path)
            below.append(sub_name)
            if len(sub_name) > longest or len(sub_class) > longest_class:
                stop(f"key at {place}: its longest name or class is not {longest}, {longest_class}")
            units = struct.unpack(f"<{len(sub_name) // 2}H", sub_name)
            if all(unit < 0x80 for unit in units):
                total = 0
                for unit in units:
                    total = (total * 37 + ord(chr(unit).upper())) & NONE
                if sum_of_name is not None and total != sum_of_name:
                    stop(f"key at {sub}: the hash of its name")
        if len(below) != count:
            stop(f"key at {place}: {len(below)} subkeys listed, {count} counted")
        plain = [n.decode("utf-16-le").upper() for n in below if not any(n[1::2]) and max(n[::2]) < 0x80]
        if plain != sorted(plain):
            stop(f"key at {place}: the order of its subkeys")
        return name, key_class

    def listed(self, place):
        """Each subkey's place and hash."""
        cell = self.cell(place)
        kind, count = struct.unpack_from("<2sH", cell)
        if kind == b"ri":
            for sub in struct.unpack_from(f"<{count}I", cell, 4):
                yield from self.listed(sub)
        elif kind in (b"lh", b"lf"):
            for index in range(count):
                sub, hint = struct.unpack_from("<II", cell, 4 + 8 * index)
                yield sub, hint if kind == b"lh" else None
        elif kind == b"li":
            for sub in struct.unpack_from(f"<{count}I", cell, 4):
                yield sub, None
        else:
            stop(f"list at {place}")

    def values(self, path, count, place, longest_name, longest_data):
        for value in struct.unpack_from(f"<{count}I", self.cell(place)) if count else []:
            cell = self.cell(value)
            kind, name_size, size, data_place, data_type, flags = struct.unpack_from("<2sHIIIH", cell)
            if kind != b"vk":
                stop(f"value at {value}")
            name = self.name(cell, 20, name_size, flags & 1)
            data = self.content(size, data_place)
            if len(name) > longest_name or len(data) > longest_data:
                stop(f"value at {value} is longer than its key says")
            self.lines.append(f"value {path} {to_hex(name)} {data_type} {to_hex(data)}")

    def content(self, size, place):
        if size & 0x80000000:
            return struct.pack("<I", place)[:size & 0x7fffffff]
        if not size:
            return b""
        cell = self.cell(place)
        if size <= 16344:
            return cell[:size]
        kind, count, pieces = struct.unpack_from("<2sHI", cell)
        if kind != b"db":
            stop(f"data at {place}: {size} bytes in one cell")
        places = struct.unpack_from(f"<{count}I", self.cell(pieces))
        data = b"".join(self.cell(piece)[:16344] for piece in places)
        return data[:size]


with open(sys.argv[1], "rb") as hive_file:
    print("\n".join(sorted(Hive(hive_file.read()).lines)))
