#!/usr/bin/python3
"""Phase 1 with real peers, in network namespaces of its own: strongSwan completes a pre-shared key
main mode with conclaved on port 500, ike-scan gets its answer on port 848 with DOI 1 and 2, and
tshark reads every datagram, and those between our own programs, without a malformed mark.

    phase1_interop.py CONCLAVED CONCLAVE-MEMBER

Prints TAP. Skips when it may not make namespaces."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SERVER, PEER = f"cvi{os.getpid()}-server", f"cvi{os.getpid()}-peer"
CONF = """
set security group-vpn server ike proposal p1 authentication-method pre-shared-keys
set security group-vpn server ike proposal p1 dh-group group14
set security group-vpn server ike proposal p1 authentication-algorithm sha-256
set security group-vpn server ike proposal p1 encryption-algorithm aes-128-cbc
set security group-vpn server ike policy pol1 mode main
set security group-vpn server ike policy pol1 proposals p1
set security group-vpn server ike policy pol1 pre-shared-key ascii-text "interop secret"
set security group-vpn server ike gateway gw1 ike-policy pol1
set security group-vpn server ike gateway gw1 address 192.0.2.2
set security group-vpn server ipsec proposal e1 authentication-algorithm hmac-sha-256-128
set security group-vpn server ipsec proposal e1 encryption-algorithm aes-128-cbc
set security group-vpn server group g1 group-id 1
set security group-vpn server group g1 ike-gateway gw1
set security group-vpn server group g1 server-address 192.0.2.1
set security group-vpn server group g1 no-anti-replay
set security group-vpn server group g1 ipsec-sa s1 proposal e1
set security group-vpn server group g1 ipsec-sa s1 match-policy m1 source 10.0.0.0/8
set security group-vpn server group g1 ipsec-sa s1 match-policy m1 destination 10.0.0.0/8
"""
MEMBER = """
set security group-vpn member ike proposal p1 authentication-method pre-shared-keys
set security group-vpn member ike proposal p1 dh-group group14
set security group-vpn member ike proposal p1 authentication-algorithm sha-256
set security group-vpn member ike proposal p1 encryption-algorithm aes-128-cbc
set security group-vpn member ike policy pol1 mode main
set security group-vpn member ike policy pol1 proposals p1
set security group-vpn member ike policy pol1 pre-shared-key ascii-text "interop secret"
set security group-vpn member ike gateway ks ike-policy pol1
set security group-vpn member ike gateway ks server-address 192.0.2.1
set security group-vpn member ike gateway ks local-address 192.0.2.2
set security group-vpn member ipsec vpn v1 ike-gateway ks
set security group-vpn member ipsec vpn v1 group 1
set security group-vpn member ipsec vpn v1 group-vpn-external-interface p0
"""
SWANCTL = """
connections {
  conclave {
    version = 1
    aggressive = AGGRESSIVE
    local_addrs = 192.0.2.2
    remote_addrs = 192.0.2.1
    proposals = aes128-sha256-modp2048
    local { auth = psk
      id = IDENTITY }
    remote { auth = psk
      id = 192.0.2.1 }
  }
}
secrets { ike-1 { secret = "SECRET" } }
"""
n = failed = 0


def ok(good, what, detail=""):
    global n, failed
    n += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {n} - {what}", flush=True)
    if not good:
        for line in str(detail).splitlines()[-25:]:
            print(f"# {line}")


def run(*command, ns=None, **kwargs):
    command = (["ip", "netns", "exec", ns] if ns else []) + [str(c) for c in command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **kwargs)


def start(log, *command, ns):
    with open(log, "wb") as out:
        command = ["ip", "netns", "exec", ns] + [str(c) for c in command]
        return subprocess.Popen(command, stdout=out, stderr=out)


def wait(condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def text(path):
    return path.read_text(errors="replace") if path.exists() else ""


def network():
    for ns in (SERVER, PEER):
        run("ip", "netns", "del", ns)
        if run("ip", "netns", "add", ns).returncode != 0:
            return False
    run(*f"ip link add s0 netns {SERVER} type veth peer name p0 netns {PEER}".split())
    for ns, dev, address in ((SERVER, "s0", "192.0.2.1/24"), (PEER, "p0", "192.0.2.2/24")):
        run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", ns=ns)
        run("ip", "addr", "add", address, "dev", dev, ns=ns)
        run("ip", "link", "set", dev, "up", ns=ns)
        run("ip", "link", "set", "lo", "up", ns=ns)
    return True


class Conclaved:
    def __init__(self, work, program, port, conf=CONF):
        self.run_dir = pathlib.Path(tempfile.mkdtemp(dir=work))
        self.log = self.run_dir / "conclaved.log"
        (work / "server.conf").write_text(conf)
        self.process = start(self.log, program, "-f", work / "server.conf",
                             "--run-dir", self.run_dir, "--state-dir", self.run_dir / "state",
                             "--key-dir", self.run_dir / "keys", "--port", port, ns=SERVER)
        self.up = wait(lambda: (self.run_dir / "conclaved.sock").exists())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Capture:
    def __init__(self, work, name):
        self.file = work / f"{name}.pcap"
        log = work / f"{name}.tcpdump"
        self.process = start(log, "tcpdump", "-i", "s0", "--immediate-mode", "-U", "-n", "-w", self.file, "udp",
                             ns=SERVER)
        wait(lambda: "listening" in text(log))

    def stop(self):
        time.sleep(0.3)
        self.process.terminate()
        self.process.wait(10)


def tshark_reads(capture, port, what):
    decode = ["tshark", "-r", capture.file, "-d", f"udp.port=={port},isakmp"]
    rows = run(*decode, "-T", "fields", "-e", "isakmp.exchangetype", "-Y", "isakmp")
    count = len(rows.stdout.splitlines())
    ok(count > 0, f"tshark sees {what} ({count} datagrams)", rows.stderr)
    verbose = run(*decode, "-V").stdout
    ok("Internet Security Association" in verbose and "Malformed" not in verbose,
       f"no malformed mark in {what}", verbose[-2000:])


def strongswan(work, secret, name, identity="192.0.2.2", aggressive="no"):
    """charon in the peer's namespace, with its own /run, initiates: swanctl's answers and its log."""
    base = work / name
    (base / "swanctl").mkdir(parents=True)
    (base / "swanctl" / "swanctl.conf").write_text(
        SWANCTL.replace("SECRET", secret).replace("IDENTITY", identity).replace("AGGRESSIVE", aggressive))
    (base / "strongswan.conf").write_text(
        "charon-systemd {\n load_modular = yes\n install_routes = no\n"
        " plugins { include /etc/strongswan.d/charon/*.conf }\n"
        " retransmit_timeout = 1.0\n retransmit_tries = 2\n journal { default = -1 }\n }\n"
        "swanctl {\n load = pem pkcs1 x509 revocation constraints pubkey openssl random\n }\n")
    script = f"""
mount -t tmpfs tmpfs /run
export STRONGSWAN_CONF={base}/strongswan.conf SWANCTL_DIR={base}/swanctl
/usr/sbin/charon-systemd >{base}/charon.log 2>&1 &
pid=$!
for i in $(seq 100); do [ -S /run/charon.vici ] && break; sleep 0.1; done
/usr/sbin/swanctl --load-all --noprompt 2>&1
/usr/sbin/swanctl --initiate --ike conclave --timeout 12 2>&1
/usr/sbin/swanctl --list-sas 2>&1
kill $pid; wait $pid
"""
    result = run("unshare", "-m", "sh", "-c", script, ns=PEER)
    return result.stdout + result.stderr + text(base / "charon.log")


def test_strongswan(work, program):
    server = Conclaved(work, program, 500)
    ok(server.up, "conclaved starts on port 500", text(server.log))
    capture = Capture(work, "strongswan")
    answer = strongswan(work, "interop secret", "swan")
    ok("ESTABLISHED" in answer and "initiate completed" in answer,
       "strongSwan completes a PSK main mode", answer + text(server.log))
    log = text(server.log)
    ok("phase1-up" in log, "conclaved says so", log)
    answer = strongswan(work, "another secret", "swan-wrong")
    ok("initiate completed" not in answer, "strongSwan with another key does not", answer)
    ok("pre-shared" in text(server.log), "conclaved names the key as the likely reason",
       text(server.log))
    capture.stop()
    tshark_reads(capture, 500, "the main mode with strongSwan")
    server.stop()


def test_strongswan_aggressive(work, program):
    dynamic = CONF.replace("mode main", "mode aggressive").replace(
        "address 192.0.2.2", "dynamic hostname site-1.example.net")
    server = Conclaved(work, program, 500, dynamic)
    ok(server.up, "conclaved starts with a dynamic gateway", text(server.log))
    capture = Capture(work, "strongswan-aggressive")
    answer = strongswan(work, "interop secret", "swan-aggressive", "site-1.example.net", "yes")
    ok("ESTABLISHED" in answer and "initiate completed" in answer,
       "strongSwan completes aggressive mode by its host name", answer + text(server.log))
    ok("phase1-up" in text(server.log), "conclaved takes message 3", text(server.log))
    answer = strongswan(work, "interop secret", "swan-unknown", "site-2.example.net", "yes")
    ok("initiate completed" not in answer and "site-2.example.net" in text(server.log),
       "an unknown host name is refused by name", answer + text(server.log))
    capture.stop()
    tshark_reads(capture, 500, "the aggressive mode with strongSwan")
    server.stop()


def test_ike_scan(work, program):
    server = Conclaved(work, program, 848)
    ok(server.up, "conclaved starts on port 848", text(server.log))
    capture = Capture(work, "ike-scan")
    scan = ["ike-scan", "--dport=848", "--sport=848", "--retry=2", "192.0.2.1"]
    for doi, situation in ((1, 1), (2, 0)):
        out = run(*scan, f"--doi={doi}", f"--situation={situation}", "--trans=7/128,4,1,14",
                  ns=PEER)
        ok("Handshake returned" in out.stdout, f"ike-scan with DOI {doi} gets its transform back",
           out.stdout + out.stderr)
    shown = run(program.parent / "conclave", "--run-dir", server.run_dir, "show security group-vpn counters", ns=SERVER)
    ok(["doi-ipsec", "1"] in [line.split() for line in shown.stdout.splitlines()],
       "what was tolerated is shown by its name", shown.stdout + shown.stderr)
    out = run(*scan, "--doi=2", "--situation=0", "--trans=5,1,1,1", ns=PEER)
    ok("NO-PROPOSAL-CHOSEN" in out.stdout, "weak transforms are told NO-PROPOSAL-CHOSEN",
       out.stdout + out.stderr)
    ok("NO_PROPOSAL" in text(server.log), "conclaved says no proposal was in common",
       text(server.log))
    capture.stop()
    tshark_reads(capture, 848, "ike-scan's probes")
    server.stop()


def test_own(work, program, member_program, mode):
    server = Conclaved(work, program, 848, CONF.replace("mode main", f"mode {mode}"))
    capture = Capture(work, f"own-{mode}")
    conf, log = work / "member.conf", work / f"member-{mode}.log"
    conf.write_text(MEMBER.replace("mode main", f"mode {mode}"))
    member = start(log, member_program, "-f", conf, "--run-dir", server.run_dir, "--no-data-path",
                   ns=PEER)
    registered = wait(lambda: " registered " in text(log))
    ok(registered, f"conclave-member registers by {mode} mode", text(log) + text(server.log))
    member.terminate()
    member.wait(10)
    capture.stop()
    tshark_reads(capture, 848, f"{mode} mode and the registration of our own programs")
    server.stop()


def main():
    member_program = pathlib.Path(sys.argv[2]).resolve()
    program = pathlib.Path(sys.argv[1]).resolve()
    if os.geteuid() != 0 or not network():
        print("1..0 # SKIP network namespaces cannot be made here")
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="conclave-interop.") as name:
            work = pathlib.Path(name)
            test_strongswan(work, program)
            test_strongswan_aggressive(work, program)
            test_ike_scan(work, program)
            for mode in ("main", "aggressive"):
                test_own(work, program, member_program, mode)
    finally:
        for ns in (SERVER, PEER):
            pids = run("ip", "netns", "pids", ns).stdout.split()
            if pids:
                run("kill", "-9", *pids)
            run("ip", "netns", "del", ns)
    print(f"1..{n}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
