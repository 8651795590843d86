#!/usr/bin/env python3
"""Runs every fuzz target for a while over its corpus and tells what it found.

    tools/fuzz.py [TARGET ...]   FUZZ_SECONDS each (300), as many at a time as there are processors
    tools/fuzz.py --merge        afterwards, takes what reached new code into fuzz/corpus/TARGET

A finding is left in build-fuzz/findings/, with the command that shows it again; exit 1 if any.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "300"))


def build():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD, "-Dfuzz=true", "-Db_lundef=false",
                        "-Db_sanitize=address,undefined"], cwd=ROOT, check=True,
                       env={**os.environ, "CC": "clang"}, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "fuzzers"], check=True)


def targets():
    return sorted(p.name for p in (ROOT / "fuzz/corpus").iterdir() if p.is_dir())


def fuzz(target):
    """The last words of libFuzzer, and whether it found nothing."""
    found, scratch = BUILD / "findings", BUILD / "corpus" / target
    scratch.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    done = subprocess.run(
        [BUILD / "fuzz" / target, f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
         "-print_final_stats=1", f"-artifact_prefix={found}/{target}-", scratch,
         ROOT / "fuzz/corpus" / target],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", cwd=ROOT,
        env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    return done.returncode == 0, done.stderr


def report(target, well, words):
    runs = re.search(r"number_of_executed_units: (\d+)", words)
    if well:
        print(f"{target}: {runs[1] if runs else '?'} runs, nothing found", flush=True)
        return
    print(f"{target}: FOUND\n" + "\n".join(words.splitlines()[-50:]))
    unit = re.search(r"Test unit written to (\S+)", words)
    if unit:
        print(f"again: build-fuzz/fuzz/{target} {os.path.relpath(unit[1], ROOT)}", flush=True)


def merge(target):
    subprocess.run([BUILD / "fuzz" / target, "-merge=1", ROOT / "fuzz/corpus" / target,
                    BUILD / "corpus" / target], check=True, capture_output=True)


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")] or targets()
    build()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for target, (well, words) in zip(names, pool.map(fuzz, names)):
            report(target, well, words)
            failed += not well
    if "--merge" in sys.argv:
        for target in names:
            merge(target)
    print(f"{len(names)} targets, {SECONDS} s each: {failed} with findings")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
