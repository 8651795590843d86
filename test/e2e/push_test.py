#!/usr/bin/python3
"""GROUPKEY-PUSH on real sockets: unicast and multicast. Usage: push_test.py FOLDER_OF_THE_PROGRAMS [TEST]..."""
import sys

from datapath_net import why_not
from group_net import SERVER, GroupNet, check, equal, gateway, group, member, server, tap, wait

GROUP = "239.192.8.48"
MEMBER_KEK = "show security group-vpn member kek security-associations"


def communication(more="", cipher="aes-256-cbc", sig_hash="sha-256"):
    return """activation-time-delay 10; no-anti-replay; server-member-communication {
        encryption-algorithm %s; sig-hash-algorithm %s; %s }""" % (cipher, sig_hash, more)


def multicast(more=""):
    return communication("communication-type multicast; multicast-group %s; multicast-outgoing-interface wan0; %s" %
                         (GROUP, more))


def start(net, statement, members, number=(1, 2, 3)):
    """The server with group red, and its members, registered."""
    ks = net.server(server((group("red", 7, number, more=statement),), number))
    gms = {i: net.group_member(i, member(i)) for i in members}
    ks.wait_event("member-registered", count=len(members))
    for gm in gms.values():
        gm.wait_event("registered")
    return ks, gms


def joined(net, i):
    return GROUP in net.on("gw%d" % i, "ip", "maddr", "show", "dev", "wan0", check=False)


STRANGER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[1]))
s.sendto(b"no push at all, but long enough to be looked at", (sys.argv[2], 848))
"""


def everything_protected(programs):
    """a policy for everything takes neither IGMP nor what comes to the group (decisions S37)"""
    with GroupNet(programs, 2) as net:
        capture = net.capture()
        ks = net.server(server((group("red", 7, (1, 2), policies=("0.0.0.0/0 0.0.0.0/0",), more=multicast()),), (1, 2)))
        gms = [net.group_member(i, member(i)) for i in (1, 2)]
        for gm in gms:
            gm.wait_event("multicast-ready")
        net.reaches(1, 2)
        for gm in gms:
            gm.console("clear security group-vpn member group vpn red")
        ks.wait_event("member-registered", count=4)
        net.on("ks", "python3", "-c", STRANGER, SERVER, GROUP)
        for gm in gms:
            heard = gm.wait_event("datagram-dropped")
            check("heard from the server's address", heard[-1]["peer"].startswith(SERVER + ":"), heard)
            check("counted", gm.counter("datagrams", "received") > 0)
        reports = capture.lines("igmp")
        for i in (1, 2):
            check("IGMP of gw%d" % i, any("%s > " % gateway(i) in l for l in reports), reports)


def interface_of_a_member(programs):
    """a member joins the group by IGMP, and again when the interface comes back"""
    with GroupNet(programs, 1) as net:
        ks, gms = start(net, multicast(), (1,), (1,))
        ready = gms[1].wait_event("multicast-ready", direction="receive")
        equal("group and interface", (ready[0]["multicast-group"], ready[0]["interface"]), (GROUP, "wan0"))
        wait("the kernel has joined", lambda: joined(net, 1))
        net.on("gw1", "ip", "link", "set", "wan0", "down")
        net.on("gw1", "ip", "link", "set", "wan0", "name", "away0")
        lost = gms[1].wait_event("multicast-lost", direction="receive")
        check("why", "reason" in lost[0], lost)
        net.on("gw1", "ip", "link", "set", "away0", "name", "wan0")
        net.on("gw1", "ip", "link", "set", "wan0", "up")
        gms[1].wait_event("multicast-ready", count=2, direction="receive")
        wait("the kernel has joined again", lambda: joined(net, 1))
        # gone for good, and another one under its name
        net.on("gw1", "ip", "link", "del", "wan0")
        gms[1].wait_event("multicast-lost", count=2, direction="receive")
        net.cable("gw1", "wan0", "wan", "w1")
        net.on("wan", "ip", "link", "set", "w1", "master", "br0")
        net.on("gw1", "ip", "addr", "add", gateway(1) + "/24", "dev", "wan0")
        gms[1].wait_event("multicast-ready", count=3, direction="receive")
        wait("the kernel has joined on the new one", lambda: joined(net, 1))
        net.on("ks", "python3", "-c", STRANGER, SERVER, GROUP)
        gms[1].wait_event("datagram-dropped")
        equal("one line each", (len(gms[1].events("multicast-lost")), len(gms[1].events("multicast-ready"))), (2, 3))
        gms[1].stop()
        wait("and has left", lambda: not joined(net, 1))
        ks.stop()


def main():
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    programs = sys.argv[1]
    tests = [(t, programs) for t in (everything_protected, interface_of_a_member)]
    return tap(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
