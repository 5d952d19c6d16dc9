"""Mails against a real mail server: what arrives, what is tried again, and that none arrives twice."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine import __main__ as command_line
from engine import notify
from engine.bench import Office
from engine.calendars import five_days, next_opening
from engine.mail import Delayed, Mail, Mailer, Undeliverable, composed, mailer
from engine.notify import BACK_OFF, LEASE, Memory, deliver, summarise
from engine.settings import read, table
from engine.store import database as databases
from engine.store import notices, schema
from engine.store.database import Unavailable
from engine.store.notices import NOTHING, SUMMARY, Notice
from engine.worker import Worker
from tests.engine.test_notify import MOMENT, URL, at_step_2, at_step_3, begin, everything, tell, with_addresses
from tests.smtp import CUT_EARLY, CUT_LATE, SILENT, Post, served, wait_for

AT = datetime(2027, 2, 2, 3, 15, tzinfo=UTC)
MAIL = Mail(id="8e0c1f0e-1111-5222-8333-444455556666", to="tim1@lasem.example", subject="Pengingat: Langkah 3",
            body="Yth. Ketua Tim,\n\nRancangan akhir – “LKjPD” é.\n\nBuka tugas: https://alur.example/t", at=AT)


@pytest.fixture
def post() -> Iterator[Post]:
    with served() as found:
        yield found


def to(post: Post, timeout_seconds: float = 2.0) -> Mailer:
    found = mailer(f"smtp://127.0.0.1:{post.port}", "", "https://alur.example")
    return replace(found, timeout_seconds=timeout_seconds)


def send(post: Post, mail: Mail = MAIL, timeout_seconds: float = 2.0) -> None:
    with to(post, timeout_seconds).mailing() as mailing:
        mailing.send(mail)


# What arrives


def test_a_mail_arrives_as_plain_text_with_its_headers(post: Post) -> None:
    send(post)
    [one] = post.taken
    assert (one.sender, one.recipients) == ("alur@alur.example", ("tim1@lasem.example",))
    assert one.text == MAIL.body
    headers = one.message
    assert headers["Subject"] == MAIL.subject
    assert headers["From"] == "Alur <alur@alur.example>"
    assert headers["To"] == "tim1@lasem.example"
    assert headers["Message-ID"] == f"<{MAIL.id}@alur.example>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"].datetime == AT
    assert (headers.get_content_type(), headers.get_content_charset()) == ("text/plain", "utf-8")
    assert max(map(len, one.data.splitlines())) < 998
    assert one.data.isascii()


def test_a_line_of_one_dot_does_not_end_a_mail(post: Post) -> None:
    send(post, replace(MAIL, body="satu\n.\n..dua\n"))
    assert post.taken[0].text == "satu\n.\n..dua"


@pytest.mark.parametrize("subject", [
    "Tugas baru\r\nBcc: semua@lasem.example", "Tugas\nX-Jahat: ya\n\nisi lain", "Tugas \x00 \u2028 baru\r",
    "Satu " * 60, "Pengingat: é – “ü”"])
def test_no_text_makes_another_header(post: Post, subject: str) -> None:
    send(post, replace(MAIL, subject=subject))
    [one] = post.taken
    plain = composed(MAIL, to(post)).keys()
    assert one.message.keys() == plain
    assert one.recipients == ("tim1@lasem.example",)
    assert one.text == MAIL.body
    assert " ".join(one.message["Subject"].split()) == " ".join(
        "".join(c if c.isprintable() else " " for c in subject).split())


@pytest.mark.parametrize("address", ["", "tim1", "a@b\r\nBcc: c@d", "a b@c.d", "<a@b>", "a@b, c@d", "a@b\x00c"])
def test_what_is_no_address_gets_no_mail(post: Post, address: str) -> None:
    with pytest.raises(Undeliverable):
        send(post, replace(MAIL, to=address))
    assert post.taken == []


def test_a_batch_goes_over_one_line(post: Post) -> None:
    with to(post).mailing() as mailing:
        for number in range(3):
            mailing.send(replace(MAIL, id=f"id-{number}"))
    assert [one.message["Message-ID"] for one in post.taken] == [f"<id-{n}@alur.example>" for n in range(3)]


# What the server says


@pytest.mark.parametrize(("answer", "kind", "lost"), [
    ("450 nanti", Delayed, False), ("550 tidak ada", Undeliverable, None), ("421 tutup", Delayed, True),
    ("DATA 452 penuh", Delayed, False), ("DATA 554 ditolak", Undeliverable, None), (CUT_EARLY, Delayed, True),
    (CUT_LATE, Delayed, True)])
def test_what_the_server_says_decides(post: Post, answer: str, kind: type[Exception], lost: bool | None) -> None:
    post.script.append(answer)
    with to(post).mailing() as mailing:
        with pytest.raises(kind) as said:
            mailing.send(MAIL)
        assert getattr(said.value, "lost", None) is lost
        mailing.send(replace(MAIL, id="next"))          # the next mail goes, over a new line where that one ended
    assert post.taken[-1].message["Message-ID"] == "<next@alur.example>"


def test_a_server_that_says_nothing_is_not_waited_for_long(post: Post) -> None:
    post.script.append(SILENT)
    began = time.monotonic()
    with pytest.raises(Delayed):
        send(post, timeout_seconds=0.3)
    assert time.monotonic() - began < 5


def test_a_server_that_is_not_there_delays() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(Delayed) as said:
        send(Post(port=port))
    assert said.value.lost


# Under TLS, and with a name


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost with its key, which no authority knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256()))
    file = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()) + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_mail_goes_encrypted_and_with_a_name(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with served(tls=tls, from_the_start=scheme == "smtps", users={"alur": "s3:/@ rahasia"}) as post:
        url = f"{scheme}://alur:s3%3A%2F%40%20rahasia@localhost:{post.port}"
        with pytest.raises(Delayed, match=r"(?i)certificate"):       # nobody vouches for it
            send_by(mailer(url, "kecamatan@lasem.example", "https://alur.example"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send_by(mailer(url, "kecamatan@lasem.example", "https://alur.example"))
        [one] = post.taken
        assert (one.secure, one.user, one.sender) == (True, "alur", "kecamatan@lasem.example")
        with pytest.raises(Delayed):
            send_by(mailer(url, "", "https://alur.example", password="lain"))


def test_where_tls_is_asked_for_nothing_goes_without(post: Post) -> None:
    with pytest.raises(Delayed) as said:
        send_by(mailer(f"smtp+starttls://127.0.0.1:{post.port}", "", URL))
    assert said.value.lost
    assert post.taken == []


def send_by(one: Mailer) -> None:
    with one.mailing() as mailing:
        mailing.send(MAIL)


# Settings


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://mail:999999", "smtp://a/b"])
def test_what_is_no_mail_server_is_said_at_the_start(url: str) -> None:
    with pytest.raises(Unavailable, match="ALUR_SMTP_URL"):
        read({"ALUR_SMTP_URL": url})


@pytest.mark.parametrize("sender", ["alur", "a@b\r\nBcc: c@d", "alur@", "ü@lasem.example"])
def test_what_is_no_sender_is_said_at_the_start(sender: str) -> None:
    with pytest.raises(Unavailable, match="ALUR_MAIL_FROM"):
        read({"ALUR_SMTP_URL": "smtp://mail.example", "ALUR_MAIL_FROM": sender})


def test_the_password_comes_from_a_file_and_is_never_listed(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("rahasia\n")
    settings = read({"ALUR_SMTP_URL": "smtps://alur@mail.example", "ALUR_URL": URL,
                     "ALUR_SMTP_PASSWORD_FILE": str(tmp_path / "password")})
    found = settings.mailer()
    assert found is not None
    assert (found.user, found.password, found.port, found.sender) == ("alur", "rahasia", 465, "alur@alur.example")
    assert "rahasia" not in repr(found)
    listed = table(read({"ALUR_SMTP_URL": "smtp://alur:rahasia@mail.example"}))
    assert "rahasia" not in str(listed)
    assert "smtp://alur:***@mail.example" in str(listed)
    assert read({}).mailer() is None
    with pytest.raises(Unavailable, match="cannot be read"):
        read({"ALUR_SMTP_URL": "smtp://mail", "ALUR_SMTP_PASSWORD_FILE": str(tmp_path / "nothing")}).mailer()


def test_a_mail_server_is_tried_from_the_command_line(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALUR_DATA_DIR", str(tmp_path))
    assert command_line.main(["mail-test", "camat@lasem.example"]) == 1
    assert "ALUR_SMTP_URL" in capsys.readouterr().err
    monkeypatch.setenv("ALUR_SMTP_URL", f"smtp://127.0.0.1:{post.port}")
    monkeypatch.setenv("ALUR_MAIL_FROM", "kecamatan@lasem.example")
    assert command_line.main(["mail-test", "camat@lasem.example"]) == 0
    [one] = post.taken
    assert (one.sender, one.recipients) == ("kecamatan@lasem.example", ("camat@lasem.example",))
    post.script.append("550 tidak ada")
    assert command_line.main(["mail-test", "camat@lasem.example"]) == 1
    assert "550 tidak ada" in capsys.readouterr().err


@pytest.mark.database
def test_what_was_given_up_is_said_by_the_doctor_and_sent_again_by_command(
    sqlite_office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(sqlite_office, tmp_path / "alur.db")
    monkeypatch.setenv("ALUR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ALUR_SMTP_URL", "smtp://mail.example")
    database = databases.open_database(f"sqlite:///{tmp_path / 'alur.db'}", b"x" * 32)
    with database.begin() as db:
        at = databases.now(db)
        notices.put(db, [Notice(id=str(days), instance="", user_task=None, kind="lewat_batas", person="camat",
                                about_at=at, subject="Pengingat", body="Pengingat", mail="failed", tries=6,
                                created_at=at - timedelta(days=days)) for days in (1, 30)])
    command_line.main(["doctor"])
    assert "0 wait to be sent, 2 were given up, the last one " in capsys.readouterr().out
    assert command_line.main(["mail-retry"]) == 0
    assert "1 of them wait" in capsys.readouterr().out
    with database.read() as db:
        assert notices.mails(db, databases.now(db)) == (1, 1)
    database.close()


# From the notice to the mail


def states(office: Office) -> list[str]:
    return sorted(one.mail for one in everything(office))


def sent(office: Office, post: Post, at: datetime) -> int:
    return deliver(office.database, office.rules, to(post), at)


def test_a_notice_is_mailed_once_with_its_own_id(office: Office, post: Post) -> None:
    at_step_3(office)
    with_addresses(office, "tim1")
    at = office.at + MOMENT
    tell(office, at)
    assert [sent(office, post, at + timedelta(minutes=n)) for n in range(3)] == [1, 0, 0]
    [one] = [one for one in everything(office) if one.mail == "sent"]
    assert (one.person, one.sent_at, one.tries) == ("tim1", at, 1)
    [mail] = post.taken
    assert (mail.text, mail.message["Subject"]) == (one.body, one.subject)
    assert mail.message["Message-ID"] == f"<{one.id}@alur.example>"
    assert {one.mail for one in everything(office) if one.person == "tim2"} == {"none"}     # no address


def test_a_delayed_mail_is_tried_again_later_and_later_and_then_given_up(office: Office, post: Post) -> None:
    begin(office)
    with_addresses(office, "camat")
    at = next_opening(office.at + timedelta(hours=12), five_days())     # it is all over before the break
    tell(office, at)
    post.script += ["450 nanti"] * (len(BACK_OFF) + 1)
    for wait in BACK_OFF:
        assert sent(office, post, at) == 0
        assert states(office) == ["waits"]
        assert sent(office, post, at + wait - MOMENT) == 0      # not yet tried again
        at += wait
    assert len(post.script) == 1
    assert sent(office, post, at) == 0
    assert states(office) == ["failed"]
    assert post.taken == []
    with office.database.begin() as db:         # administrators see it, and may have it sent again
        [one] = notices.failed(db)
        assert (one.person, one.tries) == ("camat", len(BACK_OFF) + 1)
        assert notices.mails(db, at) == (0, 1)
        assert notices.try_again(db, [one.id], at) == 1
    assert sent(office, post, at) == 1


def test_a_mail_that_is_refused_for_good_is_not_tried_again(office: Office, post: Post) -> None:
    at_step_3(office)
    with_addresses(office, "tim1", "tim2")
    post.script.append("550 tidak ada")
    tell(office, office.at + MOMENT)
    assert sent(office, post, office.at + MOMENT) == 1      # the other one goes
    assert states(office) == ["failed", "sent"]
    assert sent(office, post, office.at + timedelta(hours=1)) == 0


def test_a_line_that_is_cut_leaves_the_mail_to_be_sent_again_as_the_same_mail(office: Office, post: Post) -> None:
    begin(office)
    with_addresses(office, "camat")
    tell(office, office.at + MOMENT)
    post.script += [CUT_EARLY, CUT_LATE]
    at = office.at + MOMENT
    assert sent(office, post, at) == 0
    assert post.taken == []
    at += BACK_OFF[0]
    assert sent(office, post, at) == 0          # it took it, and could not say so
    at += BACK_OFF[1]
    assert sent(office, post, at) == 1
    assert len({one.message["Message-ID"] for one in post.taken}) == 1
    assert sent(office, post, at + timedelta(hours=1)) == 0


def test_a_process_that_died_while_it_sent_leaves_the_mail_until_its_claim_has_run_out(
    office: Office, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(office)
    with_addresses(office, "camat")
    tell(office, office.at + MOMENT)
    at = office.at + MOMENT

    class Died(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(notify, "settle", die)
        with pytest.raises(Died):
            sent(office, post, at)
    assert len(post.taken) == 1
    assert sent(office, post, at + LEASE - MOMENT) == 0
    assert sent(office, post, at + LEASE) == 1
    assert len({one.message["Message-ID"] for one in post.taken}) == 1


def test_two_processes_send_each_mail_once(office: Office, post: Post) -> None:
    for year in range(2026, 2032):
        at_step_3(office, year)
    with_addresses(office, "tim1", "tim2")
    at = office.at + MOMENT
    tell(office, at)
    counts: list[int | Exception] = []
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait()
        try:
            counts.append(sent(office, post, at))
        except Exception as error:
            counts.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(count for count in counts if isinstance(count, int)) == len(post.taken) == 12, counts
    assert len({one.message["Message-ID"] for one in post.taken}) == 12


def test_no_transaction_waits_for_the_mail_server(office: Office, post: Post) -> None:
    id = begin(office)
    with_addresses(office, "camat")
    tell(office, office.at + MOMENT)
    post.script.append(SILENT)
    slow = replace(to(post), timeout_seconds=3.0)
    thread = threading.Thread(target=deliver, args=(office.database, office.rules, slow, office.at + MOMENT))
    thread.start()
    wait_for(lambda: not post.script)           # it is being waited for now
    began = time.monotonic()
    office.complete(id, "camat", arahan="Susun Tim Penyusun LKjPD.")
    assert time.monotonic() - began < 2
    assert thread.is_alive()
    thread.join(timeout=20)
    assert "waits" in states(office)


def test_mail_waits_for_working_hours(office: Office, post: Post) -> None:
    begin(office)
    with_addresses(office, "camat")
    tell(office, office.at + MOMENT)
    evening = office.at.replace(hour=11)
    assert sent(office, post, evening) == 0     # the server was away all day
    assert states(office) == ["digest"]
    morning = next_opening(evening, five_days()) + MOMENT
    assert summarise(office.database, office.rules, morning, URL) == 1
    assert sent(office, post, morning) == 1
    assert post.taken[0].message["Subject"].startswith("Ringkasan tugas, Kamis, 10 Desember 2026")


def test_who_left_or_wants_no_mail_any_more_gets_none(office: Office, post: Post) -> None:
    at_step_3(office)
    with_addresses(office, "tim1", "tim2")
    tell(office, office.at + MOMENT)
    with office.database.begin() as db:
        db.execute(schema.person.update().where(schema.person.c.id == "tim1").values(active=0))
        db.execute(schema.person.update().where(schema.person.c.id == "tim2").values(email=None))
    assert sent(office, post, office.at + MOMENT) == 0
    assert states(office) == ["none", "none"]
    assert post.taken == []


def test_what_waits_overnight_is_one_mail(office: Office, post: Post) -> None:
    for year in (2026, 2027):
        at_step_2(office, year)
    with_addresses(office, "sekcam", "camat")
    with office.database.begin() as db:
        notices.set_preference(db, "camat", NOTHING, office.at)
    evening = office.at.replace(hour=12)
    tell(office, evening)
    morning, memory = next_opening(evening, five_days()) + MOMENT, Memory()
    for minutes in (0, 1, 2, 60, 120):
        at = morning + timedelta(minutes=minutes)
        summarise(office.database, office.rules, at, URL, memory)
        sent(office, post, at)
    [one] = post.taken
    assert one.recipients == ("sekcam@lasem.example",)
    assert "Menunggu (2):" in one.text
    assert {one.mail for one in everything(office) if one.person == "sekcam"} == {"joined", "sent"}


def test_the_worker_tells_and_mails_and_a_dead_mail_server_delays_no_timer(office: Office, post: Post) -> None:
    """By the real clock: what is due fires and is told while the mail server says nothing."""
    office.at = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
    begin(office)
    with_addresses(office, "camat", "sekcam")
    with office.database.read() as db:
        at = databases.now(db)
    hours = five_days().hours(at.astimezone().date())
    post.script += [SILENT] * 50
    stop = threading.Event()
    worker = Worker(office.database, office.rules, poll_seconds=0.05, url=URL, mailer=to(post, timeout_seconds=1.0))
    thread = threading.Thread(target=worker.run, args=(stop,))
    began = time.monotonic()
    thread.start()
    wait_for(lambda: {one.kind for one in everything(office)} >= {"lewat_batas", "dua_kali"})
    assert time.monotonic() - began < 10
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert post.taken == []
    # Old matters, told in a first round: no mail of their own, at any hour.
    assert {one.mail for one in everything(office) if one.kind != "ringkasan"} <= {"digest", "joined"}, hours


def test_the_worker_goes_on_when_notices_cannot_be_made(office: Office) -> None:
    begin(office)
    with office.database.begin() as db:
        db.exec_driver_sql("ALTER TABLE notice RENAME TO gone")
    worker = Worker(office.database, office.rules, url=URL)
    assert worker.tell(office.at + MOMENT) == 0
    assert worker.fire_due(office.at + timedelta(days=2)) == 1
    assert Worker(office.database, office.rules).tell() == 0        # told nowhere to link to: nobody is told


def test_the_preference_reaches_the_mail(office: Office, post: Post) -> None:
    at_step_3(office)
    with_addresses(office, "tim1")
    with office.database.begin() as db:
        notices.set_preference(db, "tim1", SUMMARY, office.at)
    tell(office, office.at + MOMENT)
    assert sent(office, post, office.at + MOMENT) == 0
    morning = next_opening(office.at + timedelta(hours=9), five_days()) + MOMENT
    summarise(office.database, office.rules, morning, URL)
    assert sent(office, post, morning) == 1
