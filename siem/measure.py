#!/usr/bin/env python3
"""Runs a command and says what it and all processes that it started used.

measure.py COMMAND… prints, after the command's own output, one line of JSON: seconds,
cpu_seconds of all cores together, and memory_mb, the largest sum of resident memory. On a
machine that others use as well, cpu_seconds are what can be compared. Linux.
"""
import json, os, signal, subprocess, sys, threading, time

TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


def processes(session):
    """The processes of a session: by pid their own CPU time and resident bytes."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                cells = f.read().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(cells[3]) == session:
            found[int(pid)] = (int(cells[11]) + int(cells[12])) / TICK, int(cells[21]) * PAGE
    return found


def alone():
    """Goes on as the first process of a session of its own: Usage then sees it and what it starts."""
    if os.getsid(0) == os.getpid():
        return
    child = subprocess.Popen([sys.executable, *sys.argv], start_new_session=True)
    try:
        sys.exit(child.wait())
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)


class Usage(threading.Thread):
    """Watches a session. A process shorter than the pause between two looks is missed."""

    def __init__(self, session, pause=0.1):
        super().__init__(daemon=True)
        self.session, self.pause, self.cpu, self.memory, self.ended = session, pause, {}, 0, threading.Event()

    def look(self):
        now = processes(self.session)
        self.cpu.update({pid: cpu for pid, (cpu, _) in now.items()})
        self.memory = max(self.memory, sum(rss for _, rss in now.values()))

    def used(self):
        """What a table of engines says of it."""
        self.look()
        return {"cpu_seconds": round(sum(self.cpu.values()), 1), "memory_mb": self.memory >> 20}

    def run(self):
        while not self.ended.wait(self.pause):
            self.look()


if __name__ == "__main__":
    began = time.monotonic()
    child = subprocess.Popen(sys.argv[1:], start_new_session=True)
    usage = Usage(child.pid)
    usage.start()
    status = child.wait()
    usage.ended.set()
    print(json.dumps({"seconds": round(time.monotonic() - began, 1), **usage.used()}))
    sys.exit(status)
