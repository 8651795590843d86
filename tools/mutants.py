#!/usr/bin/env python3
"""Proves the tests: takes each option and guard out of the code, one at a time, and sees a test fail.

    tools/mutants.py [NAME ...]      all mutants of test/mutants.toml, or those whose row or name has NAME
    tools/mutants.py --check         only see that each edit still fits the code, and that every row
                                     of the statement has a mutant (part of `make test`)

A mutant is one edit of one file: `old` must be there exactly once, or the list is out of date and
says so. The tree is copied, built once, and each mutant is built and tested in the copy. A mutant
that no test catches is a failure; so is one that does not build.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "test/mutants.toml"
BUILD = "build-mutants"
TEST_SECONDS = 300

# Every row of the `group` statement (doc/group-life.md lists what they do).
ROWS = [
    "activation-time-delay", "lifetime rule", "anti-replay-time-window", "no-anti-replay", "description",
    "group-id", "ike-gateway", "ipsec-sa", "server-address", "server-member-communication", "certificate",
    "communication-type", "encryption-algorithm", "sig-hash-algorithm", "lifetime-seconds", "heartbeat",
    "number-of-retransmission", "retransmission-period", "multicast-group", "multicast-outgoing-interface",
    "privileges",
]


def mutants(names):
    every = tomllib.loads(LIST.read_text())["mutant"]
    return [m for m in every if not names or any(n in m["row"] or n in m["what"] for n in names)]


def misfits(every):
    """What is wrong with the list itself."""
    for m in every:
        text = (ROOT / m["file"]).read_text() if (ROOT / m["file"]).exists() else ""
        if text.count(m["old"]) != 1:
            yield f"{m['file']}: found {text.count(m['old'])} times, not once: {m['what']}"
        if m["old"] == m["new"]:
            yield f"{m['file']}: changes nothing: {m['what']}"
        for test in m["tests"]:
            if not source_of(test).exists():
                yield f"no test is called {test}: {m['what']}"


def rows_without(every):
    covered = {m["row"] for m in every}
    return [row for row in ROWS if row not in covered]


def source_of(test):
    kind, name = test.split(" ", 1)
    return {"scenario": ROOT / f"test/scenario/{name}.scn",
            "boundaries": ROOT / f"test/scenario/boundaries/{name}.scn",
            "unit": ROOT / f"test/unit/{name}.c",
            "golden": ROOT / f"test/golden/{name}"}[kind]


def target_of(test):
    kind, name = test.split(" ", 1)
    return {"scenario": "sim/sim_scenario", "boundaries": "sim/sim_boundaries",
            "unit": f"test/unit/test_{name.replace('/', '_')}", "golden": "test/golden/conf_check"}[kind]


def command_of(test):
    kind, name = test.split(" ", 1)
    if kind == "golden":
        return ["python3", "test/golden/run.py", f"{BUILD}/test/golden/conf_check"]
    return [f"{BUILD}/{target_of(test)}", *([] if kind == "unit" else [source_of(test).relative_to(ROOT)])]


def run(command, where, seconds=None):
    try:
        done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired as e:
        return False, f"no end after {e.timeout} s"
    return done.returncode == 0, done.stdout


def copy_tree(to):
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                           stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def build(where, targets):
    return run(["nice", "ninja", "-C", BUILD, *sorted(targets)], where)


def first_failure(output):
    lines = [s.strip() for s in output.splitlines()]
    for mark in ("check broken", "not ok", "[  FAILED  ]", "Assertion", "differs"):
        for line in lines:
            if mark in line:
                return line[:110]
    return lines[-1][:110] if lines else ""


def caught_by(where, m):
    """The first test that fails with the mutant, and what it said."""
    for test in m["tests"]:
        well, output = run(command_of(test), where, TEST_SECONDS)
        if not well:
            return test, first_failure(output)
    return None, ""


def try_mutant(where, m):
    path = where / m["file"]
    text = path.read_text()
    path.write_text(text.replace(m["old"], m["new"]))
    try:
        well, output = build(where, {target_of(t) for t in m["tests"]})
        if not well:
            return "DOES NOT BUILD", "\n".join(s for s in output.splitlines() if " error: " in s)[:300]
        test, why = caught_by(where, m)
        return (f"caught by {test}", why) if test else ("SURVIVED", "")
    finally:
        path.write_text(text)
        os.utime(path)


def try_all(every):
    bad = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        where = pathlib.Path(folder)
        copy_tree(where)
        well, output = run(["meson", "setup", BUILD, "-Dwerror=false"], where)
        well = well and build(where, {target_of(t) for m in every for t in m["tests"]})[0]
        if not well:
            print(output[-2000:])
            return 1
        for m in every:
            start = time.monotonic()
            outcome, why = try_mutant(where, m)
            bad += outcome.isupper()
            print(f"{m['row']:28} {m['what']}\n{'':28} {outcome} ({time.monotonic() - start:.0f} s)"
                  f"{': ' if why else ''}{why}", flush=True)
    return bad


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    every = mutants(names)
    wrong = list(misfits(every)) + [f"no mutant for {row}" for row in rows_without(mutants([]))]
    for line in wrong:
        print(line)
    if "--check" in sys.argv[1:] or any("found" in s or "no test" in s or "nothing" in s for s in wrong):
        print(f"{len(every)} mutants, {len(wrong)} out of date")
        return len(wrong) > 0
    start = time.monotonic()
    bad = try_all(every)
    print(f"{len(every)} mutants, {len(every) - bad} caught, {bad} not, {time.monotonic() - start:.0f} s")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
