"""The people with workflows: they make them in all shapes, add to open ones,
start, cancel, retry and change them, and write down every answer."""
import graph_model
from clients import Client

WORDS = {"s": "success", "f": "failure", "a": "always"}


# Shapes: each returns (nodes, edges) as graph_model has them: a flag by name,
# and (parent, child, condition), parents first.

def chain(r):
    names = [f"n{i:03}" for i in range(r.randint(3, 8))]
    return dict.fromkeys(names, ""), [(a, b, "s")
                                      for a, b in zip(names, names[1:])]


def fan(r):
    """Out and in again, through a noop every other time."""
    width = r.randint(2, 12)
    middle = [f"m{i:03}" for i in range(width)]
    nodes = {"a": "", **dict.fromkeys(middle, r.choice(["", "allow"])),
             "z": r.choice(["", "noop"]), "zz": ""}
    cond = r.choice("sa")
    return nodes, [*(("a", m, "s") for m in middle),
                   *((m, "z", cond) for m in middle), ("z", "zz", "s")]


def layers(r):
    """All of one layer before all of the next."""
    depth, width = r.randint(2, 4), r.randint(2, 3)
    nodes = {f"l{i}.{j}": "" for i in range(depth) for j in range(width)}
    return nodes, [(f"l{i}.{j}", f"l{i + 1}.{k}", "s")
                   for i in range(depth - 1)
                   for j in range(width) for k in range(width)]


def outcomes(r):
    """One that may fail, and who waits for which end of it."""
    nodes = {"try": r.choice(["", "allow"]), "good": "", "bad": "",
             "clean": "", "either": "any"}
    return nodes, [("try", "good", "s"), ("try", "bad", "f"),
                   ("try", "clean", "a"), ("good", "either", "s"),
                   ("bad", "either", "s")]


SHAPES = [chain, fan, layers, outcomes, graph_model.dag, graph_model.dag]


def nodes_run(nodes):
    return [name for name, flag in nodes.items() if flag != "noop"]


class Flow:
    """A workflow as it was asked for. nodes: name -> flag; edges; codes: what
    each job's payload exits with; retries; files: name -> path of what it
    makes. before: jobs that are there already, which some may wait for."""

    def __init__(self, r, shape, prefix="", before=()):
        nodes, edges = shape(r)
        self.nodes = {prefix + n: flag for n, flag in nodes.items()}
        self.edges = [(prefix + a, prefix + b, c) for a, b, c in edges]
        if before:
            root = next(iter(self.nodes))
            self.edges.append((r.choice(before), root, r.choice("sfa")))
        self.codes = {n: 0 if flag == "noop" or r.random() < 0.85 else 3
                      for n, flag in self.nodes.items()}
        self.retries = {n: r.choice([0, 0, 1]) for n in nodes_run(self.nodes)}
        makers = sorted({a for a, b, c in self.edges if c == "s"
                         and self.nodes.get(a, "noop") != "noop"
                         and self.nodes[b] not in ("noop", "any")})
        self.files = {n: None for n in makers if r.random() < 0.5}

    def with_file(self, edge):
        parent, child, cond = edge
        return (parent in self.files and cond == "s"
                and self.nodes[child] not in ("noop", "any"))

    def document(self, r, world, key):
        jobs, datasets, args = [], [], {}
        names = list(self.nodes)
        for edge in filter(self.with_file, self.edges):
            tag = f"F_{names.index(edge[0])}"
            self.files[edge[0]] = f"{world.files}/{key}.{edge[0]}"
            datasets.append({"from": edge[0], "to": edge[1], "tag": tag,
                             "directory": str(world.files),
                             "name": f"{key}.{edge[0]}"})
            args.setdefault(edge[0], set()).add("+" + tag)
            args.setdefault(edge[1], set()).add("-" + tag)
        for name, flag in self.nodes.items():
            job = {"name": name, "after": [
                {"job": a, "on": WORDS[c]} for a, b, c in self.edges
                if b == name and not self.with_file((a, b, c))]}
            if flag == "noop":
                job["noop"] = True
            else:
                job["argv"] = [str(world.payload), str(world.runs),
                               str(r.choice([0, 50, 200, 500])),
                               str(self.codes[name]),
                               *sorted(args.get(name, []))]
                job["retries"], job["retry_delay"] = self.retries[name], 1
            if flag == "any":
                job["join"] = "any"
            if flag == "allow":
                job["allow_failure"] = True
            jobs.append(job)
        r.shuffle(jobs)
        return {"jobs": jobs, "datasets": datasets}


class FlowMaker(Client):
    """Makes workflows; open ones it adds to, and closes."""

    def __init__(self, world, seed, name, pace_s):
        super().__init__(world, seed, name)
        self.n, self.pace_s = 0, pace_s

    def turn(self):
        if self.long_queue():
            self.enough.wait(1)
            return
        self.n += 1
        r, key = self.random, f"{self.name}-{self.n}"
        flow = Flow(r, r.choice(SHAPES))
        body = {**flow.document(r, self.world, key),
                "state": r.choice(["running", "running", "held"]),
                "on_failure": r.choice(["continue", "continue", "cancel"]),
                "project": r.choice(["x", "y"])}
        if r.random() < 0.3:
            body["max_running"] = r.randint(1, 3)
        if r.random() < 0.3:
            body["open"] = True
        if self.world.listener and r.random() < 0.5:
            body["callback"] = self.world.listener.url(key)
        made = self.make("/api/v1/workflows", body, key)
        if made is None:
            return
        number = made["number"]
        self.told.note("flow", flow=number, id=made["id"], key=key,
                       on_failure=body["on_failure"],
                       callback="callback" in body)
        self.tell_jobs(flow, number, key)
        if body.get("open"):
            self.enlarge(flow, number, key)
        self.enough.wait(self.random.uniform(0, 2 * self.pace_s))

    def make(self, path, body, key):
        """The answer, or None: it is not known, or was not to be."""
        answer = self.insist("POST", path, body, key)
        if answer is None:
            return None
        if answer[0] in (200, 201):
            return answer[1]
        if path.endswith("/jobs") and answer[0] in (404, 409):
            return None         # forgotten, or cancelled meanwhile
        raise RuntimeError(f"{path} is refused: {answer}")

    def enlarge(self, flow, number, key):
        """Some jobs more, and the end of them."""
        for i in range(self.random.randint(0, 2)):
            more = Flow(self.random, self.random.choice(SHAPES), f"x{i}.",
                        list(flow.nodes))
            body = more.document(self.random, self.world, f"{key}.{i}")
            made = self.make(f"/api/v1/workflows/{number}/jobs", body,
                             f"{key}.{i}")
            if made is None:
                break
            self.tell_jobs(more, number, f"{key}.{i}")
        self.insist("POST", f"/api/v1/workflows/{number}/close")

    def tell_jobs(self, flow, number, key):
        """Notes what the server says the jobs are called."""
        answer = self.insist(
            "GET", f"/api/v1/workflows/{number}/jobs?page_size=1000")
        if answer is None or answer[0] == 404 and self.world.forgotten:
            return
        if answer[0] != 200:
            raise RuntimeError(f"workflow {number} is not shown: {answer}")
        jobs = {item["name"]: item for item in answer[1]["items"]}
        for name, flag in flow.nodes.items():
            self.told.note("submitted", key=key, job=jobs[name]["job"],
                           id=jobs[name]["id"], code=flow.codes[name],
                           flow=number, name=name, flag=flag,
                           retries=flow.retries.get(name, 0),
                           file=flow.files.get(name),
                           after=[[a, c] for a, b, c in flow.edges
                                  if b == name])


class FlowMeddler(Client):
    """Starts, cancels, retries and changes workflows; and looks at them."""

    ACTIONS = [("start", None), ("start", None), ("cancel", None),
               ("retry", None), ("retry", None),
               ("look", None), ("look", None),
               ("change", {"max_running": 2}),
               ("change", {"max_running": None}),
               ("change", {"priority": 3}), ("change", {"name": "changed"})]

    def turn(self):
        self.enough.wait(self.random.uniform(0.1, 0.8))
        flows = self.told.of("flow")[-40:]
        if not flows:
            return
        flow = self.random.choice(flows)["flow"]
        what, body = self.random.choice(self.ACTIONS)
        path = f"/api/v1/workflows/{flow}"
        if what == "look":
            answer = self.call("GET", path)
        elif what == "change":
            answer = self.insist("PATCH", path, body)
        else:
            self.told.note(f"asked flow {what}", flow=flow)
            answer = self.insist("POST", f"{path}/{what}")
        if answer is None or answer[0] >= 500:
            return
        if answer[0] not in (200, 409) and not (
                answer[0] == 404 and self.world.forgotten):
            raise RuntimeError(f"{what} of workflow {flow}: {answer}")
        if answer[0] == 200:
            view = answer[1]
            self.told.note(f"flow {what}", flow=flow, state=view["state"],
                           generation=view["generation"],
                           ended=bool(view.get("ended_at")))


def finish_all(world, client):
    """What nobody started is started, what is open is closed."""
    for note in world.told.of("flow"):
        for what in ("start", "close"):
            client.insist("POST", f"/api/v1/workflows/{note['flow']}/{what}")
