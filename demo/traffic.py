#!/usr/bin/env python3
"""Traffic between the hosts of the demo: TCP, UDP and multicast, each counted by its receiver."""
import hashlib
import socket
import struct
import sys
import time

CHUNK = bytes(range(256)) * 256  # 64 KiB


def tcp_sink(address, port):
    with socket.create_server((address, int(port))) as server:
        print("ready", flush=True)
        conn, _ = server.accept()
        with conn:
            start = time.monotonic()
            want = struct.unpack("!Q", recv_exactly(conn, 8))[0]
            digest, left = hashlib.sha256(), want
            while left > 0:
                data = conn.recv(min(left, 1 << 20))
                if not data:
                    sys.exit("the connection ended early")
                digest.update(data)
                left -= len(data)
            took = time.monotonic() - start
            if recv_exactly(conn, 32) != digest.digest():
                sys.exit("the checksum differs")
            conn.sendall(b"done")
    print(f"{want >> 20} MiB over TCP, checksum right, {want * 8 / took / 1e6:.0f} Mbit/s")


def recv_exactly(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            sys.exit("the connection ended early")
        data += more
    return data


def tcp_send(address, port, mebibytes):
    n = int(mebibytes) * 16
    digest = hashlib.sha256()
    with socket.create_connection((address, int(port)), timeout=30) as conn:
        conn.sendall(struct.pack("!Q", n * len(CHUNK)))
        for _ in range(n):
            digest.update(CHUNK)
            conn.sendall(CHUNK)
        conn.sendall(digest.digest())
        recv_exactly(conn, 4)


def udp_send(address, port, rate, seconds, sock=None):
    sock = sock or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    rate, total = int(rate), int(rate) * int(seconds)
    start = time.monotonic()
    for i in range(total):
        while True:
            wait = start + i / rate - time.monotonic()
            if wait <= 0:
                break
            time.sleep(wait)
        sock.sendto(struct.pack("!II", i, total) + bytes(400), (address, int(port)))
    time.sleep(0.3)
    for _ in range(5):  # the end mark, more than once
        sock.sendto(struct.pack("!II", 0xFFFFFFFF, total), (address, int(port)))
        time.sleep(0.05)


def count(sock, total=None):
    """Counts numbered packets until the end mark; fails when one is missing."""
    sock.settimeout(20)
    seen = set()
    while True:
        try:
            data = sock.recv(2048)
        except socket.timeout:
            break
        number, total = struct.unpack("!II", data[:8])
        if number == 0xFFFFFFFF:
            break
        seen.add(number)
    print(f"{len(seen)} of {total} packets")
    if total is None or len(seen) != total:
        sys.exit(1)


def udp_sink(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, int(port)))
    print("ready", flush=True)
    count(sock)


def multicast_sink(group, port, interface, _n):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((group, int(port)))
    joined = socket.inet_aton(group) + socket.inet_aton(interface)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
    print("ready", flush=True)
    count(sock)


def multicast_send(group, port, interface, n):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 16)
    udp_send(group, port, n, 1, sock)


if __name__ == "__main__":
    ACTIONS = {
        "tcp-sink": tcp_sink, "tcp-send": tcp_send, "udp-sink": udp_sink, "udp-send": udp_send,
        "multicast-sink": multicast_sink, "multicast-send": multicast_send,
    }
    ACTIONS[sys.argv[1]](*sys.argv[2:])
