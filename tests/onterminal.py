#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# onterminal.py KEYS FILE COMMAND...: runs a command on a terminal of its own, gives it the keys once
# it shows $SHOWN, and writes all it showed to FILE.  Prints "CODE same", or "changed" where it left the
# terminal's settings different.  Ends it, and prints what it did, where that takes two minutes.
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

LIMIT = 120
keys, file, command = sys.argv[1].encode(), sys.argv[2], sys.argv[3:]
shown = os.environ["SHOWN"].encode()

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 250, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if not pid:
    os.setsid()
    for fd in range(3):
        os.dup2(slave, fd)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.close(master)
    os.execvp(command[0], command)
screen, end, code, sent = b"", time.monotonic() + LIMIT, None, False
while code is None and time.monotonic() < end:
    if select.select([master], [], [], 0.1)[0]:
        screen += os.read(master, 65536)
    if not sent and shown in screen:
        os.write(master, keys)
        sent = True
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        code = os.waitstatus_to_exitcode(status)
after = termios.tcgetattr(slave)
while select.select([master], [], [], 0)[0]:
    screen += os.read(master, 65536)
with open(file, "wb") as out:
    out.write(screen)
if code is None:
    os.kill(pid, 9)
    sys.exit(f"not ended after {LIMIT} s; it showed last: {screen[-300:]!r}")
print(code, "same" if after == before else "changed")
