"""The settings of an installation: ALUR_* of the environment, or flags of the command line. Nothing else configures.

Each says what it is, so that `alur settings` can list them. Settings are read once, at the start.
"""
from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .mail import Mailer, mailer
from .passwords import Breached
from .store.database import Unavailable


def says(what: str, example: str = "") -> dict[str, str]:
    return {"says": what, "example": example}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation is told. Field `host` is ALUR_HOST in the environment, and so on."""
    database_url: str = field(default="", metadata=says(
        "Where the database is: a file, or a PostgreSQL. Empty: alur.db in ALUR_DATA_DIR.", "postgresql://alur@db/alur"))
    database_password_file: Path | None = field(default=None, metadata=says(
        "A file that holds PostgreSQL's password.", "/run/secrets/database_password"))
    data_dir: Path = field(default=Path("var"), metadata=says(
        "The folder of documents, keys and, by default, the database.", "/var/lib/alur"))
    bpmn_dir: Path | None = field(default=None, metadata=says(
        "The owners' folder of diagrams that seeds an installation. Empty: the one shipped."))
    host: str = field(default="127.0.0.1", metadata=says(
        "The address to listen on; 0.0.0.0 is every one of this machine."))
    port: int = field(default=8080, metadata=says("The port to listen on."))
    url: str = field(default="", metadata=says(
        "The public address, as people type it; letters and codes name it. Empty: http://HOST:PORT.",
        "https://alur.example.go.id"))
    threads: int = field(default=8, metadata=says("How many requests one web process answers at once."))
    trusted_proxies: int = field(default=0, metadata=says(
        "How many reverse proxies stand in front and may be believed about the client's address."))
    upload_megabytes: int = field(default=25, metadata=says("The largest file that somebody may attach, in megabytes."))
    session_hours: int = field(default=12, metadata=says("After how many hours without a click a sign-in ends."))
    language: str = field(default="id", metadata=says("The language of the pages."))
    log_level: str = field(default="info", metadata=says("What the log says: debug, info, warning or error."))
    worker_poll_seconds: float = field(default=1.0, metadata=says("How often the worker looks for due timers."))
    checkpoint_dir: Path | None = field(default=None, metadata=says(
        "A folder outside, better on another machine, that every checkpoint of the journal is laid into. Empty: none.",
        "/mnt/inspektorat/alur"))
    smtp_url: str = field(default="", metadata=says(
        "The mail server that reminders go through: smtp://, smtp+starttls:// or smtps://. Empty: no mail is sent.",
        "smtp+starttls://alur@mail.example.go.id:587"))
    smtp_password_file: Path | None = field(default=None, metadata=says(
        "A file that holds the mail server's password.", "/run/secrets/smtp_password"))
    mail_from: str = field(default="", metadata=says(
        "The address that mails come from. Empty: alur@ the host of ALUR_URL.", "alur@kecamatan.example.go.id"))
    tls: bool = field(default=False, metadata=says(
        "Answer https itself, with a certificate of its own making unless one is named: yes or no."))
    tls_certificate_file: Path | None = field(default=None, metadata=says(
        "The certificate that https is answered with, in PEM with those above it. Empty: one of its own making.",
        "/etc/alur/alur.crt"))
    tls_key_file: Path | None = field(default=None, metadata=says(
        "The private key of that certificate, in PEM, without a password.", "/etc/alur/alur.key"))
    plain_http: bool = field(default=False, metadata=says(
        "Whether people of other machines may come without https, so that anybody on the way reads along: yes or no."))
    oidc_issuer: str = field(default="", metadata=says(
        "The provider of the office's accounts (OpenID Connect), as it names itself. Empty: none.",
        "https://masuk.example.go.id"))
    oidc_client_id: str = field(default="", metadata=says("The name that the provider knows Alur by.", "alur"))
    oidc_client_secret_file: Path | None = field(default=None, metadata=says(
        "A file that holds the secret that the provider gave Alur.", "/run/secrets/oidc_client_secret"))
    shared_session_minutes: int = field(default=15, metadata=says(
        "After how many minutes without a click a sign-in on a shared computer ends."))
    clamd: str = field(default="", metadata=says(
        "Where the virus scanner clamd listens: a socket's path, or HOST:PORT. Empty: files are not scanned.",
        "/run/clamav/clamd.ctl"))
    breached_passwords_file: Path | None = field(default=None, metadata=says(
        "The passwords that were stolen elsewhere and nobody may choose: SHA-1, sorted, as the downloader of Have I "
        "Been Pwned writes them. Empty: none are known.", "/var/lib/alur/pwned-passwords.txt"))
    upload_quota_megabytes: int = field(default=2000, metadata=says(
        "How much may be attached to one process instance altogether, in megabytes."))

    def __post_init__(self) -> None:
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{(self.data_dir / 'alur.db').as_posix()}")
        for name, other in (("tls_certificate_file", "tls_key_file"), ("tls_key_file", "tls_certificate_file")):
            if getattr(self, name) and not getattr(self, other):
                raise _wrong(name, f"is {getattr(self, name)}, and {environment_name(other)} is empty: both or none")
        if self.tls_certificate_file:
            object.__setattr__(self, "tls", True)
        if not self.url:
            host = "localhost" if self.host in ("0.0.0.0", "::", "") else self.host
            scheme = "https" if self.tls else "http"
            object.__setattr__(self, "url", f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _wrong("url", f"is {self.url!r}, which is no address such as https://alur.example.go.id")
        if self.tls and parts.scheme != "https":
            raise _wrong("url", f"is {self.url!r}, and https is answered: people would be sent to the wrong address")
        object.__setattr__(self, "url", self.url.rstrip("/"))
        self._check_oidc()
        for name, least, most in (("port", 0, 65535), ("threads", 1, 256), ("trusted_proxies", 0, 9),
                                  ("upload_megabytes", 1, 1024), ("session_hours", 1, 24 * 31),
                                  ("shared_session_minutes", 1, 24 * 60), ("upload_quota_megabytes", 1, 1_000_000)):
            if not least <= getattr(self, name) <= most:
                raise _wrong(name, f"is {getattr(self, name)}, not between {least} and {most}")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise _wrong("log_level", f"is {self.log_level!r}, not debug, info, warning or error")
        if not 0.05 <= self.worker_poll_seconds <= 60:
            raise _wrong("worker_poll_seconds", f"is {self.worker_poll_seconds}, not between 0.05 and 60")
        if self.smtp_url:
            mailer(self.smtp_url, self.mail_from, self.url)     # said at the start, not at the first mail
        if breached := self.breached:
            breached.check()

    def _check_oidc(self) -> None:
        if not self.oidc_issuer:
            return
        parts = urlsplit(self.oidc_issuer)
        if not parts.hostname or parts.query or parts.fragment or parts.username:
            raise _wrong("oidc_issuer", f"is {self.oidc_issuer!r}, no address such as https://masuk.example.go.id")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
            raise _wrong("oidc_issuer", f"is {self.oidc_issuer!r}: a provider is believed over https only")
        if not self.oidc_client_id:
            raise _wrong("oidc_client_id", "is empty, and ALUR_OIDC_ISSUER names a provider that asks for it")

    @property
    def documents_dir(self) -> Path:
        return self.data_dir / "documents"

    @property
    def key_file(self) -> Path:
        """The key of the journal's MAC: made at the first run, never in a backup unless asked."""
        return self.data_dir / "keys" / "journal.key"

    @property
    def checkpoint_key_file(self) -> Path:
        """The key that signs checkpoints: made at the first run, never in a backup."""
        return self.data_dir / "keys" / "checkpoint.key"

    @property
    def breached(self) -> Breached | None:
        """The passwords that were stolen elsewhere; None where no file of them is named."""
        return Breached(self.breached_passwords_file) if self.breached_passwords_file else None

    @property
    def sign_ins_file(self) -> Path:
        """The demo sign-ins, for their owner only."""
        return self.data_dir / "sign-ins.txt"

    @property
    def secure(self) -> bool:
        """Whether people come by https."""
        return self.url.startswith("https://")

    @property
    def diagrams(self) -> Path:
        return self.bpmn_dir or Path(__file__).resolve().parent.parent / "bpmn"

    def database_password(self) -> str | None:
        """The password in `database_password_file`. Raises Unavailable when the file cannot be read."""
        return _secret("database_password_file", self.database_password_file)

    def oidc_client_secret(self) -> str | None:
        """The secret in `oidc_client_secret_file`; None of a client without one. Raises Unavailable."""
        return _secret("oidc_client_secret_file", self.oidc_client_secret_file)

    def mailer(self) -> Mailer | None:
        """The mail server and in whose name is written to it; None where mails are not sent. Raises Unavailable."""
        if not self.smtp_url:
            return None
        return mailer(self.smtp_url, self.mail_from, self.url, _secret("smtp_password_file", self.smtp_password_file))


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own, which nobody else reaches."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(name: str, file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise _wrong(name, f"is {file}, which cannot be read: {error.strerror}") from error


YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


def environment_name(name: str) -> str:
    return f"ALUR_{name.upper()}"


def read(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """The settings of an environment (None: this process's). A flag that is not None wins over the environment.

    Raises Unavailable for a value that is no such value.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for one in fields(Settings):
        given = flags.get(one.name)
        if given is None:
            given = environment.get(environment_name(one.name)) or None
        if given is not None:
            values[one.name] = _value(one.name, str(one.type), given)
    return Settings(**values)


def _value(name: str, kind: str, given: Any) -> Any:
    try:
        if kind == "int":
            return int(given)
        if kind == "float":
            return float(given)
        if kind == "bool":
            if str(given).lower() not in (*YES, *NO):
                raise _wrong(name, f"is {given!r}, not yes or no")
            return str(given).lower() in YES
        return Path(given) if kind.startswith("Path") else str(given)
    except ValueError as error:
        raise _wrong(name, f"is {given!r}, which is no number") from error


def _wrong(name: str, what: str) -> Unavailable:
    return Unavailable("setting", f"{environment_name(name)} {what}.", "Correct it, or leave it away.")


def table(settings: Settings) -> list[dict[str, str]]:
    """Every setting with its value and what it is, for `alur settings`. Passwords in the URL are left out."""
    rows = []
    for one in fields(Settings):
        value = getattr(settings, one.name)
        shown = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if one.name in ("database_url", "smtp_url"):
            shown = hide_password(shown)
        rows.append({"name": environment_name(one.name), "value": shown, **one.metadata})
    return rows


def hide_password(url: str) -> str:
    """An address without the password that stands in it, before the host or among what follows `?`."""
    parts = urlsplit(url)
    shown = url.replace(f":{parts.password}@", ":***@") if parts.password else url
    return re.sub(r"(?i)([?&][^=&]*(?:password|secret)[^=&]*=)[^&]*", r"\1***", shown)
