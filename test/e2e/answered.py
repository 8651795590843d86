#!/usr/bin/env python3
"""What the console was answered outlives a server that is killed with the answer: its store is slow, SIGKILL comes
right behind. Addresses of the loopback interface, ports of their own: neither root nor namespaces are needed.

    test/e2e/answered.py FOLDER_OF_THE_PROGRAMS SLOW_STORE
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import console
from console import MEMBER, MEMBER_CONF, OTHER, SERVER, SERVER_CONF

SLOW = 0.15  # seconds of each write, see slow_store.c
PUSHES = """activation-time-delay 10; server-member-communication { encryption-algorithm aes-256-cbc;
    sig-hash-algorithm sha-256; }"""
CONF = (SERVER_CONF % PUSHES).replace("ike-gateway gm1;", "ike-gateway gm1; ike-gateway gm2;")
VPN = "security group-vpn server "
REMOVE, RESTORE = ("request " + VPN + what + "-member member-gateway gm1" for what in ("remove", "restore"))
COMMIT = "request " + VPN + "commit"
MEMBERS, REMOVED = ("show " + VPN + what for what in ("registered-members", "removed-members"))


class Test(console.Test):
    def __init__(self, programs, slow_store, folder):
        super().__init__(programs, folder)
        self.slow_store, self.slow = slow_store, self.folder / "slow"
        self.conf = self.write("ks.conf", CONF)
        self.lives = 0

    def begin(self):
        """The next life of the server, with a log of its own."""
        self.lives += 1
        changed = {"LD_PRELOAD": self.slow_store, "SLOW_STORE": str(self.slow)}
        os.environ.update(changed)
        self.server = self.start_server(self.conf, log=self.log_name())
        for name in changed:
            del os.environ[name]
        return self.told("started")

    def log_name(self):
        return "ks%d.log" % self.lives

    def events(self, name, **fields):
        lines = [json.loads(line) for line in self.log(self.log_name()).splitlines() if line.startswith("{")]
        return [e for e in lines if e["event"] == name and all(str(e.get(k)) == v for k, v in fields.items())]

    def told(self, name, count=1, seconds=20, **fields):
        until = time.monotonic() + seconds
        while len(self.events(name, **fields)) < count and time.monotonic() < until:
            time.sleep(0.02)
        return self.events(name, **fields)

    def kill(self):
        self.server.kill()
        self.server.wait()
        self.slow.unlink(missing_ok=True)

    def ask_and_kill(self, line):
        """The answer, and how long it took."""
        self.slow.touch()
        begin = time.monotonic()
        answer = self.console(line)
        seconds = time.monotonic() - begin
        self.kill()
        return answer, seconds


def begin(t):
    """A server with two members, its keys stored."""
    t.check("the server runs", t.begin() and t.told("kek-created") and t.told("generation-created"),
            t.log(t.log_name()))
    for address in (MEMBER, OTHER):
        (t.folder / address).mkdir()
        t.start_member(t.write(address + ".conf", MEMBER_CONF % (SERVER, address)), log=address + ".log",
                       run_dir=t.folder / address)
    t.check("two members are there", len(t.told("member-registered", count=2)) == 2, t.log(t.log_name()))


def killed_before_the_answer(t):
    """The store is as slow as it has to be for the rest to prove anything: what nobody was promised is gone."""
    t.slow.touch()
    asked = subprocess.Popen([t.programs / "conclave", "--run-dir", t.folder, REMOVE], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    t.check("a removal is in force", t.told("member-removed"), t.log(t.log_name()))
    t.kill()
    out, err = asked.communicate(timeout=20)
    t.check("... and has no answer when the server dies before it is stored", asked.returncode == 1 and
            "removed" not in out, out + err)
    t.check("... which nobody remembers", t.begin() and "removed members: 0" in t.console(REMOVED).stdout,
            t.console(REMOVED).stdout + t.log(t.log_name()))


def removed(t):
    a, seconds = t.ask_and_kill(REMOVE)
    t.check("'removed' is answered when it is stored, not before", a.returncode == 0 and
            "the member is removed" in a.stdout and seconds > SLOW, "%s\n%s" % (seconds, a))
    t.check("... and a server that is killed with the answer still shuts it out", t.begin() and
            MEMBER in t.console(REMOVED).stdout and MEMBER not in t.console(MEMBERS).stdout,
            t.console(REMOVED).stdout + t.console(MEMBERS).stdout)
    t.console("clear security group-vpn member group", run_dir=t.folder / MEMBER)
    t.check("... when it asks", t.told("member-refused", gateway="gm1", error="ERR_BANNED"), t.log(t.log_name()))
    a, seconds = t.ask_and_kill(RESTORE)
    t.check("'may register again' is stored, too", a.returncode == 0 and seconds > SLOW, "%s\n%s" % (seconds, a))
    t.check("... for the next one", t.begin() and MEMBER not in t.console(REMOVED).stdout, t.console(REMOVED).stdout)


def commands(t):
    killed_before_the_answer(t)
    removed(t)


BLUE = """group blue { group-id 8; ike-gateway gm1; no-anti-replay; server-address %s; ipsec-sa sa1 { proposal esp;
    match-policy all { source 10.0.0.0/8; destination 10.0.0.0/8; } } } group red {""" % SERVER
COMMITS = (("a member less", CONF.replace("ike-gateway gm2;", ""), {"generation-created": 2, "kek-created": 2}, "red"),
           ("another policy", CONF.replace("destination 10.0.0.0/8;", "destination 10.0.0.0/9;"),
            {"generation-created": 2}, "red"),
           ("a group more", CONF.replace("group red {", BLUE), {"generation-created": 1}, "blue"))


def committed(t, what, text, made, group):
    """A commit waits for no store: the file is on the disk, and the next server finds the same differences in it."""
    t.write("ks.conf", text)
    a, _ = t.ask_and_kill(COMMIT)
    t.check("%s: a commit is answered" % what, a.returncode == 0 and "commit complete" in a.stdout, a)
    for event, number in made.items():
        found = t.events(event, group=group, generation=str(number))
        t.check("... %s %d is not stored yet" % (event, number), not found, t.log(t.log_name()))
    t.begin()
    for event, number in made.items():
        t.check("... and the next server makes it", t.told(event, group=group, generation=str(number)),
                t.log(t.log_name()))
    left = t.console(MEMBERS + " group red").stdout
    t.check("... and has the members that are left", MEMBER in left and (OTHER in left) == ("gm2;" in text), left)


def main():
    parts = [(commands,)] + [(committed, *c) for c in COMMITS]
    n = failed = 0
    for part, *how in parts:
        with tempfile.TemporaryDirectory(prefix="conclave-answered-") as folder:
            t = Test(sys.argv[1], sys.argv[2], folder)
            t.n = n
            try:
                begin(t)
                part(t, *how)
            finally:
                t.stop_all()
            n, failed = t.n, failed + t.failed
    print("1..%d" % n)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
