#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges what a checkpoint holds of chainer's values: no link is ahead of the one before it.

    chains.py check CHECKPOINT KEY [--logs DIR]   one file, at rest
    chains.py sample CHECKPOINT KEY STOP          as it is written to, until the file STOP is there
    chains.py in-commit CHECKPOINT                was its writer killed in the middle of a commit?

With --logs, what was acknowledged there must be in the checkpoint, too.  Two readers take turns for
samples: ckptdump.py and, if it is in PATH, `regckpt show`, which gets its store from REGCKPT_CONF.

Prints what is wrong, and lines of counts.  Exit code: 0 nothing is wrong (in-commit: yes), 1 something
is (in-commit: no), 100 usage, 111 the checkpoint cannot be read.
"""
import json
import os
import struct
import subprocess
import sys

RECOVERY_MAGIC = 0xF53BC0E7
CKPTDUMP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ckptdump.py")


def dumped(path, key, *options):
    """{(chain, link): number} by ckptdump.py; None: it could not read it."""
    dump = subprocess.run([sys.executable, CKPTDUMP, path, "--key", key, *options],
                          capture_output=True, check=False)
    if dump.returncode not in (0, 1):
        print(f"ckptdump: exit code {dump.returncode}: {dump.stderr.decode()}".rstrip())
        return None
    numbers = {}
    for line in dump.stdout.decode().splitlines():
        words = line.split()
        if words[0] == "value":
            name = bytes.fromhex(words[1]).decode("utf-16-le")
            numbers[link_of(name)] = int.from_bytes(bytes.fromhex(words[4]), "little")
    return numbers


def shown(resource, key):
    """The same by the product's own reader."""
    show = subprocess.run(["regckpt", "show", resource, "--json"], capture_output=True, check=False)
    if show.returncode:
        print(f"regckpt show: exit code {show.returncode}: {show.stderr.decode()}".rstrip())
        return None
    content = [keys["content"] for keys in json.loads(show.stdout)["keys"] if keys["key"] == key]
    return {link_of(one["path"]): value["data"] for one in content[0] for value in one["values"]}


def link_of(name):
    return tuple(int(part) for part in name.split("-"))


def ahead(numbers):
    """What is there without what came before it."""
    return [f"chain {chain}: link {link} has {number}, link {link - 1} {numbers.get((chain, link - 1), 0)}"
            for (chain, link), number in sorted(numbers.items())
            if link and number > numbers.get((chain, link - 1), 0)]


def missing(numbers, logs):
    """What was acknowledged, and is not there."""
    wrong = []
    for name in os.listdir(logs):
        with open(os.path.join(logs, name), encoding="ascii") as log:
            lines = log.read().split("\n")
        # the last one may be cut off
        last = int(lines[-2]) if len(lines) > 1 else 0
        if last > numbers.get(link_of(name), 0):
            wrong.append(f"link {name}: {last} was acknowledged, {numbers.get(link_of(name), 0)} is there")
    return wrong


def check(path, key, logs):
    numbers = dumped(path, key)
    if numbers is None:
        return 111
    wrong = ahead(numbers) + (missing(numbers, logs) if logs else [])
    for line in wrong:
        print(f"WRONG {line}")
    print(f"checked links {len(numbers)} sum {sum(numbers.values())}")
    return 1 if wrong else 0


def sample(path, key, stop):
    """Looks again and again; each look that differs from the last counts."""
    resource = os.path.basename(os.path.dirname(os.path.abspath(path)))
    looks = different = wrong = 0
    last = None
    while not os.path.exists(stop):
        numbers = shown(resource, key) if looks % 4 else dumped(path, key, "--quick")
        looks += 1
        if not numbers:
            continue
        for line in ahead(numbers):
            print(f"WRONG {line}")
            wrong += 1
        if last and any(numbers.get(name, 0) < number for name, number in last.items()):
            print("WRONG the checkpoint went back")
            wrong += 1
        if numbers != last:
            different += 1
            print(f"different {different}", flush=True)
        last = numbers
    print(f"looked {looks}")
    return 1 if wrong else 0


def in_commit(path):
    """Is a recovery area in force (struct tdb_header, struct tdb_record)?"""
    with open(path, "rb") as file:
        data = file.read()
    start = struct.unpack_from("<I", data, 44)[0]
    return start and struct.unpack_from("<I", data, start + 20)[0] == RECOVERY_MAGIC


def main():
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "in-commit":
        return 0 if in_commit(words[1]) else 1
    if len(words) == 3 and words[0] == "check":
        return check(words[1], words[2], None)
    if len(words) == 5 and words[0] == "check" and words[3] == "--logs":
        return check(words[1], words[2], words[4])
    if len(words) == 4 and words[0] == "sample":
        return sample(words[1], words[2], words[3])
    print(__doc__, file=sys.stderr)
    return 100


sys.exit(main())
