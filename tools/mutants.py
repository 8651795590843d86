#!/usr/bin/env python3
"""Proves the tests: takes each option and guard out of the code, one at a time, and sees a test fail.

    tools/mutants.py [NAME ...]      all mutants of test/mutants.toml, or those whose row or name has NAME
    tools/mutants.py --e2e [NAME ...]    the same with the checks on real sockets (needs root)
    tools/mutants.py --check         only see that each edit still fits the code, and that doc/options.md,
                                     the table of the statement's options, is true (part of `make test`)

A mutant is one edit of one file: `old` must be there exactly once, or the list is out of date and
says so. The tree is copied, built once, and each mutant is built and tested in the copy. A mutant
that no test catches is a failure; so is one that does not build.
"""
import os
import pathlib
import re
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

OPTIONS = ROOT / "doc/options.md"  # one line of its table for each row of the statement
EVENTS = ROOT / "src/base/events.h"
SUITES = ("scenario", "boundaries", "unit", "golden")
E2E = ROOT / "test/e2e"
E2E_TARGETS = ["src/cmd/conclaved", "src/cmd/conclave-member", "src/cmd/conclave", "test/e2e/command_table",
               "test/e2e/libwrong_wall.so"]


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
        if "e2e" in m and not is_check(m["e2e"]):
            yield f"no check on real sockets is called {m['e2e']}: {m['what']}"


def options():
    """The table: (option, the files that read it, its tests, its checks on real sockets)."""
    for line in OPTIONS.read_text().splitlines():
        if line.startswith("| `"):
            (option, *_), *rest = [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
            yield option, *rest[:3]


def false_options(every):
    """What is wrong with the table: a name of nothing, or a proof without a mutant that it has to catch."""
    table = list(options())
    for option, files, tests, checks in table:
        mine = [m for m in every if m["row"] == option]
        yield from (f"{option}: no file {f}" for f in files if not (ROOT / f).is_file())
        for what, named, caught in (("test", tests, {t for m in mine for t in m["tests"]}),
                                    ("check on real sockets", checks, {m.get("e2e") for m in mine})):
            if not named:
                yield f"{option}: no {what}"
            yield from (f"{option}: no mutant that {t} has to catch" for t in named if t not in caught)
    known = {option for option, *_ in table} | {"guard"}
    yield from (f"{OPTIONS.name} has no line for {row}" for row in sorted({m["row"] for m in every} - known))


def source_of(test):
    kind, name = test.split(" ", 1)
    return {"scenario": ROOT / f"test/scenario/{name}.scn",
            "boundaries": ROOT / f"test/scenario/boundaries/{name}.scn",
            "unit": ROOT / f"test/unit/{name}.c",
            "golden": ROOT / f"test/golden/{name}"}[kind]


def false_names():
    """Tests and events that doc/options.md names and nobody has."""
    text = OPTIONS.read_text()
    events = re.findall(r'"([a-z0-9-]+)", +(?:DEBUG|INFO|NOTICE|WARNING|ERROR)', EVENTS.read_text())
    _, lines = text.split("\n# Bad input\n")
    for row in re.findall(r"^\|(.*)\|$", lines, re.M)[2:]:
        _, told, _, shown_by = row.split("|")
        yield from (f"no event is called {e}" for e in re.findall(r"\*([a-z0-9-]+)\*", told) if e not in events)
        for name in re.findall(r"`([^`]+)`", shown_by):
            well = is_check(name) if name.split()[0] not in SUITES else source_of(name).exists()
            if not well:
                yield f"no test is called {name}"


def is_check(name):
    """FILE, or FILE and the name of one test in it, in test/e2e."""
    file, *test = name.split()
    path = E2E / (file + ".py")
    return path.exists() and all(f"def {word}(" in path.read_text() for word in test)


def check_command(name):
    file, *test = name.split()
    helpers = {"stamps_test": [f"{BUILD}/test/e2e/libwrong_wall.so"], "privileges": [f"{BUILD}/test/e2e/command_table"]}
    return ["python3", f"test/e2e/{file}.py", f"{BUILD}/src/cmd", *helpers.get(file, []), *test]


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
    """In one line; a check on real sockets says in the line behind "not ok" what it got."""
    lines = [s.strip() for s in output.splitlines()]
    for mark in ("check broken", "not ok", "[  FAILED  ]", "Assertion", "differs"):
        for line, following in zip(lines, lines[1:] + [""]):
            if mark in line:
                says = following.startswith("# ") and not following.startswith("# trace ")
                return (following[2:] if says else line)[:110]
    return lines[-1][:110] if lines else ""


def proofs_of(m, e2e):
    """(name, command, targets to build) of what has to fail with the mutant."""
    if e2e:
        return [(m["e2e"], check_command(m["e2e"]), E2E_TARGETS)] if "e2e" in m else []
    return [(test, command_of(test), [target_of(test)]) for test in m["tests"]]


def caught_by(where, proofs):
    """The first test that fails with the mutant, and what it said."""
    for name, command, _ in proofs:
        well, output = run(command, where, TEST_SECONDS)
        if not well:
            return name, first_failure(output)
    return None, ""


def try_mutant(where, m, proofs):
    path = where / m["file"]
    text = path.read_text()
    path.write_text(text.replace(m["old"], m["new"]))
    try:
        well, output = build(where, {t for *_, targets in proofs for t in targets})
        if not well:
            return "DOES NOT BUILD", "\n".join(s for s in output.splitlines() if " error: " in s)[:300]
        test, why = caught_by(where, proofs)
        return (f"caught by {test}", why) if test else ("SURVIVED", "")
    finally:
        path.write_text(text)
        os.utime(path)


def try_all(every):
    """`every`: (mutant, its proofs)"""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        where = pathlib.Path(folder)
        copy_tree(where)
        well, output = run(["meson", "setup", BUILD, "-Dwerror=false"], where)
        well = well and build(where, {t for _, proofs in every for *_, targets in proofs for t in targets})[0]
        if not well:
            print(output[-2000:])
            return 1
        for m, proofs in every:
            start = time.monotonic()
            outcome, why = try_mutant(where, m, proofs)
            bad += outcome.isupper()
            print(f"{m['row']:28} {m['what']}\n{'':28} {outcome} ({time.monotonic() - start:.0f} s)"
                  f"{': ' if why else ''}{why}", flush=True)
    return bad


def main():
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    every = mutants(names)
    wrong = [*misfits(every), *false_options(mutants([])), *false_names()]
    for line in wrong:
        print(line)
    if "--check" in sys.argv[1:] or wrong:
        print(f"{len(every)} mutants, {len(list(options()))} options, {len(wrong)} findings")
        return len(wrong) > 0
    start = time.monotonic()
    tried = [(m, proofs) for m in every if (proofs := proofs_of(m, "--e2e" in sys.argv[1:]))]
    bad = try_all(tried)
    print(f"{len(tried)} mutants, {len(tried) - bad} caught, {bad} not, {time.monotonic() - start:.0f} s")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
