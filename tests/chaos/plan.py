"""The faults of a run, drawn from its seed before anything is started: the
same seed, time and names give the same plan."""
import random

QUIET_S = 1.0           # between two faults of one domain


class Step:
    def __init__(self, at, fault, pick, lasts, way):
        self.at, self.fault = at, fault
        self.pick = pick            # which one of those that can be hit
        self.lasts, self.way = lasts, way

    def __str__(self):
        return (f"{self.at:6.2f} s  {self.fault.name}"
                f"  #{self.pick}  for {self.lasts:.2f} s")


def draw(seed, seconds, faults, every_s):
    """A list of Steps in the order of their time. Faults of one domain (the
    database, the disk …) never overlap; others may."""
    r = random.Random(f"plan {seed}")
    steps, busy = [], {}
    at = r.uniform(0.5, 1.5)
    names = sorted(faults, key=lambda f: f.name)
    while names and at < seconds:
        fault = r.choices(names, [f.weight for f in names])[0]
        pick, lasts = r.randrange(1000), r.uniform(*fault.lasts)
        way = r.choice(["up", "down", "both"])
        if busy.get(fault.domain, 0) <= at:
            steps.append(Step(at, fault, pick, lasts, way))
            busy[fault.domain] = at + lasts + QUIET_S
        at += r.expovariate(1 / every_s)
    return steps
