"""People who use the command `sortie`: it is left to go on trying for as long
as it takes, and what it prints is written down like any other answer."""
import json
import subprocess

from clients import Client, a_job


class Commander(Client):
    """Submits jobs, cancels some, and waits for some."""

    def __init__(self, world, seed, name):
        super().__init__(world, seed, name)
        self.n = 0

    def turn(self):
        self.n += 1
        key = f"{self.name}-{self.n}"
        job = {**a_job(self.world, self.random), "name": key}
        self.told.note("asked", key=key)
        done = self.sortie("job submit", "--key", key, "--json",
                           "--json-text", json.dumps(job))
        if done is None:
            return
        made = self.said(done)["jobs"][0]
        number = made["number"]
        self.told.note("submitted", key=key, job=number, id=made["id"],
                       code=int(job["argv"][3]))
        if self.random.random() < 0.2:
            self.told.note("asked cancel", job=number)
            done = self.sortie("job cancel", "--json", str(number))
            if done and done.returncode == 0:
                answer = json.loads(done.stdout)
                self.told.note("cancel", job=number, done=answer["done"],
                               refused=answer.get("refused", []))
        elif self.random.random() < 0.5:
            self.wait_for(number, made["id"])
        self.enough.wait(self.random.uniform(0, 1))

    def wait_for(self, number, id):
        """As `job show` has it once `job wait` has come back."""
        if self.sortie("job wait", "--quiet", str(number),
                       patient=False) is None:
            return
        done = self.sortie("job show", "--json", str(number))
        if done is None or done.returncode == 5 and self.world.forgotten:
            return
        view = self.said(done)
        if view["id"] != id:
            return              # a restored database gave the number again
        if not view.get("ended_at"):
            if self.world.forgotten:
                return          # or has forgotten the end
            raise RuntimeError(f"job {number} was waited for: {view['state']}")
        self.told.note("seen", job=number, id=id, state=view["state"],
                       exit_code=view.get("exit_code"),
                       attempts=view.get("attempts"))

    def said(self, done):
        if done.returncode != 0:
            raise RuntimeError(f"{done.args[1:3]} ends with "
                               f"{done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def sortie(self, words, *args, patient=True):
        """What it said; None when it was not let end. Who is not patient goes
        home at the end of the day."""
        while True:
            done = self.once(words, args, patient)
            # A server that was started on another cluster's database does not
            # know us; `job wait` has no exit status of its own for that.
            if not (done and self.world.db.decoys
                    and "the token is not known" in done.stderr):
                return done

    def once(self, words, args, patient):
        link = self.links[self.at]
        self.at = (self.at + 1) % len(self.links)
        child = subprocess.Popen(
            [*self.world.command(words, link), *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        while True:
            try:
                out, err = child.communicate(timeout=0.3)
                return subprocess.CompletedProcess(
                    child.args, child.returncode, out, err)
            except subprocess.TimeoutExpired:
                if self.give_up.is_set() or (
                        self.enough.is_set() and not patient):
                    child.kill()
                    child.communicate()
                    return None
