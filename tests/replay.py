#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges what survived: replays a log of svcwriter onto a dump and looks where the final dump fits.

    replay.py [--from DUMP] [--until MICROSECONDS | --all] LOG FINAL

DUMP and FINAL are in regdump's form; without --from the key was empty at first.  FINAL must be equal
to what the key held after some change of the log (a registry that really was), and that change must
not come before the last one that was acknowledged up to --until (Unix microseconds); --all: it must
be the last of the log.  Prints what fits and how much newer content is missing.

Exit code: 0 it fits, 1 it does not (the differences to the nearest state are printed), 100 usage.
"""
import argparse
import sys


def read_dump(path):
    """The entries of a dump: ("key", path) -> (class, link), ("value", path, name) -> (type, data)."""
    entries = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[0] == "key" and len(words) == 4:
                entries[("key", words[1].lower())] = (words[1], words[2], words[3])
            elif words[0] == "value" and len(words) == 5:
                entries[("value", words[1], fold(words[2]))] = tuple(words[2:])
            else:
                sys.exit(f"{path}: not a dump's line: {line[:200]!r}")
    return entries


def fold(name):
    """Names that differ in case only are one; svcwriter's own are ASCII."""
    if name == "-":
        return name
    return bytes.fromhex(name).decode("utf-16-le", "surrogatepass").lower()


def parents(path):
    """The paths above a path, from the top, without the path itself."""
    yield "."
    parts = path.split("/")
    for end in range(1, len(parts)):
        yield "/".join(parts[:end])


def change(entries, words):
    """What a change makes of the entries: a list of (entry, new content or None)."""
    operation, path = words[0], words[1]
    if operation == "set":
        return [(("value", path, fold(words[2])), tuple(words[2:]))]
    if operation == "delete":
        return [(("value", path, fold(words[2])), None)]
    if operation == "create":
        made = [(("key", p), (p, "-", "plain")) for p in parents(path) if ("key", p) not in entries]
        old = entries.get(("key", path))
        if old is None or words[2] != "-":
            made.append((("key", path), (path, words[2], "plain")))
        return made
    if operation == "remove":
        return [(entry, None) for entry in entries if entry[1] == path]
    sys.exit(f"unknown change {words[:2]}")


def read_log(path):
    """The changes of a log that were tried: [number, words, acknowledged at or None, result or None]."""
    changes = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # the writer was killed in the middle of it
            words = line.split()
            if words[1] == "try":
                changes.append([int(words[2]), words[3:], None, None])
            elif words[1] == "done":
                if not changes or changes[-1][0] != int(words[2]):
                    sys.exit(f"{path}: out of order: {line[:80]!r}")
                changes[-1][2:] = [int(words[0]), int(words[3])]
    return changes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="first")
    parser.add_argument("--until", type=int)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("log")
    parser.add_argument("final")
    try:
        args = parser.parse_args()
    except SystemExit as stop:
        sys.exit(100 if stop.code else 0)

    now = read_dump(args.first) if args.first else {("key", "."): (".", "-", "plain")}
    final = read_dump(args.final)
    changes = read_log(args.log)
    wrong = {e for e in set(now) | set(final) if now.get(e) != final.get(e)}
    fits = [] if wrong else [-1]
    nearest = (len(wrong), -1, sorted(wrong)[:10])
    for index, (_, words, _, result) in enumerate(changes):
        if result in (0, None):
            for entry, content in change(now, words):
                if content is None:
                    now.pop(entry, None)
                else:
                    now[entry] = content
                if now.get(entry) == final.get(entry):
                    wrong.discard(entry)
                else:
                    wrong.add(entry)
        if not wrong:
            fits.append(index)
        elif len(wrong) < nearest[0]:
            nearest = (len(wrong), index, sorted(wrong)[:10])

    done = [i for i, c in enumerate(changes) if c[3] == 0]
    needed = -1
    if args.all:
        needed = done[-1] if done else -1
    elif args.until is not None:
        needed = max([i for i in done if changes[i][2] <= args.until], default=-1)
    if not fits:
        count, index, examples = nearest
        print(f"no state of the log fits: nearest after change {index} of {len(changes)}, "
              f"{count} entries differ, as {examples}")
        return 1
    missing = len([i for i in done if i > fits[-1]])
    # What fails changes nothing, so the states before and after it are one.
    if fits[-1] < needed:
        print(f"the state after change {changes[fits[-1]][0] if fits[-1] >= 0 else 'none'} is there, "
              f"but up to {changes[needed][0]} was acknowledged in time: "
              f"{len([i for i in done if fits[-1] < i <= needed])} changes lost")
        return 1
    newest = f", the oldest of them {missing_age(changes, done, fits[-1], args.until)}" if missing else ""
    print(f"fits after {len([i for i in done if i <= fits[-1]])} of {len(done)} acknowledged changes, "
          f"{missing} newer ones missing{newest}")
    return 0


def missing_age(changes, done, last, until):
    """How long before --until (or the log's end) the first missing change was acknowledged."""
    first = min(i for i in done if i > last)
    end = until if until is not None else changes[done[-1]][2]
    return f"{(end - changes[first][2]) / 1e6:+.3f} s before the mark"


sys.exit(main())
