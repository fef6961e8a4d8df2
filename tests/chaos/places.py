"""Places that can be broken where we are root: small disks of their own, and
hosts behind a cable (network namespaces). Each undoes itself in close()."""
import os
import shutil
import socket
import subprocess
from pathlib import Path

PAGE = 65536


def quiet(*argv):
    return shutil.which(argv[0]) is not None and subprocess.run(
        argv, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Disk:
    """A tmpfs of so many MiB at a directory."""

    def __init__(self, at, mib):
        self.at = at
        at.mkdir(exist_ok=True)
        self.ok = quiet("mount", "-t", "tmpfs", "-o", f"size={mib}m", "small",
                        str(at))
        self.filler = at / "filler"

    def fill(self):
        try:
            with open(self.filler, "wb", buffering=0) as f:
                while True:
                    f.write(b"\0" * PAGE)
        except OSError:
            pass

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        if self.ok:
            quiet("umount", "-l", str(self.at))


class Cable:
    """A host of its own that a cable joins to this one: address is ours."""

    def __init__(self, index):
        net = self.net(index)
        self.name = f"sortie-{os.getpid()}-{index}"
        self.here = f"sc{os.getpid() % 100000}h{index}"
        there = f"sc{os.getpid() % 100000}t{index}"
        self.address = f"{net}.1"
        inside = ("ip", "-n", self.name)
        self.ok = all(quiet(*argv) for argv in [
            ("ip", "netns", "add", self.name),
            ("ip", "link", "add", self.here, "type", "veth", "peer", "name",
             there, "netns", self.name),
            ("ip", "addr", "add", f"{self.address}/24", "dev", self.here),
            ("ip", "link", "set", self.here, "up"),
            (*inside, "addr", "add", f"{net}.2/24", "dev", there),
            (*inside, "link", "set", there, "up"),
            (*inside, "link", "set", "lo", "up")])

    @staticmethod
    def net(index):
        return f"10.{200 + os.getpid() % 50}.{index}"

    def wrap(self, argv):
        return ["ip", "netns", "exec", self.name, *argv]

    def cut(self):
        quiet("ip", "link", "set", self.here, "down")

    def mend(self):
        quiet("ip", "link", "set", self.here, "up")

    def close(self):
        quiet("ip", "link", "del", self.here)
        quiet("ip", "netns", "del", self.name)


def sanitized(program):
    """Its sanitizer wants to be the first library, before libfaketime."""
    with open(program, "rb") as f:
        return b"libasan" in f.read()


def can(build, faketime):
    """What of all this can be had here: a set of names."""
    found = set()
    if os.geteuid() == 0:
        found.add("root")
        if shutil.which("ip"):
            found.add("root's ip")
    if shutil.which("openssl"):
        found.add("openssl")
    if quiet("bwrap", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev",
             "--proc", "/proc", "true"):
        found.add("bubblewrap")
    if Path(faketime).exists() and not sanitized(build / "server/sortied"):
        found.add("faketime")
    return found
