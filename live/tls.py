"""TLS at the doors, from files in PEM: who we are, whom we let in, and what both must be able to speak."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import msgspec

from core.config import Section
from core.errors import InputError
from core.faults import Fault, KeyPath

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_REASONS: Final = {
    "KEY_VALUES_MISMATCH": "the key is not that of the certificate",
    "NO_CERTIFICATE_OR_CRL_FOUND": "there is no certificate in it",
}


class CertSection(Section, frozen=True, kw_only=True):
    """A certificate with its chain, and its key, not encrypted. Paths are relative to the file that has them."""

    cert: str
    key: str


class TlsSection(CertSection, frozen=True, kw_only=True):
    """How a door speaks TLS."""

    min_version: Literal["1.2", "1.3"] = "1.2"
    ciphers: str = ""
    """For TLS 1.2, as OpenSSL lists them; those of 1.3 are all good. Empty is OpenSSL's choice."""
    client_ca: str = ""
    """Who signs the certificates that clients must have. Empty asks for none."""
    clients: tuple[str, ...] = ()
    """Their names, the CN or a DNS name of the certificate; empty takes all that `client_ca` has signed."""
    logons: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """By the name of a certificate, the CompIDs that it may log on as; without an entry, its name alone."""
    names: dict[str, CertSection] = msgspec.field(default_factory=dict)
    """Other certificates, by the name that a client asks for (SNI)."""


class ServerTls(NamedTuple):
    """What a door needs to know."""

    context: ssl.SSLContext
    clients: tuple[str, ...] = ()
    logons: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    certified: bool = False
    """Whether clients must have a certificate, and so may log on as nobody but whom it names."""

    def stranger(self, transport: asyncio.Transport) -> str:
        """The name on a client's certificate when it is not one of `clients`; empty when it may come in."""
        if not self.clients:
            return ""
        names = names_of(transport)
        return "" if set(names) & set(self.clients) else ", ".join(names) or "a certificate without a name"

    def comp_ids(self, transport: asyncio.Transport) -> frozenset[str]:
        """Whom a client may log on as, by its certificate."""
        return frozenset(comp_id for name in names_of(transport) for comp_id in self.logons.get(name, (name,)))


class ClientTls(NamedTuple):
    """What an initiator needs to know. `server_name` is what the certificate must be for; empty is the host dialled."""

    context: ssl.SSLContext
    server_name: str = ""


def tls_faults(section: TlsSection, folder: Path) -> Iterator[Fault]:
    """Everything that is wrong with a section, by the path of its key in it."""
    for name, shown in {"": section, **section.names}.items():
        yield from _shown_faults(shown, folder, ("names", name) if name else ())
    if section.ciphers and (fault := _failure(_choose_ciphers, _context(), section.ciphers)):
        yield Fault(("ciphers",), fault.message, fault.hint)
    if section.client_ca and (fault := _failure(_trust, _context(), folder / section.client_ca)):
        yield Fault(("client_ca",), fault.message, fault.hint)
    for key in ("clients", "logons"):
        if getattr(section, key) and not section.client_ca:
            yield Fault((key,), "names need `client_ca`, which vouches for them")


def server_tls(section: TlsSection, folder: Path) -> ServerTls:
    """What the section describes, which has no `tls_faults`. Raises InputError that names the file at fault."""
    context = _server_context(section, section, folder)
    others = {name.lower(): _server_context(section, each, folder) for name, each in section.names.items()}

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        if name and name.lower() in others:
            connection.context = others[name.lower()]

    context.sni_callback = choose
    return ServerTls(context, section.clients, section.logons, certified=bool(section.client_ca))


def client_tls(ca: Path | None, cert: Path | None, key: Path | None, server_name: str = "") -> ClientTls:
    """TLS towards a server that `ca` vouches for (the system's authorities without it). Raises InputError."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _trust(context, ca)
    if cert is not None:
        _show(context, cert, key or cert)
    return ClientTls(context, server_name)


def _server_context(section: TlsSection, shown: CertSection, folder: Path) -> ssl.SSLContext:
    context = _context()
    context.minimum_version = _VERSIONS[section.min_version]
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    if section.ciphers:
        _choose_ciphers(context, section.ciphers)
    _show(context, folder / shown.cert, folder / shown.key)
    if section.client_ca:
        _trust(context, folder / section.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def _failure(load: Callable[..., None], *what: object) -> InputError | None:
    try:
        load(*what)
    except InputError as error:
        return error
    return None


def _shown_faults(shown: CertSection, folder: Path, path: KeyPath) -> Iterator[Fault]:
    """Of a certificate and its key: each file that cannot be read, or else what is wrong with the pair."""
    is_read = True
    for key in ("cert", "key"):
        if fault := _failure(_check_readable, folder / getattr(shown, key)):
            is_read = False
            yield Fault((*path, key), fault.message, fault.hint)
    if is_read and (fault := _failure(_show, _context(), folder / shown.cert, folder / shown.key)):
        yield Fault((*path, "cert"), fault.message, fault.hint)


def _choose_ciphers(context: ssl.SSLContext, ciphers: str) -> None:
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        hint = "`openssl ciphers -v` lists those that there are"
        raise InputError(f'OpenSSL knows none of "{ciphers}"', hint) from None


def _show(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    for path in (cert, key):
        _check_readable(path)
    try:
        context.load_cert_chain(cert, key, password=str)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", "") or ""
        why = _REASONS.get(reason, "not a certificate and its key in PEM, without a password")
        raise InputError(f"{cert} and {key}: {why}") from None


def _trust(context: ssl.SSLContext, ca: Path) -> None:
    _check_readable(ca)
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as error:
        raise InputError(f"{ca}: {_REASONS.get(error.reason, 'not certificates in PEM')}") from None


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def names_of(transport: asyncio.Transport) -> list[str]:
    """The names on a peer's certificate, which an authority of ours has signed: its CN and its DNS names."""
    certificate: dict[str, Any] = transport.get_extra_info("peercert") or {}
    common = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return common + [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
