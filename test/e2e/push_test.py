#!/usr/bin/python3
"""GROUPKEY-PUSH on real sockets: unicast and multicast. Usage: push_test.py FOLDER_OF_THE_PROGRAMS [TEST]..."""
import datetime
import re
import signal
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from datapath_net import why_not
from datapath_test import SENDER, Receiver
from group_net import ALL, SERVER, GroupNet, check, equal, file_of, gateway, group, member, server, tap, wait

GROUP = "239.192.8.48"
MEMBER_KEK = "show security group-vpn member kek security-associations"


def communication(more="", cipher="aes-256-cbc", sig_hash="sha-256"):
    return """activation-time-delay 10; server-member-communication {
        encryption-algorithm %s; sig-hash-algorithm %s; %s }""" % (cipher, sig_hash, more)


def multicast(more="", interface="wan0"):
    return communication("communication-type multicast; multicast-group %s; multicast-outgoing-interface %s; %s" %
                         (GROUP, interface, more))


class Red:
    """The server with group red."""

    def __init__(self, net, statement, listed, options=(), lifetime=3600):
        self.listed, self.lifetime = listed, lifetime
        self.program = net.server(self.text(statement), *options)

    def text(self, statement):
        return server((group("red", 7, self.listed, more=statement),), self.listed, self.lifetime)

    def commit(self, statement, event="commit"):
        done = len(self.program.events(event))
        self.program.conf.write_text(file_of(self.text(statement)))
        self.program.process.send_signal(signal.SIGHUP)
        return self.program.wait_event(event, count=done + 1)[-1]

    def signed_with(self, name, bits):
        """The newest KEK says so."""
        self.program.shows("show security group-vpn server kek security-associations detail",
                           r"\A(.*\n)*?   Signature key length: %d\n.*\n  Certificate: %s\n" % (bits, name))

    def rekey(self):
        return self.program.console("request security group-vpn server rekey group red ipsec-sa sa")


def start(net, statement, members, number=(1, 2, 3), vpn="", **kw):
    """The server with group red, and its members, registered."""
    red = Red(net, statement, number, **kw)
    ks = red.program
    gms = {i: net.group_member(i, member(i, more=vpn)) for i in members}
    ks.wait_event("member-registered", count=len(members))
    for gm in gms.values():
        gm.wait_event("registered")
    return red, gms


def seconds_of(event):
    h, m, s = event["time"][11:23].split(":")
    return int(h) * 3600 + int(m) * 60 + float(s)


class Wire:
    """What of UDP 848 crosses the WAN, by exchange type (RFC 6407 4, RFC 8263 3)."""
    PUSH, ACK = 33, 35

    def __init__(self, net):
        self.capture = net.capture()

    def count(self, exchange, what):
        return len(self.lines(exchange, what))

    def lines(self, exchange, what):
        lines = self.capture.lines("udp port 848 and udp[26] = %d and %s" % (exchange, what))
        return [l for l in lines if " Out " in l or " out " in l]  # a bridge shows each packet twice


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
        red, gms = start(net, multicast(), (1,), (1,))
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
        red.program.stop()


def unicast(programs):
    """a rekey under traffic: each member is told once and answers, and no packet is lost at the switch"""
    with GroupNet(programs, 3) as net:
        red, gms = start(net, communication(), (1, 2, 3))
        net.reaches(1, 2)
        wire = Wire(net)
        sink = Receiver(net, "host2", 5000, 3500)
        net.start("host1", "python3", "-c", SENDER, "10.2.0.2", "5000", "500", "3500", "0.01")
        red.rekey()
        for gm in gms.values():
            gm.wait_event("rekeyed")
        created = red.program.wait_event("generation-created", generation=2)[0]
        for what, number, due in (("switched", 2, 20), ("dropped", 1, 30)):
            name = "generation-" + what
            at = red.program.wait_event(name, seconds=40, generation=number)[0]
            passed = (seconds_of(at) - seconds_of(created)) % 86400
            check("%s after %d s: %.1f" % (what, due, passed), due - 1 < passed < due + 4)
        equal("packets of the stream", sink.count(), 3500)
        wire.capture.stop()
        for i in gms:
            check("gw%d is told" % i, wire.count(Wire.PUSH, "dst host " + gateway(i)) >= 1)
            equal("gw%d answers" % i, wire.count(Wire.ACK, "src host " + gateway(i)), 1)
        check_switch(wire, 20)
        equal("clear packets", wire.capture.clear(), [])


def check_switch(wire, due):
    """As a bystander sees it: ESP under the old SPI, then under the new one, so many seconds behind the first push."""
    def clock(line, since=0.0):
        h, m, s = line.split()[0].split(":")
        return (int(h) * 3600 + int(m) * 60 + float(s) - since) % 86400
    pushed = clock(wire.lines(Wire.PUSH, "ip")[0])
    seen = {}
    for line in wire.capture.esp():
        seen.setdefault(re.search(r"spi=(0x[0-9a-f]+)", line)[1], []).append(clock(line, pushed - 60))
    equal("keys on the wire", len(seen), 2)
    old, new = sorted(seen.values())
    passed = new[0] - 60
    check("sent with the new key %.2f s behind the push, due %d" % (passed, due), due - 1 < passed < due + 1.5)
    check("and never again with the old one: %s, %s" % (old[-1], new[0]), old[-1] <= new[0] + 0.1)


def struck(programs):
    """a member whose answers are lost is told again, struck with the reason, left alone, and may come back"""
    with GroupNet(programs, 3) as net:
        red, gms = start(net, communication("number-of-retransmission 3; retransmission-period 2;"), (1, 2, 3))
        net.on("gw3", "nft", "add table ip mute; add chain ip mute out { type filter hook output priority 0; };"
               "add rule ip mute out udp sport 848 @th,208,8 35 counter drop")
        wire = Wire(net)
        red.rekey()
        for gm in gms.values():
            gm.wait_event("rekeyed")
        gone = red.program.wait_event("member-struck", seconds=40)
        check("who, and why", gone[0]["gateway"] == "gm3" and "acknowledge" in gone[0]["what"], gone)
        line = "show security group-vpn server registered-members detail"
        red.program.shows(line, "Struck, until they register again: 1")
        red.program.shows(line, "Status: struck since .*acknowledge")
        wire.capture.stop()
        rounds = [seconds_of(e) for e in red.program.events("push-sent", what="keys")]
        gaps = [(b - a) % 86400 for a, b in zip(rounds, rounds[1:])]
        check("a round and three repeats, 2 s apart: %s" % gaps, len(gaps) == 3 and all(1.9 < g < 3.5 for g in gaps))
        first = [wire.count(Wire.PUSH, "dst host " + gateway(i)) for i in (1, 2, 3)]
        check("rounds go to the silent one only: %s" % first, first[2] >= first[0] + 3 and first[0] == first[1])
        net.on("gw3", "nft", "delete table ip mute")
        gms[3].console("clear security group-vpn member group vpn red")
        red.program.wait_event("member-registered", gateway="gm3", count=2)
        red.program.shows(line, "Total number of registered members: 3")


def another_way_out(net):
    """A second interface of the key server on the same WAN, without an address: routing never chooses it."""
    net.cable("ks", "way1", "wan", "ks1")
    net.on("wan", "ip", "link", "set", "ks1", "master", "br0")
    net.on("ks", "sysctl", "-qw", "net.ipv4.conf.way1.arp_ignore=1")


def multicast_copies(programs):
    """one stream for all, out of the named interface: copies instead of repeats, TTL 64, no answers; a lossy member
    hears the next copy"""
    with GroupNet(programs, 3) as net:
        another_way_out(net)
        red, gms = start(net, multicast("number-of-retransmission 3; retransmission-period 2;", "way1"), (1, 2, 3))
        for i, gm in gms.items():
            gm.wait_event("multicast-ready")
            wait("gw%d has joined" % i, lambda i=i: joined(net, i))
        net.on("gw3", "nft", "add table ip lossy; add chain ip lossy in { type filter hook input priority 0; };"
               "add rule ip lossy in ip daddr %s numgen inc mod 2 == 0 counter drop" % GROUP)
        wire = Wire(net)
        red.rekey()
        for gm in gms.values():
            gm.wait_event("rekeyed")
        net.reaches(1, 3)
        to_group = "dst host %s and src host %s" % (GROUP, SERVER)
        red.program.wait_event("generation-switched", seconds=40, count=2)
        wire.capture.stop()
        pushes = wire.lines(Wire.PUSH, to_group + " and ip[8] = 64")
        equal("all with TTL 64", len(pushes), wire.count(Wire.PUSH, to_group))
        came_by = {l.split()[1] for l in wire.capture.lines("udp port 848 and " + to_group) if " Out " not in l}
        equal("the key server's cable that carries them", {name for name in came_by if name.startswith("ks")}, {"ks1"})
        large = [l for l in pushes if int(l.rsplit("length ", 1)[-1]) > 200 or "isakmp" in l]
        check("three copies and a heartbeat at least: %s" % pushes, len(pushes) >= 4 and len(large) >= 3)
        equal("answers", wire.count(Wire.ACK, "src net 192.0.2.0/24"), 0)
        equal("members that registered again", len(red.program.events("member-registered")), 3)


def interface_of_the_server(programs):
    """multicast-outgoing-interface, or its address, goes away and comes back: one line each, and sending goes on"""
    with GroupNet(programs, 2) as net:
        red, gms = start(net, multicast("number-of-retransmission 5; retransmission-period 2;"), (1, 2), (1, 2))
        for gm in gms.values():
            gm.wait_event("multicast-ready")
        net.on("ks", "ip", "link", "set", "wan0", "down")
        red.rekey()
        lost = red.program.wait_event("multicast-lost", direction="send")
        check("which and why", lost[0]["interface"] == "wan0" and "reason" in lost[0], lost)
        net.on("ks", "ip", "link", "set", "wan0", "up")
        ready = red.program.wait_event("multicast-ready", direction="send", seconds=40)
        check("what was lost is counted", int(ready[0]["lost"]) >= 1, ready)
        check("and shown", red.program.counter("datagrams", "send-failed") >= 1)
        for gm in gms.values():
            gm.wait_event("rekeyed", seconds=40)
        equal("one line", len(red.program.events("multicast-lost")), 1)
        red.program.wait_event("generation-dropped", seconds=40)
        net.on("ks", "ip", "addr", "del", SERVER + "/24", "dev", "wan0")
        red.rekey()
        red.program.wait_event("multicast-lost", direction="send", count=2)
        net.on("ks", "ip", "addr", "add", SERVER + "/24", "dev", "wan0")
        red.program.wait_event("multicast-ready", direction="send", count=2, seconds=40)
        for gm in gms.values():
            gm.wait_event("rekeyed", count=2, seconds=40)


def key_pair(folder, name, bits):
    key = rsa.generate_private_key(65537, bits)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
                   .serial_number(1).not_valid_before(now - day).not_valid_after(now + 300 * day)
                   .sign(key, hashes.SHA256()))
    (folder / (name + ".crt")).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path = folder / (name + ".key")
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))


def certificates(programs):
    """pushes are signed with `certificate`; another one comes by a push that the one before has signed"""
    with GroupNet(programs, 2) as net:
        pki = net.folder / "pki"
        pki.mkdir()
        key_pair(pki, "a", 2048)
        key_pair(pki, "b", 2304)
        red, gms = start(net, communication("certificate a;"), (1, 2), (1, 2), options=("--pki-dir", str(pki)))
        red.signed_with("a", 2048)
        failed = red.commit(communication("certificate c;"), "commit-failed")
        check("a commit without its key pair changes nothing: %s" % failed, "what" in failed)
        red.commit(communication("certificate b;"))
        for gm in gms.values():
            gm.wait_event("rekeyed", new_keks=1)
        red.rekey()
        for gm in gms.values():
            gm.wait_event("rekeyed", seconds=60, new_keks=0)
            equal("refused", gm.events("push-refused"), [])
        red.signed_with("b", 2304)
        equal("keys of its own", red.program.events("signing-key"), [])
        equal("struck", red.program.events("member-struck"), [])


def by_itself(programs):
    """lifetime-seconds, heartbeat and its threshold: new keys at L - 4 ATD, signs of life, a server that is missed"""
    statement = communication("lifetime-seconds 180; heartbeat 60;")
    with GroupNet(programs, 2) as net:
        red, gms = start(net, statement, (1, 2), (1, 2), lifetime=180, vpn="heartbeat-threshold 1;")
        made = red.program.wait_event("kek-created")[0]
        text = red.program.console("show security group-vpn server kek security-associations detail")
        left = int(re.search(r"[Ll]ife[^\n]*?(\d+) seconds", text).group(1))
        check("the KEK's life", 100 < left <= 180, text)
        beats = red.program.wait_event("push-sent", what="heartbeat", count=2, seconds=130)
        gap = (seconds_of(beats[1]) - seconds_of(beats[0])) % 86400
        check("60 s between heartbeats: %.1f" % gap, 58 < gap < 64)
        for gm in gms.values():
            gm.wait_event("rekeyed", new=1, new_keks=1, seconds=150)
            equal("missed", gm.events("heartbeat-missed"), [])
        pushed = red.program.wait_event("push-sent", what="keys")[0]
        age = (seconds_of(pushed) - seconds_of(made)) % 86400
        check("pushed at L - 4 ATD: %.1f" % age, 130 < age < 146)
        net.reaches(1, 2)
        # A server that is away for longer than heartbeat-threshold is missed, and found again.
        red.program.kill()
        for gm in gms.values():
            gm.wait_event("heartbeat-missed", seconds=100)
        red.program.start()
        for gm in gms.values():
            gm.wait_event("registered", count=2, seconds=60)
        net.reaches(1, 2)


def beside_the_server(programs):
    """a member on the server's own box hears its multicasts, too"""
    address = "192.0.2.101"
    both = file_of("co-location;", server((group("red", 7, (1, 2), address, more=multicast()),), (1, 2)),
                   member(1, (("red", 7, address),)))
    with GroupNet(programs, 2) as net:
        net.on("gw1", "ip", "addr", "add", address + "/24", "dev", "wan0")
        ks = net.daemon("gw1", "conclaved", both)
        gms = (net.daemon("gw1", "conclave-member", both), net.group_member(2, member(2, (("red", 7, address),))))
        for gm in gms:
            gm.wait_event("multicast-ready")
        ks.console("request security group-vpn server rekey group red ipsec-sa sa")
        for gm in gms:
            gm.wait_event("rekeyed")
        net.reaches(1, 2)


def nothing_without_the_statement(programs):
    """without server-member-communication: no push key, no push, no heartbeat, and new keys are not to be had"""
    with GroupNet(programs, 2) as net:
        wire = Wire(net)
        red, gms = start(net, "activation-time-delay 10; no-anti-replay;", (1, 2), (1, 2))
        net.reaches(1, 2)
        answer = red.rekey()
        check("the operator is told why", "server-member-communication" in answer, answer)
        for program in (red.program, *gms.values()):
            side = "server" if program is red.program else "member"
            equal("push keys of the " + side, program.json("show security group-vpn %s kek security-associations" %
                                                           side).get("security-association", []), [])
        equal("events of pushes", red.program.events("push-sent") + red.program.events("kek-created") +
              red.program.events("signing-key"), [])
        wire.capture.stop()
        equal("pushes", wire.count(Wire.PUSH, "ip"), 0)


CIPHERS = ("des-cbc", "3des-cbc", "aes-128-cbc", "aes-192-cbc", "aes-256-cbc")
HASHES = ("md5", "sha1", "sha-256", "sha-384", "sha-512")


def algorithms(programs):
    """pushes under every cipher and every hash of the statement"""
    def text(rekeyed):
        policies = (ALL, "172.16.0.0/16 172.17.0.0/16") if rekeyed else (ALL,)
        return server([group(c, 20 + n, (1,), policies=policies, more=communication("", c, h))
                       for n, (c, h) in enumerate(zip(CIPHERS, HASHES))], (1,))
    with GroupNet(programs, 1) as net:
        ks = net.server(text(False))
        gm = net.group_member(1, member(1, [(c, 20 + n, SERVER) for n, c in enumerate(CIPHERS)]), "--no-data-path")
        ks.wait_event("member-registered", count=len(CIPHERS), seconds=40)
        kek = gm.console(MEMBER_KEK + " detail")
        for name in ("des-cbc", "3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"):
            check("the member's KEK is %s" % name, name in kek, kek)
        for name in ("md5", "sha1", "sha256", "sha384", "sha512"):
            check("signed with %s" % name, re.search("Sig-hash *: %s$" % name, kek, re.M), kek)
        ks.conf.write_text(file_of(text(True)))
        ks.process.send_signal(signal.SIGHUP)
        for c in CIPHERS:
            gm.wait_event("rekeyed", vpn=c, seconds=40)
        equal("refused", gm.events("push-refused"), [])


def main():
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    programs, names = sys.argv[1], sys.argv[2:]
    tests = [(t, programs) for t in
             (everything_protected, interface_of_a_member, unicast, struck, multicast_copies,
              interface_of_the_server, beside_the_server, nothing_without_the_statement,
              algorithms, certificates)]
    if "by_itself" in names:
        tests = [(by_itself, programs)]
    return tap(tests, names)


if __name__ == "__main__":
    sys.exit(main())
