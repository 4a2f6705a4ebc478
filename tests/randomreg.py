#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes up the content of a registry key, in the form of regdump (tests/wine/regdump.c).

    randomreg.py make SEED [KEYS]           a content of about so many keys (150)
    randomreg.py after SEED DUMP            one that came of another: keys and values gone, changed, new,
                                            deleted and made again in other letters of the same name
    randomreg.py script DUMP DUMP           what makes the second of the first, for regplay
    randomreg.py sayable DUMP               what regckpt export --leave-out says of it in a .reg file
    randomreg.py ended DUMP                 ... and what Wine's regedit and reg.exe make of that: each text
                                            ends in a NUL
    randomreg.py whole DUMP                 without texts of half characters, whose end Wine overwrites with
                                            what chance has put there
    randomreg.py narrow DUMP                what hivexregedit can say of it

Everything that a registry takes comes up: all types and unknown ones, no data, no name, NUL at each place
of names and data, lone surrogates, letters whose case differs outside ASCII, quotation marks, backslashes
and line breaks, data of more than a MiB, long names, depth, classes, symbolic links.  Names that Wine takes
for one by its own table (l_intl.nls) do not stand side by side.

A script has regdump's lines "key" and "value", of what is made or set, and before them
    gone PATH            a key, with all below it
    unset PATH NAME      a value
"""
import random
import struct
import sys

NLS = "/usr/share/wine/nls/l_intl.nls"
REG_LINK = 6
TEXTS = (1, 2, 7)
LINK_VALUE = "SymbolicLinkValue".encode("utf-16-le").hex()


def lower_table():
    """Wine's table of lower-case letters, as wineserver reads it."""
    with open(NLS, "rb") as file:
        words = file.read()
    words = struct.unpack(f"<{len(words) // 2}H", words)
    at = words[0] + words[words[0]] + 1
    table = words[at:]
    return [(unit + table[table[table[unit >> 8] + (unit >> 4 & 15)] + (unit & 15)]) & 0xffff
            for unit in range(0x10000)]


LOWER = lower_table()
CASES = {}  # lower case -> all units that are the same letter
for unit_, lower_ in enumerate(LOWER):
    CASES.setdefault(lower_, []).append(unit_)
PAIRS = [unit for units in CASES.values() if len(units) > 1 for unit in units if unit > 0x7f]
# Letters that look as if they were one, and are not for Wine, or only by its table.
TWINS = [0x49, 0x69, 0x130, 0x131, 0x53, 0x73, 0x17f, 0xdf, 0x1e9e, 0x4b, 0x6b, 0x212a, 0x3a9, 0x3c9,
         0x2126, 0xc5, 0xe5, 0x212b, 0x3c2, 0x3c3, 0x3a3, 0x1c4, 0x1c5, 0x1c6, 0x10a0, 0x2d00, 0xb5,
         0x3bc, 0x39c, 0xff, 0x178]
MARKS = [ord(c) for c in "\"'\\[]@=#;:,%-*?/ .\t\r\n"]
ODD = [0, 1, 0x1b, 0x7f, 0xad, 0x200e, 0x202e, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfeff, 0xfffe,
       0xffff]


def units_of(text):
    data = b"" if text == "-" else bytes.fromhex(text)
    return struct.unpack(f"<{len(data) // 2}H", data)


def to_hex(data):
    return data.hex() if data else "-"


def pack(units):
    return struct.pack(f"<{len(units)}H", *units)


def fold(text):
    return tuple(LOWER[unit] for unit in units_of(text))


def fold_path(path):
    return () if path == "." else tuple(fold(part) for part in path.split("/"))


class Content:
    """keys: folded path -> (path, class, link); values: (folded path, folded name) -> (name, type, data)."""

    def __init__(self, lines=()):
        self.keys, self.values = {}, {}
        for line in lines:
            words = line.split()
            where = fold_path(words[1])
            if words[0] == "key":
                self.keys[where] = tuple(words[1:])
            else:
                self.values[where, fold(words[2])] = tuple(words[2:])

    def lines(self):
        lines = ["key " + " ".join(key) for key in self.keys.values()]
        lines += [f"value {self.keys[where][0]} " + " ".join(value)
                  for (where, _), value in self.values.items()]
        return sorted(lines)

    def drop(self, where):
        """A key with all below."""
        self.keys = {w: k for w, k in self.keys.items() if w[:len(where)] != where}
        self.values = {w: v for w, v in self.values.items() if w[0][:len(where)] != where}


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def unit(self, of_key):
        r = self.r
        unit = r.choice(r.choice((range(0x20, 0x7f), PAIRS, TWINS, MARKS, ODD, range(0xa0, 0x2000),
                                  range(0x10000), b"aAbB19")))
        return 0x2f if of_key and unit == 0x5c else unit

    def name(self, of_key):
        """A name, by odds one of few letters, so that names meet."""
        r = self.r
        size = r.choice((1, 1, 2, 2, 3, 5, 8, 13))
        if not of_key and r.random() < .08:
            return "-"
        if r.random() < .01:
            size = r.choice((254, 255) if of_key else (255, 256, 257, 1000))
        if r.random() < .25:
            return pack([r.choice(TWINS) for _ in range(size)]).hex()
        return pack([self.unit(of_key) for _ in range(size)]).hex()

    def text(self):
        """Data of a text, or what somebody has left of one."""
        r = self.r
        data = pack([self.unit(False) if r.random() < .9 else 0
                     for _ in range(r.choice((0, 1, 2, 5, 20, 60)))])
        kind = r.random()
        if kind < .7:
            data += b"\0\0"
        elif kind < .8:
            data += r.choice((b"\0", b"x", b"\0\0\0", b"\0\0\0\0"))
        return data

    def value(self):
        """A type and data."""
        r = self.r
        kind = r.choice((1, 1, 2, 7, 3, 4, 11, None))
        if kind is None:
            kind = r.choice((0, 5, 6, 8, 9, 10, 12, 0x7fff, 0x80000000, 0xffffffff,
                             r.getrandbits(32)))
        if kind in TEXTS and r.random() < .9:
            return str(kind), to_hex(self.text())
        size = r.choice((0, 1, 2, 3, 4, 4, 7, 8, 8, 16, 33, 100))
        if r.random() < .01:
            size = r.choice((4096, 16344, 16345, 65536, 300001))
        return str(kind), to_hex(r.randbytes(size))

    def fill(self, content, where, count):
        for _ in range(count):
            name = self.name(False)
            content.values.setdefault((where, fold(name)), (name, *self.value()))

    def key_below(self, content, where):
        """A new subkey; the path of the old one if there is one of that name."""
        r = self.r
        name = self.name(True)
        if r.random() < .04:
            # NULs alone, or a sibling's name and a NUL: Wine's picture of a key mixes such keys
            siblings = [key[0].split("/")[-1] for old, key in content.keys.items() if old and old[:-1] == where]
            name = r.choice(siblings + [""]) + "0000"
            if len(name) > 4 * 255:
                return None
        below = where + (fold(name),)
        if below in content.keys or len(below) > 60:
            return None
        path = name if not where else f"{content.keys[where][0]}/{name}"
        if r.random() < .06:
            target = r.choice(("Nowhere", "Target", "Target\\a"))
            target = "\\Registry\\Machine\\Software\\RegckptTest\\" + target
            content.keys[below] = (path, "-", "link")
            content.values[below, fold(LINK_VALUE)] = (LINK_VALUE, str(REG_LINK),
                                                       target.encode("utf-16-le").hex())
            return None
        key_class = "-"
        if r.random() < .15:
            # Wine tells a class as a text, so that a NUL at its end could not be told from none
            units = [self.unit(False) for _ in range(r.randint(0, 12))]
            key_class = pack(units + [r.randint(1, 0xffff)]).hex()
        content.keys[below] = (path, key_class, "plain")
        self.fill(content, below, r.choice((0, 0, 1, 2, 3, 5, 8, 30)))
        return below

    def grow(self, content, count):
        """So many keys more, somewhere."""
        r = self.r
        places = [where for where, key in content.keys.items() if key[2] == "plain"]
        for _ in range(count):
            # now and then on the one that came last: depth
            where = places[-1] if r.random() < .4 else r.choice(places)
            below = self.key_below(content, where)
            if below:
                places.append(below)

    def make(self, count):
        content = Content(["key . - plain"])
        self.fill(content, (), 20)
        self.grow(content, count)
        big = max(content.keys, key=lambda where: (content.keys[where][2] == "plain", where))
        content.values[big, fold("62006900")] = ("62006900", "3", self.r.randbytes(2 * 1024 * 1024 + 5).hex())
        return content

    def other_case(self, text):
        """The same name for Wine, in other letters where there are any."""
        return to_hex(pack([self.r.choice(CASES[LOWER[unit]]) for unit in units_of(text)]))

    def after(self, old):
        r = self.r
        new = Content(old.lines())
        for where in [w for w in new.keys if w]:
            chance = r.random()
            if where not in new.keys:
                continue
            if chance < .05:
                new.drop(where)
            elif chance < .25:
                # made again, in other letters: what is below comes with it, as it was
                path = new.keys[where][0].split("/")
                path[-1] = self.other_case(path[-1])
                for below, (full, *rest) in list(new.keys.items()):
                    if below[:len(where)] == where:
                        new.keys[below] = ("/".join(path + full.split("/")[len(path):]), *rest)
            elif chance < .35 and new.keys[where][2] == "plain":
                new.keys[where] = (new.keys[where][0], self.name(True) if r.random() < .5 else "-", "plain")
                if new.keys[where][1].endswith("0000"):
                    new.keys[where] = (new.keys[where][0], "-", "plain")
        for where in list(new.values):
            if new.keys[where[0]][2] == "link":
                continue
            chance = r.random()
            if chance < .1:
                del new.values[where]
            elif chance < .2:
                new.values[where] = (new.values[where][0], *self.value())
            elif chance < .3:
                new.values[where] = (self.other_case(new.values[where][0]), *new.values[where][1:])
        self.grow(new, len(new.keys) // 5)
        return new


def script(old, new):
    """Lines that make the one of the other; what is made anew under another case goes first."""
    gone = set()
    lines = []
    for where, (path, key_class, link) in sorted(old.keys.items()):
        if any(where[:size] in gone for size in range(len(where))):
            gone.add(where)
            continue
        now = new.keys.get(where)
        # Of a class only another one can be given to a key that is there.
        if not now or now[0].split("/")[-1] != path.split("/")[-1] or now[2] != link or \
                (now[1] != key_class and now[1] == "-"):
            gone.add(where)
            lines.append(f"gone {path}")
    for (where, name), value in sorted(old.values.items()):
        now = new.values.get((where, name))
        if where not in gone and (not now or now[0] != value[0]):
            lines.append(f"unset {old.keys[where][0]} {value[0]}")
    for line in new.lines():
        words = line.split()
        where = fold_path(words[1])
        if words[0] == "key":
            same = where not in gone and old.keys.get(where) == tuple(words[1:])
        else:
            same = where not in gone and old.values.get((where, fold(words[2]))) == tuple(words[2:])
        if not same:
            lines.append(line)
    return lines


def without(content, links, key_problem, value_problem):
    """What is left without some keys, with all below them, and some values; no classes, no links as such."""
    for where in sorted(content.keys):
        if where not in content.keys:
            continue
        path, _, link = content.keys[where]
        if (link == "link" and not links) or (where and key_problem(units_of(path.split("/")[-1]))):
            content.drop(where)
    content.keys = {where: (key[0], "-", "plain") for where, key in content.keys.items()}
    content.values = {where: value for where, value in content.values.items()
                      if not value_problem(units_of(value[0]))}
    return content


def sayable(content):
    """Without texts of one byte, too: Wine's own tools end at them."""
    content = without(content, False, lambda units: any(unit in (0, 10, 13) for unit in units),
                      lambda units: 0 in units)
    content.values = {where: value for where, value in content.values.items()
                      if int(value[1]) not in TEXTS or len(value[2]) != 2}
    return content


def whole(content):
    content.values = {where: value for where, value in content.values.items()
                      if int(value[1]) not in TEXTS or value[2] == "-" or not len(value[2]) % 4}
    return content


def ended(content):
    content = whole(sayable(content))
    for where, (name, kind, data) in content.values.items():
        if int(kind) in TEXTS and data != "-" and data[-4:] != "0000":
            content.values[where] = (name, kind, data + "0000")
    return content


def surrogates(units):
    """Is one half of a pair alone?"""
    try:
        pack(units).decode("utf-16-le")
    except UnicodeDecodeError:
        return True
    return False


def narrow(content):
    def problem(units):
        return 10 in units or surrogates(units)
    return without(content, True, problem, problem)


def read(path):
    with open(path, encoding="ascii") as lines:
        return Content(lines)


def main(words):
    if words[0] == "make":
        lines = Maker(int(words[1])).make(int(words[2]) if len(words) > 2 else 150).lines()
    elif words[0] == "after":
        lines = Maker(int(words[1])).after(read(words[2])).lines()
    elif words[0] == "script":
        lines = script(read(words[1]), read(words[2]))
    else:
        some = {"sayable": sayable, "ended": ended, "whole": whole, "narrow": narrow}[words[0]]
        lines = some(read(words[1])).lines()
    print("\n".join(lines))


main(sys.argv[1:])
