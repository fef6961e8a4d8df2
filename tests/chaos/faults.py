"""The table of faults: what each does to the world, and how it is undone."""
import os
import signal
import subprocess
import time
from pathlib import Path

from proxy import DOWN, UP
from world import resume


class Fault:
    """name; domain: faults of one domain do not overlap; lasts: seconds, the
    least and the most; needs: what the world must have; begin(world, step)
    returns what was hit, or None when there was nothing to hit, end undoes
    it (world, step, hit)."""

    def __init__(self, name, domain, lasts, begin, end=None, needs=None,
                 weight=1):
        self.name, self.domain, self.lasts = name, domain, lasts
        self.begin, self.end = begin, end
        self.needs, self.weight = needs, weight


def choose(step, items):
    return items[step.pick % len(items)] if items else None


def send(pid, number):
    try:
        os.kill(pid, number)
        return pid
    except ProcessLookupError:
        return None


# Servers

def server_kill(world, step):
    server = choose(step, world.servers)
    server.process.kill()
    return server


def start_again(world, step, one):
    if not one.process.alive():
        one.start()


def server_stop(world, step):
    """One of its processes."""
    pid = choose(step, [pid for s in world.servers for pid in s.pids()])
    return send(pid, signal.SIGSTOP) if pid else None


def worker_kill(world, step):
    """Its server starts another one."""
    pid = choose(step, [pid for s in world.servers for pid in s.pids()[1:]])
    return send(pid, signal.SIGKILL) if pid else None


# Pilots and payloads

def pilot_kill(world, step):
    pilot = choose(step, world.pilots)
    pilot.process.expected = True
    send(pilot.child() or pilot.keeper(), signal.SIGKILL)
    return pilot


def keeper_kill(world, step):
    pilot = choose(step, world.pilots)
    pilot.process.kill()
    return pilot


def pilot_again(world, step, pilot):
    """Its successor on the same spool; what is left of it ends first."""
    pilot.process.wait(10)
    start_again(world, step, pilot)


def pilot_stop(world, step):
    pid = choose(step, world.pilots).child()
    return send(pid, signal.SIGSTOP) if pid else None


def resume_pid(world, step, pid):
    resume(pid)


def a_payload(world, step):
    return choose(step, [pid for p in world.pilots for pid in p.payloads()])


def run_of(pid):
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    found = [w[11:].decode() for w in words if w.startswith(b"SORTIE_RUN=")]
    return found[0] if found else None


def payload_kill(world, step):
    pid = a_payload(world, step)
    run = run_of(pid) if pid else None
    if not run:
        return None
    world.killed_runs.add(run)
    send(pid, signal.SIGKILL)
    return run


def payload_stop(world, step):
    pid = a_payload(world, step)
    return send(pid, signal.SIGSTOP) if pid else None


# Injectors

def injector_kill(world, step):
    injector = choose(step, world.injectors)
    injector.process.kill()
    return injector


def injector_stop(world, step):
    process = choose(step, world.injectors).process
    return send(process.pid, signal.SIGSTOP) if process.alive() else None


# The database

def backend(number):
    def begin(world, step):
        pid = choose(step, world.db.primary.backends())
        return send(pid, number) if pid else None
    return begin


def db_up(world, step, hit):
    world.db.up()


def db_stop(how):
    def begin(world, step):
        world.db.primary.stop(how)
        return world.db.primary.name
    return begin


def db_fail_over(world, step):
    return world.db.primary.name if world.db.fail_over() else None


def db_new_standby(world, step, hit):
    world.db.new_standby()


def db_alone(world, step):
    """No commit is confirmed any more: all wait."""
    if not world.db.in_sync():
        return None
    world.db.standby.stop("KILL" if step.pick % 2 else "INT")
    return world.db.standby.name


def db_lose_an_end(world, step):
    """What must never happen, to see that it is found: a run whose end was
    acknowledged is gone."""
    acked = [note["run"].lstrip("0") for note in world.told.of("acked")]
    return choose(step, world.db.primary.ask(
        "DELETE FROM sortie.run WHERE (number, attempt) IN (SELECT r.number, "
        "r.attempt FROM sortie.run r LEFT JOIN sortie.node n USING "
        "(number) WHERE n.number IS NULL AND r.state = 'finished' AND "
        f"to_hex(r.run) = ANY ('{{{','.join(acked)}}}') LIMIT 1) "
        "RETURNING number"))


def db_behind(world, step):
    if not world.db.in_sync():
        return None
    world.stale_since = time.monotonic()
    world.db.fall_behind()
    return world.db.standby.name


def db_stale(world, step, hit):
    """The standby that knows nothing of the last while takes over, and the
    operator does what the manual says of a restored backup."""
    for one in world.all():
        one.process.kill()
    world.wires.cut_all()       # what was told is told by now, or never
    world.db.fail_over_stale()
    world.forgotten.append((world.stale_since, time.monotonic()))
    subprocess.run(world.sortied(world.db.primary, "--restored"), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    world.db.new_standby()
    for one in world.all():
        one.start()


def other_database(name):
    def begin(world, step):
        world.lead_database_to(world.db.decoys[name])
        return name
    return begin


def own_database(world, step, hit):
    world.lead_database_to(None)


# Places

def db_full(world, step):
    """The primary's, or the standby's, for which commits wait then."""
    disk = choose(step, world.db.disks)
    disk.fill()
    return disk


def db_room(world, step, disk):
    disk.empty()
    world.db.up()


def spool_full(world, step):
    pilot = choose(step, world.pilots)
    world.full_spools.add(pilot.host)
    pilot.disk.fill()
    return pilot


def spool_room(world, step, pilot):
    pilot.disk.empty()


def cable_cut(world, step):
    pilot = choose(step, [p for p in world.pilots if p.cable])
    pilot.cable.cut()
    return pilot


def cable_mend(world, step, pilot):
    pilot.cable.mend()


def clock_step(world, step):
    """At most half a minute: what waits for a time waits that much longer."""
    world.step_clock(step.pick % 61 - 30)
    return step.pick


def clock_back(world, step, hit):
    world.step_clock(0)


# Wires

def on_links(kind, what):
    """Hits one link of a kind; every fourth time all of them."""
    def begin(world, step):
        links = world.links(kind)
        hit = links if step.pick % 4 == 0 else [choose(step, links)]
        for link in hit:
            what(link, step)
        return hit
    return begin


def ways(step):
    return {"up": [UP], "down": [DOWN], "both": [UP, DOWN]}[step.way]


def cut(link, step):
    link.hold(*ways(step))


def mend(world, step, hit):
    """Odd ones find their connections gone when the wire is whole again."""
    for link in hit:
        link.delay_s, link.sieving = 0, False
        link.release()
        if step.pick % 2:
            link.reset_all()


def slow(link, step):
    link.delay_s = 0.05 + step.pick % 10 / 20


def deafen(link, step):
    link.sieving = True


def reset(link, step):
    link.reset_all()


def half_close(link, step):
    for way in ways(step):
        link.close_half(way)


def wires(kind, needs=None):
    moment = (0, 0)
    return [
        Fault(f"{kind}-reset", kind + "-wire", moment, on_links(kind, reset),
              needs=needs),
        Fault(f"{kind}-half-close", kind + "-wire", moment,
              on_links(kind, half_close), needs=needs),
        Fault(f"{kind}-delay", kind + "-wire", (1, 5), on_links(kind, slow),
              mend, needs),
        Fault(f"{kind}-partition", kind + "-wire", (1, 12),
              on_links(kind, cut), mend, needs),
    ]


TABLE = [
    Fault("server-kill", "server", (0.1, 4), server_kill, start_again),
    Fault("server-stop", "server", (1, 15), server_stop, resume_pid),
    Fault("worker-kill", "server", (0, 0), worker_kill, needs="workers",
          weight=2),
    Fault("pilot-kill", "pilot", (0.1, 4), pilot_kill, pilot_again, weight=2),
    Fault("keeper-kill", "pilot", (0.1, 4), keeper_kill, pilot_again),
    Fault("pilot-stop", "pilot", (1, 12), pilot_stop, resume_pid, weight=2),
    Fault("payload-kill", "payload", (0, 0), payload_kill),
    Fault("payload-stop", "payload", (0.5, 5), payload_stop, resume_pid),
    Fault("backend-kill", "db", (0.5, 2), backend(signal.SIGKILL), db_up),
    Fault("backend-terminate", "db", (0, 0), backend(signal.SIGTERM)),
    Fault("backend-stop", "db", (1, 12), backend(signal.SIGSTOP), resume_pid),
    Fault("db-restart", "db", (0.1, 4), db_stop("INT"), db_up),
    Fault("db-immediate-stop", "db", (0.1, 4), db_stop("QUIT"), db_up),
    Fault("db-failover", "db", (0.5, 2), db_fail_over, db_new_standby,
          needs="standby", weight=2),
    Fault("db-alone", "db", (1, 8), db_alone, db_up, needs="standby"),
    *wires("pilot"), *wires("client"), *wires("db"),
    *wires("callback", "callbacks"),
    Fault("injector-kill", "injector", (0.1, 4), injector_kill, start_again,
          needs="injectors", weight=2),
    Fault("injector-stop", "injector", (1, 10), injector_stop, resume_pid,
          needs="injectors"),
    Fault("db-stale-failover", "db", (2, 6), db_behind, db_stale,
          needs="a stale standby"),
    Fault("db-wrong", "db", (1, 8), other_database("wrong"), own_database,
          needs="decoys", weight=2),
    Fault("db-empty", "db", (1, 8), other_database("empty"), own_database,
          needs="decoys", weight=2),
    Fault("db-full", "db", (1, 6), db_full, db_room, needs="small database",
          weight=2),
    Fault("spool-full", "spool", (1, 8), spool_full, spool_room,
          needs="small spools", weight=2),
    Fault("cable-cut", "cable", (1, 15), cable_cut, cable_mend,
          needs="cables", weight=2),
    Fault("clock-step", "clock", (1, 8), clock_step, clock_back,
          needs="clock", weight=2),
    Fault("lose-an-end", "db", (0, 0), db_lose_an_end, needs="sabotage"),
    Fault("notify-drop", "db-wire", (2, 8), on_links("db", deafen), mend,
          needs="two servers"),
]
BY_NAME = {fault.name: fault for fault in TABLE}
