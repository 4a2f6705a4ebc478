#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges what the hook reported: the changes that ringtool drained, made to the key as it was, must
give the key as it is.

    hookjudge.py replay BEFORE CHANGES AFTER [--key ID]
    hookjudge.py rows ROWS BEFORE CHANGES AFTER [--key ID]

BEFORE and AFTER are dumps in regdump's form of the registered key ID (1).  `replay` prints what
differs, and what could not have happened.  `rows` is for hook_exports, whose output ROWS is: it prints
"fine NAME" or "WRONG NAME: why" for each row.

Exit code: 0 nothing is wrong, 1 something is, 100 usage.
"""
import argparse
import sys


def shown(units):
    """A name as ringtool shows it, from its UTF-16LE bytes."""
    text = ""
    for char in units.decode("utf-16-le", "surrogatepass"):
        code = ord(char)
        hidden = (code < 0x20 or 0x7F <= code < 0xA0 or code == 0xAD or 0x200B <= code <= 0x200F
                  or 0x2028 <= code <= 0x202E or 0x2060 <= code <= 0x206F or code == 0xFEFF
                  or 0xFFF0 <= code <= 0xFFFF or 0xD800 <= code <= 0xDFFF)
        text += f"\\x{code:04x}" if hidden else char
    return text


def from_hex(word):
    return b"" if word == "-" else bytes.fromhex(word)


def read_dump(path):
    """key path -> (class, link, {value name: (type, data)}), names folded."""
    keys = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            parts = [] if words[1] == "." else words[1].split("/")
            key = "\\".join(shown(from_hex(p)) for p in parts).lower()
            if words[0] == "key":
                keys[key] = [shown(from_hex(words[2])), words[3] == "link", {}]
            else:
                keys[key][2][shown(from_hex(words[2])).lower()] = (int(words[3]), from_hex(words[4]))
    return keys


class Replay:
    """The registered key, with what could not have happened to it."""

    def __init__(self, keys):
        self.keys = keys
        self.wrong = []
        self.count = {}  # how many changes reached a key or its values

    def has_subkeys(self, path):
        return any(k.startswith(path + "\\") for k in self.keys)

    def make(self, line):
        words = line.rstrip("\n").split("\t")
        if len(words) != 8:
            self.wrong.append(f"not a change: {line.rstrip()}")
            return
        kind, path, name, number, data = words[0], words[2].lower(), words[3], int(words[4]), words[5]
        self.count[path] = self.count.get(path, 0) + 1
        if kind == "create-key":
            parent = path.rpartition("\\")[0]
            if path not in self.keys and parent not in self.keys:
                self.wrong.append(f"created in a key that is not there: {path}")
            if path in self.keys:
                self.keys[path][0] = name  # none takes the one away
            else:
                self.keys[path] = [name, bool(number & 1), {}]
        elif path not in self.keys:
            self.wrong.append(f"{kind} on a key that is not there: {path}")
        elif kind == "delete-key":
            if self.has_subkeys(path):
                self.wrong.append(f"deleted with subkeys: {path}")
            del self.keys[path]
        elif kind == "set-value":
            self.keys[path][2][name.lower()] = (number, bytes.fromhex(data))
        elif kind == "delete-value":
            if self.keys[path][2].pop(name.lower(), None) is None:
                self.wrong.append(f"deleted a value that is not there: {path}, {name}")
        else:
            self.wrong.append(f"not a change: {line.rstrip()}")


def differences(replayed, after):
    """(path, what) for each key that is not as it should be."""
    for path in sorted(replayed.keys() | after.keys()):
        told, real = replayed.get(path), after.get(path)
        if told == real:
            continue
        if told is None or real is None:
            yield path, "is there, but was not reported" if told is None else "is not there"
        else:
            yield path, f"was reported as {told}, is {real}"


def read_rows(path):
    """row name -> kind."""
    with open(path, encoding="ascii") as lines:
        words = [line.split() for line in lines]
    return {w[1]: w[2] for w in words if w[0] == "row" and w[3] != "later"}


def judge_row(name, kind, before, replay, after, differing):
    """Why a row is wrong, None if it is not."""
    root = f"exports\\{name}".lower()

    def own(keys):
        return {k: v for k, v in keys.items() if k == root or k.startswith(root + "\\")}

    reported = sum(own(replay.count).values())
    different = own(before) != own(after)
    missed = [f"{path} {what}" for path, what in differing if path in own({path: 0})]
    if missed:
        return missed[0]
    if kind == "mutates":
        if not different:
            return "it changed nothing: its row is no test"
        return None if reported else "nothing arrived"
    if different:
        return "it changes the registry, and its row says that it does not"
    return f"{reported} changes arrived" if reported else None


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=["replay", "rows"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--key", type=int, default=1)
    options = parser.parse_args()
    rows = read_rows(options.files.pop(0)) if options.what == "rows" else None
    if len(options.files) != 3:
        parser.error("three files")
    before, after = read_dump(options.files[0]), read_dump(options.files[2])
    replay = Replay(read_dump(options.files[0]))
    with open(options.files[1], encoding="utf-8") as lines:
        for line in lines:
            words = line.split("\t")
            if len(words) < 2 or words[1] == str(options.key):
                replay.make(line)
    differing = list(differences(replay.keys, after))
    wrong = len(replay.wrong)
    for text in replay.wrong:
        print(f"WRONG {text}")
    if rows is None:
        for path, what in differing:
            print(f"WRONG {path or 'the key'} {what}")
        sys.exit(1 if wrong or differing else 0)
    for name, kind in rows.items():
        why = judge_row(name, kind, before, replay, after, differing)
        wrong += why is not None
        print(f"WRONG {name}: {why}" if why else f"fine {name}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
