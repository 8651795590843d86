#!/usr/bin/env python3
"""The open toy, where every authenticator passes, is for fuzzers: no program of ours may hold it.

    closed_test.py PROGRAM_WITH_OPEN_TOY PROGRAM_WITH_TOY FOLDER_OF_PROGRAMS
"""
import pathlib
import sys

MARK = b"every authenticator open"  # crypto_backend_name() of the open toy


def main():
    opened, toy, folder = map(pathlib.Path, sys.argv[1:])
    checks = [("the mark is in a program with the open toy", MARK in opened.read_bytes())]
    for path in [toy] + [p for p in sorted(folder.glob("*")) if p.is_file()]:
        checks.append((f"{path.name} is closed", MARK not in path.read_bytes()))
    print(f"1..{len(checks)}")
    for n, (what, good) in enumerate(checks, 1):
        print(f"{'ok' if good else 'not ok'} {n} - {what}")


main()
