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
        equal("one line each", (len(gms[1].events("multicast-lost")), len(gms[1].events("multicast-ready"))), (1, 2))
        gms[1].stop()
        wait("and has left", lambda: not joined(net, 1))
        ks.stop()


def main():
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    programs = sys.argv[1]
    tests = [(t, programs) for t in (interface_of_a_member,)]
    return tap(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
