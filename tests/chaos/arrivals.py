"""Files that arrive while everything breaks, of which injectors make a
workflow each; and what the server says in the end was made of them."""
import os

from clients import Client

DAG = "arrivals"


def dag(world):
    """A file comes out of SOURCE and is looked for by the one job."""
    return {"jobs": {
        "SOURCE": {"jobtype": "noop"},
        "look": {"argv": [str(world.payload), str(world.runs), "50", "0",
                          "-IN"], "retries": 1, "retry_delay": 1}},
        "datasets": [{"from": "SOURCE", "to": "look", "tag": "IN",
                      "name": "none", "directory": "/none"}]}


class Arrivals(Client):
    """Files come whole, in pieces, by another name, and many at once."""

    def __init__(self, world, seed, name):
        super().__init__(world, seed, name)
        self.n = 0

    def turn(self):
        self.enough.wait(self.random.uniform(0.2, 2))
        way = self.random.choice(["whole", "pieces", "renamed", "burst"])
        for _ in range(self.random.randint(2, 8) if way == "burst" else 1):
            self.n += 1
            self.arrive(self.world.arrivals / f"file-{self.n}", way)

    def arrive(self, path, way):
        at = path.with_name(f".{path.name}") if way == "renamed" else path
        self.told.note("arrived", path=str(path))
        with open(at, "w") as file:
            file.write(f"{path.name}\n")
            if way == "pieces":
                file.flush()
                self.enough.wait(self.random.uniform(0.5, 3))
                file.write("whole\n")
        if at != path:
            os.rename(at, path)


def note_made(world, client):
    """Notes the workflows of injections and their jobs as if people had been
    told of each: they learn of them by looking."""
    path = "/api/v1/injections?page_size=1000"
    cursor = ""
    while cursor is not None:
        answer = expect(client, path + cursor)
        for item in answer["items"]:
            world.told.note("injected", path=item["path"],
                            dataset=item["dataset"], flow=item["workflow"])
            note_flow(world, client, item["workflow"])
        cursor = answer.get("next")
        cursor = f"&cursor={cursor}" if cursor else None


def note_flow(world, client, number):
    flow = expect(client, f"/api/v1/workflows/{number}")
    world.told.note("flow", flow=number, id=flow["id"], key=DAG,
                    on_failure="continue")
    jobs = expect(client, f"/api/v1/workflows/{number}/jobs")["items"]
    for item in jobs:
        noop = item["name"] == "SOURCE"
        world.told.note("submitted", key=DAG, job=item["job"], id=item["id"],
                        code=0, flow=number, name=item["name"],
                        flag="noop" if noop else "", retries=int(not noop),
                        file=None, after=[] if noop else [["SOURCE", "s"]])


def expect(client, path):
    answer = client.insist("GET", path)
    if answer is None or answer[0] != 200:
        raise RuntimeError(f"{path}: {answer}")
    return answer[1]
