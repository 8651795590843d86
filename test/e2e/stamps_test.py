#!/usr/bin/python3
"""Time-based anti-replay with the real programs: recorded ESP is sent again, calendars are wrong, the window and the
key server change. Usage: stamps_test.py FOLDER WRONG-WALL-LIBRARY [TEST]..."""
import contextlib
import os
import re
import subprocess
import sys
import time

from datapath_net import why_not
from datapath_test import SENDER, Receiver
from group_net import GroupNet, check, equal, file_of, group, member, server, tap, wait

RECORDER = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
print("ready", flush=True)
while True:
    frame, origin = s.recvfrom(65536)
    if origin[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\\x08\\x00" and frame[23] == 50:
        print(frame.hex(), flush=True)
        break
"""
REPLAYER = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for _ in range(int(sys.argv[2])):
    s.send(bytes.fromhex(sys.argv[3]))
"""
STATISTICS = "show security group-vpn member ipsec statistics"
DETAIL = "show security group-vpn member ipsec security-associations detail"
SMALL = "anti-replay-time-window 6000ms;"  # 3 s to each side; lifetimes of an hour are allowed with it
WRONG_WALL = None


@contextlib.contextmanager
def two_sites(programs, window):
    with GroupNet(programs, 2) as net:
        ks = net.server(server((group("red", 7, (1, 2), more=window),), (1, 2)))
        gms = [net.group_member(i, member(i)) for i in (1, 2)]
        ks.wait_event("member-registered", count=2)
        net.reaches(1, 2)
        yield net, ks, gms


def counters(gm):
    answer = gm.json(STATISTICS)
    return dict(answer["d3p"], decrypted=answer["esp"]["decrypted-packets"])


def clean(what, gm):
    equal(what, {k: v for k, v in counters(gm).items() if v and k != "decrypted"}, {})


def record(net):
    """One ESP packet of a ping from site 1 to site 2, as it left gw1."""
    p = net.start("wan", "python3", "-c", RECORDER, "w1", stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    equal("ping", net.pings(1, 2, count=1), 1)
    return p.stdout.readline().strip()


def replay(net, frame, times=1):
    net.on("wan", "python3", "-c", REPLAYER, "w2", str(times), frame)


def by_default(programs):
    """a group has time stamps unless it says otherwise, and the TUN leaves room for them"""
    with two_sites(programs, "") as (net, ks, gms):
        for gm in gms:
            gm.shows(DETAIL, "Anti-replay service: D3P enabled, window 100000 ms")
            clean("nothing was dropped", gm)
        # 1500 - 20 outer header - 8 - 16 IV - 16 ICV, in blocks of 16, less trailer 2 and stamp 12
        check("MTU", "mtu 1426 " in net.on("gw1", "ip", "link", "show", "conclave0"),
              net.on("gw1", "ip", "link", "show", "conclave0"))
        out = net.on("host1", "ping", "-n", "-c", "2", "-i", "0.05", "-W", "1", "-M", "do", "-s", "1398", "10.2.0.2")
        check("the largest packet passes", "2 received" in out, out)
        text = ks.console("show security group-vpn server ipsec security-associations detail")
        check("the server says so, too", "Anti-replay: D3P enabled, window 100000 ms" in text, text)


def recorded_and_sent_again(programs):
    """inside the window a copy passes; behind it every copy is dropped and counted"""
    with two_sites(programs, SMALL) as (net, _, gms):
        frame = record(net)
        before = counters(gms[1])
        replay(net, frame, 2)
        wait("two copies pass", lambda: counters(gms[1])["decrypted"] >= before["decrypted"] + 2)
        time.sleep(3.2)
        before = counters(gms[1])
        replay(net, frame, 50)
        wait("50 copies are too old", lambda: counters(gms[1])["too-old"] == before["too-old"] + 50)
        equal("none of them was delivered", counters(gms[1])["decrypted"], before["decrypted"])
        equal("traffic goes on", net.pings(1, 2), 3)


@contextlib.contextmanager
def wrong_wall(seconds):
    """For the programs started meanwhile."""
    changed = {"LD_PRELOAD": WRONG_WALL, "WRONG_WALL": str(seconds)}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name in changed:
            del os.environ[name]


def wrong_calendar(programs):
    """a member whose calendar is a day off works like any other"""
    with GroupNet(programs, 2) as net:
        ks = net.server(server((group("red", 7, (1, 2), more=SMALL),), (1, 2)))
        gms = [net.group_member(1, member(1))]
        with wrong_wall(-86400):
            gms.append(net.group_member(2, member(2)))
        ks.wait_event("member-registered", count=2)
        net.reaches(1, 2)
        net.reaches(2, 1)
        for gm in gms:
            clean("nothing was dropped", gm)
        days = [re.search(r'"time": ?"([0-9-]+)T', gm.text()).group(1) for gm in gms]
        check("its calendar is wrong indeed", days[0] != days[1], days)


def server_with_another_calendar(programs):
    """a server that is killed and comes back with its calendar an hour off goes on with the same group clock"""
    with two_sites(programs, SMALL) as (net, ks, gms):
        ks.kill()
        with wrong_wall(3600):
            ks.start()
        ks.wait_event("group-clock")
        gms[0].console("clear security group-vpn member group vpn red")  # one of them asks the new one
        ks.wait_event("member-registered", count=3)
        net.reaches(1, 2)
        net.reaches(2, 1)
        for gm in gms:
            clean("nothing was dropped", gm)


def another_window(programs):
    """a commit takes time stamps away under traffic, another one brings them back, and no packet is lost"""
    pushes = "activation-time-delay 10; server-member-communication { encryption-algorithm aes-256-cbc; " \
             "sig-hash-algorithm sha-256; } "
    with GroupNet(programs, 2) as net:
        def text(window):
            return server((group("red", 7, (1, 2), more=pushes + window),), (1, 2), 1800)

        def commit(window):
            ks.conf.write_text(file_of(text(window)))
            return ks.console("request security group-vpn server commit")

        ks = net.server(text(SMALL))
        gms = [net.group_member(i, member(i)) for i in (1, 2)]
        ks.wait_event("member-registered", count=2)
        net.reaches(1, 2)
        receiver = Receiver(net, "host2", 5000, 5000)
        traffic = net.start("host1", "python3", "-c", SENDER, "10.2.0.2", "5000", "200", "5000", "0.01")
        answer = commit("no-anti-replay;")
        check("the answer says what becomes of the keys", "no-anti-replay added or removed: new keys now" in answer,
              answer)
        for gm in gms:
            gm.shows(DETAIL, "Activated\n(.*\n)*.*Anti-replay service: disabled", 40)
        wait("the old keys are gone", lambda: "D3P" not in gms[0].console(DETAIL) + gms[1].console(DETAIL), 40)
        commit("anti-replay-time-window 2000ms;")
        for gm in gms:
            gm.wait_event("rekeyed", count=2, seconds=40)
        equal("the traffic ended well", traffic.wait(90), 0)
        equal("packets received", receiver.count(), 5000)
        for gm in gms:
            gm.shows(DETAIL, "Anti-replay service: D3P enabled, window 2000 ms", 40)
            clean("nothing was dropped", gm)


def main():
    global WRONG_WALL
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    programs, WRONG_WALL = sys.argv[1], sys.argv[2]
    tests = [(t, programs) for t in (by_default, recorded_and_sent_again, wrong_calendar,
                                      server_with_another_calendar, another_window)]
    return tap(tests, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
