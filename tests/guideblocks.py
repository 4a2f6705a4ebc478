#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guideblocks.py PAGE DIR: writes the blocks of commands of a manual page to DIR/1, DIR/2, ..., and prints
# what the comment above each says, a line each.  Fails where a block has none.
import sys

page, folder = sys.argv[1:]
count, says, block = 0, None, None
for number, line in enumerate(open(page, encoding="utf-8"), 1):
    line = line.rstrip("\n")
    if line.startswith(".Bd -literal"):
        if not says:
            sys.exit(f"{page}, line {number}: nothing says whether these commands are carried out")
        block = []
    elif line == ".Ed":
        count += 1
        with open(f"{folder}/{count}", "w", encoding="utf-8") as out:
            out.write("\n".join(block) + "\n")
        print(says)
        says, block = None, None
    elif block is not None:
        block.append(line.replace("\\e", "\\").replace("\\&", "").replace("\\-", "-"))
    elif line.startswith(".\\\" ") and number > 5:
        says = line[4:]
