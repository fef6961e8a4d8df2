"""The suite's own wires: every connection of pilots, clients and servers goes
through a link that can be cut, slowed and listened to.

All links live in one thread with a loop of its own; the methods of Link may
be called from any other thread.
"""
import asyncio
import os
import socket
import struct
import threading

UP, DOWN = "up", "down"     # towards the listener's target, and back
CHUNK = 65536


class Wires:
    """The thread in which links pass on what comes."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.links = []
        thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        thread.start()

    def run(self, coroutine):
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        return future.result(10)

    def link(self, name, target, listen=None, tap=None, sieve=None):
        """A link to target, a path or (host, port), that listens at the path
        or host in listen; tap(bytes) sees what comes back, per connection;
        sieve makes a function that may take bytes out of it."""
        link = Link(self, name, target, tap, sieve)
        self.run(link.open(listen or "127.0.0.1"))
        self.links.append(link)
        return link

    def cut_all(self):
        """No connection that there is carries anything any more."""
        for link in self.links:
            link.reset_all()
        self.run(asyncio.sleep(0))

    def close(self):
        for link in self.links:
            self.run(link.shut())
        self.loop.call_soon_threadsafe(self.loop.stop)


class Link:
    def __init__(self, wires, name, target, tap, sieve):
        self.wires, self.name, self.target = wires, name, target
        self.tap, self.sieve = tap, sieve
        self.authority = None   # whose TLS it carries
        self.delay_s = 0
        self.sieving = False
        self.pairs = set()
        self.free = {}

    async def open(self, listen):
        self.free = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        for way in self.free.values():
            way.set()
        if listen.startswith("/"):
            self.server = await asyncio.start_unix_server(
                self.on_connection, listen)
            os.chmod(listen, 0o777)
        else:
            self.server = await asyncio.start_server(
                self.on_connection, listen, 0)
            self.port = self.server.sockets[0].getsockname()[1]

    async def shut(self):
        self.server.close()
        self.abort()

    async def dial(self):
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def on_connection(self, reader, writer):
        try:
            await self.free[UP].wait()
            far_reader, far_writer = await self.dial()
        except OSError:
            reset(writer)
            return
        pair = (writer, far_writer)
        self.pairs.add(pair)
        tap = self.tap() if self.tap else None
        sieve = self.sieve() if self.sieve else None
        await asyncio.gather(
            self.pump(UP, reader, far_writer, None, None),
            self.pump(DOWN, far_reader, writer, tap, sieve))
        self.pairs.discard(pair)
        for one in pair:
            one.close()

    async def pump(self, way, reader, writer, tap, sieve):
        try:
            while data := await reader.read(CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self.free[way].wait()
                if writer.is_closing():
                    break           # nobody was told
                if sieve:
                    data = sieve(data, self.sieving)
                if tap:
                    tap(data)
                writer.write(data)
                await writer.drain()
            await self.free[way].wait()
            writer.write_eof()
        except (OSError, RuntimeError):
            # RuntimeError: bytes for a side that was half closed.
            reset(writer)

    def abort(self):
        for pair in list(self.pairs):
            for writer in pair:
                reset(writer)

    def half_close(self, way):
        for near, far in list(self.pairs):
            writer = far if way == UP else near
            try:
                if not writer.is_closing():
                    writer.write_eof()
            except OSError:     # its other side has just gone
                reset(writer)

    # From other threads

    def call(self, fn, *args):
        self.wires.loop.call_soon_threadsafe(fn, *args)

    def reset_all(self):
        self.call(self.abort)

    def close_half(self, way):
        self.call(self.half_close, way)

    def hold(self, *ways):
        for way in ways:
            self.call(self.free[way].clear)

    def release(self):
        for way in (UP, DOWN):
            self.call(self.free[way].set)


def reset(writer):
    """What a router does that forgot the connection."""
    sock = writer.get_extra_info("socket")
    try:
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
    except OSError:
        pass
    writer.transport.abort()


def notify_sieve():
    """Takes PostgreSQL's notifications out of what a server is sent. The
    connection speaks version 3 of the protocol without TLS: a letter, four
    bytes of length that count themselves, and the rest."""
    held = bytearray()

    def sieve(data, active):
        held.extend(data)
        out = bytearray()
        while len(held) >= 5:
            end = 1 + int.from_bytes(held[1:5], "big")
            if len(held) < end:
                break
            if not (active and held[0:1] == b"A"):
                out += held[:end]
            del held[:end]
        return bytes(out)
    return sieve


def ack_tap(told):
    """Makes taps that hand to told("ends", [run...]) the ends that replies to
    reports acknowledge."""
    mark, close = b'"acked":{', b"]}"

    def new():
        held = bytearray()

        def tap(data):
            held.extend(data)
            while (at := held.find(mark)) >= 0:
                end = held.find(close, at)
                if end < 0:
                    del held[:at]
                    return
                ends = held[held.find(b'"ends":[', at):end].split(b"[")[-1]
                runs = [one.strip(b' "').decode() for one in ends.split(b",")]
                told([one for one in runs if one])
                del held[:end]
            del held[:-len(mark)]
        return tap
    return new
