#!/usr/bin/env python3
"""clang-tidy over every source of lib and tools that is not known to be clean.

Known to be clean: ~/.cache/clara/tidy (XDG_CACHE_HOME) holds a stamp named by the hash of the source, of every header of
ours that it includes (as ninja recorded them while building), of its compiler's flags, of .clang-tidy and of clang-tidy's
version. All clones share it; stamps that nobody has needed for 30 days go.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
STAMPS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "clara/tidy"
KEEP = 30 * 86400  # seconds


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


def stamp(source, headers, flags):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + flags.encode())
    for path in sorted({source, *headers}):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return STAMPS / digest.hexdigest()


def main():
    STAMPS.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True, text=True).stdout
    headers = dependencies()
    wanted = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"]).resolve()
        if source.is_relative_to(ROOT / "lib") or source.is_relative_to(ROOT / "tools"):
            words = shlex.split(entry["command"])
            flags = version + " ".join(word.replace(str(ROOT), "") for word in words)
            wanted[source] = stamp(source, headers.get(words[words.index("-o") + 1], []), flags)
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
    for mark in wanted.values():
        if mark.exists():
            mark.touch()
    for old in STAMPS.iterdir():
        if old.stat().st_mtime < time.time() - KEEP:
            old.unlink(missing_ok=True)
    if failed:
        sys.exit(f"tidy: {failed} sources need work")


main()
