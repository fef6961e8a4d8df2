"""What runs in the world: servers, pilots, injectors, each with its command
line and the wires it speaks through. All have process and start()."""
import proxy
from places import Cable, Disk, free_port
from procs import Process, children, descendants

LEASE_S, HEARTBEAT_S = 6, 2
CABLES = 3              # pilots on hosts of their own
SPOOL_MIB = 8
OTHER_USER = "daemon"   # whom some pilots run payloads as


class Server:
    def __init__(self, world, index):
        home = world.home
        self.world, self.index = world, index
        self.decoy = None       # whose database it was started on
        self.socket = home / f"s{index}"
        self.state = home / f"state{index}"
        self.port = free_port()
        self.tls_port = free_port() if world.authority else None
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
             "--listen", f"unix:{self.socket}", *self.listen(),
             "--state-dir", str(self.state),
             "--blob-dir", str(home / "blobs"),
             "--secrets-key-file", str(home / "secrets-key"),
             "--lease", str(LEASE_S), "--heartbeat", str(HEARTBEAT_S),
             "--loss-budget", "1000", "--retention", "0",
             "--workers", "2" if "workers" in world.shape.has else "1",
             *(["--callback-local"] if world.listener else [])],
            world.logs, env=world.env)

    def listen(self):
        plain = ["--listen", f"http://127.0.0.1:{self.port}"]
        tls = self.world.authority
        return plain if not tls else [
            *plain, "--listen", f"127.0.0.1:{self.tls_port}",
            "--tls-cert", str(tls.cert), "--tls-key", str(tls.key)]

    def start(self):
        self.decoy = self.world.decoy
        self.process.start()

    def pids(self):
        """The process that was started, and its workers."""
        if not self.process.alive():
            return []
        return [self.process.pid, *children(self.process.pid)]


class Pilot:
    """Where the world has that, every other one speaks TLS, one of four runs
    payloads as another user, one of four in a sandbox."""

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
        tls = world.authority if index % 2 else None
        self.links = [world.wires.link(
            f"pilot {index} to server {server.index}",
            ("127.0.0.1", server.tls_port if tls else server.port),
            tap=None if tls else world.tap,
            listen=self.address) for server in world.servers]
        first = index % len(self.links)
        argv = [str(world.build / "pilot/sortie-pilot"),
                "--join-token-file", str(world.servers[0].state / "join-token"),
                "--spool", str(self.spool), "--host-name", self.host,
                "--slots", "2", "--cores", "2", "--memory", "1GiB",
                "--verbose", "--grace", "2", *self.whose(world)]
        for link in self.links[first:] + self.links[:first]:
            argv += ["--url", f"http{'s' * bool(tls)}://{self.address}:"
                     f"{link.port}"]
        if tls:
            argv += ["--ca-file", str(tls.ca)]
        if self.cable:
            argv = self.cable.wrap(argv)
        self.process = Process(f"pilot-{index}", argv, world.logs,
                               env=world.env)

    def whose(self, world):
        """Whom its payloads run as, and where."""
        options = ["--one-user"]
        if "users" in world.shape.has and self.index % 4 in (1, 2):
            users = world.home / "users"
            users.write_text(f"* {OTHER_USER}\n")
            options = ["--run-as-file", str(users)]
        if "sandbox" in world.shape.has and self.index % 4 in (2, 3):
            options += ["--sandbox", "bwrap", "--sandbox-write",
                        str(world.home)]
        return options

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


class Injector:
    """The first is told by the kernel what comes, the second looks; both are
    one to the server, which knows what was injected."""

    def __init__(self, world, index):
        link = world.client_links[index % len(world.client_links)]
        self.process = Process(
            f"injector-{index}",
            [*world.command("inject", link), "--dag", "arrivals", "--settle",
             "1", "--period", "2", *["--no-inotify"][:index],
             str(world.arrivals)], world.logs, env=world.env)

    def start(self):
        self.process.start()
