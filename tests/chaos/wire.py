#!/usr/bin/python3
"""One wire of the chaos suite by itself, for tests that need a message lost or
held at one moment.

usage: wire.py LISTEN TARGET, both Unix sockets. Reads commands from its
standard input, one a line: hold up|down|both, release, reset; says "done"
after each.
"""
import sys
from threading import Event

sys.dont_write_bytecode = True

from proxy import DOWN, UP, Wires

WAYS = {"up": [UP], "down": [DOWN], "both": [UP, DOWN]}


def main():
    listen, target = sys.argv[1:]
    wires = Wires()
    link = wires.link("wire", target, listen=listen)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "hold":
            link.hold(*WAYS[words[1]])
        elif words[0] == "release":
            link.release()
        elif words[0] == "reset":
            link.reset_all()
        else:
            sys.exit(f"wire: {line.strip()}: hold, release or reset")
        told = Event()
        link.call(told.set)
        told.wait(10)
        print("done", flush=True)
    wires.close()


if __name__ == "__main__":
    main()
