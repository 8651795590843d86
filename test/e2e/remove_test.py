#!/usr/bin/env python3
"""A member is removed, on real sockets, and opens nothing that is sent after the switch: not with all the keys that it
kept, not with the KEK that it has, whatever it tries. Usage: remove_test.py FOLDER_OF_THE_PROGRAMS HOARDER [TEST]..."""
import hashlib
import hmac
import signal
import struct
import subprocess
import sys
import time

from datapath_net import Member, why_not
from group_net import SERVER, GroupNet, check, equal, gateway, group, member, server, tap, wait

ATD = 10
PUSHES = """activation-time-delay %d; no-anti-replay; server-member-communication {
    encryption-algorithm aes-256-cbc; sig-hash-algorithm sha-256; }""" % ATD
REMOVE = "request security group-vpn server remove-member member-gateway gm2"
ESP, UDP, ICV, PUSH, KD, DELETE, SEQ, NOTIFY, SIGNATURE = 50, 17, 16, 33, 17, 12, 18, 11, 9


class Recorder:
    """All that crosses the WAN, whole, with the time."""

    def __init__(self, net):
        self.path = net.folder / "all.pcap"
        self.process = net.start("wan", "tcpdump", "-Z", "root", "--immediate-mode", "-B", "32768", "-s", "0", "-U",
                                 "-n", "-i", "br0", "-w", str(self.path), "ip", stderr=subprocess.PIPE, text=True)
        while "listening" not in self.process.stderr.readline():
            if self.process.poll() is not None:
                raise RuntimeError("tcpdump ended")

    def packets(self):
        """(time, protocol, payload of IP) of each."""
        if self.process.poll() is None:
            time.sleep(0.3)
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
        data, at = self.path.read_bytes(), 24
        while at + 16 <= len(data):
            s, us, n = struct.unpack("<III", data[at:at + 12])
            ip = data[at + 16 + 14:at + 16 + n]
            header = 4 * (ip[0] & 15)
            yield s + us / 1e6, ip[9], ip[header:struct.unpack("!H", ip[2:4])[0]]
            at += 16 + n


class Hoarder(Member):
    """test/e2e/hoarder.c; everything that it was ever given."""

    def __init__(self, net, i, program):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", net.ns("gw%d" % i), program, gateway(i), SERVER, "7", "a key of two"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        net.background.append(self.process)
        self.teks, self.keks = {}, {}

    def get(self, how):
        """Asks for keys; what came of it, in words."""
        said = self.ask(how)
        for kind, *octets in (line.split() for line in said):
            if kind == "tek":
                self.teks[bytes.fromhex(octets[0])] = bytes.fromhex(octets[2])
            if kind == "kek":
                self.keks[bytes.fromhex(octets[0])] = octets[1:]
        return said

    def opens(self, esp):
        """Whether one of its keys, any, has made this packet's ICV (HMAC-SHA-256-128)."""
        return any(hmac.compare_digest(hmac.new(key, esp[:-ICV], hashlib.sha256).digest()[:ICV], esp[-ICV:])
                   for key in self.teks.values())

    def reads(self, push):
        """The kinds of payload in a push that its KEKs open; None: it cannot."""
        iv, key = self.keks.get(push[:16], (None, None))
        if key is None:
            return None
        plain = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-nopad", "-K", key, "-iv", iv], check=True,
                               input=push[28:], stdout=subprocess.PIPE).stdout
        kinds, kind, at = [], push[16], 0
        while kind:
            kinds.append(kind)
            kind, at = plain[at], at + struct.unpack("!H", plain[at + 2:at + 4])[0]
        return kinds


def start(net, hoarder):
    ks = net.server(server((group("red", 7, (1, 2, 3), more=PUSHES),), (1, 2, 3)))
    gms = [net.group_member(i, member(i)) for i in (1, 3)]
    for gm in gms:
        gm.wait_event("registered")
    spy = Hoarder(net, 2, hoarder)
    wait("the third one registers", lambda: any(w.startswith("kek") for w in spy.get("fresh")))
    net.reaches(1, 3)
    return ks, gms, spy


def answer_of(ks, line):
    return ks.json(line)["group"][0]


def after_a_rekey(programs, hoarder):
    """it holds two generations and a KEK, and opens nothing after the switch; nobody else loses a packet"""
    with GroupNet(programs, 3) as net:
        ks, gms, spy = start(net, hoarder)
        recorder = Recorder(net)
        pings = net.start("host1", "ping", "-n", "-i", "0.1", "-W", "2", "10.3.0.2", stdout=subprocess.PIPE, text=True)
        answer_of(ks, "request security group-vpn server rekey")
        ks.wait_event("kek-created", count=2)
        spy.get("pull")
        check("it holds two generations", len(spy.teks) >= 2, spy.teks)
        answer = answer_of(ks, REMOVE)
        removed = time.time()
        check("the key change that runs is waited for", answer["waits"] and 1 <= answer["made-in"] <= 3 * ATD, answer)
        check("its phase 1 is dead", spy.get("pull") == ["silence"])
        equal("a new one gets a refusal", spy.get("fresh"), ["refused 18"])
        spy.ask("ack %s %d" % (gateway(1), 2))
        refused = ks.wait_event("member-refused", gateway="gm2", error="ERR_BANNED")
        check("said so", "removed from the group by the operator" in refused[0]["what"], refused)
        ks.shows("show security group-vpn server removed-members", r"^gm2 +192\.0\.2\.2 .* 192\.0\.2\.2$")
        ks.wait_event("kek-created", 60, count=3)
        for gm in gms:  # they are told, and come
            gm.wait_event("registered", 3 * ATD, count=2)
        switch, drop = removed + answer["switch-in"], removed + answer["drop-in"]
        time.sleep(max(0, drop + 3 - time.time()))
        equal("still refused", spy.get("fresh"), ["refused 18"])
        pings.send_signal(signal.SIGINT)
        said = pings.communicate()[0]
        check("no packet was lost", " 0% packet loss" in said, said[-500:])
        judge(recorder, spy, removed + answer["made-in"] - 3, switch)
        answer_of(ks, "request security group-vpn server restore-member member-identity 192.0.2.2")
        equal("let in again", len(ks.events("ban-lifted", identity="192.0.2.2")), 1)
        check("it may register", any(w.startswith("tek") for w in spy.get("fresh")))


def judge(recorder, spy, made, switch):
    before = after = pushes = told = 0
    for at, protocol, octets in recorder.packets():
        if protocol == ESP and at < switch - 1:
            before += spy.opens(octets)
        elif protocol == ESP and at > switch + 1:
            after += 1
            check("a packet after the switch is closed to it", not spy.opens(octets) and octets[:4] not in spy.teks)
        elif protocol == UDP and octets[:2] == struct.pack("!H", 848) and octets[8 + 18] == PUSH:
            kinds = spy.reads(octets[8:])
            pushes += kinds is not None and KD in kinds
            if kinds and at > made:
                told += 1
                check("what it can read brings no key", set(kinds) <= {SEQ, DELETE, NOTIFY, SIGNATURE}, kinds)
    check("it did open packets before, as the answer said", before > 20, before)
    check("packets were sent after the switch", after > 20, after)
    check("it could read the rekey before its removal", pushes > 0)
    check("the others were told under the KEK that it has", told > 0)


def at_once(programs, hoarder):
    """`now`: all keys are gone at once, for everybody; who stays comes for new ones"""
    with GroupNet(programs, 3) as net:
        ks, gms, spy = start(net, hoarder)
        before = dict(spy.teks)
        answer = answer_of(ks, REMOVE + " now")
        equal("from now on", (answer["switch-in"], answer["drop-in"], answer["members"]), (0, 0, 2))
        for gm in gms:
            gm.wait_event("registered", 30, count=2)
        recorder = Recorder(net)
        net.reaches(1, 3)
        equal("a new one gets a refusal", spy.get("fresh"), ["refused 18"])
        sent = [octets for _, protocol, octets in recorder.packets() if protocol == ESP]
        check("something was sent", len(sent) >= 6, len(sent))
        check("nothing of it under a key of the past", not any(spy.opens(p) or p[:4] in before for p in sent))
        said = gms[0].console("show security group-vpn member kek security-associations detail")
        check("the member counts the delete", "Delete received            : 0" not in said, said)


def main():
    reason = why_not("openssl")
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    tests = [(t, sys.argv[1], sys.argv[2]) for t in (after_a_rekey, at_once)]
    return tap(tests, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
