#!/usr/bin/python3
"""`certificate NAME`: what conclaved says of key pairs in its folder, good ones and every kind of bad one: when it is
asked (-n), when it starts, and when a running one is to take them over. Only loopback, and ports of its own.

    test/e2e/certificates.py FOLDER_OF_THE_PROGRAMS
"""
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import console
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

CONF = """
security { group-vpn { server {
    ike {
        proposal p { authentication-method pre-shared-keys; dh-group group14;
            authentication-algorithm sha-256; encryption-algorithm aes-256-cbc; }
        policy pol { mode main; proposals p; pre-shared-key ascii-text "a key of two"; }
        gateway gm1 { ike-policy pol; address 127.84.8.2; }
    }
    ipsec { proposal esp { authentication-algorithm hmac-sha-256-128; encryption-algorithm aes-256-cbc; } }
    group red { group-id 7; ike-gateway gm1; no-anti-replay; server-address 127.84.8.1;
        server-member-communication { encryption-algorithm aes-256-cbc; sig-hash-algorithm sha-256;
            certificate %s; }
        ipsec-sa sa1 { proposal esp; match-policy all { source 10.0.0.0/8; destination 10.0.0.0/8; } } }
} } }
"""
LINE = 12  # of the statement above
DAY = datetime.timedelta(days=1)


COMMIT = "request security group-vpn server commit"
WHERE = "security group-vpn server group red server-member-communication certificate: "


class Test(console.Test):
    def __init__(self, programs, folder):
        super().__init__(programs, folder)
        self.program = str(self.programs / "conclaved")
        self.pki = self.folder

    def key(self, name, key, mode=0o600, password=None):
        path = self.pki / (name + ".key")
        how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))
        path.chmod(mode)

    def cert(self, name, key, suffix=".crt", since=-DAY, until=365 * DAY, form=serialization.Encoding.PEM):
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        c = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(now + since).not_valid_after(now + until)
             .sign(key, hashes.SHA256()))
        (self.pki / (name + suffix)).write_bytes(c.public_bytes(form))

    def pair(self, name, key, mode=0o600, **kw):
        self.key(name, key, mode)
        self.cert(name, key, **kw)

    def says(self, name, as_user=None):
        conf = self.write("server.conf", CONF % name)
        user = {} if as_user is None else {"user": as_user, "group": as_user, "extra_groups": []}
        return subprocess.run([self.program, "-n", conf, "--pki-dir", str(self.pki)], capture_output=True,
                              text=True, timeout=30, check=False, **user)

    def start_with(self, name, log):
        """A server whose statement names this one."""
        (self.folder / log).unlink(missing_ok=True)
        return self.start("conclaved", "-f", self.write("server.conf", CONF % name), "--run-dir", str(self.folder),
                          "--port", str(self.port), "--state-dir", str(self.folder / "state"), "--key-dir",
                          str(self.folder / "keys"), "--pki-dir", str(self.pki), "--log-format", "json", log=log)

    def events(self, log, name):
        lines = [json.loads(line) for line in self.log(log).splitlines() if line.startswith("{")]
        return [e for e in lines if e["event"] == name]

    def told(self, log, name, seconds=20):
        """Those events, once there is one."""
        until = time.monotonic() + seconds
        while not self.events(log, name) and time.monotonic() < until:
            time.sleep(0.05)
        return self.events(log, name)

    def commits(self, what, name, check=False):
        self.write("server.conf", CONF % name)
        a = self.console(COMMIT + (" check" if check else ""))
        self.check(what, a.returncode == 0 and "nothing has changed" not in a.stderr, a.stdout + a.stderr)

    def commit_refuses(self, what, name, why):
        self.write("server.conf", CONF % name)
        for line in (COMMIT, COMMIT + " check"):
            a = self.console(line)
            said = "server.conf:%d:" % LINE in a.stderr and WHERE in a.stderr and why in a.stderr
            self.check("%s: %s" % (what, line.split()[-1]), a.returncode == 1 and said and "warning" not in a.stderr,
                       a.stdout + a.stderr)

    def commit_warns(self, what, name, why):
        self.write("server.conf", CONF % name)
        for line in (COMMIT, COMMIT + " check"):
            a = self.console(line)
            found = [l for l in a.stdout.splitlines() if "server.conf:%d:" % LINE in l and WHERE in l]
            self.check("%s: %s" % (what, line.split()[-1]), a.returncode == 0 and len(found) == 1 and
                       "warning: " in found[0] and why in found[0], a.stdout + a.stderr)

    def accepts(self, what, name, warning=None):
        a = self.says(name)
        lines = [l for l in a.stdout.splitlines() if "certificate:" in l]
        good = a.returncode == 0 and (warning in lines[0] if warning and lines else lines == [])
        self.check(what, good, a.stdout + a.stderr)

    def refuses(self, what, name, why):
        a = self.says(name)
        where = "server.conf:%d:" % LINE
        lines = [l for l in a.stdout.splitlines() if where in l and "certificate:" in l and why in l]
        self.check(what, a.returncode == 1 and len(lines) == 1 and "warning" not in lines[0], a.stdout + a.stderr)


def good_ones(t, key):
    t.pair("plain", key)
    t.accepts("a key and its certificate", "plain")
    t.pair("pem", key, suffix=".pem")
    t.accepts("a certificate may be called NAME.pem", "pem")
    t.pair("der", key, form=serialization.Encoding.DER)
    t.accepts("a certificate may be DER", "der")
    t.pair("soon", key, until=10 * DAY)
    t.accepts("soon to expire is a warning", "soon", "warning: " + WHERE + "expires on ")
    t.pair("weak", rsa.generate_private_key(65537, 1024))
    t.accepts("1024 bits are a warning", "weak", "a RSA key of 1024 bits is weak")


def bad_keys(t, key):
    t.cert("keyless", key)
    t.refuses("a certificate without its key", "keyless", "keyless.key: No such file or directory")
    t.pair("open", key, mode=0o640)
    t.refuses("a key that others may read", "open", "open.key: others may read or write it, expected mode 0600")
    t.pair("locked", key)
    t.key("locked", key, password=b"secret")
    t.refuses("a key behind a password", "locked", "locked.key: no private key, expected one in PEM without a password")
    t.pair("elliptic", ec.generate_private_key(ec.SECP256R1()))
    t.refuses("a key that is not RSA", "elliptic", "elliptic.key: not RSA")
    t.pair("small", rsa.generate_private_key(65537, 1016 - 504))
    t.refuses("a key of 512 bits", "small", "small.key: RSA modulus or exponent out of range")
    (t.folder / "huge.key").write_bytes(b"x" * (65 << 10))
    (t.folder / "huge.key").chmod(0o600)
    t.refuses("a file that is no key by its size", "huge", "huge.key: a limit")


def bad_certificates(t, key):
    t.key("bare", key)
    t.refuses("a key without its certificate", "bare", "bare.pem: No such file or directory")
    t.key("other", key)
    t.cert("other", rsa.generate_private_key(65537, 2048))
    t.refuses("the certificate of another key", "other", "other.crt: the certificate of another key")
    t.key("text", key)
    (t.folder / "text.crt").write_text("hello")
    t.refuses("a text that is no certificate", "text", "text.crt: no X.509 certificate")
    t.refuses("a name with a path", "../red", "expected a file name")


def out_of_date(t, key):
    t.pair("old", key, since=-20 * DAY, until=-DAY)
    t.accepts("an expired one is a warning", "old", "warning: %s%s/old.crt: expired on 20" % (WHERE, t.pki))
    t.pair("early", key, since=DAY)
    t.accepts("one that is not valid yet is a warning", "early", "early.crt: not valid before 20")
    t.key("old-other", key)
    t.cert("old-other", rsa.generate_private_key(65537, 2048), until=-DAY, since=-20 * DAY)
    t.refuses("an expired one of another key is an error", "old-other", "the certificate of another key")


def unreadable(t, key):
    """Whoever checks a configuration need not be who may read its keys."""
    if os.geteuid() != 0:
        return
    t.pair("secret", key)
    t.folder.chmod(0o755)
    a = t.says("secret", as_user=65534)
    t.check("what this user may not read is a warning", a.returncode == 0 and
            "warning: " in a.stdout and "cannot be checked: " in a.stdout and "Permission denied" in a.stdout,
            a.stdout + a.stderr)


def end(t, server):
    server.send_signal(signal.SIGTERM)
    t.check("it ends as ever", server.wait(20) == 0)


def start_refused(t, key):
    """What is wrong besides the dates keeps a server from starting."""
    t.pair("open", key, mode=0o640, since=-20 * DAY, until=-DAY)
    for name, why in (("nowhere", "nowhere.key: No such file"), ("open", "expected mode 0600"),
                      ("old-other", "the certificate of another key"), ("elliptic", "elliptic.key: not RSA")):
        server = t.start_with(name, "refused.log")
        t.check("no start with '%s'" % name, server.wait(20) == 1 and why in t.log("refused.log") and
                not t.events("refused.log", "started"), t.log("refused.log"))


def start_out_of_date(t, key):
    """A certificate runs out while the server works: a restart has the same keys, says so once, and goes on."""
    t.pair("red", key)
    server = t.start_with("red", "first.log")
    t.check("the server starts", t.told("first.log", "generation-created") and not t.events("first.log", "certificate"),
            t.log("first.log"))
    end(t, server)
    for what, days, why in (("expired", {"since": -20 * DAY, "until": -DAY}, "expired on 20"),
                            ("not valid yet", {"since": DAY}, "not valid before 20")):
        t.cert("red", key, **days)
        server = t.start_with("red", "again.log")
        t.told("again.log", "restored")
        t.check("it starts again when its certificate is " + what, t.told("again.log", "started") and
                server.poll() is None, t.log("again.log"))
        told = t.events("again.log", "certificate")
        t.check("... warns of it once, by its file and date", len(told) == 1 and told[0]["certificate"] == "red" and
                told[0]["what"].startswith("%s/red.crt: %s" % (t.pki, why)), t.log("again.log"))
        t.check("... and says where it is named", WHERE + "%s/red.crt: %s" % (t.pki, why) in t.log("again.log"),
                t.log("again.log"))
        t.check("... with the keys that it had", t.events("again.log", "restored") and
                not t.events("again.log", "generation-created") and not t.events("again.log", "kek-created"),
                t.log("again.log"))
        if what == "expired":
            end(t, server)
    return server


def commit_out_of_date(t, key, server):
    t.commit_warns("a commit goes on with the key at work", "red", "red.crt: not valid before 20")
    t.pair("worn", rsa.generate_private_key(65537, 2048), since=-20 * DAY, until=-DAY)
    t.commit_refuses("... and takes up no expired one", "worn", "worn.crt: expired on 20")
    t.commit_refuses("one of no key at all", "nowhere", "nowhere.key: No such file")
    n = len(t.events("again.log", "commit-failed"))
    server.send_signal(signal.SIGHUP)
    until = time.monotonic() + 10
    while len(t.events("again.log", "commit-failed")) == n and time.monotonic() < until:
        time.sleep(0.05)
    t.check("SIGHUP refuses it, too", len(t.events("again.log", "commit-failed")) == n + 1, t.log("again.log"))
    t.cert("red", key)
    t.commits("with a new certificate all is well: check", "red", check=True)
    t.commits("... and commit", "red")
    t.pair("next", rsa.generate_private_key(65537, 2048))
    t.commits("and so is a key pair that was made meanwhile", "next")
    t.check("the group has a KEK for it", len(t.told("again.log", "kek-created")) == 1, t.log("again.log"))
    end(t, server)


def folder_made_later(t, key):
    """Landlock lets a running server into the folders that were there when it started, and below them."""
    with tempfile.TemporaryDirectory(prefix="conclave-certificates-") as elsewhere:
        t.pki = pathlib.Path(elsewhere) / "pki"
        made_later(t, key)


def made_later(t, key):
    without = CONF.replace("certificate %s;", "%s")
    shutil.rmtree(t.folder / "state")
    shutil.rmtree(t.folder / "keys")
    t.write("server.conf", without % "")
    server = t.start("conclaved", "-f", str(t.folder / "server.conf"), "--run-dir", str(t.folder), "--port",
                     str(t.port), "--state-dir", str(t.folder / "state"), "--key-dir", str(t.folder / "keys"),
                     "--pki-dir", str(t.pki), "--log-format", "json", log="later.log")
    t.check("a server starts without a folder of key pairs", t.told("later.log", "started"), t.log("later.log"))
    t.commit_refuses("it is not there", "red", "red.key: No such file")
    t.pki.mkdir(0o700)
    t.pair("red", key)
    if not [e for e in t.events("later.log", "internal") if e["what"] == "confine"]:  # else no Landlock here
        t.commit_refuses("it is there now", "red", "Permission denied; a folder made after the start of conclaved "
                         "opens only after its restart")
    end(t, server)
    server = t.start_with("red", "opened.log")
    t.check("after a restart it opens", t.told("opened.log", "started"), t.log("opened.log"))
    t.pair("next", key)
    t.commits("... and so does what is put into it later", "next")
    end(t, server)


def on_a_server(t, key):
    start_refused(t, key)
    commit_out_of_date(t, key, start_out_of_date(t, key))
    folder_made_later(t, key)


def main():
    with tempfile.TemporaryDirectory(prefix="conclave-certificates-") as folder:
        t = Test(sys.argv[1], folder)
        key = rsa.generate_private_key(65537, 2048)
        try:
            for part in (good_ones, bad_keys, bad_certificates, out_of_date, unreadable, on_a_server):
                part(t, key)
        finally:
            t.stop_all()
        print("1..%d" % t.n)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
