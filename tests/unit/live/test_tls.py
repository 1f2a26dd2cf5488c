"""TLS at a door and towards one: who is let in, what both must speak, and what a bad file is told to be."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from core.faults import dotted
from core.fix.codec import encode
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Connect, Connected, Disconnected, Record, Start, Transmit
from core.units import Nanos
from live.clock import wall_clock
from live.doors import ConnectionRefused, Guard
from live.driver import LiveNode
from live.tls import CertSection, ClientTls, TlsSection, client_tls, server_tls, tls_faults
from tests.helpers.actors import Actor
from tests.helpers.toys import Server


class Files:
    """Certificates of one authority, as files in PEM."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, trustme.CA()
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    def issue(self, name: str, *names: str, **more: Any) -> CertSection:
        """`name`.pem and `name`.key."""
        leaf = self.authority.issue_cert(*names, **more)
        leaf.private_key_pem.write_to_path(str(self.folder / f"{name}.key"))
        (self.folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return CertSection(cert=f"{name}.pem", key=f"{name}.key")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.issue("venue", "localhost", "127.0.0.1")
    made.issue("mm1", common_name="MM1")
    made.issue("mm2", "mm2.example", common_name="MM2")
    return made


def section(**more: Any) -> TlsSection:
    return TlsSection(cert="venue.pem", key="venue.key", **more)


def answered(files: Files, served: TlsSection, dial: Callable[[int], Any]) -> tuple[Any, list[Record]]:
    """What comes of dialling an echo behind TLS, and the facts that its sockets state."""

    async def script() -> tuple[Any, list[Record]]:
        facts: list[Record] = []
        server = Server()
        node = LiveNode(Kernel("node", [server]), clock=wall_clock(), on_note=lambda *note: facts.append(note[3]))
        guard = Guard(tls=server_tls(served, files.folder), handshake_seconds=0.5)
        port = await node.listen("127.0.0.1", 0, "server", guard=guard)
        running = asyncio.create_task(node.run())
        try:
            async with asyncio.timeout(10):
                return await dial(port), facts
        finally:
            node.stop()
            await running

    return asyncio.run(script())


def client(files: Files, name: str = "", **settings: Any) -> Callable[[int], Any]:
    """Say hello, and give what comes back and how the connection speaks; or the name of the error."""

    async def dial(port: int) -> tuple[bytes, str, str] | str:
        context = client_tls(
            files.folder / "ca.pem",
            files.folder / f"{name}.pem" if name else None,
            files.folder / f"{name}.key" if name else None,
        ).context
        for key, value in settings.items():
            setattr(context, key, value)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(b"hello\n")
            said = await reader.readline()
            cipher, version, _ = writer.get_extra_info("cipher")
        except OSError as error:
            return type(error).__name__
        writer.close()
        return said, version, cipher

    return dial


def nothing_was_said(answer: Any) -> bool:
    """Of TLS 1.3 a client learns only after its own handshake that it is refused."""
    return isinstance(answer, str) or answer[0] == b""


def test_a_door_speaks_tls_1_3_unless_the_client_cannot(files: Files) -> None:
    said, version, _ = answered(files, section(), client(files))[0]
    assert (said, version) == (b"HELLO\n", "TLSv1.3")
    older = client(files, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert answered(files, section(), older)[0][:2] == (b"HELLO\n", "TLSv1.2")


def test_versions_and_ciphers_can_be_narrowed(files: Files) -> None:
    older = client(files, maximum_version=ssl.TLSVersion.TLSv1_2)
    refused, facts = answered(files, section(min_version="1.3"), older)
    assert nothing_was_said(refused)
    assert [fact.reason for fact in facts if isinstance(fact, ConnectionRefused)] == ["handshake_failed"]
    chosen = answered(files, section(ciphers="ECDHE-ECDSA-CHACHA20-POLY1305"), older)[0]
    assert chosen[2] == "ECDHE-ECDSA-CHACHA20-POLY1305"


def test_a_client_without_a_certificate_is_refused_where_one_is_asked_for(files: Files) -> None:
    served = section(client_ca="ca.pem")
    assert answered(files, served, client(files, "mm1"))[0][0] == b"HELLO\n"
    said, facts = answered(files, served, client(files))
    assert nothing_was_said(said)
    assert [fact.reason for fact in facts if isinstance(fact, ConnectionRefused)] == ["handshake_failed"]


@pytest.mark.parametrize("name", ["MM2", "mm2.example"])
def test_only_clients_on_the_list_are_let_in(name: str, files: Files) -> None:
    served = section(client_ca="ca.pem", clients=(name,))
    assert answered(files, served, client(files, "mm2"))[0][0] == b"HELLO\n"
    said, facts = answered(files, served, client(files, "mm1"))
    assert nothing_was_said(said)
    (fact,) = facts
    assert isinstance(fact, ConnectionRefused)
    assert (fact.reason, fact.detail) == ("client_name", "MM1")


def test_a_client_gets_the_certificate_of_the_name_that_it_asks_for(files: Files) -> None:
    served = section(names={"Other.example": files.issue("other", "other.example")})

    async def dial(port: int) -> list[str]:
        names = []
        for asked in ("other.example", "localhost"):
            context = client_tls(files.folder / "ca.pem", None, None).context
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=asked)
            names.append(writer.get_extra_info("peercert")["subjectAltName"][0][1])
            writer.close()
        return names

    assert answered(files, served, dial)[0] == ["other.example", "localhost"]


def test_silence_and_plain_text_where_tls_is_spoken_end_with_the_handshake(files: Files) -> None:
    async def dial(port: int) -> list[bytes]:
        said = []
        for data in (b"", b"8=FIX.4.2\x019=5\x0135=A\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            try:
                said.append(await reader.read())
            except ConnectionResetError:
                said.append(b"")
            writer.close()
        return said

    said, facts = answered(files, section(), dial)
    assert said[0] == b""
    assert [fact.reason for fact in facts if isinstance(fact, ConnectionRefused)] == ["handshake_failed"] * 2


class Dialler(Actor):
    """Says hello to a server, and notes what comes of it."""

    def __init__(self, address: str) -> None:
        super().__init__("dialler")
        self.address = address

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.emit(Connect("c", self.address))

    def _on_connected(self, _now: Nanos, event: Connected) -> None:
        self.emit(Transmit(event.conn, b"hello\n"))

    def _on_bytes(self, _now: Nanos, event: Bytes) -> None:
        self.seen(event.data.decode())

    def _on_disconnected(self, _now: Nanos, event: Disconnected) -> None:
        self.seen(event.reason)

    HANDLERS = {  # noqa: RUF012
        **Actor.IGNORED,
        Start: _on_start,
        Connected: _on_connected,
        Bytes: _on_bytes,
        Disconnected: _on_disconnected,
    }


@pytest.mark.parametrize(
    ("name", "said"), [("", "HELLO\n"), ("localhost", "HELLO\n"), ("elsewhere.example", "certificate verify failed")]
)
def test_a_node_that_dials_speaks_tls_and_checks_whom_it_has_reached(name: str, said: str, files: Files) -> None:
    async def dial(port: int) -> str:
        seen: asyncio.Queue[Any] = asyncio.Queue()
        tls = ClientTls(client_tls(files.folder / "ca.pem", None, None).context, name)
        kernel = Kernel("guest", [Dialler(f"127.0.0.1:{port}")])
        guest = LiveNode(kernel, clock=wall_clock(), on_note=lambda *note: seen.put_nowait(note[3]), tls=tls)
        running = asyncio.create_task(guest.run())
        what: str = (await seen.get()).what
        guest.stop()
        await running
        return what

    assert said in answered(files, section(), dial)[0]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_openssl_s_client_is_served(files: Files) -> None:
    async def dial(port: int) -> bytes:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(files.folder / "ca.pem")]
        process = await asyncio.create_subprocess_exec(
            *command, "-quiet", "-verify_return_error", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello\n")
        said = await process.stdout.readline()
        process.stdin.close()
        process.kill()
        await process.wait()
        return said

    assert answered(files, section(), dial)[0] == b"HELLO\n"


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"cert": "nowhere.pem"}, "cert", "cannot read {folder}/nowhere.pem: No such file or directory"),
        ({"key": "mm1.key"}, "cert", "{folder}/venue.pem and {folder}/mm1.key: the key is not that of the certificate"),
        (
            {"cert": "empty.pem"},
            "cert",
            "{folder}/empty.pem and {folder}/venue.key: not a certificate and its key in PEM",
        ),
        ({"client_ca": "nowhere.pem"}, "client_ca", "cannot read {folder}/nowhere.pem"),
        ({"client_ca": "empty.pem"}, "client_ca", "{folder}/empty.pem: there is no certificate in it"),
        ({"ciphers": "ROT13"}, "ciphers", 'OpenSSL knows none of "ROT13"'),
        ({"clients": ("MM1",)}, "clients", "names need `client_ca`"),
        ({"logons": {"desk": ("MM1",)}}, "logons", "names need `client_ca`"),
        (
            {"names": {"other": CertSection(cert="no.pem", key="mm1.key")}},
            "names.other.cert",
            "cannot read {folder}/no",
        ),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, Any], path: str, problem: str, files: Files) -> None:
    (files.folder / "empty.pem").write_text("")
    served = TlsSection(**{"cert": "venue.pem", "key": "venue.key", **changes})
    (fault,) = tls_faults(served, files.folder)
    assert dotted(fault.path) == path
    assert fault.problem.startswith(problem.format(folder=files.folder))


def test_everything_that_is_wrong_is_said_at_once(files: Files) -> None:
    served = TlsSection(
        cert="a.pem",
        key="b.key",
        ciphers="ROT13",
        client_ca="c.pem",
        names={"x": CertSection(cert="d.pem", key="e.key"), "y": CertSection(cert="mm1.pem", key="mm2.key")},
    )
    found = [dotted(fault.path) for fault in tls_faults(served, files.folder)]
    assert found == ["cert", "key", "names.x.cert", "names.x.key", "names.y.cert", "ciphers", "client_ca"]


def logon(comp_id: str) -> bytes:
    return encode(f"35=A\x0149={comp_id}\x0156=ROMER\x0134=1\x0198=0\x01108=30\x01".encode())


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize(
    ("name", "comp_id", "logons", "lets_in"),
    [
        ("mm1", "MM1", {}, True),
        ("mm2", "MM1", {}, False),
        ("mm2", "MM2", {}, True),
        ("mm2", "mm2.example", {}, True),
        ("mm2", "MM1", {"mm2.example": ("MM1", "MM3")}, True),
        ("mm2", "MM2", {"MM2": ("MM1",)}, False),
    ],
)
def test_a_certificate_is_for_logging_on_as_whom_it_names(
    name: str, comp_id: str, logons: dict[str, tuple[str, ...]], *, lets_in: bool, pieces: int, files: Files
) -> None:
    async def dial(port: int) -> str:
        context = client_tls(
            files.folder / "ca.pem", files.folder / f"{name}.pem", files.folder / f"{name}.key"
        ).context
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        data = logon(comp_id) + b"\n"
        for begin in range(0, len(data), -(-len(data) // pieces)):
            writer.write(data[begin : begin + -(-len(data) // pieces)])
            await asyncio.sleep(0.01)
        try:
            said = await reader.readline()
        except ConnectionResetError:
            said = b""
        writer.close()
        return said.decode()

    said, facts = answered(files, section(client_ca="ca.pem", logons=logons), dial)
    assert bool(said) is lets_in
    refused = [fact.detail for fact in facts if isinstance(fact, ConnectionRefused)]
    assert [f"logs on as '{comp_id}'" in detail for detail in refused] == [True] * (not lets_in)


def test_whoever_needs_no_certificate_may_log_on_as_anybody(files: Files) -> None:
    async def dial(port: int) -> bytes:
        context = client_tls(files.folder / "ca.pem", None, None).context
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(logon("MM1") + b"\n")
        said = await reader.readline()
        writer.close()
        return said

    assert answered(files, section(), dial)[0].startswith(b"8=FIX.4.2")
