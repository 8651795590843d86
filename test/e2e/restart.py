#!/usr/bin/python3
"""A key server that dies again and again under traffic. Usage: restart.py FOLDER [KILLS [SEED]]

It is killed with SIGKILL at moments that the seed picks, at first before it has finished starting now and then, and
started again. Nobody may notice: no packet between the sites is lost, no member registers again, keys and numbers go
on. With many kills (200) the lifetimes run out meanwhile, so that it is killed in changeovers, too.
"""
import random
import re
import signal
import sys
import time

from datapath_net import why_not
from group_net import GroupNet, check, equal, file_of, group, member, run, server, tap, wait

SERVER_SAS = "show security group-vpn server ipsec security-associations"
MEMBERS = "show security group-vpn server registered-members"
MEMBER_SAS = "show security group-vpn member ipsec security-associations"
PUSHES = """no-anti-replay; activation-time-delay 10; server-member-communication { communication-type unicast;
    encryption-algorithm aes-256-cbc; sig-hash-algorithm sha-256; lifetime-seconds 180; heartbeat 60;
    retransmission-period 2; }"""


class Stream:
    """Echo requests from host 1 to host 2, 100 a second, and those that were answered."""

    def __init__(self, net):
        self.file = net.folder / "stream"
        with open(self.file, "w") as out:
            self.process = net.start("host1", "ping", "-n", "-i", "0.01", "10.2.0.2", stdout=out)

    def end(self):
        time.sleep(1)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        text = self.file.read_text()
        sent = int(re.search(r"(\d+) packets transmitted", text).group(1))
        answered = {int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", text)}
        # ping counts to 65535 and begins again; the last one may be on its way
        missing = [n for n in range(1, sent) if n % 65536 not in answered]
        return sent, missing


def started(ks):
    return len(ks.events("started"))


def restart(ks):
    """Kills it, starts another one, and waits until that one has said what it took over."""
    n = started(ks)
    ks.kill()
    ks.start()
    wait("the server starts again", lambda: started(ks) > n or ks.process.poll() is not None, 30, ks.text)
    equal("it runs", ks.process.poll(), None)


def restart_at_random(ks, dice, longest):
    """One time in four it does not even get to the end of its start; else it lives up to `longest` seconds."""
    ks.kill()
    ks.start()
    if dice.random() < 0.25:
        time.sleep(dice.uniform(0, 0.05))
        return
    n = started(ks)
    wait("the server starts again", lambda: started(ks) > n or ks.process.poll() is not None, 30, ks.text)
    equal("it runs", ks.process.poll(), None)
    time.sleep(dice.uniform(0, longest))


def numbers_go_on(ks):
    """One number of an ipsec-sa or of KEKs is one key for ever."""
    spis = {}
    for e in ks.events("generation-created") + ks.events("kek-created"):
        key = (e["event"], e["group"], e.get("ipsec-sa"), e["generation"])
        check("%s has one SPI" % (key,), spis.setdefault(key, e["spi"]) == e["spi"], ks.text())
    seqs = [(e["group"], e["seq"]) for e in ks.events() if "seq" in e and "group" in e and e["event"] == "push-sent"]
    equal("sequence numbers that came twice", sorted({s for s in seqs if seqs.count(s) > 1}), [])
    return spis


def spis(program, line):
    """The SPIs of data keys that a console's answer names."""
    return set(re.findall(r"ESP:\S+ +([0-9a-f]+)", program.console(line)))


def nobody_noticed(net, ks, gms):
    """Neither member registered again or lost its keys, and the server knows both."""
    check("no member registered again", len(ks.events("member-registered")) == 2,
          "".join(p.text() for p in [ks] + gms))
    for gm in gms:
        equal("times that %s lost its keys" % gm.node, len(gm.events("keys-expired")), 0)
    check("two members are known", "registered members: 2" in ks.console(MEMBERS), ks.console(MEMBERS))
    check("the store was never in trouble", not ks.events("store") and not ks.events("store-failed"), ks.text())


def killed_under_traffic(programs, kills, seed):
    """a server is killed at random under traffic, in the second half in changeovers, and nobody notices"""
    dice = random.Random(seed)
    print("# seed %d, %d kills" % (seed, kills), flush=True)
    with GroupNet(programs, 2) as net:
        ks = net.server(server((group("red", 7, (1, 2), more=PUSHES),), (1, 2), lifetime=180))
        ks.wait_event("kek-created")  # its key pair takes a while, once
        ks.wait_event("generation-created")
        gms = [net.group_member(i, member(i)) for i in (1, 2)]
        ks.wait_event("member-registered", count=2)
        net.reaches(1, 2)
        first, begin = spis(ks, SERVER_SAS), time.monotonic()
        stream = Stream(net)
        for _ in range(kills // 2):
            restart_at_random(ks, dice, 0.8)
        restart(ks)
        equal("keys", spis(ks, SERVER_SAS), first)
        equal("keys and KEKs made", len(numbers_go_on(ks)), 2)
        ks.console("request security group-vpn server rekey group red")
        ks.wait_event("generation-created", generation=2)  # from now on it is the store's
        for _ in range(kills // 2):
            restart_at_random(ks, dice, 3)
        restart(ks)
        wait("the new key alone is left", lambda: len(spis(ks, SERVER_SAS)) == 1 and spis(ks, SERVER_SAS) != first, 60,
             lambda: ks.console(SERVER_SAS) + ks.text())
        sent, missing = stream.end()
        equal("packets lost of %d" % sent, missing, [])
        numbers_go_on(ks)
        for gm in gms:
            check("%s has the server's key" % gm.node, spis(ks, SERVER_SAS) <= spis(gm, MEMBER_SAS), gm.text())
        if time.monotonic() - begin < 120:  # nothing else was due
            nobody_noticed(net, ks, gms)
        net.reaches(1, 2)
        ks.stop()


def two_on_one_store(programs):
    """a second server on the same store, and one without a folder to write to, do not start"""
    with GroupNet(programs, 1) as net:
        text = server((group("red", 7, (1,)),), (1,))
        ks = net.server(text)
        ks.wait_event("started")
        for options, words in (((), "another key server uses"),
                               (("--state-dir", "/proc/nowhere"), "/proc/nowhere")):
            other = net.daemon("host1", "conclaved", ks.conf.read_text(), "--state-dir", str(ks.dir / "state"),
                               "--key-dir", str(ks.dir / "keys"), *options)
            equal("it ends with", other.process.wait(20), 1)
            check(words, words in other.text(), other.text())


def damaged(programs):
    """a store that is of another version, damaged, or without its key is refused with one sentence"""
    with GroupNet(programs, 1) as net:
        ks = net.server(server((group("red", 7, (1,)),), (1,)))
        ks.wait_event("generation-created")
        ks.stop()
        database, key = ks.dir / "state" / "conclave.db", ks.dir / "keys" / "store.key"
        good = database.read_bytes()
        version = bytearray(good)
        version[60:64] = b"\0\0\0\2"  # the user version (SQLite file format 1.3)
        for what, octets, words in (("version", bytes(version), "version 2"), ("damage", b"x" * 5000, "damaged")):
            database.write_bytes(octets)
            ks.log.unlink()
            ks.start()
            equal(what + ": it ends with", ks.process.wait(20), 1)
            check(words, words in ks.text() and ks.text().count("\n") == 1, ks.text())
        database.write_bytes(good)
        key.rename(key.with_suffix(".away"))
        ks.log.unlink()
        ks.start()
        equal("no key: it ends with", ks.process.wait(20), 1)
        check("the key is missed", "store.key is not there" in ks.text(), ks.text())
        key.with_suffix(".away").rename(key)
        ks.start()
        ks.wait_event("restored")
        ks.stop()


def one_more_group(ks):
    """In the file, and the server told so: new keys at once, which have to be stored before anybody hears of them."""
    text = server((group("red", 7, (1, 2)), group("blue", 8, (1, 2))), (1, 2))
    ks.conf.write_text(file_of(text))
    ks.process.send_signal(signal.SIGHUP)


def restored_from_a_copy(programs):
    """an older copy of the database is told, and its keys are not used again"""
    with GroupNet(programs, 2) as net:
        ks = net.server(server((group("red", 7, (1, 2)),), (1, 2)))
        ks.wait_event("generation-created")
        ks.stop()
        database = ks.dir / "state" / "conclave.db"
        old, spi = database.read_bytes(), ks.events("generation-created")[0]["spi"]
        ks.start()
        ks.wait_event("restored")
        one_more_group(ks)
        ks.wait_event("generation-created", group="blue")
        ks.stop()
        database.write_bytes(old)
        ks.log.unlink()
        ks.start()
        ks.wait_event("store-old")
        made = ks.wait_event("generation-created", group="red")
        check("another key than the one of the copy", made[0]["spi"] != spi, made)
        ks.stop()
        ks.start()
        ks.wait_event("restored", count=2)
        equal("it is told once", len(ks.events("store-old")), 1)
        ks.stop()


def full_disk(programs):
    """a full disk: what is durable is served, to new members too; new keys are not; and it is told"""
    with GroupNet(programs, 2) as net, SmallDisk(net.folder / "small") as disk:
        ks = net.server(server((group("red", 7, (1, 2)),), (1, 2)), "--state-dir", str(disk.path))
        ks.wait_event("generation-created")
        net.group_member(1, member(1))
        ks.wait_event("member-registered")
        disk.fill()
        one_more_group(ks)
        ks.wait_event("store", error="ERR_NO_SPACE")
        ks.wait_event("store-failed")
        net.group_member(2, member(2))
        net.reaches(1, 2)
        equal("keys of the new group", ks.events("generation-created", group="blue"), [])
        disk.empty()
        ks.wait_event("store-again", seconds=30)
        ks.wait_event("generation-created", seconds=90, group="blue")
        ks.stop()


class SmallDisk:
    """A file system of its own with little room."""

    def __init__(self, path):
        self.path, self.junk = path, path / "junk"

    def __enter__(self):
        self.path.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", str(self.path))
        return self

    def __exit__(self, *why):
        run("umount", "-l", str(self.path))

    def fill(self):
        with open(self.junk, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def empty(self):
        self.junk.unlink()


def main():
    reason = why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    programs = sys.argv[1]
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    tests = [(killed_under_traffic, programs, kills, seed)]
    if kills <= 20:
        tests += [(t, programs) for t in (two_on_one_store, damaged, restored_from_a_copy, full_disk)]
    return tap(tests, [])


if __name__ == "__main__":
    sys.exit(main())
