# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds the processes of a resource on a node, ends them, and looks whether a commit was cut off."""
import os
import re
import select
import signal
import struct
import time

TDB_RECOVERY_START = 44      # in the header: where the recovery area is
TDB_RECORD_MAGIC = 20        # in a record's head
TDB_RECOVERY_MAGIC = 0xF53BC0E7
SERVERLESS = ("wineserver", "all")  # after these nothing of the prefix lives on


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def kind_of(pid):
    """monitor, wineserver, host, program, child1, child2, or other."""
    try:
        exe = os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except OSError:
        return None
    if exe == "regckpt-monitor":
        return "monitor"
    if exe.startswith("wineserver"):
        return "wineserver"
    line = read("/proc/%d/cmdline" % pid).replace(b"\0", b" ").rstrip()
    if b"regckpt-host" in line:
        return "host"
    if b"killwriter" in line:
        child = re.search(rb" (\d)$", line)
        return "child" + child.group(1).decode() if child else "program"
    return "other"


def processes(prefix):
    """kind -> pids, of those that run in the prefix."""
    wanted, kinds = b"WINEPREFIX=" + prefix.encode(), {}
    for name in os.listdir("/proc"):
        if name.isdigit() and wanted in read("/proc/%s/environ" % name).split(b"\0"):
            kind = kind_of(int(name))
            if kind:
                kinds.setdefault(kind, []).append(int(name))
    return kinds


def interrupted(checkpoint):
    """
    Does the file carry the mark that a commit sets when it begins to overwrite and clears when it is
    done?  Without a living writer: a commit was cut off.  One that was cut off while it still wrote
    what it would undo leaves none, so not all are seen.
    """
    try:
        with open(checkpoint, "rb", buffering=0) as f:
            start = struct.unpack("<I", os.pread(f.fileno(), 4, TDB_RECOVERY_START))[0]
            magic = os.pread(f.fileno(), 4, start + TDB_RECORD_MAGIC) if start else b""
    except OSError:
        return False
    return len(magic) == 4 and struct.unpack("<I", magic)[0] == TDB_RECOVERY_MAGIC


def await_ends(pidfds, seconds):
    """Waits until all these processes are dead; returns those that are not. pidfds: fd -> pid."""
    poll, alive, end = select.poll(), dict(pidfds), time.monotonic() + seconds
    for fd in alive:
        poll.register(fd, select.POLLIN)
    while alive and time.monotonic() < end:
        for fd, _ in poll.poll(100):
            poll.unregister(fd)
            alive.pop(fd)
    return list(alive.values())


class Strike:
    """One kill, of what is found when it is made."""

    def __init__(self, prefix, victim, rng):
        self.victim, self.found = victim, processes(prefix)
        if victim == "all":
            self.pids = [pid for pids in self.found.values() for pid in pids]
            rng.shuffle(self.pids)
        else:
            self.pids = list(self.found.get(victim, []))
        self.missing = [k for k in ("monitor", "wineserver", "host", "program") if k not in self.found]
        # Who must be gone afterwards: the resource's; where wineserver is gone, all of the prefix.
        gone = [pid for kind, pids in self.found.items() for pid in pids
                if pid in self.pids or
                (not victim.startswith("child") and
                 (victim in SERVERLESS or kind not in ("wineserver", "other")))]
        self.pidfds = {}
        for pid in gone:
            try:
                self.pidfds[os.pidfd_open(pid)] = pid
            except ProcessLookupError:
                pass

    def hit(self):
        """Kills, all at once; the time before it."""
        before_us = time.time_ns() // 1000
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return before_us

    def await_end(self, seconds):
        """Until all are gone that must be; returns the pids that are not."""
        left = await_ends(self.pidfds, seconds)
        for fd in self.pidfds:
            os.close(fd)
        return left
