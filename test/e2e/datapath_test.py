#!/usr/bin/python3
"""The data path between sites, with real packets and a capture of the WAN. Usage: datapath_test.py PROGRAM [TEST]"""
import contextlib
import json
import subprocess
import sys
import time

from datapath_net import ALL, AUTH, KEY, Net, install, run, why_not

SENDER = """
import socket, sys, time
to, port, size, count, gap = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 16)
for i in range(count):
    try:
        s.sendto(i.to_bytes(4, "big") + bytes(size - 4), (to, port))
    except OSError:
        pass
    time.sleep(gap)
"""
RECEIVER = """
import socket, struct, sys
port, count, group = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", port))
if group:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group[0]) + socket.inet_aton("0.0.0.0"))
print("ready", flush=True)
s.settimeout(3)
seen = set()
try:
    while len(seen) < count:
        seen.add(s.recv(65536)[:4])
except socket.timeout:
    pass
print(len(seen), flush=True)
"""


def check(what, good):
    if not good:
        raise AssertionError(what)


def equal(what, got, want):
    check("%s: got %r, want %r" % (what, got, want), got == want)


def ping(net, source, to, *options, count=3):
    out = net.on(source, "ping", "-n", "-c", str(count), "-i", "0.05", "-W", "1", *options, to, check=False)
    return sum("bytes from" in l for l in out.splitlines())


class Receiver:
    def __init__(self, net, host, port, count, *group):
        self.process = net.start(host, "python3", "-c", RECEIVER, str(port), str(count), *group, stdout=subprocess.PIPE,
                                 text=True)
        self.process.stdout.readline()

    def count(self):
        return int(self.process.stdout.readline())


def send(net, host, to, port, size=500, count=50, gap=0.001):
    net.on(host, "python3", "-c", SENDER, to, str(port), str(size), str(count), str(gap))


def stream(net, host, to, port, size=500):
    return net.start(host, "python3", "-c", SENDER, to, str(port), str(size), "1000000", "0.0005")


@contextlib.contextmanager
def sites(program, n=2, config=(), **kw):
    with Net(program, n, **kw) as net:
        members = [net.member(i + 1, *config) for i in range(n)]
        yield net, members


def no_keys(program):
    """without keys nothing from the inside leaves, forwarded or the gateway's own"""
    with sites(program) as (net, members):
        capture = net.capture()
        equal("pings", ping(net, "host1", "10.2.0.2"), 0)
        equal("own pings", ping(net, "gw1", "10.2.0.2", "-I", "10.1.0.1"), 0)
        equal("elsewhere", ping(net, "host1", "192.0.2.2"), 0)
        equal("the gateway itself is reachable", ping(net, "gw1", "192.0.2.2"), 3)
        equal("clear", [l for l in capture.clear() if "10." in l], [])
        equal("esp", capture.esp(), [])
        check("counted", members[0].stats()["fail-closed"] >= 6)


def unicast(program):
    """ping, large ping, TCP and UDP cross the WAN as ESP only, with every kind of cipher"""
    with sites(program, 3) as (net, members):
        for cipher, auth, key, auth_key in (
                ("aes-128-cbc", "hmac-sha-256-128", KEY, AUTH), ("3des-cbc", "hmac-sha1-96", KEY + KEY[:16], AUTH[:40]),
                ("aes-256-cbc", "hmac-sha-512-256", KEY * 2, AUTH * 2), ("null", "hmac-md5-96", "-", AUTH[:32])):
            install(members, cipher=cipher, auth=auth, key=key, auth_key=auth_key)
            capture = net.capture()
            for a, b in ((1, 2), (2, 3), (3, 1)):
                equal("%s ping" % cipher, ping(net, "host%d" % a, "10.%d.0.2" % b), 3)
            equal("large ping", ping(net, "host1", "10.2.0.2", "-s", "4000"), 3)
            equal("to the gateway", ping(net, "host1", "10.2.0.1"), 3)
            equal("from the gateway", ping(net, "gw1", "10.2.0.2", "-I", "10.1.0.1"), 3)
            r = Receiver(net, "host2", 5000, 50)
            send(net, "host1", "10.2.0.2", 5000, 2500)
            equal("datagrams", r.count(), 50)
            net.start("host2", "iperf3", "-s", "-1", stdout=subprocess.DEVNULL)
            time.sleep(0.3)
            result = json.loads(net.on("host1", "iperf3", "-J", "-c", "10.2.0.2", "-n", "20M", check=False))
            check("TCP: %s" % result.get("error"), result["end"]["sum_received"]["bytes"] > 10 << 20)
            equal("clear", capture.clear(), [])
            check("esp", len(capture.esp()) > 100)
        equal("drops", [k for m in members for k, v in m.stats().items() if v and ("fail" in k or "bad" in k)], [])


def host_learns_mtu(program):
    """hosts hear 'fragmentation needed' with the TUN's MTU from their own gateway"""
    with sites(program) as (net, members):
        install(members)
        out = net.on("host1", "ping", "-n", "-c", "2", "-W", "1", "-M", "do", "-s", "1450", "10.2.0.2", check=False)
        check("MTU told: " + out, "mtu = 1438" in out or "mtu=1438" in out)
        equal("largest that fits", ping(net, "host1", "10.2.0.2", "-M", "do", "-s", str(1438 - 28)), 3)


def ports(program):
    """a policy with a port takes whole datagrams, fragments included; other ports are not touched"""
    with sites(program) as (net, members):
        install(members, ("10.1.0.0/16 10.2.0.0/16 0 5000 17",))
        capture = net.capture()
        r, other = Receiver(net, "host2", 5000, 20), Receiver(net, "host2", 6000, 20)
        send(net, "host1", "10.2.0.2", 5000, 3000, 20)
        send(net, "host1", "10.2.0.2", 6000, 3000, 20)
        equal("selected", r.count(), 20)
        equal("not selected", other.count(), 20)
        flow = capture.lines("ip and not proto 50 and (udp dst port 5000 or host 10.1.0.2)")
        check("selected in clear: %s" % flow[:3], not [l for l in flow if ".5000:" in l])
        equal("clear packets are the other port's", len(flow) // 6 * 2, len([l for l in flow if ".6000:" in l]))
        check("esp", len(capture.esp()) >= 60)
        net.members[1].kill()
        capture = net.capture()
        send(net, "host1", "10.2.0.2", 5000, 3000, 20)
        equal("killed: clear or ESP", capture.lines("ip host 10.1.0.2"), [])


def multicast(program):
    """multicast from one LAN reaches the others: a named group at once, one of a wide policy when a host joins"""
    with sites(program, 3) as (net, members):
        install(members, ("10.0.0.0/8 239.1.1.1/32 0 0 0", "10.0.0.0/8 239.2.0.0/16 0 0 0"))
        time.sleep(1.5)
        for group in ("239.1.1.1", "239.2.3.4"):
            capture = net.capture()
            r2, r3 = Receiver(net, "host2", 5000, 200, group), Receiver(net, "host3", 5000, 200, group)
            time.sleep(0.5)
            send(net, "host1", group, 5000, 1000, 200, 0.002)
            check("%s at 2" % group, r2.count() >= 195)  # the first of a flow wait for the kernel's question
            check("%s at 3" % group, r3.count() >= 195)
            equal("clear", capture.clear(), [])
            check("esp", len(capture.esp()) >= 195)
        net.members[1].kill()
        capture = net.capture()
        send(net, "host1", "239.1.1.1", 5000, 1000, 50)
        equal("killed: clear", capture.clear(), [])


def killed(program):
    """kill -9 under traffic lets no clear packet out; a new member takes over"""
    with sites(program) as (net, members):
        install(members)
        capture = net.capture()
        stream(net, "host1", "10.2.0.2", 5000)
        stream(net, "host1", "10.2.0.2", 5001, 3000)
        time.sleep(0.5)
        for _ in range(3):
            net.members[1].kill()
            time.sleep(0.3)
            m = net.member(1)
            time.sleep(0.2)
            install([m])
            time.sleep(0.2)
        equal("clear", capture.clear(), [])
        check("esp", len(capture.esp()) > 100)
        equal("ping", ping(net, "host1", "10.2.0.2"), 3)


def faults(program):
    """no single fault beside a dead member opens the way: TUN, rules, nft"""
    breaks = (("the TUN down", ("ip", "link", "set", "conclave0", "down")),
              ("the TUN deleted", ("ip", "link", "del", "conclave0")),
              ("rules flushed", ("sh", "-c", "ip rule flush; ip rule add pref 32766 lookup main")),
              ("nft flushed", ("nft", "flush", "ruleset")))
    for what, command in breaks:
        with sites(program) as (net, members):
            install(members)
            capture = net.capture()
            stream(net, "host1", "10.2.0.2", 5000)
            stream(net, "host1", "10.2.0.2", 5001, 3000)
            time.sleep(0.2)
            net.members[1].kill()
            net.on("gw1", *command)
            time.sleep(0.5)
            equal(what, capture.clear(), [])
            members[0] = net.member(1)  # and everything is there again
            install([members[0]])
            equal("ping after " + what, ping(net, "host1", "10.2.0.2"), 3)


def wan_again(program):
    """the external interface goes away and comes back: nothing clear, and the path works again"""
    with sites(program) as (net, members):
        install(members)
        capture = net.capture()
        stream(net, "host1", "10.2.0.2", 5000)
        stream(net, "host1", "10.2.0.2", 5001, 3000)
        time.sleep(0.2)
        net.on("gw1", "ip", "link", "del", "wan0")
        time.sleep(0.3)
        net.cable("gw1", "wan0", "wan", "w1")
        net.on("wan", "ip", "link", "set", "w1", "master", "br0")
        net.on("gw1", "ip", "addr", "add", "192.0.2.1/24", "dev", "wan0")
        net.on("gw1", "ip", "route", "add", "10.2.0.0/16", "via", "192.0.2.2")
        time.sleep(1.5)
        equal("ping", ping(net, "host1", "10.2.0.2"), 3)
        equal("clear", capture.clear(), [])
        check("esp", len(capture.esp()) > 100)


def policy_changes(program):
    """policies grow, shrink and are reinstalled under traffic without a clear packet"""
    with sites(program) as (net, members):
        install(members)
        capture = net.capture()
        stream(net, "host1", "10.2.0.2", 5000)
        stream(net, "host1", "10.2.0.2", 5001, 3000)
        for i in range(20):
            extra = ("172.16.%d.0/24 10.0.0.0/8 0 0 0" % i,)
            install(members, ALL + extra if i % 2 else extra + ALL, spi=4096 + i)
            if i % 5 == 0:
                members[0].ask("install red")
        equal("clear", capture.clear(), [])


def rekey(program):
    """next, current, previous: a change of keys under traffic loses nothing"""
    with sites(program) as (net, members):
        install(members)
        r = Receiver(net, "host2", 5000, 1500)
        sender = net.start("host1", "python3", "-c", SENDER, "10.2.0.2", "5000", "500", "1500", "0.001")

        def keys(m, *slots):
            for spi, slot in slots:
                m.ask("sa %d 192.0.2.100 %s aes-128-cbc hmac-sha-256-128 %s %s" %
                      (spi, slot, "%032x" % spi, AUTH))
                m.ask("selector " + ALL[0])
            m.ask("install red")

        for m in members:
            m.ask("sa 4096 192.0.2.100 current aes-128-cbc hmac-sha-256-128 %s %s" % (KEY, AUTH))
            m.ask("selector " + ALL[0])
            keys(m, (5000, "next"))
        for spi in range(5000, 5004):
            for m in members:
                keys(m, (spi, "current"), (spi - 1, "previous"), (spi + 1, "next"))
            time.sleep(0.1)
        # 4096 went away with the first switch, after which nobody sent under it
        sender.wait()
        equal("received", r.count(), 1500)
        a, b = (m.stats() for m in members)
        equal("each once", b["decrypted-packets"], a["encrypted-packets"])


def routed_only(program):
    """the same through raw sockets alone"""
    with sites(program, 2, ("routed-only", "vpn red 1 wan0 clear 1500")) as (net, members):
        install(members)
        capture = net.capture()
        equal("ping", ping(net, "host1", "10.2.0.2"), 3)
        equal("large ping", ping(net, "host1", "10.2.0.2", "-s", "4000"), 3)
        r = Receiver(net, "host2", 5000, 50)
        send(net, "host1", "10.2.0.2", 5000, 2500)
        equal("datagrams", r.count(), 50)
        equal("clear", capture.clear(), [])
        check("esp", len(capture.esp()) > 100)


def exclude_and_fail_open(program):
    """exclude goes in clear at any time, fail-open only without a key"""
    config = ("vpn red 1 wan0 clear 1500", "exclude 10.1.0.0/16 10.2.0.0/16 17 7000 7009",
              "exclude 10.2.0.0/16 10.1.0.0/16 17 7000 7009", "fail-open 10.1.0.0/16 10.2.0.0/16 1 0 65535")
    with sites(program, 2, config) as (net, members):
        equal("fail-open ping", ping(net, "host1", "10.2.0.2"), 3)
        r = Receiver(net, "host2", 5000, 5)
        send(net, "host1", "10.2.0.2", 5000, 100, 5)
        equal("fails closed", r.count(), 0)
        install(members)
        capture = net.capture()
        equal("protected ping", ping(net, "host1", "10.2.0.2"), 3)
        r, x = Receiver(net, "host2", 5000, 20), Receiver(net, "host2", 7005, 20)
        send(net, "host1", "10.2.0.2", 5000, 3000, 20)
        send(net, "host1", "10.2.0.2", 7005, 3000, 20)
        equal("protected", r.count(), 20)
        equal("excluded", x.count(), 20)
        clear = capture.clear()
        check("excluded in clear", [l for l in clear if ".7005:" in l])
        check("nothing else: %s" % clear[:3], not [l for l in clear if ".5000:" in l or "ICMP" in l])
        check("counted", members[0].stats()["excluded"] >= 20)
        for m in members:
            m.ask("install red")
        equal("fail-open again", ping(net, "host1", "10.2.0.2"), 3)
        net.members[1].ask("close")
        equal("withdrawn on a clean stop", ping(net, "host1", "10.2.0.2"), 0)


def unmatched(program):
    """with keys, what no policy names is routed in clear; clear packets that a policy names are not let in"""
    with sites(program) as (net, members):
        install(members, ("10.1.0.0/16 10.2.0.0/16 0 0 0", "10.2.0.0/16 10.1.0.0/16 0 0 0"))
        capture = net.capture()
        equal("elsewhere", ping(net, "host1", "192.0.2.2"), 3)
        check("left in clear", capture.clear())
        net.members[1].kill()
        net.on("gw1", "nft", "flush", "ruleset")
        net.on("gw1", "ip", "rule", "del", "pref", "111", check=False)
        net.on("gw1", "ip", "rule", "del", "pref", "111", check=False)
        before = members[1].stats()["policy-dropped"]
        equal("spoofed clear ping", ping(net, "host1", "10.2.0.2"), 0)
        check("dropped on arrival", members[1].stats()["policy-dropped"] >= before + 3)


def icmp_errors(program):
    """errors about decrypted packets go back encrypted"""
    with sites(program) as (net, members):
        install(members)
        capture = net.capture()
        out = net.on("host1", "ping", "-n", "-c", "2", "-W", "4", "10.2.9.9", check=False)
        check("the remote gateway says so: " + out, "Unreachable" in out)
        out = net.on("host1", "ping", "-n", "-c", "1", "-t", "2", "-W", "1", "10.2.0.2", check=False)
        check("time exceeded: " + out, "exceeded" in out)
        equal("clear", capture.clear(), [])


def path_mtu(program):
    """a smaller link on the way: cut and put together (DF clear), or learned by the hosts (DF copied)"""
    for df in ("clear", "copy"):
        with sites(program, 2, ("vpn red 1 wan0 %s 1500" % df,), routed=True) as (net, members):
            net.on("wan", "ip", "route", "replace", "10.2.0.0/16", "via", "198.51.2.2", "mtu", "1300")
            install(members)
            time.sleep(0.3)
            capture = net.capture()
            size = ("-M", "do", "-s", "1400")
            if df == "clear":
                equal("fragments", ping(net, "host1", "10.2.0.2", *size), 3)
                continue
            equal("lost at first", ping(net, "host1", "10.2.0.2", *size), 0)
            time.sleep(0.3)
            out = net.on("host1", "ping", "-n", "-c", "2", "-W", "1", *size, "10.2.0.2", check=False)
            check("the host hears of it: " + out, "mtu = 1230" in out or "mtu=1230" in out)
            equal("what fits", ping(net, "host1", "10.2.0.2", "-M", "do", "-s", str(1230 - 28)), 3)
            equal("what may be cut", ping(net, "host1", "10.2.0.2", "-M", "dont", "-s", "1400"), 3)
            equal("clear", [l for l in capture.clear() if "ICMP 198.51" not in l and "unreachable" not in l], [])
            equal("learned", net.members[1].stats()["path-mtu-learned"] > 0, True)
            route = lambda: net.on("gw1", "ip", "route", "show", "table", "200").count("mtu 1230")
            equal("a route", route(), 1)
            net.members[1].kill()
            net.member(1)
            equal("swept by the next member", route(), 0)


def setup_and_teardown(program):
    """setup guards by itself and changes nothing when repeated; teardown leaves nothing behind"""
    with Net(program, 2) as net:
        m = net.member(2)
        install([m])
        before = net.on("gw1", "nft", "list", "ruleset") + net.on("gw1", "ip", "rule")
        boot = net.member_program(1)
        for line in ("vpn red 1 wan0 clear 1500", "setup"):
            boot.ask(line)
        capture = net.capture()
        equal("guarded", ping(net, "host1", "10.2.0.2"), 0)
        equal("clear", capture.clear(), [])
        first = net.on("gw1", "nft", "list", "ruleset") + net.on("gw1", "ip", "rule")
        boot.ask("setup")
        second = net.on("gw1", "nft", "list", "ruleset") + net.on("gw1", "ip", "rule")
        count = lambda text: [l for l in text.splitlines() if "packets" not in l]
        equal("again", count(second), count(first))
        boot.ask("teardown")
        equal("gone", net.on("gw1", "nft", "list", "ruleset") + net.on("gw1", "ip", "rule"), before)
        check("no TUN", "conclave0" not in net.on("gw1", "ip", "link"))
        check("no link group", "848" not in net.on("gw1", "ip", "link"))
        equal("no routes", net.on("gw1", "ip", "route", "show", "table", "all").count("conclave0"), 0)


TESTS = (no_keys, unicast, host_learns_mtu, ports, multicast, killed, faults, wan_again, policy_changes, rekey,
         routed_only,          exclude_and_fail_open, unmatched, icmp_errors, path_mtu, setup_and_teardown)


def main():
    program, wanted = sys.argv[1], sys.argv[2:]
    reason = why_not("iperf3")
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    tests = [t for t in TESTS if not wanted or t.__name__ in wanted]
    print("1..%d" % len(tests))
    failed = 0
    for number, test in enumerate(tests, 1):
        started = time.monotonic()
        try:
            test(program)
            print("ok %d - %s" % (number, test.__doc__), flush=True)
        except (AssertionError, RuntimeError, OSError, ValueError, subprocess.SubprocessError) as e:
            failed += 1
            print("not ok %d - %s" % (number, test.__doc__))
            print("# %s: %s" % (type(e).__name__, str(e).replace("\n", "\n# ")), flush=True)
            if getattr(e, "output", None):
                print("# " + str(e.output).replace("\n", "\n# "))
        print("# %s: %.1f s" % (test.__name__, time.monotonic() - started), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
