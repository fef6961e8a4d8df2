"""What is tested, whole: a database, servers, pilots, and the wires between
them. Everything of it can be found here by what a fault wants to hit."""
import os
import signal
import socket

import proxy
from database import Database
from places import Cable, Disk
from procs import Process, children, descendants, wait_until

LEASE_S, HEARTBEAT_S = 6, 2
CABLES = 3              # pilots on hosts of their own
SPOOL_MIB, DB_MIB = 8, 384
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


class Shape:
    """How large the world is, and what it needs to have: `has` are names
    that faults ask for."""

    def __init__(self, servers, pilots, has):
        self.servers, self.pilots, self.has = servers, pilots, has


class Server:
    def __init__(self, world, index):
        home = world.home
        self.world, self.index = world, index
        self.decoy = None       # whose database it was started on
        self.socket = home / f"s{index}"
        self.state = home / f"state{index}"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.db_links = []
        hosts = []
        for node in world.db.nodes:
            at = home / f"w{index}-{node.name}"
            at.mkdir()
            self.db_links.append(world.wires.link(
                f"server {index} to {node.name}", str(node.socket),
                listen=str(at / ".s.PGSQL.5432"), sieve=proxy.notify_sieve))
            hosts.append(str(at))
        conninfo = (f"host={','.join(hosts)} user=sortie dbname=postgres "
                    "target_session_attrs=read-write")
        self.process = Process(
            f"server-{index}",
            [str(world.build / "server/sortied"), "--database", conninfo,
             "--listen", f"unix:{self.socket}",
             "--listen", f"127.0.0.1:{self.port}",
             "--state-dir", str(self.state),
             "--blob-dir", str(home / "blobs"),
             "--lease", str(LEASE_S), "--heartbeat", str(HEARTBEAT_S),
             "--loss-budget", "1000", "--retention", "0",
             "--workers", "2" if "workers" in world.shape.has else "1"],
            world.logs, env=world.env)

    def start(self):
        self.decoy = self.world.decoy
        self.process.start()

    def pids(self):
        """The process that was started, and its workers."""
        if not self.process.alive():
            return []
        return [self.process.pid, *children(self.process.pid)]


class Pilot:
    def __init__(self, world, index):
        self.index = index
        self.host = f"p{index}"
        self.spool = world.home / self.host
        self.cable = None
        self.disk = None
        if index < CABLES and "cables" in world.shape.has:
            self.cable = world.place(Cable(index))
        if "small spools" in world.shape.has:
            self.disk = world.place(Disk(self.spool, SPOOL_MIB))
        self.address = self.cable.address if self.cable else "127.0.0.1"
        self.links = [world.wires.link(
            f"pilot {index} to server {server.index}",
            ("127.0.0.1", server.port), tap=world.tap,
            listen=self.address) for server in world.servers]
        first = index % len(self.links)
        argv = [str(world.build / "pilot/sortie-pilot"),
                "--join-token-file", str(world.servers[0].state / "join-token"),
                "--spool", str(self.spool), "--host-name", self.host,
                "--slots", "2", "--cores", "2", "--memory", "1GiB",
                "--one-user", "--verbose", "--grace", "2"]
        for link in self.links[first:] + self.links[:first]:
            argv += ["--url", f"http://{self.address}:{link.port}"]
        if self.cable:
            argv = self.cable.wrap(argv)
        self.process = Process(f"pilot-{index}", argv, world.logs,
                               env=world.env)

    def start(self):
        self.process.start()

    def keeper(self):
        return self.process.pid

    def child(self):
        """The pilot itself, below its keeper; 0 when there is none."""
        if not self.process.alive():
            return 0
        return next(iter(children(self.process.pid)), 0)

    def payloads(self):
        child = self.child()
        return sorted(descendants(child)) if child else []


class World:
    def __init__(self, home, build, shape, told):
        self.home, self.build, self.shape = home, build, shape
        self.told = told
        self.logs = home / "logs"
        self.runs = home / "runs"
        self.files = home / "files"     # that jobs make for others
        self.clock = home / "clock"
        for directory in (self.logs, self.runs, self.files):
            directory.mkdir()
        self.tap = proxy.ack_tap(self.on_ack)
        self.env = self.clock_env()
        self.wires = proxy.Wires()
        self.db = None
        self.servers, self.pilots = [], []
        self.payload = build / "tests/chaos/payload"
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
        disk = None
        if "small database" in shape.has:
            disk = self.place(Disk(self.home / "db0", DB_MIB))
        self.db = Database(self.home, self.logs, self.env, disk,
                           "standby" in shape.has, "decoys" in shape.has)
        if self.db.decoys:
            self.make_other_cluster(self.db.decoys["wrong"])
        self.servers = [Server(self, i) for i in range(shape.servers)]
        for server in self.servers:
            server.start()
            if not wait_until(30, lambda: self.ready(server)):
                raise RuntimeError(f"server {server.index} does not start")
        self.client_links = [self.wires.link(
            f"clients to server {s.index}", ("127.0.0.1", s.port))
            for s in self.servers]
        self.token = (self.servers[0].state / "admin-token").read_text()
        self.token = self.token.strip()
        self.pilots = [Pilot(self, i) for i in range(shape.pilots)]
        for pilot in self.pilots:
            pilot.start()

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
        return self.client_links

    def supervise(self):
        """Starts again what ended by itself, as a service manager does.
        Returns what ended as nothing of Sortie may."""
        wrong = []
        for one in [*self.servers, *self.pilots]:
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
        for one in [*self.servers, *self.pilots]:
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
        for one in [*self.pilots, *self.servers]:
            if not one.process.stop(20):
                slow.append(one.process.name)
        if self.db:
            self.db.stop()
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
