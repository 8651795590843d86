#!/usr/bin/python3
"""Several groups, several addresses, a server and a member on one box. Usage: groups_test.py FOLDER [TEST]..."""
import re
import sys

from datapath_net import why_not
from datapath_test import Receiver, send
from group_net import SERVER, GroupNet, check, equal, file_of, gateway, group, member, server, tap

SECOND = "192.0.2.101"
MEMBER_SAS = "show security group-vpn member ipsec security-associations"
MEMBERS = "show security group-vpn server registered-members"


def two_groups(programs):
    """a server with two groups at two addresses, and a member of both that keeps their keys apart"""
    red = group("red", 7, (1, 2), SERVER, ("10.1.0.0/16 10.2.0.0/16", "10.2.0.0/16 10.1.0.0/16"))
    blue = group("blue", 8, (1, 3), SECOND, ("10.1.0.0/16 10.3.0.0/16", "10.3.0.0/16 10.1.0.0/16"))
    with GroupNet(programs, 3) as net:
        net.on("ks", "ip", "addr", "add", SECOND + "/24", "dev", "wan0")
        ks = net.server(server((red, blue), (1, 2, 3)))
        both = net.group_member(1, member(1, (("red", 7, SERVER), ("blue", 8, SECOND))))
        net.group_member(2, member(2, (("red", 7, SERVER),)))
        net.group_member(3, member(3, (("blue", 8, SECOND),)))
        ks.wait_event("member-registered", count=4)
        capture = net.capture()
        net.reaches(1, 2)
        net.reaches(1, 3)
        equal("clear packets between sites", [l for l in capture.clear() if "10." in l.split(" IP ")[-1]], [])
        check("ESP", len(capture.esp()) >= 12)
        for g in ("red", "blue"):
            text = ks.console(MEMBERS + " group " + g)
            check("two members of " + g, "registered members: 2" in text, text)
        both.shows("show security group-vpn member policy", r"IP <10\.3\.0\.0 - 10\.3\.255\.255>")


def wrong_address(programs):
    """a group is served at its own address only"""
    red, blue = group("red", 7, (1,)), group("blue", 8, (1,), SECOND)
    with GroupNet(programs, 1) as net:
        net.on("ks", "ip", "addr", "add", SECOND + "/24", "dev", "wan0")
        ks = net.server(server((red, blue), (1,)))
        gm = net.group_member(1, member(1, (("red", 7, SECOND),)), "--no-data-path")
        refused = ks.wait_event("member-refused")
        check("the reason says so", "reason" in refused[0], refused)
        check("no key is there", "ESP:" not in gm.console(MEMBER_SAS), gm.console(MEMBER_SAS))


def not_listed(programs):
    """who is not on a group's list of gateways gets nothing, whatever it knows"""
    groups = (group("red", 7, (1,)), group("blue", 8, (2,)))
    with GroupNet(programs, 2) as net:
        ks = net.server(server(groups, (1, 2)))
        gm = net.group_member(2, member(2), "--no-data-path")
        refused = ks.wait_event("member-refused", gateway="gm2", group="red")
        check("the reason says so", "reason" in refused[0], refused)
        equal("nobody is in red", ks.events("member-registered"), [])
        check("no key is there", "ESP:" not in gm.console(MEMBER_SAS), gm.console(MEMBER_SAS))


def full(programs):
    """member-threshold: one more is not answered"""
    with GroupNet(programs, 2) as net:
        ks = net.server(server((group("red", 7, (1, 2), more="no-anti-replay; member-threshold 1;"),), (1, 2)))
        net.group_member(1, member(1), "--no-data-path")
        ks.wait_event("member-registered", gateway="gm1")
        gm = net.group_member(2, member(2), "--no-data-path")
        refused = ks.wait_event("member-refused", gateway="gm2")
        check("the reason says so", "member-threshold" in refused[0]["what"], refused)
        ks.shows("show security group-vpn server statistics", "Pull Exceed Member Threshold +: [1-9]")
        equal("what it hears", gm.events("notify-received") + ks.events("notify-sent"), [])


TWO_SAS = """group red { group-id 7; ike-gateway gm1; ike-gateway gm2; no-anti-replay; server-address %s;
    ipsec-sa web { proposal esp; match-policy to { source 10.1.0.0/16; destination 10.2.0.0/16; protocol 17;
        destination-port 5000; } match-policy from { source 10.2.0.0/16; destination 10.1.0.0/16; protocol 17;
        source-port 5000; } }
    ipsec-sa ping { proposal esp; match-policy any { source 10.0.0.0/8; destination 10.0.0.0/8; protocol 1; } } }"""


def two_keys(programs):
    """each ipsec-sa has its key, for the addresses, protocol and ports of its match-policies; all else is clear"""
    with GroupNet(programs, 2) as net:
        ks = net.server(server((TWO_SAS % SERVER,), (1, 2)))
        for i in (1, 2):
            net.group_member(i, member(i))
        ks.wait_event("member-registered", count=2)
        net.reaches(1, 2)
        spis = {e["ipsec-sa"]: e["spi"] for e in ks.events("generation-created")}
        for port, keys in ((5000, {spis["web"]}), (5001, set())):
            capture, sink = net.capture(), Receiver(net, "host2", port, 20)
            send(net, "host1", "10.2.0.2", port, count=20)
            equal("datagrams to port %d" % port, sink.count(), 20)
            equal("keys of port %d" % port, set(re.findall("spi=0x([0-9a-f]+)", "\n".join(capture.esp()))), keys)
            equal("it was clear", any(" IP 10." in l for l in capture.clear()), not keys)


def dynamic_members(programs):
    """members without fixed addresses, known by name in aggressive mode, in a group without pushes; one moves"""
    def anywhere(text):
        return text.replace("mode main", "mode aggressive")
    def site(i, address):
        named = "local-address %s; local-identity hostname site-%d.example.net;" % (address, i)
        return anywhere(member(i)).replace("local-address %s;" % gateway(i), named)
    text = anywhere(server((group("red", 7, (1, 2)),), (1, 2)))
    for i in (1, 2):
        text = text.replace(" address %s;" % gateway(i), " dynamic hostname site-%d.example.net;" % i)
    with GroupNet(programs, 2) as net:
        ks = net.server(text)
        gms = [net.group_member(i, site(i, gateway(i))) for i in (1, 2)]
        ks.wait_event("member-registered", count=2)
        equal("modes", {e["mode"] for e in ks.events("phase1-up")}, {"aggressive"})
        net.reaches(1, 2)
        net.on("gw1", "ip", "addr", "add", "192.0.2.11/24", "dev", "wan0")
        gms[0].stop()
        gms[0].conf.write_text(file_of(site(1, "192.0.2.11")))
        gms[0].start()
        ks.shows(MEMBERS, r"gm1 +192\.0\.2\.11 ")
        ks.shows(MEMBERS, "registered members: 2")
        net.reaches(1, 2)


def co_location(programs):
    """one box is key server and member, each with its own address, and its own policy takes everything"""
    own, other = gateway(1), SECOND
    everything = ("0.0.0.0/0 0.0.0.0/0",)
    both = file_of("co-location;", server((group("red", 7, (1, 2), other, everything),), (1, 2)),
                   member(1, (("red", 7, other),)))
    with GroupNet(programs, 2) as net:
        net.on("gw1", "ip", "addr", "add", other + "/24", "dev", "wan0")
        ks = net.daemon("gw1", "conclaved", both)
        here = net.daemon("gw1", "conclave-member", both)
        far = net.group_member(2, member(2, (("red", 7, other),)))
        ks.wait_event("member-registered", count=2)
        capture = net.capture()
        net.reaches(1, 2)
        net.reaches(2, 1)
        equal("clear packets", [l for l in capture.clear() if " IP 10." in l], [])
        text = here.console("show version")
        check("one console for both", "conclaved" in text and "conclave-member" in text, text)
        # Control traffic is never captured by the policy for everything (decisions S37).
        far.console("clear security group-vpn member group vpn red")
        here.console("clear security group-vpn member group vpn red")
        ks.wait_event("member-registered", count=4)
        net.reaches(1, 2)


def co_location_refused(programs):
    """without the statement, or with one address for both, neither program starts"""
    sides = (server((group("red", 7, (1, 2), SECOND),), (1, 2)), member(1, (("red", 7, SECOND),)))
    same = (server((group("red", 7, (1, 2), gateway(1)),), (1, 2)), member(1, (("red", 7, SERVER),)))
    with GroupNet(programs, 1) as net:
        for what, text in (("expected one of them, or co-location", file_of(*sides)),
                           ("can not have the same local address as server", file_of("co-location;", *same))):
            for name in ("conclaved", "conclave-member"):
                p = net.daemon("gw1", name, text)
                equal(name + " ends with", p.process.wait(20), 1)
                check(what, what in p.text(), p.text())
                p.log.unlink()


def main():
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    programs = sys.argv[1]
    tests = [(t, programs) for t in (two_groups, wrong_address, not_listed, full, two_keys, dynamic_members,
                                     co_location, co_location_refused)]
    return tap(tests, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
