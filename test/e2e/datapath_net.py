"""Sites around a WAN, in network namespaces, each gateway with a member that is told its keys.

    host1 - gw1 -+          +- gw3 - host3
                 +-- wan ---+
    host2 - gw2 -+

Site N is 10.N.0.0/16, its gateway 192.0.2.N on the WAN: a bridge, a router when `routed`, or but a cable between two
gateways when `cabled`.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def run(*words, check=True, stdin=None):
    return subprocess.run(words, check=check, input=stdin, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def why_not(*programs):
    """A reason to skip, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for p in ("ip", "nft", "tcpdump", "ping") + programs:
        if not shutil.which(p, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return "needs the program " + p
    probe = "cv%d-probe" % os.getpid()
    try:
        run("ip", "netns", "add", probe)
        run("ip", "-n", probe, "tuntap", "add", "dev", "t0", "mode", "tun")
        run("ip", "netns", "exec", probe, "nft",
            "add table ip t; add chain ip t c { type route hook output priority 0; }")
    except (subprocess.CalledProcessError, OSError) as e:
        return "needs network namespaces, TUN and nft: " + str(getattr(e, "output", e)).strip()
    finally:
        run("ip", "netns", "del", probe, check=False)
    return None


class Member:
    """The program datapath_member in a gateway's namespace."""

    def __init__(self, netns, program):
        self.process = subprocess.Popen(["ip", "netns", "exec", netns, program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        lines = []
        while True:
            answer = self.process.stdout.readline()
            if answer == "":
                raise RuntimeError("the member ended at: " + line)
            if answer.strip() == "ok":
                return lines
            if answer.startswith("error"):
                raise RuntimeError("%s: %s" % (line, answer.strip()))
            lines.append(answer.strip())

    def pid(self):
        return self.process.pid

    def stats(self):
        return {k: int(v) for k, v in (l.split() for l in self.ask("stats"))}

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def quit(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(timeout=20)


class Net:
    def __init__(self, program, sites=3, routed=False, cabled=False):
        self.program, self.sites, self.routed, self.cabled = program, sites, routed, cabled
        self.tag = "cv%d" % os.getpid()
        self.members = {}
        self.background = []
        self.names = []

    def ns(self, name):
        return "%s-%s" % (self.tag, name)

    def on(self, name, *words, check=True):
        return run("ip", "netns", "exec", self.ns(name), *words, check=check)

    def start(self, name, *words, **kw):
        p = subprocess.Popen(["ip", "netns", "exec", self.ns(name)] + list(words), **kw)
        self.background.append(p)
        return p

    def add_ns(self, name):
        run("ip", "netns", "add", self.ns(name))
        self.names.append(name)
        self.on(name, "ip", "link", "set", "lo", "up")

    def cable(self, a, dev_a, b, dev_b):
        run("ip", "link", "add", dev_a, "netns", self.ns(a), "type", "veth", "peer", "name", dev_b, "netns", self.ns(b))
        self.on(a, "ip", "link", "set", dev_a, "up")
        self.on(b, "ip", "link", "set", dev_b, "up")

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def build(self):
        self.add_ns("wan")
        if self.routed:
            self.on("wan", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        else:
            # a bridge is a switch here: no firewall of this machine has to look into it
            self.on("wan", "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0", check=False)
            self.on("wan", "ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
            self.on("wan", "ip", "link", "set", "br0", "up")
        for i in range(1, self.sites + 1):
            self.build_site(i)
        if self.cabled:
            self.cable("gw1", "wan0", "gw2", "wan0")
            for i in (1, 2):
                self.on("gw%d" % i, "ip", "addr", "add", "192.0.2.%d/24" % i, "dev", "wan0")
        for i in range(1, self.sites + 1):
            for j in range(1, self.sites + 1):
                if i != j and not self.routed:
                    self.on("gw%d" % i, "ip", "route", "add", "10.%d.0.0/16" % j, "via", "192.0.2.%d" % j)

    def build_site(self, i):
        gw, host = "gw%d" % i, "host%d" % i
        self.add_ns(gw)
        self.add_ns(host)
        if not self.cabled:
            self.cable(gw, "wan0", "wan", "w%d" % i)
        self.cable(gw, "lan0", host, "eth0")
        if self.routed:
            self.on("wan", "ip", "addr", "add", "198.51.%d.1/24" % i, "dev", "w%d" % i)
            self.on("wan", "ip", "route", "add", "10.%d.0.0/16" % i, "via", "198.51.%d.2" % i)
            self.on(gw, "ip", "addr", "add", "198.51.%d.2/24" % i, "dev", "wan0")
            self.on(gw, "ip", "route", "add", "default", "via", "198.51.%d.1" % i)
        elif not self.cabled:
            self.on("wan", "ip", "link", "set", "w%d" % i, "master", "br0")
            self.on(gw, "ip", "addr", "add", "192.0.2.%d/24" % i, "dev", "wan0")
        self.on(gw, "ip", "addr", "add", "10.%d.0.1/16" % i, "dev", "lan0")
        self.on(gw, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.on(host, "ip", "addr", "add", "10.%d.0.2/16" % i, "dev", "eth0")
        self.on(host, "ip", "route", "add", "default", "via", "10.%d.0.1" % i)

    def __exit__(self, *unused):
        for m in self.members.values():
            try:
                m.quit()
            except Exception as e:
                print("# " + str(e), file=sys.stderr)
                m.kill()
        for p in self.background:
            if p.poll() is None:
                p.kill()
                p.wait()
        for name in self.names:
            run("ip", "netns", "del", self.ns(name), check=False)

    def member_program(self, i):
        self.members[i] = Member(self.ns("gw%d" % i), self.program)
        return self.members[i]

    def member(self, i, *config):
        """Starts a member at gateway i with one VPN, or with the commands given, and opens its path."""
        m = self.member_program(i)
        for line in config or ("vpn red 1 wan0 clear 1500",):
            m.ask(line)
        m.ask("open")
        return m

    def capture(self):
        return Capture(self)


class Capture:
    """Records what crosses the WAN, and tells what of it was clear."""
    CLEAR = "ip and not proto 50 and not proto 2 and not udp port 848"

    def __init__(self, net):
        self.net = net
        self.file = tempfile.NamedTemporaryFile(suffix=".pcap")
        # without immediate mode the last packets would still lie in the kernel when the capture ends
        self.process = net.start("wan", "tcpdump", "-Z", "root", "--immediate-mode", "-B", "32768", "-s", "96", "-U",
                                 "-n", "-i", "any", "-w", self.file.name, "ip", stderr=subprocess.PIPE, text=True)
        while "listening" not in self.process.stderr.readline():
            if self.process.poll() is not None:
                raise RuntimeError("tcpdump ended")

    def stop(self):
        if self.process.poll() is None:
            time.sleep(0.3)
            self.process.send_signal(signal.SIGINT)
            self.process.wait()

    def lines(self, what):
        self.stop()
        out = self.net.on("wan", "tcpdump", "-n", "-r", self.file.name, what)  # there interfaces have names
        return [l for l in out.splitlines() if l and not l.startswith(("reading from", "Warning", "tcpdump:"))]

    def clear(self):
        return self.lines(self.CLEAR)

    def esp(self):
        return self.lines("proto 50")


KEY = "00112233445566778899aabbccddeeff"
AUTH = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
ALL = ("10.0.0.0/8 10.0.0.0/8 0 0 0",)


def install(members, selectors=ALL, spi=4096, cipher="aes-128-cbc", auth="hmac-sha-256-128", key=KEY, auth_key=AUTH,
            slot="current"):
    for m in members:
        m.ask("sa %d 192.0.2.100 %s %s %s %s %s" % (spi, slot, cipher, auth, key, auth_key))
        for s in selectors:
            m.ask("selector " + s)
        m.ask("install red")
