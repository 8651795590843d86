#!/usr/bin/env python3
"""The long simulations, one after another; `make test` runs shorter ones of the same kinds.

    tools/sim.py [NAME ...]     all, or those whose name has NAME

Each prints what happened in it; the safety laws of sim/check.h are checked at every step. The last
line is "N passed, N failed".
"""
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
YEAR = ["build/sim/sim_year"]
MONTH = [*YEAR, "--days", "30", "--members", "200", "--loss", "20", "--crashes", "21600"]
LIVES = {
    "month, 200 members, a fifth of all datagrams lost": [*MONTH, "--kek", "7200", "--bound", "60"],
    "the same without pushes": [*MONTH, "--bound", "60"],
    "the same over multicast": [*MONTH, "--kek", "7200", "--multicast", "--bound", "60"],
    "a year, keys of a day, pushes": [*YEAR, "--lifetime", "86400", "--kek", "86400", "--crashes", "86400"],
}
SEEDS = range(1, 3)


def runs():
    for name, command in LIVES.items():
        for seed in SEEDS:
            yield f"{name}, seed {seed}", [*command, "--seed", str(seed)]
    for story in sorted((ROOT / "test/scenario/boundaries").glob("*.scn")):
        yield f"every boundary of {story.stem}", ["build/sim/sim_boundaries", str(story)]


def passes(name, command):
    start = time.monotonic()
    done = subprocess.run(["nice", *command], cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    well = done.returncode == 0
    print(f"{'ok' if well else 'FAILED'}: {name} ({time.monotonic() - start:.0f} s)")
    lines = [s for s in done.stdout.splitlines() if not s.startswith("ok ")]
    for line in lines[-8:] if well else lines[-40:]:
        print(f"    {line}")
    sys.stdout.flush()
    return well


def main():
    names = sys.argv[1:]
    chosen = [r for r in runs() if not names or any(n in r[0] for n in names)]
    failed = sum(not passes(*r) for r in chosen)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
