#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reads Prometheus' text format strictly: promparse.py [FILE].  Prints each sample as
#     NAME LABEL=VALUE,LABEL=VALUE NUMBER
# and fails, naming the line, where the format or what Prometheus asks of names is broken.
import re
import sys

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')


def parse_labels(text):
    labels, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise ValueError(f"labels that cannot be read: {text[at:]}")
        if match[1] in (name for name, _ in labels):
            raise ValueError(f"label {match[1]} twice")
        labels.append((match[1], re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])))
        at = match.end()
    return labels


def parse(lines):
    help_of, type_of, seen, ended, current = {}, {}, set(), set(), None
    for line in lines:
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            _, what, name, rest = line.split(" ", 3)
            into = help_of if what == "HELP" else type_of
            if not NAME.match(name) or not rest or name in into:
                raise ValueError(f"{what} of {name} twice, or empty")
            into[name] = rest
            if name != current:
                ended.add(current)
                current = name
            continue
        match = SAMPLE.match(line)
        if not match:
            raise ValueError("neither a sample nor HELP or TYPE")
        name, labels = match[1], parse_labels(match[2] or "")
        if name != current or name in ended or name not in help_of or name not in type_of:
            raise ValueError(f"{name} is not behind its own HELP and TYPE")
        if type_of[name] not in ("counter", "gauge"):
            raise ValueError(f"{name} is a {type_of[name]}")
        if (type_of[name] == "counter") != name.endswith("_total"):
            raise ValueError(f"{name} is a {type_of[name]}, and _total is for counters")
        if re.search(r"_(ms|us|milliseconds|kb|mb)(_|\Z)", name):
            raise ValueError(f"{name} is not in a base unit")
        if (name, tuple(labels)) in seen:
            raise ValueError("the same sample twice")
        seen.add((name, tuple(labels)))
        print(name, ",".join(f"{label}={value}" for label, value in labels), match[3])
    for name in help_of.keys() ^ type_of.keys():
        raise ValueError(f"{name} has no HELP, or no TYPE")


def main():
    text = (open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer).read().decode("utf-8")
    if not text.endswith("\n"):
        sys.exit("it does not end in a line break")
    lines = text[:-1].split("\n")
    at = 0
    try:
        def count():
            nonlocal at
            for at, line in enumerate(lines, 1):
                yield line
        parse(count())
    except ValueError as error:
        sys.exit(f"line {at}: {error}: {lines[at - 1]}")


main()
