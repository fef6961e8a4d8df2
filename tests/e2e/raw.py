#!/usr/bin/python3
"""Says to a server what no HTTP library would say, and judges the answers.

usage: raw.py WHERE TOKEN PID PART...
  WHERE  unix:PATH or tls:HOST:PORT
  PID    the server's
  PART   shapes, waiting, late, many or files (see the functions)

Each judgement is a line: "ok" or "not ok", a tab, the claim, and what was
wrong behind a further tab.
"""
import json
import os
import re
import resource
import socket
import ssl
import subprocess
import sys
import time

DEADLINE_S = 20
H = b"Host: h\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\n" + H + b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
JOB = b'{"state":"held","argv":["true"]}'

where, token, server_pid = "", b"", 0


def judge(claim, right, why=""):
    why = re.sub(r"[\t\n\r]", " ", str(why))[:500]
    print("ok\t" + claim if right else f"not ok\t{claim}\t{why}", flush=True)


def dial():
    kind, _, rest = where.partition(":")
    if kind == "unix":
        s = socket.socket(socket.AF_UNIX)
        # A socket with a time-out does not wait for room in the backlog.
        s.connect(rest)
        s.settimeout(DEADLINE_S)
        return s
    host, _, port = rest.rpartition(":")
    s = socket.create_connection((host, int(port)), DEADLINE_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(s)


class Replies:
    """What comes back on a connection."""

    def __init__(self, s):
        self.s = s
        self.rest = b""
        self.ended = False
        self.bodies = []

    def more(self):
        try:
            got = self.s.recv(65536)
        except (ConnectionError, ssl.SSLError):
            got = b""
        self.ended = got == b""
        self.rest += got
        return not self.ended

    def next(self):
        """The next status, None at the end. Its form is checked."""
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                return None
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status = int(re.match(rb"HTTP/1\.1 (\d{3}) [ -~]*", head)[1])
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        length = int(length[1]) if length else 0
        while len(self.rest) < length:
            if not self.more():
                raise EOFError("the body is cut short")
        body, self.rest = self.rest[:length], self.rest[length:]
        if status >= 400 and length > 0:
            error = json.loads(body)["error"]
            assert error["code"] and error["message"], body
        self.bodies.append(body)
        return status


def converse(text, piece):
    """Sends text in pieces; the statuses up to the connection's end, or up to
    the answer to one more request."""
    with dial() as s:
        replies = Replies(s)
        try:
            for i in range(0, len(text), piece):
                s.sendall(text[i:i + piece])
        except (ConnectionError, ssl.SSLError):
            pass  # refused before the end
        try:
            s.sendall(b"GET /last-of-all HTTP/1.1\r\n" + H + b"\r\n")
        except (ConnectionError, ssl.SSLError):
            pass
        said = []
        while True:
            status = replies.next()
            if status is None:
                return " ".join(said + ["closed"])
            if status == 404 and b"last-of-all" in replies.bodies[-1]:
                return " ".join(said + ["open"])
            said.append(str(status))


def post(headers, body):
    return (b"POST /api/v1/jobs HTTP/1.1\r\n" + H +
            b"Authorization: Bearer " + token + b"\r\n" + headers + b"\r\n" +
            body)


def get(headers=b"", target=b"/healthz", version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + headers + b"\r\n"


def shapes():
    """Every form of a request that two programs could read in two ways."""
    n = len(JOB)
    length = b"Content-Length: %d\r\n" % n
    in_chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (n, JOB)
    smuggled = b"GET /smuggled HTTP/1.1\r\n" + H + b"\r\n"
    cases = [
        ("a plain request", ALIVE, "200 open"),
        ("two in one piece", ALIVE + ALIVE, "200 200 open"),
        ("a body with its length", post(length, JOB), "201 open"),
        ("a body in chunks", post(CHUNKED, in_chunks), "201 open"),
        ("chunks with extensions and trailers", post(
            CHUNKED, b"%x;a=b\r\n%s\r\n0;c\r\nD: e\r\n\r\n" % (n, JOB)),
         "201 open"),
        ("two equal Content-Length", post(length + length, JOB), "400 closed"),
        ("two different Content-Length", post(
            length + b"Content-Length: 0\r\n", JOB + smuggled), "400 closed"),
        ("a list of lengths", post(
            b"Content-Length: %d, %d\r\n" % (n, n), JOB), "400 closed"),
        ("a length with a sign", post(
            b"Content-Length: +%d\r\n" % n, JOB), "400 closed"),
        ("a hexadecimal length", post(
            b"Content-Length: 0x%x\r\n" % n, JOB), "400 closed"),
        ("a length that is no number", post(
            b"Content-Length: \r\n", smuggled), "400 closed"),
        ("a length of thirty digits", post(
            b"Content-Length: %030d\r\n" % 10**29, b""), "413 closed"),
        ("a length over 1 MiB", post(
            b"Content-Length: 1048577\r\n", b""), "413 closed"),
        ("Content-Length before chunks", post(length + CHUNKED, in_chunks),
         "400 closed"),
        ("Content-Length behind chunks", post(CHUNKED + length, in_chunks),
         "400 closed"),
        ("Transfer-Encoding twice", post(CHUNKED + CHUNKED, in_chunks),
         "400 closed"),
        ("chunked not last", post(
            b"Transfer-Encoding: chunked, identity\r\n", in_chunks),
         "400 closed"),
        ("chunked twice", post(
            b"Transfer-Encoding: chunked, chunked\r\n", in_chunks),
         "400 closed"),
        ("another coding", post(
            b"Transfer-Encoding: gzip\r\n", in_chunks), "400 closed"),
        ("a coding that looks like chunked", post(
            b"Transfer-Encoding: \x0bchunked\r\n", in_chunks), "400 closed"),
        ("a blank before the colon of Transfer-Encoding", post(
            b"Transfer-Encoding : chunked\r\n", in_chunks), "400 closed"),
        ("a blank before the colon of Content-Length", post(
            b"Content-Length : %d\r\n" % n, JOB), "400 closed"),
        ("a chunk that is longer than it says", post(
            CHUNKED, b"2\r\nabc\r\n0\r\n\r\n"), "400 closed"),
        ("a chunk's length with 0x", post(
            CHUNKED, b"0x2\r\nab\r\n0\r\n\r\n"), "400 closed"),
        ("a chunk's length of 64 bits", post(
            CHUNKED, b"ffffffffffffffff\r\nab\r\n"), "400 closed"),
        ("a chunk over 1 MiB", post(CHUNKED, b"100001\r\n"), "413 closed"),
        ("a chunk with bare LF", post(
            CHUNKED, b"2\nab\n0\n\n"), "400 closed"),
        ("a trailer that is no field", post(
            CHUNKED, b"0\r\n folded\r\n\r\n"), "400 closed"),
        ("bare LF", b"GET /healthz HTTP/1.1\nHost: h\n\n", "400 closed"),
        ("bare LF in the end", b"GET /healthz HTTP/1.1\r\nHost: h\r\n\n",
         "400 closed"),
        ("a bare CR", get(b"Host: h\r\nA: b\rC: d\r\n"), "400 closed"),
        ("a folded header", get(b"Host: h\r\nA: b\r\n c\r\n"), "400 closed"),
        ("a folded first header", get(b" A: b\r\nHost: h\r\n"), "400 closed"),
        ("NUL in a header", get(b"Host: h\r\nA: b\0c\r\n"), "400 closed"),
        ("NUL in a header's name", get(b"Host: h\r\nA\0: b\r\n"),
         "400 closed"),
        ("obs-text in a header", get(b"Host: h\r\nA: \xff\xfe\r\n"),
         "200 open"),
        ("obs-text in a header's name", get(b"Host: h\r\n\xff: b\r\n"),
         "400 closed"),
        ("a line without colon", get(b"Host: h\r\nA\r\n"), "400 closed"),
        ("a header without name", get(b"Host: h\r\n: b\r\n"), "400 closed"),
        ("no Host", get(), "400 closed"),
        ("two Hosts", get(H + H), "400 closed"),
        ("a Host that is none", get(b"Host: a@b/c\r\n"), "400 closed"),
        ("two tokens", get(H + b"Authorization: a\r\nAuthorization: b\r\n"),
         "400 closed"),
        ("the absolute form", get(H, b"http://other/healthz"), "200 open"),
        ("the authority form", b"CONNECT h:80 HTTP/1.1\r\n" + H + b"\r\n",
         "400 closed"),
        ("the asterisk form", b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n",
         "400 closed"),
        ("a target that is no path", get(H, b"healthz"), "400 closed"),
        ("another scheme", get(H, b"file:///etc/passwd"), "400 closed"),
        ("a fragment", get(H, b"/healthz#a"), "400 closed"),
        ("a byte over 127 in the path", get(H, b"/\xe4"), "400 closed"),
        ("a control byte in the path", get(H, b"/a\x0bb"), "400 closed"),
        ("NUL in the path", get(H, b"/healthz\0"), "400 closed"),
        ("%00 in the path", get(H, b"/healthz%00"), "404 open"),
        ("%00 in a name", get(H, b"/api/v1/jobs/1%00"), "400 open"),
        ("%00 in the query", get(H, b"/healthz?a=%00"), "400 open"),
        ("%2e%2e in the path", get(H, b"/api/%2e%2e/healthz"), "404 open"),
        ("dots in the path", get(H, b"/api/../healthz"), "404 open"),
        ("two slashes", get(H, b"//healthz"), "404 open"),
        ("two blanks", b"GET  /healthz HTTP/1.1\r\n" + H + b"\r\n",
         "400 closed"),
        ("a tab", b"GET\t/healthz HTTP/1.1\r\n" + H + b"\r\n", "400 closed"),
        ("an empty line before it", b"\r\n" + ALIVE, "400 closed"),
        ("no version", b"GET /healthz\r\n" + H + b"\r\n", "400 closed"),
        ("HTTP/0.9", b"GET /healthz\r\n", "400 closed"),
        ("HTTP/1.0", get(b"", version=b"HTTP/1.0"), "200 closed"),
        ("HTTP/1.0 with chunks", get(CHUNKED, version=b"HTTP/1.0"),
         "400 closed"),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 closed"),
        ("HTTP/3.7", get(H, version=b"HTTP/3.7"), "505 closed"),
        ("a version in small letters", get(H, version=b"http/1.1"),
         "400 closed"),
        ("TLS where there is none", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03",
         "400 closed"),
        ("a letter", b"EHLO example.org\r\n\r\n", "400 closed"),
        ("NULs", b"\0" * 100, "400 closed"),
        ("an unknown method", b"BREW /healthz HTTP/1.1\r\n" + H + b"\r\n",
         "405 open"),
        ("a method of 100 letters", b"A" * 100 + b" / HTTP/1.1\r\n" + H +
         b"\r\n", "400 closed"),
        ("an unknown expectation", post(b"Expect: tea\r\n" + length, JOB),
         "417 closed"),
        ("100 fields", get(H + b"A: b\r\n" * 100), "431 closed"),
        ("a head of 20,000 bytes", get(H + b"A: " + b"b" * 20000 + b"\r\n"),
         "431 closed"),
        ("a path of 20,000 bytes", get(H, b"/" + b"a" * 20000), "431 closed"),
        ("an answer and the end", get(H + b"Connection: close\r\n"),
         "200 closed"),
        ("a body nobody asked for", b"GET /healthz HTTP/1.1\r\n" + H +
         b"Content-Length: 5\r\n\r\nGET /", "200 open"),
        ("a form of upgrade", get(
            H + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), "200 open"),
    ]
    for claim, text, want in cases:
        try:
            whole = converse(text, len(text))
            # What is long is bounded, in whatever pieces it comes.
            pieces = converse(text, 1 if len(text) < 2000 else 997)
            judge(f"{claim}: {want}", whole == pieces == want,
                  f"whole: {whole}; in pieces: {pieces}")
        except Exception as e:
            judge(f"{claim}: {want}", False, repr(e))
    with dial() as s:
        try:
            for _ in range(64):
                s.sendall(b"A" * 65536)
        except (ConnectionError, ssl.SSLError):
            pass
        judge("4 MiB without an end are refused", Replies(s).next() == 431)


def waiting():
    """What comes while a request waits, and peers that only listen."""
    with dial() as s:
        s.sendall(post(b"Content-Length: %d\r\n" % len(JOB), JOB))
        r = Replies(s)
        assert r.next() == 201
        job = json.loads(r.bodies[0])["jobs"][0]["number"]
    poll = (b"GET /api/v1/jobs/%d?wait=%%d HTTP/1.1\r\n" % job + H +
            b"Authorization: Bearer " + token + b"\r\n\r\n")
    with dial() as s:
        start = time.monotonic()
        s.sendall(poll % 2 + ALIVE * 3)
        r = Replies(s)
        said = [r.next() for _ in range(4)]
        took = time.monotonic() - start
        judge("requests behind one that waits are answered after it",
              said == [200] * 4 and took > 1.5 and b'"held"' in r.bodies[0],
              f"{said} after {took:.1f} s")
    with dial() as s:
        s.settimeout(0.5)
        s.sendall(poll % 60)
        before, sent = rss(), 0
        try:
            while sent < 64 << 20:
                sent += s.send(ALIVE * 1000)
        except TimeoutError:
            pass
        grown = rss() - before
        judge("who sends on while a request waits is not read without end",
              sent < 8 << 20 and grown < 4096,
              f"{sent} bytes taken, {grown} KiB more")
    if not where.startswith("unix:"):
        return
    for claim, text, want in (
            ("half a connection brings the answer", ALIVE, [200, None]),
            ("and the answers to all that was sent", ALIVE * 3 + ALIVE[:-4],
             [200, 200, 200, None]),
            ("half a request is closed", ALIVE[:-4], [None]),
            ("half a body, too", post(b"Content-Length: 9\r\n", b"{"), [None]),
            ("a long poll is answered at once", poll % 60, [200, None])):
        with dial() as s:
            start = time.monotonic()
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            r = Replies(s)
            said = [r.next() for _ in want]
            took = time.monotonic() - start
            judge(claim, said == want and took < 10, f"{said} {took:.1f} s")


def late():
    """Clients that begin and do not go on: 30 s."""
    drips = [dial(), dial()]
    texts = [ALIVE[:20], post(b"Content-Length: 900\r\n", b"{"),
             post(CHUNKED, b"900\r\n"), b""]
    idle = [dial() for _ in texts]
    start = time.monotonic()
    for s, text in zip(idle, texts):
        s.sendall(text)
    drips[0].sendall(b"GET /healthz HTTP/1.1\r\nA: ")
    drips[1].sendall(post(b"Content-Length: 900\r\n", b""))
    answered = True
    for s in idle + drips:
        s.setblocking(False)
    over = {}
    while len(over) < len(idle + drips) and time.monotonic() < start + 45:
        for s in drips:
            try:
                s.send(b"x")
            except OSError:
                pass
        with dial() as other:
            other.sendall(ALIVE)
            answered = answered and Replies(other).next() == 200
        for s in idle + drips:
            r = Replies(s)
            try:
                if s not in over:
                    over[s] = (r.next(), time.monotonic() - start)
            except BlockingIOError:
                pass
        time.sleep(0.2)
    want = [408, 408, 408, None, 408, 408]
    got = [over.get(s, (0, 0)) for s in idle + drips]
    claims = ["a head that stops", "a body that stops", "chunks that stop",
              "silence", "a head of a byte now and then",
              "a body of a byte now and then"]
    for claim, status, (said, after) in zip(claims, want, got):
        judge(f"{claim}: {status or 'closed'} after 30 s",
              said == status and 29 < after < 35, f"{said} after {after:.0f}")
    judge("others are served meanwhile", answered)
    for s in idle + drips:
        s.close()


def rss():
    with open(f"/proc/{server_pid}/status") as f:
        return int(re.search(r"VmRSS:\s*(\d+)", f.read())[1])


def cpu_s():
    with open(f"/proc/{server_pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def n_files():
    return len(os.listdir(f"/proc/{server_pid}/fd"))


def metric(name):
    with dial() as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\n" + H +
                  b"Authorization: Bearer " + token + b"\r\n\r\n")
        r = Replies(s)
        assert r.next() == 200
    return int(re.search(rb"^%s (\d+)$" % name, r.bodies[0], re.M)[1])


def eventually(claim, right, show=lambda: ""):
    until = time.monotonic() + DEADLINE_S
    while not right() and time.monotonic() < until:
        time.sleep(0.05)
    judge(claim, right(), show())


def is_quiet(claim):
    """Two seconds of the server's life."""
    before = cpu_s()
    time.sleep(2)
    used = cpu_s() - before
    judge(claim, used < 0.4, f"{used:.2f} s of CPU in 2 s")


def crowd(n, text):
    all_of_them = []
    for _ in range(n):
        s = dial()
        s.sendall(text)
        all_of_them.append(s)
    return all_of_them


def round_of(n, text, files, first):
    clients = crowd(n, text)
    eventually(f"{n} connections are open", lambda: n_files() >= n, n_files)
    with dial() as s:
        s.sendall(ALIVE)
        judge("one more is served", Replies(s).next() == 200)
    if first:
        is_quiet("they cost no CPU while they are silent")
    for s in clients:
        s.close()
    eventually("their descriptors come back",
               lambda: n_files() <= files + 2, n_files)
    return metric(b"sortie_memory_bytes")


def many():
    """10,000 connections: silent ones, and ones with half a request."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(10000, hard - 200)
    files, used = n_files(), []
    for half in False, True, False, True:
        used.append(round_of(n, ALIVE[:-2] if half else b"", files,
                             not used))
    # What is cached for each database connection comes and goes.
    judge("nothing of their memory is lost",
          used[3] - used[1] < 2 * n * 10, f"bytes after each round: {used}")
    judge("the server counts them", metric(b"sortie_http_connections") < 5)


def files():
    """No descriptor is left for a new connection."""
    room = n_files() + 20
    subprocess.run(["prlimit", f"--pid={server_pid}",
                    f"--nofile={room}:{room}"], check=True)
    with dial() as held:
        clients = crowd(100, ALIVE)
        held.sendall(ALIVE)
        judge("who has a connection is served",
              Replies(held).next() == 200)
        is_quiet("the server does not spin")
        for s in clients[:50]:
            s.close()
        judge("who waits is served when others leave",
              all(Replies(s).next() == 200 for s in clients[50:60]))
        for s in clients:
            s.close()
    with dial() as s:
        s.sendall(ALIVE)
        judge("then everybody is", Replies(s).next() == 200)
    judge("it was counted",
          metric(b"sortie_http_accept_errors_total") > 0)


if __name__ == "__main__":
    where, token, server_pid = sys.argv[1], sys.argv[2].encode(), int(
        sys.argv[3])
    for part in sys.argv[4:]:
        {"shapes": shapes, "waiting": waiting, "late": late, "many": many,
         "files": files}[part]()
