#!/usr/bin/env python3
"""Golden tests of the configuration language, one TAP line for each file of test/golden/conf.

    run.py CONF_CHECK            compares what CONF_CHECK prints for NAME.conf with NAME.ok
    run.py CONF_CHECK --update   writes NAME.ok; read the difference before you commit it

A first line "# role: server" or "# role: member" says which program reads the file. A file whose
name begins with bad- must be refused; any other must be accepted, and is also printed in each form.
"""
import difflib
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "conf"
EXAMPLES = FOLDER.parent.parent.parent / "examples"


def cases():
    """(name, directory to stand in, file as it is named there, file with what is expected)"""
    for path in sorted(FOLDER.glob("*.conf")):
        yield path.stem, FOLDER, path.name, path.with_suffix(".ok")
    for path in sorted(EXAMPLES.rglob("*.conf")):
        name = path.relative_to(EXAMPLES.parent).as_posix()
        yield name, EXAMPLES.parent, name, FOLDER / (path.parent.name + "-" + path.stem + ".ok")


def check(program, folder, file):
    role = re.match(r"# role: (\w+)", (folder / file).read_text(errors="replace"))
    command = [program, role[1] if role else "any", file, "print"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode(errors="replace") + f"exit {done.returncode}\n"


def wrong_exit(name, got):
    want = "exit 1\n" if name.startswith("bad-") else "exit 0\n"
    return not got.endswith(want)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    update = "--update" in sys.argv
    todo = list(cases())
    failed = 0
    print(f"1..{len(todo)}")
    for number, (name, folder, file, ok) in enumerate(todo, 1):
        got = check(program, folder, file)
        if update:
            ok.write_text(got)
        want = ok.read_text() if ok.exists() else ""
        well = got == want and not wrong_exit(name, got)
        failed += not well
        print(f"{'' if well else 'not '}ok {number} - {name}")
        for line in difflib.unified_diff(want.splitlines(), got.splitlines(), "expected", "got"):
            print(f"# {line}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
