#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""harm_ring.py scribble FILE SECONDS SEED: writes random words all over a ring that is in use, but for its
first 64 bytes, by which it is known.
harm_ring.py truncate FILE: makes it shorter."""
import mmap
import os
import random
import sys
import time

what, path = sys.argv[1:3]
if what == "truncate":
    os.truncate(path, 8192)
    sys.exit(0)
seconds, chance = float(sys.argv[3]), random.Random(int(sys.argv[4]))
with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as ring:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        # the heads and counters as often as processes, table, lanes and records
        end = chance.choice((512, 16896, 90112, len(ring)))
        at = chance.randrange(64, end - 8) & ~3
        ring[at:at + 4] = chance.choice((0, 1, 0xffffffff, chance.getrandbits(32))).to_bytes(4, "little")
