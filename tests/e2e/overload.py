#!/usr/bin/env python3
"""Offers a server more than it can carry, and counts what it answers.

usage: overload.py SOCKET TOKEN-FILE flood N
       overload.py SOCKET TOKEN-FILE rate CONNECTIONS SECONDS

flood: N submissions of one job at once, each on a connection of its own; a
line "sent" when all are under way. rate: that many connections that submit one
job after the other, and a second later when they are refused. Prints as JSON:
how many answers of each status, the names of the jobs that were acknowledged,
how many refusals said when to come back, the largest time to an answer.
"""
import collections
import json
import resource
import selectors
import socket
import sys
import time


class Connection:
    def __init__(self, flow, number):
        self.flow, self.number, self.got = flow, number, b""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(flow.path)
        self.sock.setblocking(False)
        flow.poll.register(self.sock, selectors.EVENT_READ, self)

    def ask(self):
        self.name = "%s-%d-%d" % (self.flow.name, self.number, self.flow.asked)
        body = json.dumps({"argv": ["true"], "site": "nowhere",
                           "name": self.name}).encode()
        self.flow.asked += 1
        self.since = time.monotonic()
        self.sock.send(self.flow.head % len(body) + body)

    def read(self):
        """The answer's status when it is whole."""
        self.got += self.sock.recv(65536)
        head, gap, body = self.got.partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        length = [int(f.split(b":")[1]) for f in fields
                  if f.startswith(b"content-length:")]
        if not gap or len(body) < length[0]:
            return None
        self.got = b""
        status = int(fields[0].split()[1])
        self.flow.answered(self, status, fields)
        return status


class Flow:
    def __init__(self, path, token, name):
        self.path, self.name, self.asked, self.slowest = path, name, 0, 0.0
        self.head = (b"POST /api/v1/jobs HTTP/1.1\r\nHost: s\r\n"
                     b"Authorization: Bearer " + token.encode() +
                     b"\r\nContent-Type: application/json\r\n"
                     b"Content-Length: %d\r\n\r\n")
        self.poll = selectors.DefaultSelector()
        self.statuses, self.names, self.retry_after = {}, [], 0

    def answered(self, connection, status, fields):
        self.slowest = max(self.slowest, time.monotonic() - connection.since)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 201:
            self.names.append(connection.name)
        if any(f.startswith(b"retry-after:") for f in fields):
            self.retry_after += 1

    def run(self, again):
        """Until all that was asked is answered; again() tells whether more is
        to be asked."""
        left, later = self.asked, collections.deque()
        while left > 0:
            now = time.monotonic()
            while later and later[0][0] <= now:
                if again():
                    later[0][1].ask()
                else:
                    left -= 1
                later.popleft()
            events = self.poll.select(max(later[0][0] - now, 0) if later
                                      else 30 if left > 0 else 0)
            if not events and not later and left > 0:
                sys.exit("%d are not answered" % left)
            for key, _ in events:
                status = key.data.read()
                if status is None:
                    continue
                if status == 503 and again():
                    later.append((time.monotonic() + 1, key.data))
                elif again():
                    key.data.ask()
                else:
                    left -= 1

    def print(self, seconds):
        print(json.dumps({"statuses": self.statuses, "names": self.names,
                          "retry_after": self.retry_after,
                          "slowest_s": self.slowest,
                          "seconds": seconds}))


def main():
    path, token_file, mode, n = sys.argv[1:5]
    n = int(n)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with open(token_file, encoding="ascii") as f:
        flow = Flow(path, f.read().strip(),
                    "%s-%d" % (mode, n))
    connections = [Connection(flow, i) for i in range(n)]
    begun = time.monotonic()
    end = begun + (float(sys.argv[5]) if mode == "rate" else 0)
    for connection in connections:
        connection.ask()
    if mode == "flood":
        print("sent", flush=True, file=sys.stderr)
    flow.run(lambda: time.monotonic() < end)
    flow.print(time.monotonic() - begun)


main()
