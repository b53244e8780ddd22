#!/usr/bin/env python3
"""clang-tidy over every source of lib and tools that is not known to be clean.

Known to be clean: build/tidy holds a stamp named by the hash of the source, of every header of ours that it
includes (as ninja recorded them while building) and of .clang-tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
STAMPS = BUILD / "tidy"


def dependencies():
    """Object file -> files of ours it was made from ("ninja -t deps": a head line, then indented paths)."""
    text = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], check=True, capture_output=True, text=True).stdout
    table, current = {}, None
    for line in text.splitlines():
        if line.startswith("    "):
            path = (BUILD / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                current.append(path)
        elif ": #deps" in line:
            current = table.setdefault(line.split(": #deps")[0], [])
    return table


def stamp(source, headers):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for path in sorted({source, *headers}):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return STAMPS / digest.hexdigest()


def main():
    STAMPS.mkdir(exist_ok=True)
    headers = dependencies()
    wanted = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"]).resolve()
        if source.is_relative_to(ROOT / "lib") or source.is_relative_to(ROOT / "tools"):
            words = shlex.split(entry["command"])
            wanted[source] = stamp(source, headers.get(words[words.index("-o") + 1], []))
    todo = [source for source, mark in wanted.items() if not mark.exists()]
    print(f"tidy: {len(todo)} of {len(wanted)} sources to look at", file=sys.stderr)

    def check(source):
        return source, subprocess.run(["clang-tidy", "--quiet", "-p", BUILD, source], capture_output=True, text=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for source, result in workers.map(check, todo):
            if result.returncode == 0:
                wanted[source].touch()
            else:
                failed += 1
                print(result.stdout.strip(), flush=True)
    for old in set(STAMPS.iterdir()) - set(wanted.values()):
        old.unlink()
    if failed:
        sys.exit(f"tidy: {failed} sources need work")


main()
