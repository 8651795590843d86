#!/usr/bin/env python3
"""Holds the source tree to the rules of the house. Prints FILE:LINE: RULE: what is wrong.

    tools/tidy.py              check the tree this script lies in; exit 1 if anything is found
    tools/tidy.py --self-test  plant one violation of each rule and see that it is found
"""
import pathlib
import re
import subprocess
import sys
import tempfile

FOLDERS = ("src", "sim", "test", "fuzz", "bench", "demo", "examples", "doc", "tools", ".ci")
TEXT = (".c", ".h", ".py", ".sh", ".md", ".build", ".txt", "Makefile", "run")
DATA = ("test/vectors", "test/golden", "fuzz/corpus")  # quoted from elsewhere, or wrong on purpose
FUNCTION_LINES = 70
FILE_LINES, TEST_FILE_LINES = 800, 1500
LINE_COLUMNS, SCRIPT_COLUMNS = 100, 120
README_LINES = 20
NEVER_TOGETHER = {"server": "member", "member": "server"}
SIM_NEVER = {"host", "data", "cli"}  # the simulated world has no machine under it
BACKEND = "crypto/backend"
LIBRARIES = ("openssl/", "intel-ipsec-mb.h")
PROMISE = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
HOME_PATH = re.compile(r"(?<![\w.])/(home|root|wo" r"rk|Users)/\w")
INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')


def read_layers(root):
    """{module: set of modules it may include} from tools/layers.txt."""
    layers = {}
    for line in (root / "tools/layers.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, below = line.split(":")
            layers[name.strip()] = set(below.split())
    return layers


def text_files(root):
    tops = [p for p in root.iterdir() if p.is_file()]
    for folder in FOLDERS:
        tops += [p for p in (root / folder).rglob("*") if p.is_file()]
    for path in sorted(tops):
        name = path.relative_to(root).as_posix()
        if name.endswith(TEXT) and not name.startswith(DATA):
            yield name, path.read_text(errors="replace").splitlines()


def may_include(name, target, layers):
    """The reason why file `name` may not include "target", or None."""
    module, _, rest = target.partition("/")
    if module not in layers or not rest:
        return None
    part = name.split("/")
    if part[0] == "sim" and module in SIM_NEVER:
        return f"sim never includes {module}/"
    if part[0] != "src" or part[1] == "cmd":
        return None
    if target.startswith(BACKEND) and not name.startswith("src/" + BACKEND):
        return f"{BACKEND} is for {BACKEND}, cmd and tests"
    if part[1] != module and module not in layers.get(part[1], ()):
        return f"{part[1]} may not include {module}/ (tools/layers.txt)"
    return None


def check_includes(name, lines, layers):
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        if found[1] == '"':
            why = may_include(name, found[2], layers)
            if why:
                yield number, "layer", why
        elif found[2].startswith(LIBRARIES) and name.startswith("src/"):
            if not name.startswith("src/" + BACKEND):
                yield number, "openssl", f"only src/{BACKEND} includes <{found[2]}>"


def check_functions(lines):
    """A body stands between a lone "{" and the next lone "}" in column 0: clang-format's doing."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            count = number - start - 1
            if count > FUNCTION_LINES:
                yield start, "function-length", f"{count} lines, at most {FUNCTION_LINES}"
            start = None


def check_text(name, lines):
    is_test = name.startswith("test/")
    limit = TEST_FILE_LINES if is_test else FILE_LINES
    if name.endswith((".c", ".h", ".py", ".sh")) and len(lines) > limit:
        yield limit + 1, "file-length", f"{len(lines)} lines, at most {limit}"
    columns = LINE_COLUMNS if name.endswith((".c", ".h")) else SCRIPT_COLUMNS
    for number, line in enumerate(lines, 1):
        if len(line) > columns and not name.endswith((".md", ".txt")):
            yield number, "line-length", f"{len(line)} columns, at most {columns}"
        if line != line.rstrip():
            yield number, "trailing-space", "white space at the end of the line"
        if PROMISE.search(line):
            yield number, "promise", "do it, or open an issue"
        if HOME_PATH.search(line):
            yield number, "home-path", "a path of one developer's machine"


def check_readmes(root, layers):
    for module in sorted(layers) + ["cmd"]:
        path = root / "src" / module / "README.md"
        if not path.exists():
            if any(path.parent.glob("*.[ch]")):
                yield f"src/{module}", 1, "readme", "no README.md"
        elif len(path.read_text().splitlines()) > README_LINES:
            yield f"src/{module}/README.md", 1, "readme", f"more than {README_LINES} lines"


def check_tests(root):
    """A test that no meson.build of its folder, or of one above, names is never run."""
    for path in sorted((root / "test").rglob("*")):
        if not path.name.endswith(("_test.c", "_test.py", ".scn")):
            continue
        above = [f / "meson.build" for f in path.relative_to(root).parents]
        said = "".join((root / f).read_text() for f in above if (root / f).exists())
        if not any(quoted in said for quoted in (f"'{path.name}'", f"'{path.stem}'")):
            yield path.relative_to(root).as_posix(), 1, "test-not-run", "no meson.build names it"


def check_tree(root):
    layers = read_layers(root)
    for module, enemy in NEVER_TOGETHER.items():
        if enemy in layers.get(module, ()):
            yield "tools/layers.txt", 1, "layer", f"{module} and {enemy} meet on the wire only"
    yield from check_readmes(root, layers)
    yield from check_tests(root)
    for name, lines in text_files(root):
        found = list(check_text(name, lines))
        if name.endswith((".c", ".h")):
            found += [*check_includes(name, lines, layers), *check_functions(lines)]
        yield from ((name, *rest) for rest in sorted(found))


PLANTS = [  # rule, file, contents: each must be found in an otherwise clean tree
    ("layer", "src/wire/x.c", '#include "server/server.h"\n'),
    ("layer", "src/server/x.c", '#include "member/member.h"\n'),
    ("layer", "src/member/x.c", '#include "server/server.h"\n'),
    ("layer", "src/server/x.c", '#include "crypto/backend/openssl.h"\n'),
    ("layer", "sim/x.c", '#include "host/loop.h"\n'),
    ("layer", "tools/layers.txt", "base:\nserver: base member\nmember: base\n"),
    ("openssl", "src/crypto/x.c", "#include <openssl/evp.h>\n"),
    ("openssl", "src/esp/x.c", "#include <intel-ipsec-mb.h>\n"),
    ("function-length", "src/base/x.c", "int f(void)\n{\n" + "    f();\n" * 71 + "}\n"),
    ("file-length", "src/base/x.c", "int x;\n" * 801),
    ("file-length", "test/unit/base/x.c", "int x;\n" * 1501),
    ("line-length", "src/base/x.c", "/* " + "x" * 95 + " */\n"),
    ("line-length", "src/base/meson.build", "x" * 121 + "\n"),
    ("trailing-space", "src/base/x.c", "int x; \n"),
    ("promise", "src/base/x.c", "/* TO" "DO */\n"),
    ("home-path", "doc/x.md", "see /ho" "me/somebody/x\n"),
    ("readme", "src/conf/x.c", "int x;\n"),
    ("readme", "src/base/README.md", "x\n" * 21),
    ("test-not-run", "test/unit/base/x_test.c", "int x;\n"),
    ("test-not-run", "test/scenario/x.scn", "seed 1\n"),
]
INNOCENT = [
    ("src/base/x.c", "int f(void)\n{\n" + "    f();\n" * 70 + "}\n"),
    ("test/unit/base/x.c", "int x;\n" * 1500),
    ("src/server/x.c", '#include "base/err.h"\n#include "server/x.h"\n'),
    ("src/cmd/x.c", '#include "server/x.h"\n#include "member/x.h"\n'),
    ("src/crypto/backend/x.c", "#include <openssl/evp.h>\n"),
    ("src/base/meson.build", "x" * 120 + "\n"),
    ("test/golden/x.txt", "TO" "DO\n"),
]
CALLS = ["strcpy(a, b)", "strcat(a, b)", "sprintf(a, b)", "strtok(a, b)", "atoi(b)", "atol(b)",
          "system(b)", "memcmp(a, b, 1)", "rand()", "random()", "time(0)", "gettimeofday(0, 0)"]


def small_tree(top):
    for name in ("base", "wire", "crypto", "conf", "server", "member", "host", "cmd"):
        (top / "src" / name).mkdir(parents=True)
        if name != "conf":
            (top / "src" / name / "README.md").write_text("x\n")
    (top / "tools").mkdir()
    (top / "tools/layers.txt").write_text("base:\nwire: base\ncrypto: base\nconf: base\n"
                                          "server: base wire crypto\nmember: base\nhost: base\n")


def rules_found(name, contents):
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        small_tree(top)
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(contents)
        return {rule for _, _, rule, _ in check_tree(top)}


def compiles(root, call):
    source = ("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <time.h>\n"
              "#include <sys/time.h>\nvoid f(char *a, char *b);\n"
              "void f(char *a, char *b) { (void)a; (void)b; (void)" + call + "; }\n")
    return subprocess.run(["cc", "-Wall", "-Werror", "-Wno-format-security", "-fsyntax-only",
                           "-include", root / "src/base/banned.h", "-x", "c", "-"],
                          input=source, text=True, capture_output=True).returncode == 0


def self_test(root):
    bad = [f"{rule} not found in {name}" for rule, name, text in PLANTS
           if rules_found(name, text) != {rule}]
    bad += [f"false alarm in {name}" for name, text in INNOCENT if rules_found(name, text)]
    bad += [f"{call} compiles" for call in CALLS if compiles(root, call)]
    if not compiles(root, "strlen(a)"):
        bad.append("strlen() does not compile")
    print("\n".join(bad) or f"tidy self-test: {len(PLANTS) + len(INNOCENT) + len(CALLS) + 1} ok")
    return bool(bad)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv[1:]:
        return self_test(root)
    count = 0
    for name, number, rule, why in check_tree(root):
        print(f"{name}:{number}: {rule}: {why}")
        count += 1
    return count > 0


if __name__ == "__main__":
    sys.exit(main())
