#!/usr/bin/env python3
"""A running key server takes another configuration: by the console and by SIGHUP, all or nothing, confined as
it is. Addresses of the loopback interface, ports of their own: neither root nor namespaces are needed.

    test/e2e/commit.py FOLDER_OF_THE_PROGRAMS
"""
import json
import os
import pathlib
import re
import signal
import socket
import sys
import tempfile
import time

from console import MEMBER, MEMBER_CONF, OTHER, SERVER, SERVER_CONF, Test

COMMIT = "request security group-vpn server commit"
CONF = SERVER_CONF % ""
PUSHES = ("server-member-communication { encryption-algorithm aes-256-cbc; "
          "sig-hash-algorithm sha-256; %s }")
POLICY = "destination 10.0.0.0/8;"
ELSEWHERE = "127.84.8.7"


def events(t, log, name):
    lines = [json.loads(line) for line in t.log(log).splitlines() if line.startswith("{")]
    return [e for e in lines if e.get("event") == name]


def until(what, seconds=10):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def listens_at(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind((address, port))
            return False
        except OSError:
            return True


def spi(t):
    """The keys, without what changes by itself."""
    text = t.console("show security group-vpn server ipsec security-associations | display json").stdout
    return re.sub('"lifetime-remaining": [0-9]+', "", text)


def replace(t, text):
    """As editors do: another file takes the place of the first."""
    os.replace(t.write("new.conf", text), t.folder / "ks.conf")


def check_first(t):
    replace(t, CONF.replace(POLICY, "destination 10.0.0.0/9;"))
    before = spi(t)
    a = t.console(COMMIT + " check")
    t.check("commit check says what would happen, and nothing does", a.returncode == 0 and
            "group red: ipsec-sa sa1: match-policy all changed: new key with the group's next key change" in a.stdout
            and "configuration check succeeds" in a.stdout and spi(t) == before, a.stdout + a.stderr)
    replace(t, CONF)
    a = t.console(COMMIT)
    t.check("a commit without differences is one", a.returncode == 0 and a.stdout == "commit complete\n",
            a.stdout + a.stderr)


def wrong(t, server):
    for what, text, sentence in (
            ("a rule is broken", CONF.replace("lifetime-seconds 3600", "lifetime-seconds 180")
             .replace("group-id 7;", "group-id 7; activation-time-delay 90;"), "need lifetimes of at least 900"),
            ("the syntax is wrong", CONF.replace("group-id 7;", "group-id 7"), "ks.conf:"),
            ("a certificate is not there", SERVER_CONF % (PUSHES % "certificate none;"), "none.key: No such file"),
            ("an address is not this machine's", CONF.replace(SERVER, "203.0.113.77"), "server-address"),
            ("there is no server any more", "", "security group-vpn server")):
        replace(t, text)
        before = spi(t)
        a = t.console(COMMIT)
        t.check("nothing changes when " + what, a.returncode == 1 and "nothing has changed" in a.stderr and
                sentence in a.stderr and spi(t) == before and server.poll() is None, a.stdout + a.stderr)
    os.unlink(t.folder / "ks.conf")
    a = t.console(COMMIT)
    t.check("... and when the file is not there", a.returncode == 1 and "ks.conf: No such file" in a.stderr, a.stderr)
    os.mkfifo(t.folder / "ks.conf")
    a = t.console(COMMIT)
    t.check("... and when a pipe is in its place, that would keep everybody waiting", a.returncode == 1 and
            "ks.conf: this is no file" in a.stderr and t.console("show version").returncode == 0, a.stderr)
    n = len(events(t, "ks.log", "commit-failed"))
    server.send_signal(signal.SIGHUP)
    t.check("SIGHUP tells the log", until(lambda: len(events(t, "ks.log", "commit-failed")) == n + 1), t.log("ks.log"))
    replace(t, CONF)


def live(t, server):
    t.start("conclave-member", "-f", t.write("gm.conf", MEMBER_CONF % (SERVER, MEMBER)), "--run-dir", str(t.folder),
            "--port", str(t.port), "--server-port", str(t.port), "--no-data-path", "--log-format", "json",
            log="gm.log")
    members = "show security group-vpn server registered-members"
    t.check("a member is there", "127.84.8.2" in t.wait(members, MEMBER).stdout)
    before = spi(t)
    replace(t, SERVER_CONF % "description renamed;")
    server.send_signal(signal.SIGHUP)
    t.check("SIGHUP is a commit, and the keys stay", until(lambda: [
        e for e in events(t, "ks.log", "commit") if "description changed" in e.get("what", "")]) and spi(t) == before,
        t.log("ks.log"))
    t.check("... and so does the member", MEMBER in t.console(members).stdout)
    shown = t.console("show configuration security group-vpn").stdout
    t.check("the statement in force is shown, without its secrets", "        description \"renamed\";\n" in shown and
            "member {\n" in shown and "a key of two" not in shown and shown.count("SECRET-DATA") == 2 and
            "$9$" not in shown, shown)
    replace(t, CONF.replace("group red {", "group blue { group-id 8; ike-gateway gm2; no-anti-replay; server-address "
                            + ELSEWHERE + "; ipsec-sa sa1 { proposal esp; match-policy all { source 10.0.0.0/8; "
                            "destination 10.0.0.0/8; } } } group red {"))
    a = t.console(COMMIT)
    t.check("another group has keys, and its address answers", "group blue added: keys are made" in a.stdout and
            "Group: blue" in spi(t) + t.console("show security group-vpn server ipsec security-associations").stdout
            and listens_at(ELSEWHERE, t.port), a.stdout + a.stderr)
    replace(t, CONF)
    a = t.console(COMMIT)
    t.check("... until it goes", "group blue removed" in a.stdout and not listens_at(ELSEWHERE, t.port) and
            listens_at(SERVER, t.port), a.stdout + a.stderr)
    replace(t, CONF.replace("ike-gateway gm1;", "ike-gateway gm2;"))
    a = t.console(COMMIT)
    t.check("who is not listed is out", "ike-gateway gm1 removed" in a.stdout and
            MEMBER not in t.console(members).stdout, a.stdout + t.console(members).stdout)
    replace(t, CONF)
    t.console(COMMIT)
    replace(t, CONF.replace("authentication-algorithm hmac-sha-256-128", "authentication-algorithm hmac-md5-96")
            .replace("aes-256-cbc; lifetime", "des-cbc; lifetime"))
    a = t.console(COMMIT)
    t.check("weak algorithms are warned of, and work though no file can be opened", a.returncode == 0 and
            "has other algorithms: used from its next key on" in a.stdout and "'des-cbc' is weak" in a.stdout,
            a.stdout + a.stderr)
    begin = time.monotonic()
    for _ in range(1000):
        server.send_signal(signal.SIGHUP)
    t.check("a thousand in a row keep nobody waiting", t.console(COMMIT).returncode == 0 and
            time.monotonic() - begin < 4 and server.poll() is None, time.monotonic() - begin)


def member_says(t):
    """A member follows its file when it starts; SIGHUP tells what that would come to."""
    gm, conf = t.running[-1], MEMBER_CONF % (SERVER, MEMBER)
    for what, text, event, words in (
            ("nothing has changed", conf, "config", "no statement has changed"),
            ("the file is wrong", conf.replace("group 7;", "group none;"), "commit-failed", "no member could start"),
            ("it has to be restarted", conf.replace("group 7;", "group 8;"), "commit-failed", "restart it")):
        t.write("gm.conf", text)
        gm.send_signal(signal.SIGHUP)
        t.check("a member says that " + what, until(lambda: [
            e for e in events(t, "gm.log", event) if words in e["what"]]) and gm.poll() is None, t.log("gm.log"))
    t.check("and where the file is wrong", [
        e for e in events(t, "gm.log", "config") if "gm.conf:" in e["what"] and "none" in e["what"]], t.log("gm.log"))


def longest_interface(t):
    """A name that a statement may have and no device of Linux can: warned of, told whole, and again after a restart."""
    name = "xe-11/0/47." + "1" * 53
    talk = PUSHES % "communication-type multicast; multicast-group 239.84.8.1; multicast-outgoing-interface %s;"
    folder = t.folder / "longest"
    folder.mkdir()
    conf = t.write("longest.conf", SERVER_CONF % (talk % name))
    lost = []
    t.stop_all()
    t.start_member(t.write("longest-gm.conf", MEMBER_CONF % (SERVER, MEMBER)), log="longest-gm.log")
    for log in ("longest1.log", "longest2.log"):
        server = t.start_server(conf, log=log, run_dir=folder)
        until(lambda: events(t, log, "member-registered") or events(t, log, "restored"))
        t.console("request security group-vpn server rekey", folder)
        until(lambda: events(t, log, "multicast-lost"))
        lost += [e["interface"] for e in events(t, log, "multicast-lost")]
        t.check("a name that Linux cannot have is warned of", "no interface of Linux has a name of more than 15" in
                t.log(log) and server.poll() is None, t.log(log))
        server.kill()
        server.wait()
    t.check("the interface is told whole, before and after a restart", lost == [name, name], lost)
    server = t.start_server(conf, log="longest3.log", run_dir=folder)
    until(lambda: events(t, "longest3.log", "started"))
    t.write("longest.conf", SERVER_CONF % (talk % (name + "1")))
    a = t.console(COMMIT, folder)
    t.check("one more is refused", a.returncode == 1 and "expected a name of 1 to 64 characters" in a.stderr, a.stderr)


def run(t):
    replace(t, CONF)
    server = t.start_server(str(t.folder / "ks.conf"), log="ks.log")
    t.check("the server runs", t.wait("show version", "conclaved").returncode == 0, t.log("ks.log"))
    check_first(t)
    wrong(t, server)
    live(t, server)
    member_says(t)
    t.check("no thread of it ran before it was confined", "threads run already" not in t.log("ks.log"), t.log("ks.log"))
    server.send_signal(signal.SIGTERM)
    t.check("and it ends as ever", server.wait(10) == 0, t.log("ks.log")[-2000:])
    longest_interface(t)


def main():
    with tempfile.TemporaryDirectory(prefix="conclave-commit-") as folder:
        t = Test(sys.argv[1], pathlib.Path(folder))
        try:
            run(t)
        finally:
            t.stop_all()
        print("1..%d" % t.n)
        return t.failed > 0


if __name__ == "__main__":
    sys.exit(main())
