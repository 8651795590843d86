#!/usr/bin/env python3
"""Builds and runs every suite and check; the last line is "N passed, N failed" (single cases).

    tools/run_tests.py        gcc build and all suites; clang with ASan and UBSan and the suites
                              that need no machine around them; the checks
    tools/run_tests.py lint   the checks only
    tools/run_tests.py --self-test   see that failures of every kind are counted
"""
import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SANITIZED = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
SANITIZED_SUITES = ["unit", "golden", "scenario", "sim", "fuzz-replay"]
CHECKS = {
    "tidy": "tools/tidy.py",
    "tidy self-test": "tools/tidy.py --self-test",
    "run_tests self-test": "tools/run_tests.py --self-test",
    "mutants fit the code": "tools/mutants.py --check",
    "nm": "tools/nm_check.py build",
    "nm self-test": "tools/nm_check.py --self-test",
    "clang-format": "find src sim test fuzz bench -name '*.[ch]' |"
                    "xargs clang-format --dry-run -Werror",
    "cppcheck": "cppcheck --project=build/compile_commands.json --error-exitcode=1 -q"
                " --inline-suppr --enable=warning,performance,portability -j 2 -i test",
    "clang-tidy": "find src -name '*.c' |"
                  "xargs -P 2 -I FILE clang-tidy -p build --quiet FILE 2>/dev/null",
}


class Tally:
    """Counts cases and prints each failure with the output that explains it."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, name, output=""):
        self.failed += 1
        print(f"FAILED: {name}")
        for line in output.strip().splitlines()[-60:]:
            print(f"    {line}")

    def test(self, where, test):
        """One line of meson's testlog.json; each TAP line in its output is a case."""
        output = (test.get("stdout") or "") + (test.get("stderr") or "")
        tap = re.findall(r"^(not )?ok\b(.*)$", test.get("stdout") or "", re.M)
        bad = [title for no, title in tap if no]
        skipped = [title for no, title in tap if not no and re.search(r"# skip", title, re.I)]
        well = test["result"] in ("OK", "SKIP")
        if test["result"] == "SKIP" and not tap:
            skipped = [output.strip()[-200:]]
        for title in skipped:
            print(f"skipped: {test['name']} {title.strip()}")
        self.skipped += len(skipped)
        self.passed += len(tap) - len(bad) - len(skipped) if tap else test["result"] == "OK"
        for title in bad:
            self.fail(f"{where} {test['name']}{title}", output)
        if not well and not bad:
            self.fail(f"{where} {test['name']}: {test['result'].lower()}", output)


def run(command, env=None):
    """(succeeded, all output) of a shell command or an argument list."""
    done = subprocess.run(command, shell=isinstance(command, str), cwd=ROOT, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace",
                          env={**os.environ, **(env or {})})
    return done.returncode == 0, done.stdout


def build(tally, folder, options, env):
    again = ["--reconfigure"] if (ROOT / folder / "build.ninja").exists() else []
    well, output = run(["meson", "setup", folder, *again, *options], env)
    if not well:
        tally.fail(f"set-up of {folder}", output)
        return False
    well, output = run(["ninja", "-C", folder])
    if not well:
        tally.fail(f"build in {folder}", output)
    return well


def run_suites(tally, folder, suites):
    log = ROOT / folder / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    arguments = [word for suite in suites for word in ("--suite", suite)]
    well, output = run(["meson", "test", "-C", folder, "--no-rebuild", "-t", "3", *arguments],
                       {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
                        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    before = tally.failed
    tests = log.read_text().splitlines() if log.exists() else []
    for line in tests:
        tally.test(folder, json.loads(line))
    if not tests or (not well and tally.failed == before):
        tally.fail(f"meson test in {folder}", output)


def suites(tally):
    if build(tally, "build", [], {"CC": "gcc"}):
        timed("suites, gcc", run_suites, tally, "build", [])
    if build(tally, "build-asan", SANITIZED, {"CC": "clang"}):
        timed("suites, clang with sanitizers", run_suites, tally, "build-asan", SANITIZED_SUITES)
        timed("one seed, one trace", same_trace, tally)


def same_trace(tally):
    """A simulated month of one seed leaves the same trace hash with both compilers."""
    arguments = ["--seed", "7", "--days", "30", "--lifetime", "14400"]
    traces = [run([f"{folder}/sim/sim_year", *arguments]) for folder in ("build", "build-asan")]
    hashes = [re.findall(r"^trace (\w{16})", output, re.M) for _, output in traces]
    if all(well for well, _ in traces) and hashes[0] and hashes[0] == hashes[1]:
        tally.passed += 1
    else:
        tally.fail("one seed, one trace", "\n".join(output for _, output in traces))


def checks(tally):
    if not build(tally, "build", [], {"CC": "gcc"}):
        return
    for name, command in CHECKS.items():
        well, output = timed(name, run, command)
        if well:
            tally.passed += 1
        else:
            tally.fail(name, output)


OUTCOMES = [  # result, output, passed, failed, skipped
    ("OK", "1..2\nok 1 - a\nok 2 - b\n", 2, 0, 0),
    ("FAIL", "1..2\nok 1 - a\nnot ok 2 - b\n# why\n", 1, 1, 0),
    ("OK", "1..2\nok 1 - a\nok 2 - b # SKIP no namespaces\n", 1, 0, 1),
    ("ERROR", "1..9\nok 1 - a\n", 1, 1, 0),
    ("TIMEOUT", "", 0, 1, 0),
    ("FAIL", "assertion failed\n", 0, 1, 0),
    ("OK", "37 inputs\n", 1, 0, 0),
    ("SKIP", "no namespaces\n", 0, 0, 1),
]


def self_test():
    bad = 0
    for result, output, *want in OUTCOMES:
        tally = Tally()
        with contextlib.redirect_stdout(io.StringIO()):
            tally.test("x", {"name": "t", "result": result, "stdout": output})
        if [tally.passed, tally.failed, tally.skipped] != want:
            print(f"{result} {output!r}: {tally.passed}, {tally.failed}, {tally.skipped}")
            bad += 1
    return bad > 0


def timed(name, function, *arguments):
    start = time.monotonic()
    result = function(*arguments)
    print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    return result


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    tally = Tally()
    if "lint" not in sys.argv[1:]:
        suites(tally)
    checks(tally)
    if tally.skipped:
        print(f"{tally.skipped} skipped")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return tally.failed > 0


if __name__ == "__main__":
    sys.exit(main())
