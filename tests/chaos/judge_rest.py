"""The claims about what goes in and out beside jobs: files that arrive, calls
when workflows end, values that nobody may see."""
import subprocess
from collections import Counter

from clients import SECRET
from judge import forgotten

SECRET_SUM = 0
for byte in SECRET.encode():
    SECRET_SUM = (SECRET_SUM * 31 + byte) % 1000000007


def each_file_is_injected_once(rec):
    """One version, one dataset that is ready, one workflow that has ended."""
    arrived = {note["path"] for note in rec.told.of("arrived")}
    made = Counter(i["path"] for i in rec.injections)
    for path in arrived:
        if made[path] != 1:
            yield f"{path} was injected {made[path]} times"
    for one in rec.injections:
        if one["path"] not in arrived:
            yield f"{one['path']} was injected and never arrived"
        if one["version"] != 1 or one["datasets"] != 1:
            yield (f"{one['path']} is in version {one['version']}, there are "
                   f"{one['datasets']} datasets of it")
        flow = rec.flows.get(one["workflow"])
        if flow is None or flow["n_jobs"] != 2:
            yield f"{one['path']}: its workflow is {flow}"
    for what in ("dataset", "workflow"):
        if len({one[what] for one in rec.injections}) != len(rec.injections):
            yield f"files share a {what}"


def each_end_is_called(rec):
    """At least once for each end of a workflow whose maker asked for it, with
    what its event says; and for nothing that did not end."""
    calls = rec.told.of("called")
    well = {(note["id"], note["generation"]) for note in calls
            if note["status"] < 300}
    heard = {}
    for note in calls:
        if forgotten(rec, note["at"]):
            continue
        known = heard.setdefault((note["id"], note["generation"]), note)
        if note["state"] != known["state"]:
            yield (f"workflow {note['flow']} was called {known['state']}, "
                   f"then {note['state']}")
    ends = {}
    for event in rec.events:
        note = rec.flow_notes.get(event["flow"])
        if event["kind"] == "workflow ended" and note and \
                note.get("callback"):
            detail = event["detail"]
            ends[note["id"], detail["generation"]] = detail
    for end, detail in ends.items():
        if end not in well:
            yield f"nobody was called when workflow {detail['workflow']} ended"
        elif end in heard and heard[end]["state"] != detail["state"]:
            yield (f"workflow {detail['workflow']} ended {detail['state']}, "
                   f"the call said {heard[end]['state']}")
    for end, note in heard.items():
        if end not in ends:
            yield f"a call said that workflow {note['flow']} ended"


def secrets_are_payloads_alone(rec):
    """Who is to have them has them, and no file of the world does."""
    for run, seen in rec.seen.items():
        if seen.get("sum", SECRET_SUM) != SECRET_SUM:
            yield f"run {run} of job {seen['job']} was given another secret"
    home = rec.world.home
    done = subprocess.run(
        ["grep", "-rlaF", "--devices=skip", SECRET, str(home)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in done.stdout.splitlines():
        yield f"the secret is in {line}"


CLAIMS = [
    ("each file that arrived is injected once", each_file_is_injected_once),
    ("each end of a workflow is told to whom it was to be", each_end_is_called),
    ("secrets are in payloads and nowhere else", secrets_are_payloads_alone),
]
