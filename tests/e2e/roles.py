#!/usr/bin/python3
"""Tries every cell of the table of roles against a server.

usage: roles.py [--show] TABLE SOCKET ADMIN-TOKEN ROUTES
  ROUTES   what sortied --print-routes printed
  --show   print the table as the server answers, to be judged by a person

The table's head says what its columns and cells mean. Each row is a line of
judgement: "ok" or "not ok", a tab, the claim, a tab, what was wrong.
"""
import hashlib
import http.client
import json
import re
import socket
import sys

ROLES = ("none", "reader", "watch", "own", "other", "admin", "join", "p-own",
         "p-other", "j-own", "j-child", "j-other")
MARK = "mark-of-alice"
PILOT = {"protocol": 1, "version": "0", "host": MARK, "slots": 50,
         "cores": 50, "memory": 1 << 30, "one_user": True, "uid": 1}
FREE = {"slots": 1, "cores": 1, "memory": 0}


class Unix(http.client.HTTPConnection):
    """A kept connection to the server's socket."""

    def __init__(self, path):
        super().__init__("sortie", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class World:
    """The server, a token for each role, and things of alice's."""

    def __init__(self, path, admin):
        self.http = Unix(path)
        self.n = 0
        self.token = {"none": None, "admin": admin}
        for role, kind, owner in (("own", "user", "alice"),
                                  ("other", "user", "bob"),
                                  ("reader", "reader", "alice"),
                                  ("join", "join", "alice"),
                                  ("bobs-join", "join", "bob")):
            made = self.must("POST", "/api/v1/tokens", "admin",
                             {"role": kind, "owner": owner, "name": "t"})
            self.token[role] = made["token"]
        made = self.must("POST", "/api/v1/tokens", "admin",
                         {"role": "reader", "owner": "bob", "name": "t",
                          "everybody": True})
        self.token["watch"] = made["token"]
        self.fixed()

    def call(self, method, path, role, body=None):
        head = {}
        if self.token[role] is not None:
            head["Authorization"] = "Bearer " + self.token[role]
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.http.request(method, path, body, head)
        reply = self.http.getresponse()
        return reply.status, reply.read().decode(errors="replace")

    def must(self, method, path, role, body=None):
        status, text = self.call(method, path, role, body)
        if status not in (200, 201, 204):
            sys.exit(f"{method} {path} as {role}: {status} {text}")
        return json.loads(text) if text else None

    def pilot(self, role, join):
        made = self.must("POST", "/api/v1/pilots", join, PILOT)
        self.token[role] = made["token"]
        return made["pilot"]

    def submit(self, role, **more):
        made = self.must("POST", "/api/v1/jobs", role,
                         {"argv": ["true"], "name": MARK, **more})
        return made["first"]

    def claim(self, role, pilot):
        made = self.must("POST", f"/api/v1/pilots/{pilot}/claim", role,
                         {"request": 1, "free": {**FREE, "slots": 50,
                                                 "cores": 50}, "wait": 0})
        return made["grants"][0]

    def start(self, grant, role, pilot):
        self.must("POST", f"/api/v1/pilots/{pilot}/report", role,
                  {"starts": [{"run": grant["run"], "job": grant["job"],
                               "ago_ms": 0, "host_pid": 1}]})

    def fixed(self):
        """A live run of alice's, another job of hers, and one of bob's."""
        self.submit("own")
        self.mine = self.pilot("p-own", "join")
        grant = self.claim("p-own", self.mine)
        self.start(grant, "p-own", self.mine)
        self.parent = grant["job"]
        self.run = grant["run"]
        self.token_of_mine = self.token["p-own"]
        self.token["j-own"] = grant["token"]
        self.token["j-child"] = self.token["j-other"] = grant["token"]
        self.must("PUT", f"/api/v1/pilots/{self.mine}/runs/{self.run}"
                  f"/output/stdout?job={self.parent}&offset=0", "p-own",
                  MARK.encode())
        self.theirs = self.pilot("p-other", "bobs-join")
        self.child = self.submit("own", state="held")
        self.bobs = self.submit("other", state="held")

    # Each makes what a row acts on: the values of the names in its path and
    # body.

    def none(self, role):
        return {}

    def job(self, role):
        """A job token's own, its child, another's; else a new one."""
        fixed = {"j-own": self.parent, "j-child": self.child,
                 "j-other": self.bobs}
        return {"ref": fixed.get(role) or self.submit("own", state="held")}

    def output(self, role):
        self.token["p-own"] = self.token_of_mine
        return {"ref": self.parent, "attempt": "last", "stream": "stdout",
                "id": self.mine, "run": self.run, "job": self.parent,
                "offset": len(MARK)}

    def foreign(self, role):
        """Of p-other's own pilot, but the run is alice's."""
        return {**self.output(role),
                "id": self.theirs if role == "p-other" else self.mine}

    def talk(self, role):
        """A pilot that only p-own is."""
        pilot = self.pilot("p-own", "join")
        return {"id": pilot}

    def person(self, role):
        return {"ref": self.must("GET", f"/api/v1/pilots/{self.mine}",
                                 "admin")["number"]}

    def submission(self, role):
        made = self.must("POST", "/api/v1/submissions", "own", {})
        self.must("PUT", f"/api/v1/submissions/{made['id']}/parts/1", "own",
                  [{"argv": ["true"], "state": "held"}])
        return {"id": made["id"], "n": 1}

    def file(self, role):
        self.must("PUT", "/api/v1/files/" + sha256(MARK), "own",
                  MARK.encode())
        return {"sha256": sha256(MARK)}

    def dataset(self, role):
        self.n += 1
        made = self.must("POST", "/api/v1/datasets", "own",
                         {"path": f"/{MARK}/{self.n}"})
        return {"ref": made["number"]}

    def secret(self, role):
        made = self.must("POST", "/api/v1/tokens", "own",
                         {"role": "reader", "name": MARK})
        return {"id": made["id"]}

    def named(self, kind, role, body):
        self.n += 1
        self.must("PUT", f"/api/v1/{kind}/n{self.n}", role, body)
        return {"name": f"n{self.n}"}

    def site(self, role):
        self.n += 1
        name = f"n{self.n}"
        self.must("PUT", f"/api/v1/sites/{name}", "admin", {"name": name})
        return {"name": name}

    def limit(self, role):
        return self.named("limits", "admin", {"capacity": 1})

    def datatype(self, role):
        return self.named("datatypes", "own", {"comment": MARK})

    def dag(self, role):
        return self.named("dags", "own", {"description": MARK,
                                          "jobs": {"a": {"noop": True}}})

    def workflow(self, role, **more):
        """Held, so that nothing happens in it."""
        made = self.must("POST", "/api/v1/workflows", "own",
                         {"name": MARK, "state": "held",
                          "jobs": {"a": {"argv": ["true"]}}, **more})
        return {"ref": made["number"]}

    def open(self, role):
        return self.workflow(role, open=True)

    def failed(self, role):
        """Cancelled, so that it may be retried or deleted."""
        values = self.workflow(role)
        path = f"/api/v1/workflows/{values['ref']}"
        self.must("POST", path + "/cancel", "own")
        while self.must("GET", path + "?wait=30", "own")["state"] == "held":
            pass
        return values

    def injection(self, role):
        self.n += 1
        at = "2026-11-22T07:00:00.000Z"
        self.must("POST", "/api/v1/injections", "own",
                  {"stream": MARK, "path": f"/in/{self.n}", "size": 1,
                   "modified_at": at, "seen_at": at, "complete_at": at,
                   "job": {"argv": ["true"], "state": "held"}})
        return {"path": f"/in/new-{self.n}"}

    def new(self, role):
        """A name that nothing has."""
        self.n += 1
        return {"name": f"n{self.n}"}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def fill(text, values):
    return re.sub(r"\{(\w+)\}", lambda m: str(values[m[1]]), text)


class Row:
    def __init__(self, line):
        (self.method, self.path, self.thing, self.query, self.body,
         self.mark, cells) = line.split("\t")
        self.cells = cells.split()
        self.route = f"{self.method} {self.path}"
        if len(self.cells) != len(ROLES):
            sys.exit(f"{self.route} has {len(self.cells)} cells")

    def answer(self, world, role):
        values = getattr(world, self.thing)(role)
        query = "" if self.query == "-" else "?" + fill(self.query, values)
        body = None if self.body == "-" else self.body
        if body is not None:
            body = re.sub(r"<(\w+)>", lambda m: str(values[m[1]]), body)
            body = body.encode()
        status, text = world.call(self.method,
                                  fill(self.path, values) + query, role, body)
        if self.mark == "-" or status >= 400:
            return str(status), text
        return str(status) + "-+"[re.search(self.mark, text) is not None], text


def main():
    args = sys.argv[1:]
    show = args[0] == "--show"
    if show:
        args = args[1:]
    table, path, admin, routes = args
    with open(table, encoding="utf-8") as f:
        rows = [Row(x.rstrip("\n")) for x in f if x[0] not in "#\n"]
    with open(routes, encoding="utf-8") as f:
        routes = [" ".join(x.split()[:2]) for x in f]
    world = World(path, admin)
    for route in routes:
        if route not in [r.route for r in rows]:
            print(f"not ok\t{route} has a row\tadd one to {table}")
    for row in rows:
        if row.route not in routes:
            print(f"not ok\t{row.route} is a route\ttake it from {table}")
            continue
        wrong, got = [], []
        for role, want in zip(ROLES, row.cells):
            answer, text = row.answer(world, role)
            got.append(answer)
            if answer != want:
                wrong.append(f"{role}: {answer}, not {want} ({text[:150]!r})")
        if show:
            print(row.route, *got, sep="\t", flush=True)
        elif wrong:
            print(f"not ok\t{row.route}\t{'; '.join(wrong)}")
        else:
            print(f"ok\t{row.route}: {' '.join(got)}")


main()
