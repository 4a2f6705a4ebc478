# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges what a service that moves between nodes kept: judge.py LAG_MS LOG...

Each LOG is a node's, written by svcwriter --numbers.  Looks at every start, in the order of time:
- No number that was acknowledged before may be missing, with lag 0; with a lag, none that was acknowledged
  longer than LAG_MS before its writer's last sign of life.
- The last numbers must all be there: nothing later without what came before.
- After a start on a node, no other one may acknowledge anything until it starts again.
Prints what there was, and each fault.  Exit code 1 if there is one.
"""
import sys

SLACK_US = 1_000_000  # a machine under load commits later than the lag
ROW = 16


def read(paths):
    """All lines, as (time in us, node's index, word, number, result), by time."""
    lines = []
    for node, path in enumerate(paths):
        with open(path, encoding="ascii") as log:
            for line in log:
                words = line.split()
                if len(words) >= 3 and words[1] in ("start", "try", "done") and line.endswith("\n"):
                    lines.append((int(words[0]), node, words[1], int(words[2]),
                                  int(words[3]) if len(words) > 3 else 0))
    return sorted(lines)


def main():
    lag_us = int(sys.argv[1]) * 1000
    paths = sys.argv[2:]
    acked, faults, starts, moves, worst_us, lost = {}, [], 0, 0, 0, 0
    owner = None
    last_life = 0
    for time, node, word, number, result in read(paths):
        if word == "start":
            starts += 1
            moves += owner is not None and owner != node
            missing = [n for n in acked if n >= number]
            for n in missing:
                age = last_life - acked[n]
                worst_us = max(worst_us, age)
                if not lag_us or age > lag_us + SLACK_US:
                    faults.append(f"{paths[node]}: start at {number}, but {n} was acknowledged "
                                  f"{age / 1e3:.1f} ms before the end")
                del acked[n]
            lost += len(missing)
            if result < min(ROW, number):
                faults.append(f"{paths[node]}: start at {number} with {result} in a row")
            owner = node
        elif word == "done" and result == 0:
            if node != owner:
                faults.append(f"{paths[node]}: {number} acknowledged while {paths[owner]} is the writer")
            else:
                acked[number] = time
        if node == owner:
            last_life = time
    print(f"{starts} starts, {moves} of them on another node; {len(acked)} numbers acknowledged and kept, "
          f"{lost} lost, the oldest {worst_us / 1e3:.0f} ms old; {len(faults)} faults")
    for fault in faults[:20]:
        print(f"    {fault}")
    return 1 if faults or not acked else 0


sys.exit(main())
