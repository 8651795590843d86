#!/usr/bin/python3
"""scapy opens our ESP packets and we open scapy's: tunnel mode, every algorithm both know; with time stamps
(IP-D3P) that are fresh, stale, missing and malformed. Usage: esp_scapy.py PEER"""
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")
try:
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.ipsec import ESP, SecurityAssociation
    from scapy.fields import ByteField, IntField, ShortField
    from scapy.packet import Packet, Raw
except ImportError:
    print("1..0 # SKIP needs python3-scapy")
    sys.exit(0)

CIPHERS = {  # ours: scapy's name, key octets
    "null": ("NULL", 0), "des-cbc": ("DES", 8), "3des-cbc": ("3DES", 24), "aes-128-cbc": ("AES-CBC", 16),
    "aes-192-cbc": ("AES-CBC", 24), "aes-256-cbc": ("AES-CBC", 32), "aes-128-gcm": ("AES-GCM", 20),
    "aes-192-gcm": ("AES-GCM", 28), "aes-256-gcm": ("AES-GCM", 36)}
AUTHS = {"hmac-md5-96": ("HMAC-MD5-96", 16), "hmac-sha1-96": ("HMAC-SHA1-96", 20),
         "hmac-sha-256-128": ("SHA2-256-128", 32),
         "hmac-sha-384-192": ("SHA2-384-192", 48), "hmac-sha-512-256": ("SHA2-512-256", 64)}
SPI = 4096
PACKETS = [IP(src="10.1.0.2", dst="10.2.0.2", ttl=63, id=i) / p for i, p in enumerate((
    ICMP(id=7, seq=1) / Raw(b"x" * 56), UDP(sport=1000, dport=2000) / Raw(b""),
    UDP(sport=1000, dport=2000) / Raw(b"y" * 1300),
    TCP(sport=80, dport=4000, flags="PA", seq=99) / Raw(bytes(range(256)))))] + [
        IP(src="10.1.0.2", dst="10.2.0.2", proto=47) / Raw(b"z" * n) for n in range(20)]


class D3P(Packet):
    """draft-weis-delay-detection-03, figures 1 and 2."""
    fields_desc = [ByteField("nh", 4), ByteField("type", 1), ShortField("len", 12), IntField("seconds", 0),
                   IntField("microseconds", 0)]


class Peer:
    def __init__(self, *words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stamps(self, window_ms, clock_us):
        self.process.stdin.write("stamps %d %d\n" % (window_ms, clock_us))


def association(cipher, auth, key, auth_key, packet):
    return SecurityAssociation(ESP, spi=SPI, crypt_algo=CIPHERS[cipher][0], crypt_key=key or None,
                               auth_algo=AUTHS[auth][0] if auth != "none" else None, auth_key=auth_key or None,
                               tunnel_header=IP(src=packet.src, dst=packet.dst))


def try_packet(peer, cipher, auth, key, auth_key, packet):
    sa = association(cipher, auth, key, auth_key, packet)
    wire = bytes(packet)
    keys = (key.hex() or "-", auth_key.hex() or "-")
    ours = peer.ask("seal", cipher, auth, *keys, wire.hex())
    opened = bytes(sa.decrypt(IP(bytes.fromhex(ours))))
    # scapy's tunnel decryption gives the inner packet
    if opened != wire:
        return "scapy read %s for %s" % (opened.hex(), wire.hex())
    theirs = bytes(association(cipher, auth, key, auth_key, packet).encrypt(IP(wire)))
    back = peer.ask("open", cipher, auth, *keys, theirs.hex())
    if back != wire.hex():
        return "we read %s for %s" % (back, wire.hex())
    spoilt = bytearray(theirs)
    spoilt[-1] ^= 1
    answer = peer.ask("open", cipher, auth, *keys, bytes(spoilt).hex())
    return None if answer == "esp-authentication-failures" else "a spoilt packet gave " + answer


D3P_PROTO, WINDOW_MS, NOW = 253, 100000, 1790000000
STAMPS = [  # name, what scapy puts in front of the inner packet, what becomes of it
    ("fresh", D3P(seconds=NOW, microseconds=123456), None),
    ("50 s old, the edge", D3P(seconds=NOW - 50), None), ("50 s ahead, the edge", D3P(seconds=NOW + 50), None),
    ("stale", D3P(seconds=NOW - 51), "d3p-too-old"), ("a day old", D3P(seconds=NOW - 86400), "d3p-too-old"),
    ("new", D3P(seconds=NOW + 50, microseconds=1), "d3p-too-new"),
    ("a million microseconds", D3P(seconds=NOW, microseconds=1000000), "d3p-too-new"),
    ("missing", None, "d3p-no-timestamp"), ("of type 2", D3P(type=2, seconds=NOW), "d3p-type-err"),
    ("of length 16", D3P(len=16, seconds=NOW), "d3p-len-err"),
    ("before IPv6", D3P(nh=41, seconds=NOW), "d3p-next-hdr-err")]


STAMPED = [("aes-128-cbc", "hmac-sha-256-128"), ("3des-cbc", "hmac-sha1-96"), ("aes-256-gcm", "none")]


def stamped(cipher, auth, key, auth_key, packet, stamp):
    """What scapy makes of it: ESP around whatever follows the outer header, which is tunnel mode when that is an
    IP packet."""
    sa = association(cipher, auth, key, auth_key, packet)
    sa.tunnel_header = None
    inner = Raw(bytes(stamp) + bytes(packet)) if stamp else Raw(bytes(packet))
    outer = IP(src=packet.src, dst=packet.dst, proto=D3P_PROTO if stamp else 4) / inner
    return bytes(sa.encrypt(IP(bytes(outer)))).hex()


def try_stamps(peer, cipher, auth, key, auth_key, packet):
    wire, keys = bytes(packet), (key.hex(), auth_key.hex() or "-")
    wrong = []
    peer.stamps(WINDOW_MS, NOW * 1000000 + 7)
    outer = IP(bytes.fromhex(peer.ask("seal", cipher, auth, *keys, wire.hex())))
    plain = bytes(association(cipher, auth, key, auth_key, packet).decrypt(outer))
    stamp = D3P(plain[:12])
    if outer.proto != D3P_PROTO or bytes(stamp) != bytes(D3P(seconds=NOW, microseconds=7)) or plain[12:] != wire:
        wrong.append("scapy read protocol %d, %s" % (outer.proto, plain.hex()))
    peer.stamps(WINDOW_MS, NOW * 1000000)
    for name, stamp, want in STAMPS:
        answer = peer.ask("open", cipher, auth, *keys, stamped(cipher, auth, key, auth_key, packet, stamp))
        if answer != (want or wire.hex()):
            wrong.append("%s: %s" % (name, answer))
    other = bytes(len(key) - 1) + b"x"
    peer.stamps(0, 0)
    answer = peer.ask("open", cipher, auth, other.hex(), keys[1],
                      stamped(cipher, auth, other, auth_key, packet, D3P(seconds=NOW)))
    if answer != "d3p-unexpected":
        wrong.append("unexpected: " + answer)
    return wrong


def main():
    combinations = [(c, a) for c in CIPHERS for a in (["none"] if c.endswith("gcm") else AUTHS)]
    backends = ("openssl", "best")
    print("1..%d" % ((len(combinations) + len(STAMPED)) * len(backends)))
    number = failed = 0
    for backend in backends:
        peer = Peer(sys.argv[1], backend)
        for cipher, auth in combinations:
            number += 1
            key = bytes((17 * i + 3) % 256 for i in range(CIPHERS[cipher][1]))
            auth_key = bytes((29 * i + 5) % 256 for i in range(AUTHS[auth][1] if auth != "none" else 0))
            wrong = [w for w in (try_packet(peer, cipher, auth, key, auth_key, p) for p in PACKETS) if w]
            failed += bool(wrong)
            print("%s %d - %s: scapy and we, %s, %s" % ("not ok" if wrong else "ok", number, backend, cipher, auth))
            for w in wrong[:2]:
                print("# " + w)
        for cipher, auth in STAMPED:
            number += 1
            keys = [bytes(31 + i for i in range(n)) for n in (CIPHERS[cipher][1], AUTHS.get(auth, ("", 0))[1])]
            wrong = [w for p in PACKETS[:6] for w in try_stamps(peer, cipher, auth, *keys, p)]
            failed += bool(wrong)
            print("%s %d - %s: time stamps, %s, %s" % ("not ok" if wrong else "ok", number, backend, cipher, auth))
            for w in wrong[:5]:
                print("# " + w)
        peer.process.stdin.close()
        peer.process.wait()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
