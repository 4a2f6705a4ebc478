# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges what is left of the writes of killwriter.c after a kill.

A thread's change N is a function of the thread and N alone, so what may be there of it is a function
of one number, the last change that is there.  found() reads what the next program found, Log what a
thread noted, judge() says which numbers fit, and what does not.
"""
import os
import re

THREADS = [(p, t) for p in range(3) for t in range(3)]
VALUES = 5
TEXT_MOST = 200
REG_SZ = "1"
NUMBERLESS = 2  # so many changes in turn leave no number behind


def name_of(thread):
    return "p%dt%d" % thread


def text(n):
    out = "%d " % n
    return out + chr(ord("a") + n % 26) * (n * 37 % TEXT_MOST)


def change(state, n):
    """Makes change n; state has what a thread has made: value or key -> text."""
    if n % 8 < VALUES:
        state["v%d" % (n % 8)] = text(n)
    elif n % 8 == 5:
        state["root"] = text(n)
    elif n % 16 == 6:
        state["key"] = ""
    elif n % 16 == 14:
        state.pop("key", None)
    else:
        state.pop("v%d" % ((n // 8 + 1) % VALUES), None)


def state_at(n):
    """What is there when n is the last change: 16 of them make or take away all that there can be."""
    state = {}
    for i in range(max(1, n - 16), n + 1):
        change(state, i)
    return state


class Log:
    """A thread's log: when each change was begun and, if it was acknowledged, when (microseconds)."""

    def __init__(self, path, base):
        self.begun, self.done, self.failed = {}, {}, {}
        self.base = base
        with open(path, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # its writer was killed in it
                words = line.split()
                kind, n, when = words[0], int(words[1]), int(words[2])
                if kind == b"t":
                    self.begun[n] = when
                elif kind == b"d":
                    self.done[n] = when
                else:
                    self.failed[n] = int(words[3])
        self.tried = max(self.begun, default=base)
        self.acknowledged = max(self.done, default=base)


def found(path):
    """What killwriter found: thread -> its state; and what is nobody's, a list of lines."""
    states, strange = {}, []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.rstrip("\r\n").split(" ", 4)
            match = re.fullmatch(r"p(\d)t(\d)(\\s)?", words[1])
            place = words[1]
            if place == ".":
                if len(words) == 2:
                    continue
                match = re.fullmatch(r"p(\d)t(\d)", words[2])
            if not match or (len(words) > 2 and (len(words) < 5 or words[3] != REG_SZ)):
                strange.append(line)
                continue
            thread = (int(match.group(1)), int(match.group(2)))
            state = states.setdefault(thread, {"width": words[0]})
            if words[0] != state["width"]:
                strange.append(line)
            elif place == ".":
                state["root"] = words[4]
            elif place.endswith("\\s"):
                if len(words) > 2:
                    strange.append(line)
                state["key"] = ""
            elif len(words) > 2:
                state[words[2]] = words[4]
    for state in states.values():
        state.pop("width")
    return states, strange


def last_of(state):
    """The number of the last change that a state holds; None if it never was."""
    numbers = [int(t.split(" ")[0]) for t in state.values() if t]
    top = max(numbers, default=0)
    for n in range(top, top + NUMBERLESS + 1):
        if state_at(n) == state:
            return n
    return None


class Verdict:
    """What judge() found."""

    def __init__(self):
        self.last = {}           # thread -> the last change that is there
        self.wrong = []          # texts
        self.acknowledged = 0
        self.missing = 0         # acknowledged, and not there
        self.oldest_us = 0       # of those, before the kill
        self.failed = 0          # calls that said that they failed


def judge(directory, found_path, bases, due_us, kill_us):
    """
    directory: the logs; bases: thread -> its last change before them.  What was acknowledged before
    due_us must be there.
    """
    v = Verdict()
    states, strange = found(found_path)
    v.wrong += ["nobody wrote: " + line for line in strange]
    lost_us = begun_us = None
    for thread in THREADS:
        name = name_of(thread)
        log = Log(os.path.join(directory, name), bases[thread])
        state = states.get(thread, {})
        last = last_of(state)
        v.acknowledged += len(log.done)
        v.failed += len(log.failed)
        if last is None:
            v.wrong.append("%s: this never was: %r" % (name, state))
            last = log.acknowledged
        elif last > log.tried:
            v.wrong.append("%s: %d is there, and %d was the last that was tried" %
                           (name, last, log.tried))
        elif last < log.base:
            v.wrong.append("%s: %d is there, and %d was there before" % (name, last, log.base))
        v.last[thread] = last
        lost = [n for n in log.done if n > last]
        v.missing += len(lost)
        if lost:
            first = log.done[min(lost)]
            v.oldest_us = max(v.oldest_us, kill_us - first)
            if lost_us is None or first < lost_us[0]:
                lost_us = (first, thread, min(lost))
            overdue = [n for n in lost if log.done[n] < due_us]
            if overdue:
                v.wrong.append(
                    "%s: LOST %d acknowledged changes, %d to %d (%d is there), the first %.3f ms before "
                    "the kill" % (name, len(overdue), min(overdue), max(overdue), last,
                                  (kill_us - log.done[min(overdue)]) / 1000))
        if log.base < last <= log.tried and (begun_us is None or log.begun[last] > begun_us[0]):
            begun_us = (log.begun[last], thread, last)
    if lost_us and begun_us and begun_us[0] > lost_us[0]:
        v.wrong.append("%s: %d is missing, and %s: %d is there, which began %.3f ms after that was "
                       "acknowledged" % (name_of(lost_us[1]), lost_us[2], name_of(begun_us[1]),
                                         begun_us[2], (begun_us[0] - lost_us[0]) / 1000))
    return v
