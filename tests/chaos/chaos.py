#!/usr/bin/python3
"""Breaks Sortie at random, from a seed, and then compares what clients were
told, what payloads saw and what the database says. Speaks TAP.

usage: chaos.py --build DIR [--seed N] [--time SECONDS] [--faults NAME,...]
"""
import argparse
import heapq
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True      # the sources may be read-only
sys.path.insert(1, os.path.join(os.path.dirname(__file__), "..", "db"))

import arrivals
import judge
import judge_flows
import judge_rest
from clients import Meddler, Submitter, Told, Watcher
from commands import Commander
from faults import BY_NAME, TABLE
from flows import FlowMaker, FlowMeddler, finish_all
from places import can
from plan import draw
from procs import wait_until
from world import FAKETIME, Shape, World

HELP_S, QUIET_S = 300, 120
QUIET_STEP_S = 0.5      # between two faults of a domain, at least

# What a world may have beside servers and pilots: how often, and what of the
# machine that takes.
EXTRAS = {
    "standby": (0.5, None),
    "a stale standby": (0.1, None),
    "decoys": (0.25, None),
    "small database": (0.25, "root"),
    "small spools": (0.4, "root"),
    "cables": (0.4, "root's ip"),
    "clock": (0.2, "faketime"),
    "workers": (0.25, None),
    "tls": (0.4, "openssl"),
    "users": (0.3, "root"),
    "sandbox": (0.3, "bubblewrap"),
    "injectors": (0.4, None),
    "callbacks": (0.4, None),
    "secrets": (0.4, None),
    "commands": (0.4, None),
    "sabotage": (0, None),
}


def say(text):
    print(f"# {text}", flush=True)


class Stopped(Exception):
    pass


def on_signal(number, frame):
    raise Stopped(f"signal {number}")


def maybe(kind):
    """Empty, as make passes on what nobody has set, is not given."""
    return lambda text: kind(text) if text else None


def options():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", type=lambda text: Path(text).resolve(),
                   required=True)
    p.add_argument("--seed", type=maybe(int))
    p.add_argument("--time", type=maybe(float))
    p.add_argument("--faults", default="")
    p.add_argument("--servers", type=int)
    p.add_argument("--pilots", type=int, default=10)
    p.add_argument("--with", dest="has", metavar="NAME,...",
                   help="what the world has: " + ", ".join(EXTRAS))
    p.add_argument("--every", type=float, default=1.5,
                   help="seconds between faults, on the average")
    p.add_argument("--keep", action="store_true",
                   help="leave everything in its directory")
    opt = p.parse_args()
    opt.time = opt.time or 60
    unknown = set(words(opt.faults)) - set(BY_NAME)
    if unknown:
        p.error(f"no such fault: {', '.join(sorted(unknown))}; there are "
                + ", ".join(BY_NAME))
    if opt.seed is None:
        opt.seed = int.from_bytes(os.urandom(3), "big")
    return opt


def words(text):
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def shape_of(opt):
    """What the options leave open is the seed's; faults that are named get
    what they need, the rest of the world stays plain."""
    r = random.Random(f"shape {opt.seed}")
    servers = r.choice([1, 2])
    has = {name for name, (chance, _) in EXTRAS.items() if r.random() < chance}
    named = {BY_NAME[name].needs for name in words(opt.faults)} - {None}
    if opt.faults:
        has = named
    if opt.has is not None:
        has = set(words(opt.has))
    if "two servers" in named:
        servers = 2
    if "a stale standby" in has:
        has.add("standby")
    if "clock" in has:
        has.discard("users")        # libfaketime serves its first user only
    has = {name for name in has if name in EXTRAS}
    here = can(opt.build, FAKETIME)
    for name in sorted(has):
        if EXTRAS[name][1] and EXTRAS[name][1] not in here:
            say(f"without {name}: it needs {EXTRAS[name][1]}")
            has.discard(name)
    return Shape(opt.servers or servers, opt.pilots, has)


def faults_of(opt, shape):
    have = {None, *shape.has}
    if shape.servers > 1:
        have.add("two servers")
    names = words(opt.faults)
    return [f for f in TABLE if (f.name in names or not names)
            and f.needs in have]


def rage(world, steps, until):
    """Faults begin and end at their times; on a slow machine one waits for the
    end of the one before in its domain. What ends by itself is started again.
    Returns what must not have happened."""
    start, todo, wrong = time.monotonic(), [], []
    ends = {}           # domain -> when what is at work there ends
    for n, step in enumerate(steps):
        heapq.heappush(todo, (step.at, n, step, None))
    n = len(steps)
    while todo or time.monotonic() - start < until:
        now = time.monotonic() - start
        while todo and todo[0][0] <= now:
            _, order, step, hit = heapq.heappop(todo)
            domain = step.fault.domain
            if hit is not None:
                step.fault.end(world, step, hit)
                del ends[domain]
                continue
            if domain in ends:
                heapq.heappush(todo, (ends[domain] + QUIET_STEP_S, order,
                                      step, None))
                continue
            hit = step.fault.begin(world, step)
            world.told.note("fault", name=step.fault.name, hit=hit is not None)
            if hit is not None and step.fault.end:
                ends[domain] = time.monotonic() - start + step.lasts
                heapq.heappush(todo, (ends[domain], n, step, hit))
                n += 1
        wrong += world.supervise()
        time.sleep(0.05)
    return wrong


def calm_down(world, clients):
    """Everything is mended, everybody gets their answer, nothing is left to
    do. Returns what did not come to rest."""
    world.whole()
    wrong = []

    def all_ready():
        wrong.extend(world.supervise())
        return all(world.ready(s) for s in world.servers)
    if not wait_until(60, all_ready):
        wrong.append("a server is not ready again")
    for client in clients:
        client.enough.set()
    for client in clients:
        client.join(30)
        if client.is_alive():
            wrong.append(f"{client.name} waits for an answer for ever")
            client.give_up.set()
        if client.error:
            wrong.append(client.error)
    helper = Meddler(world, 0, "helper")
    patience = threading.Timer(HELP_S, helper.give_up.set)
    patience.daemon = True
    patience.start()
    release_all(world, helper)
    finish_all(world, helper)
    if helper.give_up.is_set():
        wrong.append("what is held cannot be released")
    patience.cancel()
    if not comes_to_rest(world, wrong):
        wrong.append("jobs or workflows are left that do not end")
    if world.injectors:
        arrivals.note_made(world, helper)
    return wrong


LEFT = """SELECT greatest(0, {arrived}
		- (SELECT count(*) FROM sortie.injection))
	+ (SELECT count(*) FROM sortie.callback)
	+ (SELECT count(*) FROM sortie.queue)
	+ (SELECT count(*) FROM sortie.waiting)
	+ (SELECT count(*) FROM sortie.live)
	+ (SELECT count(*) FROM sortie.firing)
	+ (SELECT count(*) FROM sortie.workflow
		WHERE state IN ('held', 'running'))"""

HURRY = "UPDATE sortie.callback SET due = now() WHERE due > now()"


def comes_to_rest(world, wrong):
    """Whether nothing is left, as long as it becomes less. Who did not answer
    a call well is called again at once, and not in an hour."""
    least = None
    ask = LEFT.format(arrived=len(world.told.of("arrived")))

    def less():
        nonlocal least
        wrong.extend(world.supervise())
        world.db.primary.ask(HURRY)
        left = int((world.db.primary.ask(ask) or ["-1"])[0])
        if left >= 0 and (least is None or left < least):
            least = left
            return True
        return False
    while least != 0 and wait_until(QUIET_S, less):
        pass
    return least == 0


def release_all(world, helper):
    held = sorted({n["job"] for n in world.told.of("asked hold")})
    for i in range(0, len(held), 500):
        helper.insist("POST", "/api/v1/jobs/actions", {
            "action": "release",
            "jobs": ",".join(str(n) for n in held[i:i + 500])})


def people(world, seed):
    return [*(Submitter(world, seed, f"submitter{i}", 0.4) for i in range(3)),
            FlowMaker(world, seed, "flowmaker", 0.8),
            Meddler(world, seed, "meddler"),
            FlowMeddler(world, seed, "flowmeddler"),
            *(Watcher(world, seed, f"watcher{i}") for i in range(2)),
            *([Commander(world, seed, "commander")]
              if "commands" in world.shape.has else []),
            *([arrivals.Arrivals(world, seed, "arrivals")]
              if "injectors" in world.shape.has else [])]


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def claim(self, text, wrong):
        self.n += 1
        self.bad += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.n} - {text}", flush=True)
        for line in wrong[:10]:
            say(f"  {line}")
        if len(wrong) > 10:
            say(f"  and {len(wrong) - 10} more")


def report(tap, world, wrong):
    tap.claim("everything comes to rest", wrong)
    records = judge.Records(world)
    for text, check in judge.CLAIMS:
        tap.claim(text, list(check(records)))
    flows = judge_flows.Flows(records)
    for text, check in judge_flows.CLAIMS:
        tap.claim(text, list(check(records, flows)))
    for text, check in judge_rest.CLAIMS:
        tap.claim(text, list(check(records)))
    for _, what, _ in judge.overlaps(records):
        say(f"overlap: {what}")
    say(f"{len(records.injections)} files, "
        f"{len(world.told.of('called'))} calls, "
        f"{sum('sum' in seen for seen in records.seen.values())} secrets")
    say(f"{len(flows.rows)} workflows: "
        + counts(row["state"] for row in flows.rows.values()))
    say(f"{len(records.jobs)} jobs, {len(records.seen)} payloads, runs: "
        + counts(run["state"] for run in records.runs)
        + f"; {len(world.told.of('acked'))} ends acknowledged")


def counts(states):
    return ", ".join(f"{n} {s}" for s, n in sorted(Counter(states).items()))


def run(opt, home, tap):
    shape = shape_of(opt)
    steps = draw(opt.seed, opt.time, faults_of(opt, shape), opt.every)
    say(f"SEED={opt.seed} TIME={opt.time:g} FAULTS={opt.faults or 'all'}: "
        + ", ".join([f"{shape.servers} servers", f"{shape.pilots} pilots",
                     *sorted(shape.has)]))
    for step in steps:
        say(str(step))
    told = Told(home / "told")
    world = World(home, opt.build, shape, told)
    clients = []
    try:
        world.start()
        call(world, "PUT", "/api/v1/limits/licence", {"capacity": 3})
        if "injectors" in shape.has:
            call(world, "PUT", f"/api/v1/dags/{arrivals.DAG}",
                 arrivals.dag(world))
            world.inject()
        clients = people(world, opt.seed)
        for client in clients:
            client.start()
        wrong = rage(world, steps, opt.time)
        wrong += calm_down(world, clients)
        report(tap, world, wrong)
    finally:
        for client in clients:
            client.give_up.set()
        slow = world.stop()
        told.close()
    tap.claim("everything ends in time", slow)


def call(world, method, path, body):
    answer = Meddler(world, 0, "setup").insist(method, path, body)
    if answer is None or answer[0] >= 300:
        raise RuntimeError(f"{method} {path}: {answer}")


def again(opt):
    """What repeats the run."""
    rest = [f"--{name} {value}" for name, value in [
        ("servers", opt.servers), ("pilots", opt.pilots),
        ("every", opt.every)] if value is not None]
    if opt.has is not None:
        rest.append(f'--with "{opt.has}"')
    return (f"again: make check-chaos SEED={opt.seed} TIME={opt.time:g}"
            + (f" FAULTS={opt.faults}" if opt.faults else "")
            + f" CHAOS='{' '.join(rest)}'")


def main():
    opt = options()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, on_signal)
    home = Path(tempfile.mkdtemp(prefix="sortie-chaos."))
    home.chmod(0o711)
    tap = Tap()
    try:
        run(opt, home, tap)
    except Stopped as e:
        tap.claim("it is left to end", [str(e)])
    except Exception as e:
        import traceback
        tap.claim("it can be tried",
                  traceback.format_exc().splitlines()[::-1])
    if tap.bad:
        say(again(opt))
    if opt.keep:
        say(f"kept: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    print(f"1..{tap.n}")
    return 1 if tap.bad else 0


if __name__ == "__main__":
    sys.exit(main())
