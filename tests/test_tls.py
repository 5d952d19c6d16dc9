"""https as Alur answers it: real handshakes, its own certificate and a given one, and clients that mean no good."""

from __future__ import annotations

import gc
import http.client
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import bootstrap
from engine import certificates, serve
from engine.settings import Settings, read
from engine.store.database import Unavailable

NOW = datetime(2027, 2, 1, tzinfo=UTC)
SECONDS = 20


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """Answers with what came, and says by which scheme and from where."""
    body = environ["wsgi.input"].read()
    start("200 OK", [("X-Scheme", environ["wsgi.url_scheme"]), ("X-From", environ["REMOTE_ADDR"]),
                     ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def running(tmp_path: Path, tls: bool = True, threads: int = 4, **more: Any) -> Iterator[tuple[int, Any]]:
    """The port of a server in this process, and its certificate."""
    settings = Settings(data_dir=tmp_path, tls=tls, **more)
    own = certificates.certificate(settings, datetime.now(UTC)) if tls else None
    held, stop = serve.listen("127.0.0.1", 0), threading.Event()
    thread = threading.Thread(target=serve.serve,
                              args=(echo, held, threads, lambda: True, stop, 20_000_000, own, settings))
    thread.start()
    try:
        yield held.getsockname()[1], own
    finally:
        stop.set()
        thread.join()


def trusting(own: certificates.Certificate) -> ssl.SSLContext:
    """A client that believes in this certificate and no other, and looks at the name in it."""
    return ssl.create_default_context(cafile=str(own.certificate_file))


def ask(port: int, own: certificates.Certificate, body: bytes = b"") -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=trusting(own))
    connection.request("POST", "/", body)
    return connection.getresponse()


# Its own certificate


def test_the_own_certificate_names_who_people_come_by_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, tls=True, url="https://alur.kecamatan.example:8443", host="192.0.2.7")
    own = certificates.certificate(settings, NOW)
    file = tmp_path / "keys" / "https.pem"
    assert own.certificate_file == file and stat.S_IMODE(file.stat().st_mode) == 0o600
    found = x509.load_pem_x509_certificate(file.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "alur.kecamatan.example" in names.get_values_for_type(x509.DNSName)
    assert "192.0.2.7" in [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=398)
    assert own.fingerprint.replace(":", "").lower() == sha256(
        ssl.PEM_cert_to_DER_cert(file.read_text()[file.read_text().index("-----BEGIN CERT"):])).hexdigest()


def test_it_stays_until_a_month_before_its_end_and_is_made_anew_when_the_names_change(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, tls=True)
    first = certificates.certificate(settings, NOW)
    assert certificates.certificate(settings, first.ends - timedelta(days=31)).fingerprint == first.fingerprint
    renewed = certificates.certificate(settings, first.ends - timedelta(days=29))
    assert renewed.fingerprint != first.fingerprint and renewed.ends > first.ends
    other = Settings(data_dir=tmp_path, tls=True, url="https://lain.example")
    assert certificates.certificate(other, first.ends - timedelta(days=29)).fingerprint != renewed.fingerprint


def test_a_certificate_is_exchanged_while_it_serves(tmp_path: Path) -> None:
    with running(tmp_path) as (port, own):
        assert ask(port, own, b"a").read() == b"a"
        before = own.fingerprint
        own.certificate_file.unlink()
        assert own.refresh(Settings(data_dir=tmp_path, tls=True), datetime.now(UTC)) and own.fingerprint != before
        assert not own.refresh(Settings(data_dir=tmp_path, tls=True), datetime.now(UTC))
        assert ask(port, own, b"b").read() == b"b"      # by a client that believes in the new one only


def test_a_broken_exchange_leaves_the_old_one(tmp_path: Path) -> None:
    made = certificates.certificate(Settings(data_dir=tmp_path, tls=True), datetime.now(UTC))
    pair = {"tls_certificate_file": tmp_path / "a.crt", "tls_key_file": tmp_path / "a.key"}
    for file in pair.values():
        file.write_bytes(made.certificate_file.read_bytes())
        file.chmod(0o600)
    given = certificates.certificate(Settings(data_dir=tmp_path, **pair), datetime.now(UTC))  # type: ignore[arg-type]
    pair["tls_certificate_file"].write_text("-----BEGIN CERTIFICATE-----\nhalf")
    settings = Settings(data_dir=tmp_path, **pair)  # type: ignore[arg-type]
    assert not given.refresh(settings, datetime.now(UTC)) and given.fingerprint == made.fingerprint


def test_a_renewal_that_cannot_be_written_ends_no_server_and_keeps_none_from_starting(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, tls=True)
    own = certificates.certificate(settings, NOW)
    before, late = own.fingerprint, own.ends - timedelta(days=29)
    # Where the new one would be written first, something is in the way: as of a full disk, nothing can be written.
    (tmp_path / "keys" / f"https.{os.getpid()}.new").mkdir()
    assert not own.refresh(settings, late) and own.fingerprint == before
    assert certificates.certificate(settings, late).fingerprint == before       # it holds for another month
    with pytest.raises(Unavailable, match="cannot be written"):
        certificates.certificate(settings, own.ends + timedelta(days=1))


def test_a_key_that_everybody_on_the_machine_may_read_is_refused_with_what_to_say(tmp_path: Path) -> None:
    made = certificates.certificate(Settings(data_dir=tmp_path, tls=True), NOW).certificate_file
    key = tmp_path / "office.key"
    key.write_bytes(made.read_bytes())
    settings = Settings(data_dir=tmp_path, tls_certificate_file=made, tls_key_file=key)
    for mode in (0o644, 0o604):
        key.chmod(mode)
        with pytest.raises(Unavailable, match=f"chmod 600 {key}"):
            certificates.certificate(settings, NOW)
    for mode in (0o640, 0o600):         # a group of those who serve may: so do Debian's ssl-cert and others
        key.chmod(mode)
        assert certificates.certificate(settings, NOW).key_file == key


def test_files_that_are_no_certificate_are_one_sentence(tmp_path: Path) -> None:
    made = certificates.certificate(Settings(data_dir=tmp_path / "a", tls=True), NOW).certificate_file
    other = certificates.certificate(Settings(data_dir=tmp_path / "b", tls=True), NOW).certificate_file
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "text").chmod(0o600)
    for certificate, key, said in ((tmp_path / "text", made, "no certificate"), (made, other, "do|are no"),
                                   (made, tmp_path / "none", "cannot be read"), (made, tmp_path / "text", "are no")):
        settings = Settings(data_dir=tmp_path, tls_certificate_file=certificate, tls_key_file=key)
        with pytest.raises(Unavailable, match=said):
            certificates.certificate(settings, NOW)
    late = Settings(data_dir=tmp_path, tls_certificate_file=made, tls_key_file=made)
    with pytest.raises(Unavailable, match="expired"):
        certificates.certificate(late, NOW + timedelta(days=500))
    with pytest.raises(Unavailable, match="ALUR_TLS_KEY_FILE is empty"):
        read({"ALUR_TLS_CERTIFICATE_FILE": str(made)})
    with pytest.raises(Unavailable, match="wrong address"):
        read({"ALUR_TLS": "yes", "ALUR_URL": "http://alur.example"})


# The server


def test_requests_come_as_https_from_where_they_came_and_whole_in_both_directions(tmp_path: Path) -> None:
    with running(tmp_path) as (port, own):
        for size in (0, 1, 16_384, 16_385, 65_536, 3_000_000):
            body = os.urandom(size)
            answer = ask(port, own, body)
            assert answer.read() == body and answer.headers["X-Scheme"] == "https"
            assert answer.headers["X-From"] == "127.0.0.1"


def test_many_at_once_get_their_own_answers(tmp_path: Path) -> None:
    with running(tmp_path) as (port, own):
        wrong: list[int] = []

        def one(number: int) -> None:
            body = number.to_bytes(2, "big") * 100_000
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=trusting(own))
            for _ in range(5):
                connection.request("POST", "/", body)
                if connection.getresponse().read() != body:
                    wrong.append(number)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_are_refused(tmp_path: Path, version: ssl.TLSVersion) -> None:
    with running(tmp_path) as (port, own):
        client = trusting(own)
        client.minimum_version, client.maximum_version = version, version
        client.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain, pytest.raises(ssl.SSLError):
            client.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.parametrize(("version", "ciphers", "holds"), [
    (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", True), (ssl.TLSVersion.TLSv1_3, "ALL", True),
    (ssl.TLSVersion.TLSv1_2, "AES128-SHA:AES256-SHA", False),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384", False)])
def test_only_ciphers_with_forward_secrecy_are_spoken(
    tmp_path: Path, version: ssl.TLSVersion, ciphers: str, holds: bool
) -> None:
    with running(tmp_path) as (port, own):
        client = trusting(own)
        client.minimum_version = client.maximum_version = version
        client.set_ciphers(ciphers)
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain:
            if not holds:
                with pytest.raises(ssl.SSLError):
                    client.wrap_socket(plain, server_hostname="127.0.0.1")
                return
            with client.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                assert secured.version() == version.name.replace("_", ".") and secured.compression() is None


def test_plain_http_to_the_secure_port_is_sent_to_https_at_once(tmp_path: Path) -> None:
    with running(tmp_path, url="https://alur.example") as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("GET", "/masuk?sandi=x")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (308, "https://alur.example/") and answer.read() == b""


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 600, b"\x16\x03\x01\xff\xff" + b"a" * 600, os.urandom(900)])
def test_rubbish_is_no_reason_to_stop(tmp_path: Path, rubbish: bytes) -> None:
    with running(tmp_path) as (port, own):
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain:
                plain.sendall(rubbish)
        assert ask(port, own, b"still").read() == b"still"


def test_those_who_say_nothing_keep_nobody_waiting(tmp_path: Path) -> None:
    with running(tmp_path, threads=2) as (port, own):
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(30)]
        for one in silent[:10]:
            one.sendall(b"\x16\x03\x01\x02\x00")        # a handshake that is begun and not gone on with
        half = []
        for _ in range(10):                             # and requests that are begun by people who were let in
            half.append(trusting(own).wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                                  server_hostname="127.0.0.1"))
            half[-1].sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc")
        before = time.monotonic()
        assert ask(port, own, b"quick").read() == b"quick"
        assert time.monotonic() - before < 5
        for one in [*silent, *half]:
            one.close()


@pytest.mark.parametrize("tls", [False, True])
def test_who_sends_a_request_drop_by_drop_is_sent_away(
    tmp_path: Path, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.6)
    with running(tmp_path, tls) as (port, own):
        for begun in (b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"):
            client: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
            if tls:
                client = trusting(own).wrap_socket(client, server_hostname="127.0.0.1")
            client.sendall(begun)
            sent, end = 0, time.monotonic() + SECONDS
            with pytest.raises(OSError):
                while time.monotonic() < end:
                    client.sendall(b"a")
                    sent += 1
                    time.sleep(0.05)
            assert sent < 200
            client.close()


def test_a_slow_line_that_goes_on_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.3)
    with running(tmp_path) as (port, own):
        client = trusting(own).wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=SECONDS),
                                           server_hostname="127.0.0.1")
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 30000\r\nConnection: close\r\n\r\n")
        for _ in range(10):
            client.sendall(b"a" * 3_000)
            time.sleep(0.1)
        answer = b""
        while some := client.recv(65_536):
            answer += some
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"a" * 30_000)


def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as (port, own), socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain:
        client = trusting(own).wrap_socket(plain, server_hostname="127.0.0.1")
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n")
        assert client.recv(12).startswith(b"HTTP/1.1 413")


# The program


def test_plain_http_beyond_this_machine_is_refused_unless_it_is_meant() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "alur.example", ""):
        with pytest.raises(Unavailable, match="without https"):
            serve.refuse_plain(Settings(host=host))
        serve.refuse_plain(Settings(host=host, plain_http=True))
        serve.refuse_plain(Settings(host=host, tls=True))
        serve.refuse_plain(Settings(host=host, url="https://alur.example"))
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        serve.refuse_plain(Settings(host=host))


def test_the_program_refuses_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "engine", "web", "--host", "0.0.0.0", "--port", "0"],
                          cwd=bootstrap.ROOT, env={**clean(), "ALUR_DATA_DIR": str(tmp_path)},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "without https" in done.stderr and "Traceback" not in done.stderr


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ALUR_")}


@pytest.mark.database
def test_alur_serve_with_tls_prints_its_fingerprint_and_gives_the_strict_cookie(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "serve", "--tls", "--port", str(port)], cwd=bootstrap.ROOT, text=True,
        env={**clean(), "ALUR_DATA_DIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout
        lines: list[str] = []
        while "Ctrl+C" not in "".join(lines):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        context = ssl.create_default_context(cafile=str(tmp_path / "keys" / "https.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=context)
        connection.request("GET", "/masuk")
        answer = connection.getresponse()
        assert answer.status == 200 and "max-age=" in answer.headers["Strict-Transport-Security"]
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-") and "Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie
        assert connection.sock is not None
        der = connection.sock.getpeercert(binary_form=True)
        assert der is not None
        assert sha256(der).hexdigest().upper() in "".join(lines).replace(":", "")
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


# Many at once


def posted(port: int, size: int) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("POST", "/", b"x" * size)
    return connection.getresponse()


def test_large_requests_are_read_as_long_as_there_is_room_for_all_of_them(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "spool", serve.Spool(3_000_000))
    with running(tmp_path, tls=False) as (port, _):
        for _ in range(3):              # one after the other there is room for any number
            assert len(posted(port, 2_500_000).read()) == 2_500_000
            until(lambda: serve.spool.kept == 0)
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2500000\r\n\r\n" + b"x" * 2_400_000)
            until(lambda: serve.spool.kept == 2_400_000)
            refused = posted(port, 1_400_000)
            said = refused.read().decode()
            assert refused.status == 503 and refused.headers["Retry-After"] == "60"
            assert 'lang="id"' in said and "isian Anda masih ada di\nsana" in said
            assert posted(port, 900_000).status == 200          # a form without a large file
        until(lambda: serve.spool.kept == 0)                    # they went away in the middle of it
        assert len(posted(port, 2_500_000).read()) == 2_500_000
    assert serve.spool.kept == 0


@pytest.mark.parametrize("tls", [False, True])
def test_a_large_request_that_is_cut_off_leaves_no_file_open(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    monkeypatch.setattr(serve, "spool", serve.Spool(10_000_000))
    monkeypatch.setattr(serve, "DRAIN_SECONDS", 0.1)
    left: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2500000\r\n\r\n"
    with warnings.catch_warnings(), ExitStack() as clients:
        warnings.simplefilter("error", ResourceWarning)
        with running(tmp_path, tls=tls) as (port, own):
            for n in (1, 2):
                one: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
                if own:
                    one = trusting(own).wrap_socket(one, server_hostname="localhost")
                clients.callback(one.close)
                one.sendall(head + b"x" * 2_000_000)
                until(lambda kept=n * 2_000_000: serve.spool.kept == kept)  # type: ignore[misc]
            one.close()
            until(lambda: serve.spool.kept == 2_000_000)        # one went away, one is there when the server stops
        gc.collect()
    assert left == [] and serve.spool.kept == 0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
