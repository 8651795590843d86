#!/usr/bin/python3
"""`certificate NAME`: what conclaved says of key pairs in its folder, good ones and every kind of bad one.

    test/e2e/certificates.py FOLDER_OF_THE_PROGRAMS
"""
import datetime
import os
import pathlib
import subprocess
import sys
import tempfile

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


class Test:
    def __init__(self, programs, folder):
        self.program, self.folder = str(pathlib.Path(programs) / "conclaved"), pathlib.Path(folder)
        self.n, self.failed = 0, 0

    def check(self, what, ok, detail=""):
        self.n += 1
        self.failed += not ok
        print("%sok %d - %s" % ("" if ok else "not ", self.n, what), flush=True)
        if not ok:
            print("\n".join("# " + line for line in str(detail).splitlines()), flush=True)

    def key(self, name, key, mode=0o600, password=None):
        path = self.folder / (name + ".key")
        how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))
        path.chmod(mode)

    def cert(self, name, key, suffix=".crt", since=-DAY, until=365 * DAY, form=serialization.Encoding.PEM):
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        c = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(now + since).not_valid_after(now + until)
             .sign(key, hashes.SHA256()))
        (self.folder / (name + suffix)).write_bytes(c.public_bytes(form))

    def pair(self, name, key, mode=0o600, **kw):
        self.key(name, key, mode)
        self.cert(name, key, **kw)

    def says(self, name, as_user=None):
        conf = self.folder / "server.conf"
        conf.write_text(CONF % name)
        user = {} if as_user is None else {"user": as_user, "group": as_user, "extra_groups": []}
        return subprocess.run([self.program, "-n", str(conf), "--pki-dir", str(self.folder)], capture_output=True,
                              text=True, timeout=30, check=False, **user)

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
    t.accepts("soon to expire is a warning", "soon", "warning: security group-vpn server group red "
              "server-member-communication certificate: expires on ")
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
    t.pair("old", key, since=-20 * DAY, until=-DAY)
    t.refuses("an expired one", "old", "old.crt: expired on 20")
    t.pair("early", key, since=DAY)
    t.refuses("one that is not valid yet", "early", "early.crt: not valid before 20")
    t.key("text", key)
    (t.folder / "text.crt").write_text("hello")
    t.refuses("a text that is no certificate", "text", "text.crt: no X.509 certificate")
    t.refuses("a name with a path", "../red", "expected a file name")


def unreadable(t, key):
    """Whoever checks a configuration need not be who may read its keys."""
    if os.geteuid() != 0:
        return
    t.pair("secret", key)
    t.folder.chmod(0o755)
    (t.folder / "server.conf").touch()
    a = t.says("secret", as_user=65534)
    t.check("what this user may not read is a warning", a.returncode == 0 and
            "warning: " in a.stdout and "cannot be checked: " in a.stdout and "Permission denied" in a.stdout,
            a.stdout + a.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="conclave-certificates-") as folder:
        t = Test(sys.argv[1], folder)
        key = rsa.generate_private_key(65537, 2048)
        for part in (good_ones, bad_keys, bad_certificates, unreadable):
            part(t, key)
        print("1..%d" % t.n)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
