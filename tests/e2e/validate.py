#!/usr/bin/python3
"""Validates recorded answers of the server against openapi.json.

usage: validate.py OPENAPI CASES, where each line of CASES is method, path
template, status and a file with the answer, between tabs.
"""
import json
import re
import sys

import jsonschema


def as_draft7(node):
    """OpenAPI 3.0's nullable, as a JSON schema says it; in place."""
    if isinstance(node, list):
        for one in node:
            as_draft7(one)
    if not isinstance(node, dict):
        return
    for one in node.values():
        as_draft7(one)
    if node.pop("nullable", False):
        rest = dict(node)
        node.clear()
        node["anyOf"] = [rest, {"type": "null"}]


def shape(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def resolve(document, node):
    while isinstance(node, dict) and "$ref" in node:
        found = document
        for part in node["$ref"].lstrip("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    as_draft7(document.get("components", {}))
    as_draft7(document["paths"])
    paths = {shape(path): item for path, item in document["paths"].items()}
    bad = 0
    for line in open(sys.argv[2], encoding="utf-8"):
        method, path, status, answer, asked = line.rstrip("\n").split("\t")
        name = f"{method} {path if asked == '-' else asked} {status}"
        operation = paths.get(shape(path), {}).get(method.lower())
        if operation is None:
            print(f"{name}: not described")
            bad += 1
            continue
        answers = operation["responses"]
        response = resolve(document,
                           answers.get(status, answers.get("default")))
        if response is None:
            print(f"{name}: this status is not described")
            bad += 1
            continue
        content = response.get("content", {}).get("application/json")
        if content is None:
            continue
        schema = dict(content["schema"], components=document["components"])
        with open(answer, encoding="utf-8") as file:
            text = json.load(file)
        checker = jsonschema.Draft7Validator(schema)
        for error in sorted(checker.iter_errors(text), key=str):
            where = "/".join(str(part) for part in error.absolute_path)
            print(f"{name}: at /{where}: {error.message[:300]}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
