"""Random dags with random outcomes, beside a small model of what must happen.

Reads nothing; prints SQL for one session: workflows are made, jobs ended in
random order and batches, single jobs and workflows tried again, and after each
step the states of all jobs are compared with the model's.  argv: seed, rounds.
"""
import random
import sys

BAD = ("failed", "timelimit", "lost")


class Model:
    """Jobs by name; a job is after, ready, or has ended."""

    def __init__(self, nodes, edges):
        self.nodes = nodes              # name -> flag
        self.edges = edges              # (parent, child, cond)
        self.state = dict.fromkeys(nodes, "after")
        # An edge says what its parent's end meant, None while untold.
        self.told = dict.fromkeys(edges)
        self.settle()

    @staticmethod
    def means(cond, state):
        return {"s": state == "finished", "f": state in BAD, "a": True}[cond]

    def into(self, child):
        return [self.told[e] for e in self.edges if e[1] == child]

    def verdict(self, name):
        told = self.into(name)
        if self.nodes[name] == "any" and told:
            if True in told:
                return "ready"
            return None if None in told else "skipped"
        if False in told:
            return "skipped"
        return None if None in told else "ready"

    def end(self, name, state):
        self.state[name] = state
        for edge in self.edges:
            if edge[0] == name:
                self.told[edge] = self.means(edge[2], state)

    def settle(self):
        moved = True
        while moved:
            moved = False
            for name in self.nodes:
                if self.state[name] != "after":
                    continue
                verdict = self.verdict(name)
                if verdict == "ready" and self.nodes[name] == "noop":
                    verdict = "finished"
                if verdict is None:
                    continue
                moved = True
                if verdict == "ready":
                    self.state[name] = "ready"
                else:
                    self.end(name, verdict)

    def again(self, names):
        todo = list(names)
        while todo:
            for name in todo:
                self.state[name] = "after"
                for edge in self.edges:
                    if edge[0] == name:
                        self.told[edge] = None
            todo = [n for n in self.nodes if self.state[n] == "skipped"
                    and self.verdict(n) != "skipped"]
        self.settle()

    def bad(self):
        return [n for n in self.nodes
                if self.state[n] in BAD + ("cancelled",)]

    def states(self):
        return " ".join(f"{n}:{self.state[n]}" for n in sorted(self.nodes))

    def flow(self):
        if any(s in ("after", "ready") for s in self.state.values()):
            return "running"
        if [n for n in self.bad() if self.nodes[n] != "allow"]:
            return "failed"
        return "finished"


def dag(rnd):
    n = rnd.randint(1, 14)
    names = [f"n{i:02}" for i in range(n)]
    nodes = {name: rnd.choice(["", "", "", "any", "noop", "allow"])
             for name in names}
    edges = set()
    for i in range(1, n):
        for j in rnd.sample(range(i), min(i, rnd.randint(0, 3))):
            for _ in range(rnd.choice([1, 1, 1, 2])):
                edges.add((names[j], names[i], rnd.choice("sssfa")))
    return nodes, sorted(edges)


def check(step, flow, model):
    print(f"SELECT 'seed {sys.argv[1]}, {step}: ' || g.state || ' ' || "
          f"f.states(g.workflow) || E'\\n wanted {model.flow()} "
          f"{model.states()}' FROM sortie.workflow g WHERE "
          f"g.workflow = {flow} AND (g.state <> '{model.flow()}' OR "
          f"f.states(g.workflow) <> '{model.states()}');")


def main():
    seed, rounds = int(sys.argv[1]), int(sys.argv[2])
    rnd = random.Random(seed)
    flow = "currval('sortie.workflow_number')"
    for number in range(rounds):
        nodes, edges = dag(rnd)
        model = Model(nodes, edges)
        order = list(nodes)
        rnd.shuffle(order)
        words = " ".join(n + (":" + nodes[n] if nodes[n] else "")
                         for n in order)
        arrows = " ".join(f"{p}>{c}:{k}" for p, c, k in edges)
        print(f"SELECT NULL FROM f.make('{{}}', '{words}', '{arrows}');")
        check(f"workflow {number} made", flow, model)
        for step in range(40):
            ready = [n for n in order if model.state[n] == "ready"]
            bad = model.bad()
            what = rnd.random()
            if bad and (not ready or what < 0.1):
                if what < 0.05 or not ready and what < 0.3:
                    model.again(bad)
                    print(f"SELECT message FROM sortie.workflow_retry_1(0, "
                          f"NULL, '{{}}', {flow}) WHERE code IS NOT NULL;")
                elif ready or what < 0.7:
                    name = rnd.choice(bad)
                    model.again([name])
                    print(f"SELECT message FROM sortie.job_retry_1(0, NULL, "
                          f"'{{}}', ARRAY[f.number({flow}, '{name}')], false)"
                          f" WHERE code IS NOT NULL;")
                else:
                    break
            elif ready:
                some = rnd.sample(ready, rnd.randint(1, len(ready)))
                ends = [(n, rnd.choice(["finished"] * 4 + ["failed",
                                                          "timelimit"]))
                        for n in some]
                for name, state in ends:
                    model.end(name, state)
                model.settle()
                words = " ".join(f"{n}:{s}" for n, s in ends)
                print(f"SELECT NULL FROM f.run({flow}, '{words}');")
            else:
                break
            check(f"workflow {number}, step {step}", flow, model)


main()
