"""What is tested, whole: a database, servers, pilots, and the wires between
them. Everything of it can be found here by what a fault wants to hit."""
import os
import shutil
import signal
import socket

import proxy
from database import Database
from listener import Listener
from parts import CABLES, Injector, Pilot, Server
from places import Cable, Disk
from procs import Process, wait_until
from tls import Authority

DB_MIB = 384
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


class Shape:
    """How large the world is, and what it needs to have: `has` are names
    that faults ask for."""

    def __init__(self, servers, pilots, has):
        self.servers, self.pilots, self.has = servers, pilots, has


class World:
    def __init__(self, home, build, shape, told):
        self.home, self.build, self.shape = home, build, shape
        self.told = told
        self.logs = home / "logs"
        self.runs = home / "runs"
        self.files = home / "files"     # that jobs make for others
        self.arrivals = home / "in"     # those that are injected
        self.clock = home / "clock"
        for directory in (self.logs, self.runs, self.files, self.arrivals):
            directory.mkdir()
            directory.chmod(0o777)      # payloads may be anybody's
        self.tap = proxy.ack_tap(self.on_ack)
        self.env = self.clock_env()
        self.wires = proxy.Wires()
        self.db = None
        self.authority = None       # of certificates, with TLS
        self.listener = None        # that callbacks come to
        self.servers, self.pilots, self.injectors = [], [], []
        # Where other users and sandboxes find it.
        self.payload = home / "payload"
        shutil.copy(build / "tests/chaos/payload", self.payload)
        self.killed_runs = set()    # whose payload was killed by us
        self.full_spools = set()    # hosts whose disk was ever full
        self.places = []
        self.decoy = None           # what is behind the servers' addresses
        self.forgotten = []         # times of which a stale standby knew not
        self.stale_since = None

    def on_ack(self, runs):
        for run in runs:
            self.told.note("acked", run=run)

    def clock_env(self):
        """Wall clocks that obey a file, where such runs were asked for."""
        if "clock" not in self.shape.has:
            return {}
        self.step_clock(0)
        return {"LD_PRELOAD": FAKETIME, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DISABLE_SHM": "1"}

    def step_clock(self, seconds):
        new = self.clock.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n")
        os.replace(new, self.clock)

    def place(self, place):
        """To be undone at the end."""
        self.places.append(place)
        if not place.ok:
            raise RuntimeError(f"no {type(place).__name__.lower()} here")
        return place

    def start(self):
        shape = self.shape
        disks = [self.place(Disk(self.home / f"db{i}", DB_MIB))
                 for i in range(1 + ("standby" in shape.has))
                 if "small database" in shape.has]
        if "tls" in shape.has:
            self.authority = Authority(self.home, ["127.0.0.1", *(
                f"{Cable.net(i)}.1" for i in range(CABLES))])
        self.db = Database(self.home, self.logs, self.env, disks,
                           "standby" in shape.has, "decoys" in shape.has)
        if self.db.decoys:
            self.make_other_cluster(self.db.decoys["wrong"])
        if "callbacks" in shape.has:
            self.listener = Listener(self)
        self.servers = [Server(self, i) for i in range(shape.servers)]
        for server in self.servers:
            server.start()
            if not wait_until(30, lambda: self.ready(server)):
                raise RuntimeError(f"server {server.index} does not start")
        self.client_links = [self.client_link(s, s.port, None)
                             for s in self.servers]
        if self.authority:
            self.client_links += [
                self.client_link(s, s.tls_port, self.authority)
                for s in self.servers]
        self.token_file = self.servers[0].state / "admin-token"
        self.token = self.token_file.read_text().strip()
        self.pilots = [Pilot(self, i) for i in range(shape.pilots)]
        for pilot in self.pilots:
            pilot.start()

    def client_link(self, server, port, authority):
        link = self.wires.link(f"clients to server {server.index}",
                               ("127.0.0.1", port))
        link.authority = authority
        return link

    def command(self, words, link):
        """The command line of `sortie` to the server at the end of a link."""
        tls = link.authority
        return [str(self.build / "clients/sortie"), *words.split(), "--url",
                f"http{'s' * bool(tls)}://127.0.0.1:{link.port}",
                "--token-file", str(self.token_file), "--patience", "86400",
                *(["--ca-file", str(tls.ca)] if tls else [])]

    def inject(self):
        """Its dag is there: injectors can begin."""
        self.injectors = [Injector(self, i) for i in range(2)]
        for injector in self.injectors:
            injector.start()

    def all(self):
        return [*self.servers, *self.pilots, *self.injectors]

    def make_other_cluster(self, node):
        other = Process("server-other", self.sortied(
            node, "--listen", f"unix:{self.home / 'other'}", "--state-dir",
            str(self.home / "other.state")), self.logs)
        other.socket = self.home / "other"
        other.start()
        if not wait_until(30, lambda: self.ready(other)):
            raise RuntimeError("the other cluster is not made")
        other.stop(20)

    def sortied(self, node, *options):
        """Its command line, past all wires."""
        return [str(self.build / "server/sortied"), "--database",
                f"host={node.home} user=sortie dbname=postgres", *options]

    def lead_database_to(self, decoy):
        """Behind the servers' addresses stands another one, or with None
        their own again; who was started meanwhile took the other for the one
        that is meant, and is started again."""
        self.decoy = decoy
        for server in self.servers:
            for link, node in zip(server.db_links, self.db.nodes):
                link.target = str((decoy or node).socket)
                link.reset_all()
        for server in self.servers:
            if decoy is None and server.decoy and server.process.alive():
                server.process.kill()
                server.start()

    def ready(self, server):
        """Asked past all wires."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(2)
            try:
                s.connect(str(server.socket))
                s.sendall(b"GET /readyz HTTP/1.1\r\nHost: sortie\r\n\r\n")
                return s.recv(64).split(b" ")[1:2] == [b"200"]
            except OSError:
                return False

    def links(self, kind):
        """All wires of a kind, in an order that the seed may count on."""
        if kind == "db":
            return [link for s in self.servers for link in s.db_links]
        if kind == "pilot":
            return [link for p in self.pilots for link in p.links]
        if kind == "callback":
            return [self.listener.link]
        return self.client_links

    def supervise(self):
        """Starts again what ended by itself, as a service manager does.
        Returns what ended as nothing of Sortie may."""
        wrong = []
        for one in self.all():
            p = one.process
            if p.popen is None or p.alive() or p.expected:
                continue
            code = p.popen.returncode
            if code in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS,
                        -signal.SIGFPE, -signal.SIGILL, 1 << 7):
                wrong.append(f"{p.name} ended by signal {-code}")
            self.told.note("ended", name=p.name, code=code)
            one.start()
        return wrong

    def whole(self):
        """All faults are healed: everything runs again."""
        for link in self.wires.links:
            link.delay_s, link.sieving = 0, False
            link.release()
        self.lead_database_to(None)
        for place in self.places:
            place.empty() if isinstance(place, Disk) else place.mend()
        if "clock" in self.shape.has:
            self.step_clock(0)
        self.db.up()
        for one in self.all():
            if one.process.alive():
                one.process.signal(signal.SIGCONT)
            else:
                one.start()
        self.resume_all()

    def resume_all(self):
        for server in self.servers:
            for pid in server.pids():
                resume(pid)
        for pilot in self.pilots:
            for pid in [pilot.child(), *pilot.payloads()]:
                resume(pid)

    def stop(self):
        """In order; the names of those that did not end in time."""
        slow = []
        self.resume_all()
        for pilot in self.pilots:
            pilot.process.expected = True
            pilot.process.signal(signal.SIGTERM)
        for one in [*self.injectors, *self.pilots, *self.servers]:
            if not one.process.stop(20):
                slow.append(one.process.name)
        if self.db:
            self.db.stop()
        if self.listener:
            self.listener.close()
        self.wires.close()
        for place in self.places:
            place.close()
        return slow


def resume(pid):
    try:
        if pid:
            os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass
