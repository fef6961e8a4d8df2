"""Starting, watching and ending processes."""
import os
import signal
import subprocess
import time
from pathlib import Path


def wait_until(seconds, true):
    """Whether it became true in time."""
    end = time.monotonic() + seconds
    while True:
        if true():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)


def gone(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rsplit(")", 1)[1].split()[0] in "ZX"


def children(pid):
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            text = (task / "children").read_text()
            found += [int(word) for word in text.split()]
    except OSError:
        pass
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


class Process:
    """One that may be started again and again, with one log."""

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name, self.argv, self.cwd = name, argv, cwd
        self.log = log / f"{name}.out"
        self.env = env or {}
        self.popen = None
        self.expected = False       # its end is a fault of ours

    @property
    def pid(self):
        return self.popen.pid

    def start(self):
        env = {key: value for key, value in os.environ.items()
               if not key.startswith(("SORTIE", "PG", "SLURM_", "_CONDOR_"))}
        env.update(self.env)
        self.expected = False
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=env, cwd=self.cwd, start_new_session=True)

    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def kill(self):
        self.expected = True
        self.signal(signal.SIGKILL)
        self.wait(10)

    def wait(self, seconds):
        try:
            self.popen.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self, seconds):
        """In order; False when it had to be killed."""
        self.expected = True
        if not self.alive():
            return True
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self.wait(seconds):
            return True
        self.signal(signal.SIGKILL)
        self.wait(5)
        return False
