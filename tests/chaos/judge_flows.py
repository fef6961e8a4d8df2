"""The claims about workflows: they end once, as their jobs say; no job ran
before what it waits for; files are there before who reads them."""
from judge import forgotten, may_be_cancelled

BAD = ("failed", "timelimit", "lost")


class Flows:
    """Workflows as the database has them, and their jobs as people were told
    of them: rec.notes, by workflow and name."""

    def __init__(self, rec):
        self.rec = rec
        rows = rec.world.db.rows
        self.rows = rec.flows
        self.files = {d["path"]: d for d in rows(
            "SELECT DISTINCT ON (path) path, state, producer, producer_run "
            "FROM sortie.dataset ORDER BY path, version DESC")}
        self.jobs = {}
        for note in rec.notes.values():
            if note.get("flow") in self.rows:
                self.jobs.setdefault(note["flow"], {})[note["name"]] = note
        self.events = {}
        for event in rec.events:
            if event["job"] is not None:
                self.events.setdefault(event["job"], []).append(event)

    def state(self, note):
        return self.rec.jobs.get(note["job"], {}).get("state")

    def all_jobs(self):
        for number, jobs in self.jobs.items():
            for note in jobs.values():
                if note["job"] in self.rec.jobs:
                    yield number, note


def none_is_lost(rec, flows):
    for note in rec.told.of("flow"):
        row = flows.rows.get(note["flow"])
        if (row is None or row["id"] != note["id"]) and \
                not forgotten(rec, note["at"]):
            yield f"workflow {note['flow']} was acknowledged and is not there"
    for number, row in flows.rows.items():
        if number not in rec.flow_notes:
            yield f"workflow {number} is there and nobody was told"
        elif row["n_jobs"] != len(flows.jobs.get(number, {})):
            yield (f"workflow {number} has {row['n_jobs']} jobs, its maker "
                   f"was told of {len(flows.jobs.get(number, {}))}")


def each_ends_once(rec, flows):
    """As its events say: ends and retries take turns, the last is an end."""
    ends = {number: [] for number in flows.rows}
    for event in rec.events:
        if event["kind"] == "workflow ended" and event["flow"] in ends:
            detail = event["detail"]
            ends[event["flow"]].append((detail["generation"],
                                        detail["state"]))
    for number, row in flows.rows.items():
        told = ends[number]
        if len({generation for generation, _ in told}) != len(told):
            yield f"workflow {number} ended more than once: {told}"
        if told[-1:] != [(row["generation"], row["state"])]:
            yield (f"workflow {number} is {row['state']} in generation "
                   f"{row['generation']}, its ends are {told}")


def states_follow_jobs(rec, flows):
    for number, row in flows.rows.items():
        jobs = flows.jobs.get(number, {}).values()
        bad = [n["name"] for n in jobs if n["flag"] != "allow"
               and flows.state(n) in (*BAD, "cancelled")]
        if row["state"] == "cancelled":
            right = number in rec.asked("cancel")
        else:
            right = row["state"] == ("failed" if bad else "finished")
        if not right:
            yield f"workflow {number} is {row['state']}, bad are {bad}"


def what_was_told_holds(rec, flows):
    """Who was told that a workflow has ended finds it so unless it was tried
    again; one that was told of its cancelling is cancelled."""
    for note in rec.told.notes:
        if not note["kind"].startswith("flow "):
            continue
        number, row = note["flow"], flows.rows.get(note["flow"])
        if row is None or forgotten(rec, note["at"]):
            continue
        if note["ended"] and row["generation"] == note["generation"] and \
                row["state"] != note["state"]:
            yield (f"workflow {number} was seen {note['state']} and is "
                   f"{row['state']}")
        if row["generation"] < note["generation"]:
            yield f"workflow {number} was seen in a later generation"
        if note["kind"] == "flow cancel" and row["state"] != "cancelled" \
                and number not in rec.asked("retry"):
            yield f"workflow {number} was cancelled and is {row['state']}"


class Before:
    """What was so when a run began, by what payloads saw (success) and, as no
    payload sees how others fail, by the database's times."""

    def __init__(self, rec, flows):
        self.rec, self.flows = rec, flows
        self.good = {}          # job -> when a payload of it first ended well
        for run, seen in rec.seen.items():
            if run in rec.by_run and seen["end"] is not None \
                    and seen["code"] == 0:
                job = seen["job"]
                self.good[job] = min(seen["end"],
                                     self.good.get(job, seen["end"]))

    def all_hold(self, note, seen, run):
        jobs = self.flows.jobs[note["flow"]]
        held = [a not in jobs or self.holds(jobs[a], cond, seen, run)
                for a, cond in note["after"]]
        return not held or (any(held) if note["flag"] == "any" else all(held))

    def holds(self, parent, cond, seen, run):
        if parent["flag"] == "noop" and cond == "s":
            return self.all_hold(parent, seen, run)
        well = self.good.get(parent["job"])
        well = well is not None and well <= seen["start"]
        if cond == "s":
            return well
        if "clock" in self.rec.world.shape.has:
            return True
        return self.failed(parent, run) or cond == "a" and (
            well or self.over(parent, run))

    def runs(self, parent, run, states):
        return [r for r in self.rec.by_job[parent["job"]]
                if r["state"] in states and r["ended"] <= run["granted"]]

    def failed(self, parent, run):
        """Its last try: a cancelled one has no other."""
        tries = 1 + parent["retries"]
        if may_be_cancelled(self.rec, parent["job"]):
            tries = 1
        return len(self.runs(parent, run, BAD[:2])) >= tries

    def over(self, parent, run):
        """Without a run, or by a cancel."""
        return self.runs(parent, run, ("cancelled",)) or any(
            e["kind"] in ("cancelled", "skipped", "finished")
            and e["at"] <= run["granted"]
            for e in self.flows.events.get(parent["job"], []))


def no_child_is_early(rec, flows):
    before = Before(rec, flows)
    children = {note["job"]: note for _, note in flows.all_jobs()
                if note["after"]}
    for run, seen in rec.seen.items():
        note = children.get(seen["job"])
        if note and run in rec.by_run and \
                not before.all_hold(note, seen, rec.by_run[run]):
            yield (f"run {run} of job {note['job']} ({note['name']} of "
                   f"workflow {note['flow']}) began before its conditions")


def verdict(flows, jobs, note):
    """Whether the ends of its parents, as they are now, let it run."""
    told = []
    for name, cond in note["after"]:
        state = flows.state(jobs[name]) if name in jobs else None
        told.append({"s": state == "finished", "f": state in BAD,
                     "a": True}[cond])
    return not told or (any(told) if note["flag"] == "any" else all(told))


def skips_are_right(rec, flows):
    """Skipped is what cannot run, and nothing else; of those that were tried
    again some may have run by an earlier end."""
    for number, note in flows.all_jobs():
        state = flows.state(note)
        runs = verdict(flows, flows.jobs[number], note)
        if state == "skipped" and runs:
            yield f"job {note['job']} is skipped, its conditions are met"
        if state in ("finished", *BAD) and not runs and \
                number not in rec.asked("retry"):
            yield f"job {note['job']} is {state}, its conditions are not met"


def files_follow_jobs(rec, flows):
    """Ready when its job has finished, missing when it ended badly; there
    before who reads it."""
    for _, note in flows.all_jobs():
        if not note.get("file"):
            continue
        row = flows.files.get(note["file"])
        want = "ready" if flows.state(note) == "finished" else "missing"
        if row is None or row["state"] != want or \
                row["producer"] != note["job"]:
            yield (f"{note['file']}: {row}, its job {note['job']} is "
                   f"{flows.state(note)}")
    for run, seen in rec.seen.items():
        if seen.get("blind"):
            yield f"run {run} of job {seen['job']} did not find its input"


CLAIMS = [
    ("no acknowledged workflow is lost or there twice", none_is_lost),
    ("every workflow ends once", each_ends_once),
    ("in the state that its jobs give", states_follow_jobs),
    ("what people were told of it holds", what_was_told_holds),
    ("no job of one ran before its conditions held", no_child_is_early),
    ("skipped is what could not run", skips_are_right),
    ("files follow the jobs that make them", files_follow_jobs),
]
