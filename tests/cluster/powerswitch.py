# SPDX-License-Identifier: LGPL-2.1-or-later
"""The power switch of the lab: powerswitch.py LAB-SCRIPT SOCKET.  A request is "ACTION NODE", the answer
"ok" or "failed"; a Unix socket reaches from every node's network to it."""
import socket
import socketserver
import subprocess
import sys
import time


class Request(socketserver.StreamRequestHandler):
    def handle(self):
        words = self.rfile.readline().decode().split()
        done = len(words) == 2 and not subprocess.run(
            [sys.argv[1], "power", *words], stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode
        print(f"{time.time():.3f} {' '.join(words)}: {'ok' if done else 'failed'}", flush=True)
        self.wfile.write(b"ok\n" if done else b"failed\n")


class Switch(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    address_family = socket.AF_UNIX


Switch(sys.argv[2], Request).serve_forever()
