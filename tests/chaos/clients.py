"""The people: they submit, cancel, hold, look, and write down every answer.

A request whose answer did not come is repeated with the same idempotency key
until one comes, as a careful client does; so at the end each submission is
known to exist, and how often.
"""
import http.client
import json
import random
import threading
import time

TRY_S = 5
LONG_QUEUE = 1500       # jobs that wait, after which people come later
SECRET = "nobody-may-know-this-%d" % random.SystemRandom().getrandbits(64)


class Told:
    """What was said, in the order in which it was heard; also in a file."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.notes = []
        self.file = open(path, "w")

    def note(self, kind, **what):
        what.update(kind=kind, at=round(time.monotonic(), 3))
        with self.lock:
            self.notes.append(what)
            if not self.file.closed:
                self.file.write(json.dumps(what) + "\n")

    def of(self, kind):
        with self.lock:
            return [n for n in self.notes if n["kind"] == kind]

    def close(self):
        with self.lock:
            self.file.close()


class Client(threading.Thread):
    """One connection, kept alive, to whichever server answers."""

    def __init__(self, world, seed, name):
        super().__init__(daemon=True)
        self.world, self.told, self.name = world, world.told, name
        self.random = random.Random(f"{seed} {name}")
        self.links = world.client_links
        self.at = self.random.randrange(len(self.links))
        self.connection = None
        self.enough = threading.Event()     # begin nothing new
        self.give_up = threading.Event()
        self.error = None

    def call(self, method, path, body=None, key=None):
        """One try: (status, answer), or None when nobody knows."""
        headers = {"Authorization": f"Bearer {self.world.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        if key:
            headers["Idempotency-Key"] = key
        try:
            if not self.connection:
                self.connection = self.connect(self.links[self.at])
            self.connection.request(method, path, body, headers)
            reply = self.connection.getresponse()
            answer = reply.status, json.loads(reply.read() or b"null")
            # A server that was started on another cluster's database does
            # not know us.
            return None if reply.status == 401 and self.world.db.decoys \
                else answer
        except (OSError, http.client.HTTPException, ValueError):
            if self.connection:
                self.connection.close()
            self.connection = None
            self.at = (self.at + 1) % len(self.links)
            return None

    def connect(self, link):
        to, tls = ("127.0.0.1", link.port), link.authority
        if not tls:
            return http.client.HTTPConnection(*to, timeout=TRY_S)
        return http.client.HTTPSConnection(*to, timeout=TRY_S,
                                           context=tls.context)

    def insist(self, method, path, body=None, key=None):
        """Until there is an answer that means something."""
        while not self.give_up.is_set():
            answer = self.call(method, path, body, key)
            if answer and answer[0] < 500:
                return answer
            self.give_up.wait(0.2)
        return None

    def long_queue(self):
        """Whether much waits already: so a slow machine ends, too."""
        answer = self.call("GET", "/api/v1/summary")
        if not answer or answer[0] != 200:
            return False
        jobs = answer[1]["now"]["jobs"]
        return sum(jobs.get(state, 0)
                   for state in ("defined", "waiting")) > LONG_QUEUE

    def run(self):
        try:
            while not self.enough.is_set():
                self.turn()
        except Exception as e:      # told by the main thread
            self.error = f"{self.name}: {type(e).__name__}: {e}"


def a_job(world, r):
    """Any job; with a secret its payload notes the sum of what it was given."""
    ms = r.choice([0, 0, 50, 200, 500, 1500, 4000])
    code = 3 if r.random() < 0.1 else 0
    job = {
        "argv": [str(world.payload), str(world.runs), str(ms), str(code)],
        "priority": r.choice([0, 0, 5]), "jobtype": r.choice(["a", "b"]),
        "project": r.choice(["x", "y"]),
        "limits": {"licence": 1} if r.random() < 0.2 else {},
        "retries": r.choice([0, 0, 1]), "retry_delay": 1}
    if "secrets" in world.shape.has and r.random() < 0.3:
        job["argv"].append("=WORD")
        job["secrets"] = {"WORD": SECRET}
    return job


class Submitter(Client):
    def __init__(self, world, seed, name, pace_s):
        super().__init__(world, seed, name)
        self.n, self.pace_s = 0, pace_s

    def job(self):
        r = self.random
        return {**a_job(self.world, r), "name": f"{self.name} {self.n}",
                "replicas": r.randint(1, 4)}

    def turn(self):
        if self.long_queue():
            self.enough.wait(1)
            return
        self.n += 1
        jobs = [self.job() for _ in range(self.random.randint(1, 3))]
        key = f"{self.name}-{self.n}"
        self.told.note("asked", key=key)
        answer = self.insist("POST", "/api/v1/jobs", jobs, key)
        if answer is None:
            return
        if answer[0] != 201:
            raise RuntimeError(f"a submission is refused: {answer}")
        codes = [int(j["argv"][3]) for j in jobs for _ in range(j["replicas"])]
        made = answer[1]["jobs"]
        for job, code in zip(made, codes, strict=True):
            self.told.note("submitted", key=key, job=job["number"],
                           id=job["id"], code=code)
        self.enough.wait(self.random.uniform(0, 2 * self.pace_s))


class Meddler(Client):
    """Cancels, holds and releases; all three may be repeated at no harm."""

    ACTIONS = ["cancel", "cancel", "hold", "release"]

    def turn(self):
        self.enough.wait(self.random.uniform(0.1, 0.8))
        jobs = self.told.of("submitted")[-200:]
        if not jobs:
            return
        action = self.random.choice(self.ACTIONS)
        job = self.random.choice(jobs)["job"]
        self.told.note("asked " + action, job=job)
        answer = self.insist("POST", "/api/v1/jobs/actions",
                             {"action": action, "jobs": str(job)})
        if answer is None:
            return
        if answer[0] != 200:
            raise RuntimeError(f"{action} of {job} is refused: {answer}")
        self.told.note(action, job=job, done=answer[1]["done"],
                       refused=answer[1].get("refused", []))


class Watcher(Client):
    """Looks at jobs; an end once seen must stay."""

    def turn(self):
        self.enough.wait(self.random.uniform(0.1, 0.5))
        jobs = self.told.of("submitted")
        if not jobs:
            return
        job = self.random.choice(jobs)["job"]
        wait = self.random.choice([0, 0, 2])
        answer = self.call("GET", f"/api/v1/jobs/{job}?wait={wait}")
        if answer and answer[0] == 200:
            view = answer[1]
            if view.get("ended_at"):
                self.told.note("seen", job=job, id=view["id"],
                               state=view["state"],
                               exit_code=view.get("exit_code"),
                               attempts=view.get("attempts"))
        elif answer and answer[0] < 500 and not (
                answer[0] == 404 and self.world.forgotten):
            raise RuntimeError(f"job {job} is not shown: {answer}")
