#!/usr/bin/env python3
"""Who may what, on real sockets: each command of the table, asked by an account of each class and by
one of none. The accounts are numbers, so the machine needs no users for it; taking them on needs
root.

    test/e2e/privileges.py FOLDER_OF_THE_PROGRAMS COMMAND_TABLE
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from console import MEMBER, MEMBER_CONF, SERVER, SERVER_CONF, Test

DAEMON, VIEW, CONTROL, NOBODY = 47100, 47110, 47111, 47199
CLASSES = ["none", "security", "security-control"]
# user, group, supplementary groups, and the class that this gives
ACCOUNTS = {
    "a stranger": (NOBODY, NOBODY, [], "none"),
    "a stranger in other groups": (NOBODY, NOBODY, [47112, 47113], "none"),
    "a viewer by his own group": (47120, VIEW, [], "security"),
    "a viewer by another group": (47121, NOBODY, [47112, VIEW], "security"),
    "a controller by his own group": (47122, CONTROL, [], "security-control"),
    "a controller by another group": (47123, NOBODY, [CONTROL, 47112], "security-control"),
    "one in both groups": (47124, VIEW, [CONTROL], "security-control"),
    "the daemon's own user": (DAEMON, NOBODY, [], "security-control"),
    "root": (0, 0, [], "security-control"),
}
PUSHES = "server-member-communication { encryption-algorithm aes-256-cbc; sig-hash-algorithm sha-256; }"
# What a command needs besides, to do something here, and what those answer that have no end of their own or no subject.
ARGUMENTS = {"request security group-vpn server remove-member": " member-gateway gm1",
             "request security group-vpn server restore-member": " member-gateway gm1"}
ANSWERS = {"monitor": (124, ""), "show security group-vpn member ipsec statistics": (1, "without a data path")}


def become(account):
    user, group, groups, _ = account

    def take_on():
        os.setgroups(groups)
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    return take_on


class Accounts(Test):
    def start(self, program, *args, log):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", TZ="UTC")
        with open(self.folder / log, "a") as out:
            p = subprocess.Popen([self.programs / program, *args, "--view-group", str(VIEW),
                                  "--control-group", str(CONTROL)], stdout=out, stderr=out, env=env,
                                 preexec_fn=become((DAEMON, DAEMON, [], "")))
        self.running.append(p)
        return p

    def ask(self, account, line):
        if line == "monitor":  # answers until it is interrupted
            line = "timeout -s INT 1 %s/conclave --run-dir %s monitor" % (self.programs, self.folder)
            return subprocess.run(line.split(), capture_output=True, text=True, timeout=30,
                                  preexec_fn=become(account))
        return subprocess.run([self.programs / "conclave", "--run-dir", self.folder, line],
                              capture_output=True, text=True, timeout=30, preexec_fn=become(account))


def every_command_as_every_class(t, table):
    refused = {"server": 0, "member": 0}
    for name, account in ACCOUNTS.items():
        wrong = []
        t.wait("show security group-vpn server registered-members", "gm1")  # whom the one before has removed
        for need, target, words in table:
            may = CLASSES.index(account[3]) >= CLASSES.index(need)
            a = t.ask(account, words + ARGUMENTS.get(words, ""))
            sentence = "'%s' needs the privilege %s, which you have as root, or in the Unix group %d" % (
                words, need, VIEW if need == "security" else CONTROL)
            code, says = ANSWERS.get(words, (0, "")) if may else (1, sentence)
            ok = a.returncode == code and says in a.stderr
            if not ok:
                wrong.append((words, a.stdout, a.stderr))
            for daemon in refused:
                refused[daemon] += not may and target in (daemon, "both")
        t.check("%s has %s, command by command" % (name, account[3]), not wrong,
                "\n".join(map(str, wrong)))
    return refused


def refusals_are_logged(t, refused):
    a = t.ask(ACCOUNTS["root"], "show security group-vpn counters | display json")
    answers = a.stdout.replace("}\n{", "}\x00{").split("\x00")
    for answer, daemon in zip(map(json.loads, answers), ("server", "member")):
        counters = answer["event-counters-information"]["event"]
        counts = [c["count"] for c in counters if c["name"] == "denied"]
        t.check("each refusal of the %s is counted" % daemon, counts == [refused[daemon]],
                "%s, wanted %s" % (counts, refused))
        lines = [line for line in t.log(daemon + ".log").splitlines() if "denied" in line]
        t.check("... and logged with the user, the command and the privilege", lines and all(
            word in lines[0] for word in (str(NOBODY), "show security group-vpn", "security")), lines)


def hold_as(account, path, n):
    """A process of that account that holds n connections, and the pipe that ends it."""
    read, write = os.pipe()
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        become(account)()
        held = [connect(path) for _ in range(n)]
        os.write(say, b"held %d" % len(held))
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    os.read(said, 16)
    os.close(said)
    os.close(say)
    return pid, write


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(path)
    s.recv(4096)  # its greeting: it is counted by now
    return s


def too_many(t):
    path = str(t.folder / "conclaved.sock")
    pid, end = hold_as(ACCOUNTS["a stranger"], path, 8)
    line = "show security group-vpn server registered-members"
    a = t.ask(ACCOUNTS["a stranger"], line)
    t.check("strangers cannot take all connections", "too many consoles are connected" in a.stderr,
            a.stderr)
    viewer = ACCOUNTS["a viewer by his own group"]
    pid_2, end_2 = hold_as(viewer, path, 48)
    a = t.ask(viewer, line)
    t.check("... nor can those who look", "too many consoles are connected" in a.stderr, a.stderr)
    mine = [connect(path) for _ in range(8)]
    a = t.ask(ACCOUNTS["root"], line)
    t.check("the 65th console is told why", a.returncode == 1 and a.stderr ==
            "error: too many consoles are connected: close one, then try again\n", a.stderr)
    mine.pop().close()
    until = time.monotonic() + 10
    while t.ask(ACCOUNTS["root"], line).returncode != 0 and time.monotonic() < until:
        time.sleep(0.1)
    t.check("... and served when one has gone", time.monotonic() < until)
    os.close(end_2)
    os.close(end)
    os.waitpid(pid_2, 0)
    os.waitpid(pid, 0)
    for s in mine:
        s.close()


def groups_that_are_not_there(t):
    p = Test.start(t, "conclaved", "-f", str(t.folder / "server.conf"), "--run-dir", str(t.folder),
                   "--state-dir", str(t.folder / "group-state"), "--key-dir", str(t.folder / "group-keys"),
                   "--view-group", "no-such-group", log="group.log")
    t.check("a group that does not exist is refused by name", p.wait(10) == 1 and
            "no-such-group: this machine has no such group" in t.log("group.log"), t.log("group.log"))


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP taking on accounts needs root")
        return 0
    table = [line.split("\t") for line in subprocess.run(
        [sys.argv[2]], capture_output=True, text=True, check=True).stdout.splitlines()]
    with tempfile.TemporaryDirectory(prefix="conclave-privileges-") as folder:
        os.chmod(folder, 0o777)
        programs = pathlib.Path(folder) / "programs"  # where every account can run them
        programs.mkdir(mode=0o755)
        for program in ("conclaved", "conclave-member", "conclave"):
            shutil.copy(pathlib.Path(sys.argv[1]) / program, programs)
        t = Accounts(programs, folder)
        try:
            t.start_server(t.write("server.conf", SERVER_CONF % PUSHES))
            t.start_member(t.write("member.conf", MEMBER_CONF % (SERVER, MEMBER)))
            t.wait("show security group-vpn server registered-members", "gm1")
            t.wait("show security group-vpn server kek security-associations", "cookie")
            refusals_are_logged(t, every_command_as_every_class(t, table))
            too_many(t)
            groups_that_are_not_there(t)
        finally:
            t.stop_all()
        print("1..%d" % t.n)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
