#!/usr/bin/python3
"""Random dags with random ends, by HTTP, with pilots that do no work: after
each step every job and the workflow must be where a small model has them.

usage: graphs.py SOCKET TOKEN-FILE JOIN-TOKEN-FILE SEED ROUNDS

Says what it did; when server and model differ also where, with status 1.
"""
import os
import random
import sys
import time
from collections import Counter

sys.dont_write_bytecode = True
sys.path.insert(1, os.path.join(os.path.dirname(__file__), "..", "db"))

from graph_model import Model, dag
from zero_pilot import Api, Pilot

DEADLINE_S = 20
STEPS = 60
WORDS = {"s": "success", "f": "failure", "a": "always"}
ENDS = [{"state": "finished", "exit_code": 0}] * 4 + [
    {"state": "failed", "exit_code": 3}, {"state": "timelimit"}]
READY = ("defined", "dispatched", "running")


def document(nodes, edges, order):
    jobs = []
    for name in order:
        job = {"name": name, "shell": "true",
               "after": [{"job": p, "on": WORDS[k]}
                         for p, c, k in edges if c == name]}
        if nodes[name] == "any":
            job["join"] = "any"
        elif nodes[name] == "noop":
            job["noop"] = True
        elif nodes[name] == "allow":
            job["allow_failure"] = True
        jobs.append(job)
    return {"jobs": jobs}


class Differs(Exception):
    pass


class Round:
    """One workflow, its model, and the runs that pilots have of it."""

    def __init__(self, rnd, call, pilots):
        self.rnd, self.call, self.pilots = rnd, call, pilots
        nodes, edges = dag(rnd, rnd.choice([6, 14, 14, 14, 120]))
        self.model = Model(nodes, edges)
        self.order = list(nodes)
        rnd.shuffle(self.order)
        made = call("POST", "/workflows", document(nodes, edges, self.order))
        self.path = f"/workflows/{made['number']}"
        self.number = {name: made["first"] + i
                       for i, name in enumerate(self.order)}
        self.name = {job: name for name, job in self.number.items()}
        self.held = {}

    def states(self):
        states, query = {}, "?page_size=1000"
        for item in self.call("GET", self.path + "/jobs" + query)["items"]:
            state = item["state"]
            states[item["name"]] = ("ready" if state in READY else
                                    "after" if state == "waiting" else state)
        return states

    def seen(self):
        flow = self.call("GET", self.path)["state"]
        states = self.states()
        return flow + " " + " ".join(f"{n}:{states[n]}"
                                     for n in sorted(states))

    def check(self):
        """Waits: large graphs are told in steps."""
        want = self.model.flow() + " " + self.model.states()
        deadline = time.monotonic() + DEADLINE_S
        while (got := self.seen()) != want:
            if time.monotonic() > deadline:
                raise Differs(f"got:  {got}\nwant: {want}")

    def ready(self):
        return [n for n in self.order if self.model.state[n] == "ready"]

    def take(self):
        """All that is ready is granted, and nothing else."""
        deadline = time.monotonic() + DEADLINE_S
        while missing := set(self.ready()) - set(self.held):
            if time.monotonic() > deadline:
                raise Differs(f"not granted: {sorted(missing)}")
            pilot = self.rnd.choice(self.pilots)
            for grant in pilot.claim(pilot.slots, 0):
                name = self.name[grant["job"]]
                if name not in missing:
                    raise Differs(f"granted, but not ready: {name}")
                self.held[name] = (pilot, grant)

    def end(self):
        """Some runs end, each pilot's in one report."""
        ready = self.ready()
        some = self.rnd.sample(ready, self.rnd.randint(1, len(ready)))
        told = {pilot: [] for pilot in self.pilots}
        for name in some:
            pilot, grant = self.held.pop(name)
            end = self.rnd.choice(ENDS)
            told[pilot].append((grant, end))
            self.model.end(name, end["state"])
        self.model.settle()
        for pilot, ends in told.items():
            if ends:
                pilot.end(ends)
        return "end"

    def act(self, action, name):
        done = self.call("POST", "/jobs/actions",
                         {"action": action, "jobs": str(self.number[name])})
        if done["done"] != 1:
            raise Differs(f"{action} of {name}: {done}")

    def again(self, bad):
        if self.rnd.random() < 0.5:
            self.model.again(bad)
            self.call("POST", self.path + "/retry")
            return "retry of all"
        name = self.rnd.choice(bad)
        self.model.again([name])
        self.act("retry", name)
        return "retry of one"

    def cancel(self, waiting):
        name = self.rnd.choice(waiting)
        self.model.end(name, "cancelled")
        self.model.settle()
        self.act("cancel", name)
        return "cancel"

    def step(self):
        """What was done; None: it is over."""
        ready, bad = self.ready(), self.model.bad()
        waiting = [n for n in self.order if self.model.state[n] == "after"]
        what = self.rnd.random()
        if bad and what < (0.1 if ready else 0.6):
            return self.again(bad)
        if waiting and what > 0.95:
            return self.cancel(waiting)
        if ready:
            return self.end()
        return None

    def run(self, done):
        self.check()
        for _ in range(STEPS):
            self.take()
            did = self.step()
            if did is None:
                break
            done[did] += 1
            self.check()
        done.update(s for s in self.model.state.values())

    def clear(self):
        """What a pilot still has must not hinder the next round."""
        while ready := self.ready():
            self.take()
            for name in ready:
                pilot, grant = self.held.pop(name)
                pilot.end([(grant, ENDS[0])])
                self.model.end(name, "finished")
            self.model.settle()
        self.check()


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read().strip()


def main():
    path, token_file, join_file, seed, rounds = sys.argv[1:]
    rnd = random.Random(int(seed))
    call = Api(path, read(token_file))
    pilots = [Pilot(path, read(join_file), host=h) for h in ("left", "right")]
    done = Counter()
    for number in range(int(rounds)):
        one = Round(rnd, call, pilots)
        try:
            one.run(done)
            one.clear()
        except Differs as e:
            sys.exit(f"seed {seed}, round {number} ({one.path}):\n{e}")
    for pilot in pilots:
        pilot.leave()
    print(", ".join(f"{n} {what}" for what, n in sorted(done.items())))


main()
