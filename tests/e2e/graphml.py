#!/usr/bin/python3
"""Prints what a GraphML file says, a line for each thing, so that two files
that say the same look the same.

usage: graphml.py FILE
"""
import json
import sys
import xml.etree.ElementTree as ET

NS = "{http://graphml.graphdrawing.org/xmlns}"


def say(*words):
    print(json.dumps(words))


def data(element, keys):
    return [(keys[d.get("key")], d.text or "")
            for d in element.findall(NS + "data")]


def main():
    root = ET.parse(sys.argv[1]).getroot()
    keys = {}
    for key in root.findall(NS + "key"):
        keys[key.get("id")] = key.get("attr.name")
        say("key", key.get("for"), key.get("attr.name"), key.get("attr.type"),
            key.get("id"), [d.text or "" for d in key.findall(NS + "default")])
    graph = root.find(NS + "graph")
    say("graph", graph.get("edgedefault"), graph.get("id"), data(graph, keys))
    for node in graph.findall(NS + "node"):
        say("node", node.get("id"), data(node, keys))
    for edge in graph.findall(NS + "edge"):
        say("edge", edge.get("source"), edge.get("target"), edge.get("id"),
            data(edge, keys))


main()
