#!/usr/bin/env python3
"""conclaved, conclave-member (without its data path) and conclave, as an operator meets them: on
addresses of the loopback interface, with ports of their own, so neither root nor namespaces are
needed.

    test/e2e/console.py FOLDER_OF_THE_PROGRAMS
"""
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

SERVER, MEMBER, OTHER = "127.84.8.1", "127.84.8.2", "127.84.8.3"

IKE = """
proposal p { authentication-method pre-shared-keys; dh-group group14;
    authentication-algorithm sha-256; encryption-algorithm aes-256-cbc; %s }
policy pol { mode main; proposals p; pre-shared-key ascii-text "a key of two"; }
"""
SERVER_CONF = """
security { group-vpn { server {
    ike { """ + IKE % "" + """
        gateway gm1 { ike-policy pol; address %s; }
        gateway gm2 { ike-policy pol; address %s; }
    }
    ipsec { proposal esp { authentication-algorithm hmac-sha-256-128;
        encryption-algorithm aes-256-cbc; lifetime-seconds 3600; } }
    group red { group-id 7; ike-gateway gm1; no-anti-replay; server-address %s; %%s
        ipsec-sa sa1 { proposal esp; match-policy all { source 10.0.0.0/8; destination 10.0.0.0/8;
            source-port 0; destination-port 0; protocol 0; } } }
} } }
""" % (MEMBER, OTHER, SERVER)
MEMBER_CONF = """
security { group-vpn { member {
    ike { """ + IKE % "lifetime-seconds 3600;" + """
        gateway ks { ike-policy pol; server-address %s; local-address %s; }
    }
    ipsec { vpn red { ike-gateway ks; group-vpn-external-interface lo; group 7; } }
} } }
"""


class Test:
    def __init__(self, programs, folder):
        self.programs, self.folder = pathlib.Path(programs), pathlib.Path(folder)
        self.port = free_port()
        self.running, self.n, self.failed = [], 0, 0

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def check(self, what, ok, detail=""):
        self.n += 1
        self.failed += not ok
        print("%sok %d - %s" % ("" if ok else "not ", self.n, what), flush=True)
        if not ok:
            print("\n".join("# " + line for line in str(detail).splitlines()), flush=True)

    def start(self, program, *args, log, stdin=None):
        # The programs may run under a sanitizer, and nothing may trace them: no search for leaks.
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", TZ="UTC")
        with open(self.folder / log, "a") as out:
            p = subprocess.Popen([self.programs / program, *args], stdin=stdin, stdout=out, stderr=out, env=env)
        self.running.append(p)
        return p

    def start_server(self, conf, log="server.log", run_dir=None):
        folder = run_dir or self.folder
        return self.start("conclaved", "-f", conf, "--run-dir", str(folder), "--port",
                          str(self.port), "--state-dir", str(folder / "state"), "--key-dir",
                          str(folder / "keys"), "--log-format", "json", log=log)

    def start_member(self, conf, log="member.log", run_dir=None, **more):
        return self.start("conclave-member", "-f", conf, "--run-dir", str(run_dir or self.folder),
                          "--port", str(self.port), "--server-port", str(self.port), "--no-data-path",
                          log=log, **more)

    def console(self, line, run_dir=None):
        env = dict(os.environ, TZ="UTC")
        return subprocess.run([self.programs / "conclave", "--run-dir", run_dir or self.folder, line],
                              capture_output=True, text=True, timeout=30, env=env)

    def wait(self, line, pattern, seconds=15, run_dir=None):
        """Until the console's answer holds the pattern; the last answer."""
        until = time.monotonic() + seconds
        while True:
            answer = self.console(line, run_dir)
            if re.search(pattern, answer.stdout) or time.monotonic() > until:
                return answer
            time.sleep(0.1)

    def log(self, name):
        return (self.folder / name).read_text()

    def stop_all(self):
        for p in self.running:
            if p.poll() is None:
                p.kill()
                p.wait()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((SERVER, 0))
        return s.getsockname()[1]


def refusals_before_start(t):
    bad = t.write("bad.conf", SERVER_CONF % "activation-time-delay 5;")
    p = t.start_server(bad, log="bad.log")
    t.check("a wrong configuration keeps the server from starting", p.wait(10) == 1, t.log("bad.log"))
    t.check("the finding has file, line and column",
            re.search(r"bad\.conf:\d+:\d+: .*activation-time-delay", t.log("bad.log")), t.log("bad.log"))
    wrong_role = t.write("role.conf", MEMBER_CONF % (SERVER, MEMBER))
    p = t.start_server(wrong_role, log="role.log")
    t.check("a member's configuration is none for a server", p.wait(10) == 1, t.log("role.log"))
    p = t.start_server("/nonexistent.conf", log="none.log")
    t.check("a missing file is named", p.wait(10) == 1 and "/nonexistent.conf: No such file"
            in t.log("none.log"), t.log("none.log"))
    unbuilt = t.write("unbuilt.conf", (SERVER_CONF % "").replace("server {", "server { traceoptions { level all; }"))
    p = t.start_server(unbuilt, log="unbuilt.log")
    t.check("what is not supported yet is refused by name",
            p.wait(10) == 1 and "not supported yet" in t.log("unbuilt.log"), t.log("unbuilt.log"))


def full_disk(t, conf):
    """What could not be printed is no success: a script would go on without it."""
    for program, *args in (("conclave", "--run-dir", t.folder, "show version"), ("conclaved", "-n", conf)):
        with open("/dev/full", "w") as full:
            a = subprocess.run([t.programs / program, *args], stdout=full, stderr=subprocess.PIPE, text=True)
        t.check("%s says that the disk is full" % program, a.returncode == 1 and "No space left" in a.stderr, a.stderr)


def nobody_there(t):
    a = t.console("show version")
    t.check("without a daemon the console says where it looked", a.returncode == 1 and
            "no daemon answers at" in a.stderr, a.stderr)
    a = t.console("show security group-vpn server registered-members")
    t.check("... and for one daemon, too", a.returncode == 1 and "conclaved.sock: no daemon answers"
            in a.stderr, a.stderr)


def from_a_pipe(t):
    """A configuration that is in no folder."""
    folder = t.folder / "pipe"
    folder.mkdir()
    p = t.start_member("/dev/stdin", log="pipe.log", run_dir=folder, stdin=subprocess.PIPE)
    p.stdin.write((MEMBER_CONF % (SERVER, MEMBER)).encode())
    p.stdin.close()
    a = t.wait("show version", "conclave-member", run_dir=folder)
    t.check("a member runs by what came through a pipe", "conclave-member" in a.stdout, a.stderr + t.log("pipe.log"))
    p.terminate()
    t.check("... until it is told to end", p.wait(10) == 0, t.log("pipe.log"))


def registration(t):
    a = t.wait("show security group-vpn server registered-members", r"gm1 +127\.84\.8\.2")
    t.check("the member is on the server's list", re.search(
        r"Group: red, Group Id: 7\n  Total number of registered members: 1\n"
        r"Member Gateway  Member IP       Last Update               Vsys   Status\n"
        r"gm1             127\.84\.8\.2      \w{3} \w{3} +\d+ \d{4} \d\d:\d\d:\d\d  root   active\n", a.stdout),
        a.stdout + a.stderr + t.log("server.log") + t.log("member.log"))
    a = t.wait("show security group-vpn member ipsec security-associations", r"ESP:")
    t.check("the member has the key", re.search(
        r"  <>49152 127\.84\.8\.1 +%d +ESP:aes-256/sha256-128 +[0-9a-f]{8} 3\d{3}/ unlim  7   root" %
        t.port, a.stdout), a.stdout)
    spi = re.search(r"sha256-128 +([0-9a-f]{8}) ", a.stdout).group(1)
    a = t.console("show security group-vpn server ipsec security-associations detail")
    t.check("... which is the server's", "SPI: " + spi in a.stdout, a.stdout)


def all_views(t):
    for side in ("server ike security-associations", "server ipsec security-associations",
                 "server kek security-associations", "server registered-members",
                 "member ike security-associations", "member ipsec security-associations",
                 "member kek security-associations", "member policy"):
        for detail in ("", " detail") if "policy" not in side else ("",):
            line = "show security group-vpn " + side + detail
            a, j = t.console(line), t.console(line + " | display json")
            x = t.console(line + " | display xml")
            parsed = json.loads(j.stdout) if j.returncode == 0 else None
            root = xml.etree.ElementTree.fromstring(x.stdout) if x.returncode == 0 else None
            same = parsed and root is not None and list(parsed) == [root[0].tag]
            t.check(line + ": text, JSON and XML", a.returncode == 0 and same and "${" not in a.stdout,
                    a.stderr + j.stdout + x.stdout)


def filters_and_errors(t):
    a = t.console("show security group-vpn server registered-members group-id 7")
    t.check("a group is found by number", "Group: red" in a.stdout, a.stdout)
    a = t.console("show security group-vpn server registered-members group blue")
    t.check("an unknown group is an error", a.returncode == 1 and
            a.stderr == "error: group 'blue' is not configured\n", a.stderr)
    a = t.console("show security group-vpn server ike security-associations peer-address 10.9.9.9")
    t.check("an unknown peer shows nothing", a.returncode == 0 and a.stdout == "", a.stdout)
    a = t.console("show security group-vpn member ipsec statistics")
    t.check("without a data path there are no statistics", a.returncode == 1 and
            "without a data path" in a.stderr, a.stderr)
    a = t.console("show securty")
    t.check("a wrong word is pointed at", a.returncode == 2 and
            a.stderr.startswith("show securty\n     ^\nsyntax error: 'securty'"), a.stderr)
    a = t.console("show version | match conclaved | count")
    t.check("pipes work on what comes from both", a.stdout.startswith("Count: 1 lines"), a.stdout)


def interactive(t):
    """Typed at a terminal: Tab completes, `?` explains, a shortened command works."""
    pid, fd = pty.fork()
    if pid == 0:
        # Under a sanitizer: libedit never frees the names that EL_ADDFN gave it.
        os.environ.update(TERM="xterm", TZ="UTC", ASAN_OPTIONS="detect_leaks=0")
        os.execv(t.programs / "conclave", ["conclave", "--run-dir", str(t.folder)])

    def type_in(text, pattern):
        os.write(fd, text)
        seen, until = b"", time.monotonic() + 10
        while not re.search(pattern, seen) and time.monotonic() < until:
            if select.select([fd], [], [], 0.2)[0]:
                seen += os.read(fd, 65536)
        return seen.decode(errors="replace")

    seen = type_in(b"", b"> $")
    t.check("the console asks", re.search(r"@.*> $", seen), seen)
    seen = type_in(b"sh\tsec\tg\tser\treg\t", b"istered-members ")
    t.check("Tab completes words", "istered-members " in seen, seen)
    seen = type_in(b"?", b"Possible completions:(.|\n)*detail")
    t.check("a question mark explains", "<[Enter]>" in seen and "Everything that is known" in seen, seen)
    seen = type_in(b"| co\t\r", b"Count: \\d+ lines")
    t.check("Enter runs the line", "Count: 5 lines" in seen, seen)
    os.write(fd, b"exit\r")
    t.check("exit ends it", os.waitpid(pid, 0)[1] == 0)
    os.close(fd)


def events(t):
    monitor = subprocess.Popen([t.programs / "conclave", "--run-dir", t.folder, "monitor"],
                               stdout=subprocess.PIPE)
    t.running.append(monitor)
    time.sleep(0.5)
    a = t.console("clear security group-vpn member group vpn red")
    t.check("the operator can have a member register again", a.stdout == "red: registering again\n",
            a.stdout + a.stderr)
    seen, until = "", time.monotonic() + 10
    while time.monotonic() < until and not ("member-registered" in seen and " registered vpn" in seen):
        if select.select([monitor.stdout], [], [], 0.2)[0]:
            seen += os.read(monitor.stdout.fileno(), 65536).decode()
    t.check("monitor shows both daemons' events as they come", "conclaved notice member-registered"
            in seen and "conclave-member notice registered vpn=red" in seen, seen)
    monitor.send_signal(signal.SIGINT)
    t.check("an interrupt ends monitor", monitor.wait(5) == 0)
    a = t.console("show security group-vpn server registered-members detail | display json")
    members = json.loads(a.stdout)["security-group-vpn-server-registered-members"]["group"][0]["member"]
    t.check("two registrations are counted", members[0]["stats"]["pull-succeeded"] == 2, a.stdout)


def stranger(t):
    """gm2 knows the key but is not on the group's list."""
    folder = t.folder / "stranger"
    folder.mkdir()
    conf = t.write("stranger.conf", MEMBER_CONF % (SERVER, OTHER))
    p = t.start_member(conf, log="stranger.log", run_dir=folder)
    until = time.monotonic() + 15
    while "member-refused" not in t.log("server.log") and time.monotonic() < until:
        time.sleep(0.1)
    lines = [json.loads(line) for line in t.log("server.log").splitlines()]
    refused = [e for e in lines if e["event"] == "member-refused"]
    t.check("the server says who was refused, and why", refused and refused[0]["gateway"] == "gm2" and
            "reason" in refused[0], refused)
    a = t.wait("show security group-vpn member ipsec security-associations detail", "Last failure",
               run_dir=folder)
    t.check("the refused member says so, too", "Last failure: " in a.stdout, a.stdout)
    p.terminate()
    t.check("SIGTERM ends a member that waits", p.wait(10) == 0, t.log("stranger.log"))


def ends(t, server, member, server_conf):
    p = t.start_server(server_conf, log="second.log")
    t.check("a second server does not start", p.wait(10) == 1, t.log("second.log"))
    a = t.console("show version")
    t.check("... and does not hurt the first", "conclaved" in a.stdout, a.stderr)
    member.terminate()
    t.check("SIGTERM ends the member", member.wait(10) == 0, t.log("member.log"))
    t.check("its socket is gone", not (t.folder / "conclave-member.sock").exists())
    server.kill()
    server.wait()
    server = t.start_server(server_conf)
    a = t.wait("show version", "conclaved")
    t.check("a killed server starts again over its old socket", "conclaved" in a.stdout, a.stderr)
    server.terminate()
    t.check("SIGTERM ends the server", server.wait(10) == 0, t.log("server.log"))
    t.check("every line of its log is JSON",
            all(json.loads(line)["program"] == "conclaved" for line in t.log("server.log").splitlines()))


def main():
    with tempfile.TemporaryDirectory(prefix="conclave-console-") as folder:
        t = Test(sys.argv[1], folder)
        try:
            refusals_before_start(t)
            nobody_there(t)
            from_a_pipe(t)
            server_conf = t.write("server.conf", SERVER_CONF % "")
            server = t.start_server(server_conf)
            t.wait("show version", "conclaved")
            member = t.start_member(t.write("member.conf", MEMBER_CONF % (SERVER, MEMBER)))
            registration(t)
            all_views(t)
            full_disk(t, server_conf)
            filters_and_errors(t)
            interactive(t)
            events(t)
            stranger(t)
            ends(t, server, member, server_conf)
        finally:
            t.stop_all()
        print("1..%d" % t.n)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
