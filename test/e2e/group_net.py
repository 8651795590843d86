"""The real programs in namespaces: a key server "ks" at 192.0.2.100 on the WAN of datapath_net, the members on the
gateways of its sites, hosts behind them.

    host1 - gw1 -+- wan -+- ks
    host2 - gw2 -+
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

from datapath_net import Net, run

SERVER = "192.0.2.100"
IKE = """proposal p { authentication-method pre-shared-keys; dh-group group14; authentication-algorithm sha-256;
        encryption-algorithm aes-256-cbc; }
    policy pol { mode main; proposals p; pre-shared-key ascii-text "a key of two"; }"""
ALL = "10.0.0.0/8 10.0.0.0/8"


def gateway(i):
    return "192.0.2.%d" % i


def match(number, selector):
    source, destination = selector.split()
    return "match-policy m%d { source %s; destination %s; }" % (number, source, destination)


def group(name, number, members, address=SERVER, policies=(ALL,), more="no-anti-replay;"):
    return "group %s { group-id %d; %s server-address %s; %s ipsec-sa sa { proposal esp; %s } }" % (
        name, number, " ".join("ike-gateway gm%d;" % i for i in members), address, more,
        " ".join(match(n, p) for n, p in enumerate(policies)))


def server(groups, members, lifetime=3600):
    """The statement `server` with these groups; member N of the sites is gateway gmN."""
    gateways = "\n    ".join("gateway gm%d { ike-policy pol; address %s; }" % (i, gateway(i)) for i in members)
    return """server {
    ike { %s
    %s }
    ipsec { proposal esp { authentication-algorithm hmac-sha-256-128; encryption-algorithm aes-128-cbc;
        lifetime-seconds %d; } }
    %s
}""" % (IKE, gateways, lifetime, "\n    ".join(groups))


def member(i, vpns=(("red", 7, SERVER),), more=""):
    """The statement `member` of site i, with VPNs of (name, group, server)."""
    gateways = " ".join("gateway ks-%s { ike-policy pol; server-address %s; local-address %s; }" %
                        (name, address, gateway(i)) for name, _, address in vpns)
    text = " ".join("vpn %s { ike-gateway ks-%s; group-vpn-external-interface wan0; group %d; %s }" %
                    (name, name, number, more) for name, number, _ in vpns)
    return "member { ike { %s %s } ipsec { %s } }" % (IKE, gateways, text)


def file_of(*statements):
    return "security { group-vpn {\n%s\n} }\n" % "\n".join(statements)


class Program:
    """A daemon in a namespace, and the events that it tells."""

    def __init__(self, net, node, name, text, *options):
        self.net, self.node, self.name = net, node, name
        self.dir = net.folder / node
        self.dir.mkdir(exist_ok=True)
        self.conf = self.dir / (name + ".conf")
        self.conf.write_text(text)
        self.log = self.dir / (name + ".log")
        self.options = options
        self.start()

    def start(self):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", TZ="UTC")
        with open(self.log, "a") as out:
            self.process = self.net.start(self.node, str(self.net.programs / self.name), "-f", str(self.conf),
                                          "--run-dir", str(self.dir), "--log-format", "json", *self.store(),
                                          *self.options, stdout=out, stderr=out, env=env)

    def store(self):
        if self.name != "conclaved":
            return []
        return ["--state-dir", str(self.dir / "state"), "--key-dir", str(self.dir / "keys")]

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        if code != 0:
            raise AssertionError("%s ends with %d: %s" % (self.name, code, self.text()))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def text(self):
        return self.log.read_text()

    def events(self, name=None, **fields):
        """Those told so far, of that name and with these fields."""
        found = []
        for line in self.text().splitlines():
            if not line.startswith("{"):
                continue
            e = json.loads(line)
            if name in (None, e["event"]) and all(str(e.get(k.replace("_", "-"))) == str(v) for k, v in fields.items()):
                found.append(e)
        return found

    def wait_event(self, name, seconds=20, count=1, **fields):
        def enough():
            found = self.events(name, **fields)
            return found if len(found) >= count else None
        return wait("%s on %s tells %s %s" % (self.name, self.node, name, fields), enough, seconds, self.text)

    def console(self, line):
        return self.net.on(self.node, str(self.net.programs / "conclave"), "--run-dir", str(self.dir), line,
                           check=False)

    def shows(self, line, pattern, seconds=20):
        """Waits until the console's answer holds the pattern; that match."""
        return wait("%s: %s: %s" % (self.node, line, pattern), lambda: re.search(pattern, self.console(line), re.M),
                    seconds, lambda: self.console(line) + self.text())

    def json(self, line):
        text = self.console(line + " | display json")
        return next(iter(json.loads(text).values()))

    def counter(self, kind, name):
        """Of `show counters`: kind "datagrams", "event", "dropped" or "tolerated"."""
        daemons = json.loads(self.console("show security group-vpn counters | display json"))
        for d in find_lists(daemons, kind):
            for c in d:
                if c.get("name") == name or c.get("reason") == name:
                    return c["count"]
        return 0


def find_lists(tree, key):
    if isinstance(tree, dict):
        for k, v in tree.items():
            if k == key and isinstance(v, list):
                yield v
            else:
                yield from find_lists(v, key)
    elif isinstance(tree, list):
        for v in tree:
            yield from find_lists(v, key)


def wait(what, condition, seconds=20, detail=lambda: ""):
    """Until the condition gives something true, and that; a busy machine may take its time."""
    until = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > until:
            raise AssertionError("waited %d s: %s\n%s" % (seconds, what, str(detail())[-4000:]))
        time.sleep(0.1)


class GroupNet(Net):
    def __init__(self, programs, sites=2):
        super().__init__(None, sites)
        self.programs = pathlib.Path(programs)
        self.temporary = tempfile.TemporaryDirectory(prefix="conclave-e2e-")
        self.folder = pathlib.Path(self.temporary.name)
        self.daemons = []

    def build(self):
        super().build()
        self.add_ns("ks")
        self.cable("ks", "wan0", "wan", "ks0")
        self.on("wan", "ip", "link", "set", "ks0", "master", "br0")
        self.on("ks", "ip", "addr", "add", SERVER + "/24", "dev", "wan0")

    def __exit__(self, *why):
        super().__exit__(*why)
        self.temporary.cleanup()

    def daemon(self, node, name, text, *options):
        self.daemons.append(Program(self, node, name, text, *options))
        return self.daemons[-1]

    def server(self, text, *options, node="ks"):
        return self.daemon(node, "conclaved", file_of(text), *options)

    def group_member(self, i, text, *options):
        return self.daemon("gw%d" % i, "conclave-member", file_of(text), *options)

    def pings(self, a, b, count=3):
        """How many of them host b answered to host a."""
        out = self.on("host%d" % a, "ping", "-n", "-c", str(count), "-i", "0.05", "-W", "1", "10.%d.0.2" % b,
                      check=False)
        return sum("bytes from" in l for l in out.splitlines())

    def reaches(self, a, b, seconds=20):
        wait("host %d pings host %d" % (a, b), lambda: self.pings(a, b) == 3, seconds,
             lambda: "".join(d.text()[-1500:] for d in self.daemons))


def check(what, good, detail=""):
    if not good:
        raise AssertionError("%s\n%s" % (what, detail))


def equal(what, got, want):
    check("%s: got %r, want %r" % (what, got, want), got == want)


def tap(tests, names):
    """Runs the tests whose names are given, or all; TAP on stdout; the exit code."""
    todo = [t for t in tests if not names or t[0].__name__ in names]
    failed = 0
    print("1..%d" % len(todo), flush=True)
    for number, (test, *args) in enumerate(todo, 1):
        begin = time.monotonic()
        try:
            test(*args)
            error = None
        except (AssertionError, RuntimeError, ValueError, LookupError, subprocess.SubprocessError, OSError) as e:
            error = "%s %s" % (e, getattr(e, "output", "") or "")
        failed += error is not None
        print("%sok %d - %s: %s (%.0f s)" % ("not " if error else "", number, test.__name__,
                                            test.__doc__.splitlines()[0], time.monotonic() - begin), flush=True)
        for line in (error or "").splitlines():
            print("# " + line, flush=True)
    return 1 if failed else 0


__all__ = ["ALL", "GroupNet", "SERVER", "check", "equal", "gateway", "group", "member", "run", "server", "tap", "wait"]
