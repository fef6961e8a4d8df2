"""What must become of the jobs of a graph when some of them end: a small model
that tests compare with what the database and the server make of it.
"""
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


def dag(rnd, most=14):
    """Nodes with their flags, and edges, for a Model."""
    n = rnd.randint(1, most)
    names = [f"n{i:03}" for i in range(n)]
    nodes = {name: rnd.choice(["", "", "", "any", "noop", "allow"])
             for name in names}
    edges = set()
    for i in range(1, n):
        for j in rnd.sample(range(i), min(i, rnd.randint(0, 3))):
            for _ in range(rnd.choice([1, 1, 1, 2])):
                edges.add((names[j], names[i], rnd.choice("sssfa")))
    return nodes, sorted(edges)
