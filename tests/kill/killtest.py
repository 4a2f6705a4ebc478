#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills what belongs to a resource at random moments, and looks what the next program finds.

    killtest.py KILLS SEED LAGS       called by test_kill.sh, which has made two nodes, a and b

Each round: online on the other node (now and then on the same), the program tells what it found, that
is judged by what the programs of the round before noted, the program and its children write, and one
of them all is ended by SIGKILL.  A killed child is no end: the others must go on, and a second kill
comes.  LAGS are the resource's lags, taken at random.

What must be there of what was acknowledged: with lag 0, or if the program was the victim, all of it.
Else all that was acknowledged IN_FLIGHT_MS and the lag before the kill: with a lag changes are saved
together twice in it, and a commit that the kill meets takes what it was to hold with it.  In all cases
what is there must be a state that the registry was in, across threads and processes.

The last line says it all.  Exit code: 0, or 1 something was wrong.
"""
import glob
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import killjudge  # noqa: E402
import killvictims  # noqa: E402

VICTIMS = os.environ.get("VICTIMS", "program child host monitor wineserver all").split()
LAST_VICTIMS = [v for v in VICTIMS if v != "child"]
IN_FLIGHT_MS = 500
SAME_NODE = 0.25    # how often the next online is where the kill was
AIMED = 0.5         # how often a kill of the monitor waits for a commit
AIM_SECONDS = 0.5
WRITING = 0.4       # seconds, at most, before a kill
PATIENCE = 60       # seconds, for what takes a fraction of one
RESOURCE = "app"
LOG_LINES = 20
NEED_INSIDE = 50    # from so many kills on one inside a commit is wanted


class Node:
    """A prefix with a configuration of its own; both are what wine_lib.sh's `node` made."""

    def __init__(self, name):
        self.name, self.prefix = name, os.environ["PREFIX_" + name]
        self.env = dict(os.environ, WINEPREFIX=self.prefix, REGCKPT_CONF=os.environ["CONF_" + name])
        self.booting = None
        self.boot()

    def boot(self):
        """Begins to boot it; its server stays until the test ends."""
        self.booting = self.start(["bash", "-c", 'until "$WINESERVER" -p; do sleep 0.05; done; '
                                                 'exec "$WINE" wineboot.exe'])

    def start(self, command):
        output = open(os.path.join(os.environ["TMP"], "output-" + self.name), "w+b")
        process = subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output)
        process.output = output
        return process

    def finish(self, process, what):
        code = process.wait(timeout=PATIENCE)
        process.output.seek(0)
        text = process.output.read().decode(errors="replace")
        process.output.close()
        if code:
            raise Failed("node %s: %s: exit code %d: %s" % (self.name, what, code, text))

    def regckpt(self, *words):
        if self.booting:
            self.finish(self.booting, "wineboot")
            self.booting = None
        self.finish(self.start(["regckpt", *words]), "regckpt " + " ".join(words))


class Failed(Exception):
    """The test cannot go on."""


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failed("waited %d s in vain: %s" % (PATIENCE, what))
        time.sleep(0.003)


class Run:
    """All rounds, and what they add up to."""

    def __init__(self, rng, lags):
        self.rng, self.lags, self.lag = rng, lags, None
        self.nodes = {name: Node(name) for name in ("a", "b")}
        self.here = "a"
        self.files = os.path.join(os.environ["TMP"], "killed")
        self.now, self.before = os.path.join(self.files, "now"), os.path.join(self.files, "before")
        self.checkpoint = os.path.join(os.environ["STORE"], RESOURCE, "checkpoint.tdb")
        self.kills = dict.fromkeys(VICTIMS, 0)
        self.inside = self.failures = self.round = 0
        self.acknowledged, self.missing, self.overdue = {}, {}, 0
        self.oldest_us = 0
        self.last = dict.fromkeys(killjudge.THREADS, 0)
        self.hit = None          # (victim, when, lag) of the last kill that was an end

    # --- a round's steps ---

    def begin(self):
        """Online; returns when the program has told what it found."""
        node = self.nodes[self.here]
        lag = self.rng.choice(self.lags)
        if lag != self.lag:
            node.regckpt("set", RESOURCE, "--lag", str(lag))
        shutil.rmtree(self.before, ignore_errors=True)
        if os.path.exists(self.now):
            os.rename(self.now, self.before)
        os.makedirs(self.now)
        node.regckpt("online", RESOURCE)
        self.lag = lag
        wait_for(lambda: os.path.exists(os.path.join(self.now, "found")),
                 "the program says what is there")

    def judge(self):
        victim, kill_us, lag, where = self.hit
        strict = not lag or victim == "program"
        due_us = 1 << 63 if strict else kill_us - (lag + IN_FLIGHT_MS) * 1000
        verdict = killjudge.judge(self.before, os.path.join(self.now, "found"), self.last, due_us,
                                  kill_us)
        self.last = verdict.last
        kind = "lag %d" % lag
        self.acknowledged[kind] = self.acknowledged.get(kind, 0) + verdict.acknowledged
        self.missing[kind] = self.missing.get(kind, 0) + verdict.missing
        self.oldest_us = max(self.oldest_us, verdict.oldest_us)
        print("    %d acknowledged, %d of them gone%s" % (
            verdict.acknowledged, verdict.missing,
            ", the oldest %.1f ms before the kill" % (verdict.oldest_us / 1000) if verdict.missing else ""))
        for text in verdict.wrong:
            self.wrong("round %d, lag %d, %s killed on %s, found on %s: %s" % (
                self.round - 1, lag, victim, where, self.here, text))
        if verdict.wrong:
            self.keep(where)

    def keep(self, where):
        """What may tell more of a round that went wrong: the monitor's log, the notes."""
        for path in glob.glob(os.path.join(os.environ["TMP"], "run-" + where, "*", "log")):
            with open(path, encoding="utf-8", errors="replace") as log:
                print("".join("    " + line for line in log.readlines()[-LOG_LINES:]), end="")
        if os.environ.get("KEEP"):
            name = "%d-%d" % (os.getpid(), self.round - 1)
            shutil.copytree(self.files, os.path.join(os.environ["KEEP"], name))

    def wrong(self, text):
        self.failures += 1
        print("WRONG: " + text)

    def logs(self, but=None):
        return [os.path.join(self.now, killjudge.name_of(t)) for t in killjudge.THREADS
                if but is None or "child%d" % t[0] != but]

    def write(self):
        """Lets the program write, until all threads have begun."""
        go = os.path.join(self.now, "go")
        with open(go + ".new", "w", encoding="ascii") as f:
            f.write(" ".join(map(str, [1 if self.lag else 0] +
                                 [self.last[t] for t in killjudge.THREADS])) + "\n")
        os.rename(go + ".new", go)
        wait_for(lambda: all(killvictims.read(p).count(b"\n") > 2 for p in self.logs()),
                 "all threads write")

    def strike(self, victim):
        node = self.nodes[self.here]
        kind = victim if victim != "child" else self.rng.choice(["child1", "child2"])
        time.sleep(self.rng.uniform(0, WRITING) + (self.lag or 0) / 500)
        strike = killvictims.Strike(node.prefix, kind, self.rng)
        if strike.missing or not strike.pids:
            raise Failed("nothing to kill: %s, of %r" % (kind, strike.found))
        ends_monitor = victim in ("monitor", "all")
        if ends_monitor and self.rng.random() < AIMED:
            end = time.monotonic() + AIM_SECONDS
            while not killvictims.interrupted(self.checkpoint) and time.monotonic() < end:
                pass
        when_us = strike.hit()
        self.kills[victim] += 1
        left = strike.await_end(PATIENCE)
        if left:
            raise Failed("%s killed, and these live on: %r of %r" % (kind, left, strike.found))
        cut_off = ends_monitor and killvictims.interrupted(self.checkpoint)
        self.inside += cut_off
        print("    %s killed%s" % (kind, ", inside a commit" if cut_off else ""))
        if victim == "child":
            sizes = {p: os.path.getsize(p) for p in self.logs(but=kind)}
            wait_for(lambda: all(os.path.getsize(p) > size for p, size in sizes.items()),
                     "the others write on without %s" % kind)
        else:
            self.hit = (victim, when_us, self.lag, self.here)
            if victim in killvictims.SERVERLESS:
                node.boot()

    def run(self, kills):
        while True:
            began = time.monotonic()
            self.begin()
            print("round %d: node %s, lag %d, online after %.2f s" % (
                self.round, self.here, self.lag, time.monotonic() - began))
            self.round += 1
            if self.hit:
                self.judge()
            left = kills - sum(self.kills.values())
            if not left:
                break
            self.write()
            victim = self.rng.choice(VICTIMS if left > 1 else LAST_VICTIMS)
            self.strike(victim)
            if victim == "child":
                self.strike(self.rng.choice(LAST_VICTIMS))
            if self.rng.random() >= SAME_NODE:
                self.here = "b" if self.here == "a" else "a"
            sys.stdout.flush()
        self.nodes[self.here].regckpt("offline", RESOURCE)
        self.nodes[self.here].regckpt("verify", RESOURCE)

    def last_line(self, seed):
        parts = []
        for kind, count in sorted(self.acknowledged.items()):
            parts.append("%s: %d acknowledged, %d lost%s" % (
                kind, count, self.missing[kind],
                " (at most %.0f ms old)" % (self.oldest_us / 1000) if self.missing[kind] else ""))
        return "seed %s, %d kills (%s), %d inside a commit; %s; %d wrong" % (
            seed, sum(self.kills.values()),
            ", ".join("%s %d" % item for item in self.kills.items()), self.inside, "; ".join(parts),
            self.failures)


def main():
    kills, seed = int(sys.argv[1]), sys.argv[2]
    run = Run(random.Random(seed), [int(word) for word in sys.argv[3].split()])
    began = time.monotonic()
    try:
        run.run(kills)
    except Failed as why:
        run.wrong("round %d: %s" % (run.round, why))
        run.keep(run.here)
    if kills >= NEED_INSIDE and not run.inside:
        run.wrong("no kill was inside a commit")
    print("%.1f s a kill" % ((time.monotonic() - began) / max(1, sum(run.kills.values()))))
    print(run.last_line(seed))
    return 1 if run.failures else 0


sys.exit(main())
