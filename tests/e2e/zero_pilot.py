#!/usr/bin/python3
"""A pilot that does no work: claims, and ends each run as soon as it is
granted. Ends when COUNT jobs have ended, with status 1 when that takes longer
than SECONDS.

usage: zero_pilot.py SOCKET JOIN-TOKEN-FILE COUNT SECONDS GRANTED
  GRANTED   file that gets the number of each job granted, a line each
"""
import http.client
import json
import socket
import sys
import time

SLOTS = 200


class Unix(http.client.HTTPConnection):
    """A kept connection to the server's socket."""

    def __init__(self, path):
        super().__init__("sortie", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Api:
    """Calls that must succeed."""

    def __init__(self, path, token):
        self.http = Unix(path)
        self.token = token

    def __call__(self, method, path, body=None):
        self.http.request(
            method, "/api/v1" + path,
            None if body is None else json.dumps(body),
            {"Authorization": "Bearer " + self.token,
             "Content-Type": "application/json"})
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text) if text else None


class Pilot:
    """One that was registered; its runs are ended by hand."""

    def __init__(self, path, join, slots=SLOTS, host="zero"):
        made = Api(path, join)("POST", "/pilots", {
            "protocol": 1, "version": "0", "host": host, "slots": slots,
            "cores": slots, "memory": 0, "one_user": True, "uid": 1})
        self.call = Api(path, made["token"])
        self.path = f"/pilots/{made['pilot']}"
        self.slots = slots
        self.request = 0

    def claim(self, free, wait_s):
        """Grants: objects with "run" and "job"."""
        self.request += 1
        return self.call("POST", self.path + "/claim", {
            "request": self.request, "wait": wait_s,
            "free": {"slots": free, "cores": free, "memory": 0}})["grants"]

    def end(self, ends):
        """ends: pairs of a grant and its end's members."""
        self.call("POST", self.path + "/report", {"ends": [
            {"run": grant["run"], "job": grant["job"], "ago_ms": 0,
             "wall_ms": 1, "started": True, **end} for grant, end in ends]})

    def leave(self):
        self.call("DELETE", self.path)


FINISHED = {"state": "finished", "exit_code": 0}


def main():
    path, join_file, count, seconds, granted_file = sys.argv[1:]
    with open(join_file, encoding="ascii") as f:
        pilot = Pilot(path, f.read().strip())
    deadline = time.monotonic() + float(seconds)
    done = 0
    with open(granted_file, "w", encoding="ascii") as granted:
        while done < int(count):
            if time.monotonic() > deadline:
                sys.exit(f"{done} of {count} jobs after {seconds} s")
            grants = pilot.claim(pilot.slots, 2)
            for grant in grants:
                print(grant["job"], file=granted)
            if grants:
                pilot.end([(grant, FINISHED) for grant in grants])
                done += len(grants)
    pilot.leave()


if __name__ == "__main__":
    main()
