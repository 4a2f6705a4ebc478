#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays syslog or the journal: eventsink.py SOCKET FILE.  Each datagram becomes a line of FILE, its own
line breaks are shown as " | "."""
import os
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sink, open(sys.argv[2], "ab", buffering=0) as out:
    sink.bind(sys.argv[1] + ".new")
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    while True:
        out.write(sink.recv(65536).rstrip(b"\n\0").replace(b"\n", b" | ") + b"\n")
