"""Compares the three records: what clients were told, what payloads saw, and
what the database says. Each claim is a function that returns what is wrong."""
import re
import subprocess
from collections import Counter, defaultdict

LOG_FAULTS = re.compile(
    r"BUG: |ERROR: [A-Za-z]*Sanitizer|runtime error:|deadlock detected"
    r"|stack smashing")
RUN_END = {"finished", "failed", "timelimit", "cancelled"}


class Records:
    def __init__(self, world):
        self.world, self.told = world, world.told
        rows = world.db.rows
        self.jobs = {j["number"]: j for j in rows(
            "SELECT j.number, j.id, e.state, e.exit_code, e.signal, e.reason "
            "FROM sortie.job j LEFT JOIN sortie.ended e USING (number)")}
        self.runs = rows(
            "SELECT r.number, attempt, lpad(to_hex(run), 16, '0') AS run, "
            "r.state, r.exit_code, r.signal, r.reason, p.host, "
            "extract(epoch FROM granted_at) AS granted, "
            "extract(epoch FROM r.ended_at) AS ended, stdout_size, incomplete "
            "FROM sortie.run r JOIN sortie.pilot p USING (pilot)")
        self.events = rows(
            "SELECT kind, job, (detail->>'workflow')::bigint AS flow, detail, "
            "extract(epoch FROM at) AS at FROM sortie.event ORDER BY seq")
        self.output = {(o["number"], o["attempt"]): o["text"] for o in rows(
            "SELECT number, attempt, convert_from(string_agg(data, '' "
            "ORDER BY at), 'UTF8') AS text FROM sortie.output "
            "WHERE stream = 0 GROUP BY 1, 2")}
        self.by_run = {r["run"]: r for r in self.runs}
        self.by_job = defaultdict(list)
        for r in sorted(self.runs, key=lambda r: r["attempt"]):
            self.by_job[r["number"]].append(r)
        self.seen = self.read_payloads()
        # A restored database gives numbers again that it had given.
        self.notes = {n["job"]: n for n in self.told.of("submitted")
                      if self.jobs.get(n["job"], {}).get("id") == n["id"]}
        self.flows = {g["workflow"]: g for g in rows(
            "SELECT workflow, id, state, generation, n_jobs "
            "FROM sortie.workflow")}
        self.flow_notes = {n["flow"]: n for n in self.told.of("flow")
                           if self.flows.get(n["flow"], {}).get("id")
                           == n["id"]}
        self.injections = rows(
            "SELECT convert_from(i.path, 'UTF8') AS path, version, dataset, "
            "workflow, (SELECT count(*) FROM sortie.dataset d WHERE d.path = "
            "convert_from(i.path, 'UTF8') AND d.state = 'ready') AS datasets "
            "FROM sortie.injection i")
        self.asked_cancel = {n["job"] for n in self.told.of("asked cancel")}
        self.asked_flow = {what: {n["flow"] for n in self.told.of(
            f"asked flow {what}")} for what in ("cancel", "retry")}

    def flow_of(self, job):
        """The workflow that a job was made in, or None."""
        return self.notes.get(job, {}).get("flow")

    def asked(self, what):
        """The workflows for which somebody asked that."""
        return self.asked_flow[what]

    def read_payloads(self):
        """run -> {"job", "start", "end", "code"}, times in ms, and what else
        it noted."""
        seen = {}
        for path in self.world.runs.iterdir():
            job, run = path.name.split(".")
            lines = [line.split() for line in path.read_text().splitlines()]
            one = {"job": int(job), "end": None, "code": None,
                   "starts": sum(1 for w in lines if w[0] == "start")}
            for what, at, value in lines:
                one[what] = int(at)
                if what == "end":
                    one["code"] = int(value)
                if what == "sum":
                    one["sum"] = int(value)
                if what == "found" and value == "0":
                    one["blind"] = True
            seen[run] = one
        return seen


def forgotten(rec, at):
    """A stale standby that took over knows nothing of that time. A second
    more on each side: what is told comes later than what was done."""
    return any(start - 1 <= at <= end + 1
               for start, end in rec.world.forgotten)


def no_job_is_lost(rec):
    """Each job that was acknowledged is there, once, and there are no more."""
    notes = {n["id"]: n for n in rec.told.of("submitted")}
    told = {id: n["job"] for id, n in notes.items()}
    there = {j["id"]: j["number"] for j in rec.jobs.values()}
    for id, job in told.items():
        if there.get(id) != job and not forgotten(rec, notes[id]["at"]):
            yield f"job {job} was acknowledged and is not there"
    for id, job in there.items():
        if id not in told:
            yield f"job {job} is there and nobody was told"


def every_job_ends(rec):
    for job in rec.jobs.values():
        if job["state"] is None:
            yield f"job {job['number']} has not ended"


def ends_are_right(rec):
    """As its payload and what was done to it explain."""
    want = {n["id"]: n["code"] for n in rec.told.of("submitted")}
    for number, job in rec.jobs.items():
        state, code = job["state"], want.get(job["id"])
        if state == "finished" and code == 0:
            continue
        if state == "failed" and job["exit_code"] == code:
            continue
        if state == "cancelled" and may_be_cancelled(rec, number):
            continue
        if state == "skipped" and rec.notes.get(number, {}).get("after"):
            continue
        if state == "failed" and excused(rec, rec.by_job[number][-1]):
            continue
        if state is not None:
            yield (f"job {number} (its payload exits with {code}) ended as "
                   f"{state}, {job['exit_code']}, {job['reason']}")


def may_be_cancelled(rec, number):
    """Somebody asked for it, or its workflow's failure does."""
    flow = rec.flow_of(number)
    return (number in rec.asked_cancel
            or flow in rec.asked("cancel")
            or rec.flow_notes.get(flow, {}).get("on_failure") == "cancel")


def excused(rec, run):
    """A failure that a fault of ours explains."""
    # 137: what bubblewrap makes of the signal that killed its payload.
    return (run["run"] in rec.world.killed_runs
            and (run["signal"] == 9 or run["exit_code"] == 137)
            or run["host"] in rec.world.full_spools
            and "disk full" in run["reason"])


def cancels_hold(rec):
    """Who was told that a job is cancelled finds it so, or its payload had
    ended before."""
    for note in rec.told.of("cancel"):
        job = rec.jobs.get(note["job"])
        if forgotten(rec, note["at"]) or not note["done"]:
            continue
        if retried(rec, note["job"]):
            continue
        if job and job["state"] not in ("cancelled", "finished", "failed"):
            yield f"job {note['job']} was cancelled and is {job['state']}"


def retried(rec, number):
    """Its workflow may have been tried again: it has several ends."""
    return rec.flow_of(number) in rec.asked("retry")


def no_end_is_missing(rec):
    """What pilots were told is recorded; what people saw has stayed."""
    for note in rec.told.of("acked"):
        run = rec.by_run.get(note["run"])
        if forgotten(rec, note["at"]):
            continue
        if run is None or run["state"] == "lost":
            yield (f"the end of run {note['run']} was acknowledged and is "
                   f"{run['state'] if run else 'not there'}")
    for note in rec.told.of("seen"):
        job = rec.jobs.get(note["job"])
        if forgotten(rec, note["at"]) or retried(rec, note["job"]):
            continue
        if job is None or (job["state"], job["exit_code"]) != (
                note["state"], note["exit_code"]):
            yield (f"job {note['job']} was seen {note['state']} and is "
                   f"{job and job['state']}")


def nothing_counts_twice(rec):
    """One run of a job decides each time that it is asked for; no payload ran
    twice under one run."""
    again = Counter(e["job"] for e in rec.events if e["kind"] == "retried")
    for number, runs in rec.by_job.items():
        deciding = [r for r in runs if r["state"] in RUN_END - {"failed"}]
        if len(deciding) > 1 + again[number]:
            yield f"job {number} has {len(deciding)} runs that decide"
        if [r["attempt"] for r in runs] != list(range(1, len(runs) + 1)):
            yield f"attempts of job {number} have gaps"
    for run, seen in rec.seen.items():
        if seen["starts"] != 1:
            yield f"run {run} was started {seen['starts']} times"


def payloads_agree(rec):
    """A run that counts was seen by its payload, with that exit code."""
    for run in rec.runs:
        seen = rec.seen.get(run["run"])
        ended = seen is not None and seen["end"] is not None
        if run["state"] == "finished" and not (ended and seen["code"] == 0):
            yield f"run {run['run']} finished, its payload says {seen}"
        if run["state"] == "failed" and run["exit_code"] is not None and \
                not excused(rec, run) and \
                not (ended and seen["code"] == run["exit_code"]):
            yield f"run {run['run']} failed, its payload says {seen}"
    for run, seen in rec.seen.items():
        if run not in rec.by_run and \
                not forgotten(rec, seen["start"] / 1000):
            yield f"a payload ran as run {run}, which is not there"


def output_is_whole(rec):
    for run in rec.runs:
        if run["state"] != "finished" or run["incomplete"]:
            continue
        if "mute" in rec.seen.get(run["run"], {}):
            continue        # the disk was full, and its payload was told
        text = rec.output.get((run["number"], run["attempt"]))
        if text != f"job {run['number']} run {run['run']}\n":
            yield f"output of run {run['run']}: {text!r}"


def one_live_run(rec):
    """In the database's time: a run is granted after the one before ended."""
    if "clock" in rec.world.shape.has:
        return
    for number, runs in rec.by_job.items():
        for before, after in zip(runs, runs[1:]):
            if after["granted"] < before["ended"]:
                yield (f"job {number}: run {after['attempt']} was granted "
                       f"before run {before['attempt']} had ended")


def overlaps(rec):
    """Payloads of one job that ran at one time: (job, what, allowed). The run
    that was granted first may be the one that began later, when its grant was
    long on its way."""
    by_job = defaultdict(list)
    for run, seen in rec.seen.items():
        by_job[seen["job"]].append((seen["start"], seen["end"], run))
    for job, spans in by_job.items():
        spans.sort()
        for (_, end, first), (start, _, second) in zip(spans, spans[1:]):
            if end is None or end <= start:
                continue
            older = min(first, second, key=lambda run: rec.by_run.get(
                run, {}).get("attempt", 0))
            state = rec.by_run.get(older, {}).get("state")
            yield job, (f"job {job}: run {first} ran on for {end - start} ms "
                        f"beside run {second}; {older} was before, {state}"), \
                state == "lost" or forgotten(rec, start / 1000)


def overlaps_are_explained(rec):
    """Only a run that was given up may have a payload beside its successor."""
    for _, what, allowed in overlaps(rec):
        if not allowed:
            yield what


def records_replay(rec):
    """Runs and events alone tell each job's end: the last event that ended it
    without a run, unless it was tried again since, or its last run."""
    told = {}
    for event in rec.events:
        if event["kind"] in ("cancelled", "skipped", "finished"):
            told[event["job"]] = event["kind"]
        elif event["kind"] == "retried":
            told.pop(event["job"], None)
    for number, job in rec.jobs.items():
        runs = rec.by_job[number]
        last = runs[-1]["state"] if runs else None
        want = told.get(number, "lost" if last == "returned" else last)
        if want != job["state"]:
            yield (f"job {number} is {job['state']}, its runs and events say "
                   f"{want}")


def audit_is_clean(rec):
    world = rec.world
    done = subprocess.run(
        [world.build / "server/sortied", "--audit", "--database",
         f"host={world.db.primary.home} user=sortie dbname=postgres"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        yield from done.stdout.splitlines() or ["it cannot be made"]


def logs_tell_no_fault(rec):
    for path in sorted(rec.world.logs.iterdir()):
        for line in path.read_text(errors="replace").splitlines():
            if LOG_FAULTS.search(line):
                yield f"{path.name}: {line[:300]}"


CLAIMS = [
    ("no acknowledged job is lost, none is there twice", no_job_is_lost),
    ("every job ends", every_job_ends),
    ("every end has its reason", ends_are_right),
    ("what was cancelled stays so", cancels_hold),
    ("no acknowledged end is missing", no_end_is_missing),
    ("nothing is counted twice", nothing_counts_twice),
    ("payloads and database agree", payloads_agree),
    ("output is whole or marked", output_is_whole),
    ("no job had two live runs", one_live_run),
    ("payloads overlap only where a run was given up", overlaps_are_explained),
    ("runs and events replay to the state", records_replay),
    ("the audit finds every counter right", audit_is_clean),
    ("no log tells of a fault or a deadlock", logs_tell_no_fault),
]
