#!/usr/bin/python3
"""TCP and UDP between two sites through two members, against what else carries packets in user space.

    host1 - gw1 - gw2 - host2      all on this machine, so its cores carry hosts and gateways together

Prints "bench: NAME  VALUE UNIT  (ratio R to PEER)". Usage: datapath.py BUILD-DIR [SECONDS]
"""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "e2e"))
from datapath_net import AUTH, KEY, Net, install, run, why_not  # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
SECONDS = sys.argv[2] if len(sys.argv) > 2 else "5"
MEMBER = os.path.join(BUILD, "test", "e2e", "datapath_member")
FLOOD = ("-u", "-b", "0", "-l", "1300")
figures = {}


def show(name, value, unit, peer=None):
    figures[name] = value
    ratio = "  (ratio %.2f to %s)" % (value / figures[peer], peer) if figures.get(peer) else ""
    print("bench: %-44s %12.2f %s%s" % (name, value, unit, ratio), flush=True)


def iperf(net, *options):
    """(bits per second received, seconds)"""
    server = net.start("host2", "iperf3", "-s", "-1", stdout=subprocess.DEVNULL)
    time.sleep(0.4)
    out = net.on("host1", "iperf3", "-J", "-c", net.far, "-t", SECONDS, *options, check=False)
    server.wait(timeout=20)
    end = json.loads(out).get("end", {})
    if "sum_received" not in end and "sum" not in end:
        raise RuntimeError("iperf3: " + out[-300:])
    if "-u" in options:
        s = end["sum"]
        return s["bits_per_second"] * (1 - s["lost_percent"] / 100)
    return end["sum_received"]["bits_per_second"]


def thread_seconds(pid):
    """Processor time of the member's threads by name."""
    used = {}
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, task)) as f:
            name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        fields = rest.split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        used[name] = used.get(name, 0) + seconds
    return used


def tcp(net, name, peer, pids):
    """Throughput by the clock, and by the processor time of the gateways' programs: only the second one does
    not depend on what else this machine has to do."""
    before = sum(sum(thread_seconds(p).values()) for p in pids)
    bits = iperf(net)
    used = sum(sum(thread_seconds(p).values()) for p in pids) - before
    show(name + " TCP", bits / 1e9, "Gbit/s", peer and peer + " TCP")
    if pids:
        show(name + " TCP by gateways' CPU", bits * float(SECONDS) / used / 1e9, "Gbit/s per core",
             "wireguard-go TCP by gateways' CPU")
    return bits


def tcp_and_udp(net, name, peer=None, pids=()):
    tcp(net, name, peer, pids)
    show(name + " UDP 1300", iperf(net, *FLOOD) / 1e9, "Gbit/s", peer and peer + " UDP 1300")


def forwarding():
    with Net(MEMBER, 2, cabled=True) as net:
        net.far = "10.2.0.2"
        tcp_and_udp(net, "plain forwarding")


def tun_echo():
    with Net(MEMBER, 2, cabled=True) as net:
        net.far = "10.99.0.2"
        paths = ["/run/netns/" + net.ns(h) for h in ("host1", "host2")]
        p = subprocess.Popen([os.path.join(BUILD, "bench", "tun_echo")] + paths + ["echo0"], stdout=subprocess.PIPE,
                             text=True)
        net.background.append(p)
        p.stdout.readline()
        for i in (1, 2):
            net.on("host%d" % i, "ip", "addr", "add", "10.99.0.%d/24" % i, "dev", "echo0")
            net.on("host%d" % i, "ip", "link", "set", "echo0", "up", "mtu", "1400")
        tcp_and_udp(net, "TUN echo")


def wireguard():
    if not shutil.which("wireguard-go") or not shutil.which("wg"):
        return
    with Net(MEMBER, 2, cabled=True) as net:
        net.far = "10.2.0.2"
        daemons = []
        keys = [run("wg", "genkey").strip() for _ in (1, 2)]
        public = [run("wg", "pubkey", stdin=k).strip() for k in keys]
        for i in (1, 2):
            gw, other = "gw%d" % i, 3 - i
            device = "cvwg%d" % i  # they must differ: the control sockets of all namespaces share one directory
            env = dict(os.environ, LOG_LEVEL="error", WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1")
            daemons.append(net.start(gw, "wireguard-go", "-f", device, env=env, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL))
            time.sleep(0.5)
            run("ip", "netns", "exec", net.ns(gw), "wg", "set", device, "listen-port", "5555", "private-key",
                "/dev/stdin", "peer", public[other - 1], "allowed-ips", "10.%d.0.0/16" % other, "endpoint",
                "192.0.2.%d:5555" % other, stdin=keys[i - 1])
            net.on(gw, "ip", "link", "set", device, "up", "mtu", "1420")
            net.on(gw, "ip", "route", "replace", "10.%d.0.0/16" % other, "dev", device)
        tcp_and_udp(net, "wireguard-go", "TUN echo", [d.pid for d in daemons])


def openvpn():
    if not shutil.which("openvpn"):
        return
    with Net(MEMBER, 2, cabled=True) as net:
        net.far = "10.2.0.2"
        daemons = []
        key = "/tmp/%s-openvpn.key" % net.tag
        run("openvpn", "--genkey", "secret", key)
        for i in (1, 2):
            gw, other = "gw%d" % i, 3 - i
            net.on(gw, "ip", "route", "del", "10.%d.0.0/16" % other)  # the tunnel's route takes its place
            words = ["openvpn", "--dev", "tun0", "--dev-type", "tun", "--proto", "udp", "--disable-dco", "--remote",
                     "192.0.2.%d" % other, "--ifconfig", "10.98.0.%d" % i, "10.98.0.%d" % other, "--secret", key,
                     str(i - 1), "--cipher", "AES-256-CBC", "--auth", "SHA256", "--route", "10.%d.0.0" % other,
                     "255.255.0.0"]
            daemons.append(net.start(gw, *words, stdout=subprocess.DEVNULL))
        for _ in range(20):
            if "1 received" in net.on("host1", "ping", "-c", "1", "-W", "1", net.far, check=False):
                break
            time.sleep(0.5)
        try:
            tcp_and_udp(net, "openvpn AES-256-CBC SHA256", "TUN echo", [d.pid for d in daemons])
        finally:
            os.unlink(key)


def members(cipher, auth, key, auth_key, routed_only=False):
    with Net(MEMBER, 2, cabled=True) as net:
        net.far = "10.2.0.2"
        config = ("routed-only",) * routed_only + ("vpn red 1 wan0 clear 1500",)
        both = [net.member(i, *config) for i in (1, 2)]
        install(both, cipher=cipher, auth=auth, key=key, auth_key=auth_key)
        time.sleep(1.2)
        name = "members %s %s" % (cipher, auth) if auth != "none" else "members " + cipher
        name += " routed only" if routed_only else ""
        before = [thread_seconds(m.pid()) for m in both]
        bits = tcp(net, name, "wireguard-go", [m.pid() for m in both])
        after = [thread_seconds(m.pid()) for m in both]
        moved = bits * float(SECONDS) / 1e9
        for which, thread, what in ((0, "data-out", "sealing"), (1, "data-in", "opening")):
            used = after[which][thread] - before[which][thread]
            show("%s, one core %s" % (name, what), moved / used, "Gbit/s")
        show(name + " UDP 1300", iperf(net, *FLOOD) / 1e9, "Gbit/s", "wireguard-go UDP 1300")


SUPER_SENDER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 1400)  # UDP_SEGMENT: super-packets, as TCP makes them
s.connect(("10.2.0.2", 9))
data = bytes(1400 * 44)
while True:
    try:
        s.send(data)
    except OSError:
        pass
"""


def sealing_alone(cipher, auth, key, auth_key, routed_only=False):
    """One member sends, and what leaves it is dropped at once: its thread's processor time is its own."""
    with Net(MEMBER, 2, cabled=True) as net:
        m = net.member(1, *(("routed-only",) * routed_only + ("vpn red 1 wan0 clear 1500",)))
        install([m], cipher=cipher, auth=auth, key=key, auth_key=auth_key)
        net.on("gw1", "ping", "-c", "1", "-W", "1", "192.0.2.2", check=False)
        net.on("gw2", "nft", "add table netdev bench; add chain netdev bench rx { type filter hook ingress device wan0 "
               "priority 0; }; add rule netdev bench rx ip protocol esp drop")
        net.start("host1", "python3", "-c", SUPER_SENDER)
        time.sleep(1.5)
        octets, used = m.stats()["encrypted-bytes"], thread_seconds(m.pid())["data-out"]
        time.sleep(float(SECONDS))
        octets, used = m.stats()["encrypted-bytes"] - octets, thread_seconds(m.pid())["data-out"] - used
        name = ("sealing alone, %s %s" % (cipher, auth)).replace(" none", "")
        show(name + (" routed only" if routed_only else ""), octets * 8 / used / 1e9, "Gbit/s per core")


def main():
    reason = why_not("iperf3")
    if reason:
        print("bench: datapath skipped: " + reason)
        return 0
    for routed_only in (False, True):
        sealing_alone("aes-128-cbc", "hmac-sha-256-128", KEY, AUTH, routed_only)
        sealing_alone("aes-256-gcm", "none", KEY * 2 + KEY[:8], "-", routed_only)
    forwarding()
    tun_echo()
    wireguard()
    openvpn()
    members("aes-128-cbc", "hmac-sha-256-128", KEY, AUTH)
    members("aes-128-cbc", "hmac-sha-256-128", KEY, AUTH, True)
    members("aes-256-gcm", "none", KEY * 2 + KEY[:8], "-")
    return 0


if __name__ == "__main__":
    sys.exit(main())
