"""The certificate that https is answered with: one of our own making, or the one that the settings name.

Ours stands with its key in one file under the data folder's keys, for their owner only. It names the hosts people come
by, and is made anew a month before it ends or when they change. Browsers warn of it until its fingerprint was compared
and it was accepted; a given one comes from an authority that they know.
"""
from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from socket import gethostname
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .settings import Settings
from .store.database import Unavailable

DAYS = 397                              # browsers believe in no certificate that holds longer
RENEWED_BEFORE = timedelta(days=30)
# What TLS 1.2 may be spoken with: secrecy forward and integrity in one. TLS 1.3 has nothing else.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"

log = structlog.get_logger("alur.certificates")


@dataclass
class Certificate:
    """What connections are opened with; `refresh` looks whether the files were exchanged."""
    context: ssl.SSLContext
    certificate_file: Path
    key_file: Path
    own: bool
    fingerprint: str                    # SHA-256 of the certificate, as browsers show it
    ends: datetime
    read_at: tuple[int, int]            # when the files were changed, in ns

    def refresh(self, settings: Settings, now: datetime) -> bool:
        """Take up a certificate that is new in its file, after ours was made anew where it was time. Whether it was.

        A file that cannot be used is left alone, and the log says why: who is connected by the old one stays so.
        """
        try:
            if self.own:
                make_own(self.certificate_file, hosts(settings), now)
            if _changed(self.certificate_file, self.key_file) == self.read_at:
                return False
            found = _read(self.certificate_file, self.key_file, self.own, now)
            self.context.load_cert_chain(found.certificate_file, found.key_file)
        except (Unavailable, OSError) as error:             # SSLError is one
            log.warning("certificate not exchanged", error=str(error), ends=f"{self.ends:%Y-%m-%d}")
            return False
        self.fingerprint, self.ends, self.read_at = found.fingerprint, found.ends, found.read_at
        return True


def certificate(settings: Settings, now: datetime) -> Certificate:
    """The certificate of these settings. Raises Unavailable for files that are none, that do not belong together, or
    whose key everybody on the machine may read."""
    if settings.tls_certificate_file and settings.tls_key_file:
        return _read(settings.tls_certificate_file, settings.tls_key_file, False, now)
    own = settings.data_dir / "keys" / "https.pem"
    try:
        make_own(own, hosts(settings), now)
    except Unavailable as error:
        if not own.exists():
            raise
        log.warning("certificate not renewed", error=str(error))        # the one that is there may hold for a month yet
        with suppress(Unavailable):
            return _read(own, own, True, now)
        raise
    return _read(own, own, True, now)


def hosts(settings: Settings) -> list[str]:
    """The names and addresses that people may come by, the public one first."""
    listens = [] if settings.host in ("0.0.0.0", "::", "") else [settings.host]     # nosec B104: compared, not bound
    named = [urlsplit(settings.url).hostname or "localhost", *listens, gethostname(), "localhost", "127.0.0.1", "::1"]
    return list(dict.fromkeys(name for name in named if name.isascii()))


def make_own(file: Path, names: Sequence[str], now: datetime) -> None:
    """See that `file` holds a certificate for these names that holds for another month, with its key.

    Raises Unavailable when it cannot be written.
    """
    alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
    try:
        known = x509.load_pem_x509_certificate(file.read_bytes())
        same = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == alternatives
        if same and known.not_valid_after_utc - now > RENEWED_BEFORE:
            return
    except (OSError, ValueError, x509.ExtensionNotFound):
        pass                            # there is none, or it is none: it is made
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))          # of machines whose clock is behind
        .not_valid_after(now + timedelta(days=DAYS - 1))
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()) + made.public_bytes(serialization.Encoding.PEM)
    aside = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
                written.write(text)
                written.flush()
                os.fsync(written.fileno())
            os.replace(aside, file)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable("certificate", f"The certificate {file} cannot be written: {error.strerror}.",
                          "Make its folder writable, or name a certificate: ALUR_TLS_CERTIFICATE_FILE.") from error


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _changed(certificate_file: Path, key_file: Path) -> tuple[int, int]:
    return certificate_file.stat().st_mtime_ns, key_file.stat().st_mtime_ns


def _read(certificate_file: Path, key_file: Path, own: bool, now: datetime) -> Certificate:
    def wrong(what: str) -> Unavailable:
        return Unavailable("certificate", f"https cannot be answered: {what}.",
                           "Correct ALUR_TLS_CERTIFICATE_FILE and ALUR_TLS_KEY_FILE, or leave both away.")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        read_at, mode = _changed(certificate_file, key_file), key_file.stat().st_mode
        # A group that serves may read it, as Debian's ssl-cert does; everybody on the machine may not.
        if os.name == "posix" and mode & stat.S_IRWXO:
            raise Unavailable("key_unsafe", f"Everybody here may read the key {key_file} of https "
                              f"(mode {stat.S_IMODE(mode):o}).", f"Say: chmod 600 {key_file}")
        found = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        # A key with a password is refused, where OpenSSL would ask for it on the terminal and wait.
        context.load_cert_chain(certificate_file, key_file, password=lambda: b"")
    except ssl.SSLError as error:
        raise wrong(f"{certificate_file} and {key_file} are no certificate and its key without a password") from error
    except OSError as error:
        raise wrong(f"{error.filename} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise wrong(f"{certificate_file} is no certificate in PEM") from error
    if found.not_valid_after_utc <= now:
        raise wrong(f"the certificate {certificate_file} has expired, on {found.not_valid_after_utc:%Y-%m-%d}")
    digest = sha256(found.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    fingerprint = ":".join(digest[at:at + 2] for at in range(0, len(digest), 2))
    return Certificate(context, certificate_file, key_file, own, fingerprint, found.not_valid_after_utc, read_at)
