"""PostgreSQL as the chaos suite needs it: one that can be killed, stopped,
filled up, and replaced by its synchronous standby."""
import json
import os
import pwd
import signal
import subprocess
from pathlib import Path

from procs import Process, children, gone, wait_until

SETTINGS = """
listen_addresses = ''
fsync = on
synchronous_commit = on
max_connections = 100
shared_buffers = 64MB
max_wal_size = 256MB
min_wal_size = 32MB
wal_keep_size = 64MB
autovacuum_naptime = 1s
log_line_prefix = '%m [%p] %a '
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 200ms
"""

# Processes of a postmaster that are no client's.
OWN = ("checkpointer", "background writer", "walwriter", "autovacuum",
       "logical", "archiver", "startup", "walreceiver", "walsender", "stats")


def pg_bin():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"),
                   key=lambda p: float(p.parent.name))
    return found[-1] if found else Path("/usr/bin")


class Node:
    """One data directory below home, with a socket beside it."""

    def __init__(self, home, name, log, env):
        self.bin = pg_bin()
        self.name, self.log = name, log
        self.home = home / name
        self.home.mkdir(exist_ok=True)
        self.home.chmod(0o711)
        self.data = self.home / "pg"
        self.socket = self.home / ".s.PGSQL.5432"
        self.user = []
        if os.geteuid() == 0:
            pw = pwd.getpwnam("postgres")
            os.chown(self.home, pw.pw_uid, pw.pw_gid)
            self.user = ["setpriv", "--reuid", "postgres", "--regid",
                         "postgres", "--clear-groups"]
        self.process = None
        self.env = env

    def tool(self, name, *args):
        done = subprocess.run([*self.user, self.bin / name, *args],
                              cwd=self.home, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{name} of {self.name}: {done.stdout[-500:]}")

    def init(self):
        self.tool("initdb", "-D", self.data, "-N", "-A", "trust", "-U",
                  "sortie", "-E", "UTF8", "--no-locale")
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(SETTINGS)

    def copy_of(self, other):
        """Becomes a standby of other."""
        subprocess.run(["rm", "-rf", self.data], check=True)
        self.tool("pg_basebackup", "-h", other.home, "-U", "sortie", "-D",
                  self.data, "-R", "-c", "fast", "--no-sync")

    def start(self):
        # The environment behind the change of user: libfaketime keeps a
        # semaphore that is its first user's.
        env = [f"{key}={value}" for key, value in self.env.items()]
        self.process = Process(
            f"postgres-{self.name}",
            [*self.user, "env", *env, str(self.bin / "postgres"), "-D",
             str(self.data), "-c", f"unix_socket_directories={self.home}"],
            self.log, cwd=self.home)
        self.process.start()

    def ready(self):
        return self.ask("SELECT 1") == ["1"]

    def stop(self, how="INT"):
        """INT is fast, QUIT immediate, KILL the machine's death."""
        if not self.process or not self.process.alive():
            return
        rest = children(self.process.pid)
        self.process.signal(getattr(signal, "SIG" + how))
        self.process.signal(signal.SIGCONT)
        if not self.process.wait(30):
            self.process.signal(signal.SIGKILL)
            self.process.wait(5)
        # Without their postmaster they hold the data directory for a moment.
        for pid in rest:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        wait_until(10, lambda: all(gone(pid) for pid in rest))

    def ask(self, sql, timeout=20):
        """The lines of the answer, None when there is none."""
        try:
            done = subprocess.run(
                [self.bin / "psql", "-XqAt", "-h", self.home, "-U", "sortie",
                 "-d", "postgres", "-c", sql], stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            return None
        return done.stdout.splitlines() if done.returncode == 0 else None

    def backends(self):
        """Processes that serve a client, and no tool of ours."""
        if not self.process or not self.process.alive():
            return []
        found = []
        for pid in children(self.process.pid):
            try:
                text = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            except OSError:
                continue
            words = text.strip("\0").split(": ", 1)[-1]
            if words and not words.startswith(OWN):
                found.append(pid)
        return sorted(found)


class Database:
    """The node that is written to, and its standby where there is one; nodes
    have disks of their own where small ones are asked for: disks, by node."""

    def __init__(self, home, log, env, disks, with_standby, with_decoys):
        self.home, self.log = home, log
        self.disks = disks
        self.nodes = [Node(home, "db0", log, env)]
        self.primary = self.nodes[0]
        self.standby = None
        self.decoys = {}
        self.primary.init()
        self.start(self.primary)
        if with_standby:
            self.nodes.append(Node(home, "db1", log, env))
            self.new_standby()
        for name in ["wrong", "empty"] if with_decoys else []:
            node = self.decoys[name] = Node(home, name, log, env)
            node.init()
            self.start(node)

    def start(self, node):
        node.start()
        if not wait_until(30, node.ready):
            raise RuntimeError(f"{node.name} does not start")

    def new_standby(self):
        """The node that is not the primary becomes its synchronous standby."""
        node = next(n for n in self.nodes if n is not self.primary)
        node.copy_of(self.primary)
        node.start()
        self.standby = node
        self.primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.ask("SELECT pg_reload_conf()")
        if not wait_until(30, self.in_sync):
            raise RuntimeError("the standby does not follow")

    def in_sync(self):
        return self.standby is not None and self.primary.ask(
            "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' "
            "AND sync_state = 'sync'") == ["1"]

    def fail_over(self):
        """The primary's machine dies; the standby takes its place."""
        if not self.in_sync():
            return False
        self.primary.stop("KILL")
        self.promote()
        return True

    def promote(self):
        self.primary, self.standby = self.standby, None
        if self.primary.ask("SELECT pg_promote(true, 60)", 70) != ["t"]:
            raise RuntimeError("the standby cannot be promoted")

    def fall_behind(self):
        """From now on the standby hears nothing, and nobody waits for it."""
        self.primary.ask("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.primary.ask("SELECT pg_reload_conf()")
        wait_until(5, lambda: self.primary.ask(
            "SHOW synchronous_standby_names") == [""])
        self.standby.stop("INT")

    def fail_over_stale(self):
        self.primary.stop("KILL")
        self.start(self.standby)
        self.promote()

    def up(self):
        """Whatever was done to them, primary and standby run afterwards."""
        if not self.is_up():
            self.primary.stop("QUIT")
            self.start(self.primary)
        # Of a full disk, for instance; commits wait for it for ever.
        if self.standby and not self.standby.process.alive():
            self.standby.start()

    def is_up(self):
        if not self.primary.process.alive():
            return False
        self.primary.process.signal(signal.SIGCONT)
        return wait_until(20, self.primary.ready)

    def stop(self):
        for node in [*self.nodes, *self.decoys.values()]:
            node.stop("INT")

    def rows(self, sql):
        lines = self.primary.ask(
            f"SELECT row_to_json(x) FROM ({sql}) AS x", 120)
        if lines is None:
            raise RuntimeError("the database does not answer")
        return [json.loads(line) for line in lines]
