"""The file that `romer-live serve` reads: a venue, where it listens, and where its journal goes.

    [venue]      core.config.VenueConfig; each solver's token is a reference to a secret, each dictionary a file
    [listen]     addresses, `host:port`, and who may come in
    [journal]    folder and sync policy
    [drain]      how long what is open may take to end after SIGTERM
    [observe]    where metrics, health and sessions are served
    [signer]     the key that blocks are signed with; without it, none are
    [admin]      the token of those who may operate sessions

Paths are relative to the file. `read` finds every problem of a file at once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.checks import above_zero, number_faults, problems
from core.config import Count, Duration, Section, VenueConfig, decode_custom
from core.errors import InputError
from core.faults import Fault, KeyPath, dotted, one_line, unknown
from core.reading import Reading
from core.solver.protocol import Door
from core.units import SECOND
from live.admin.token import admin_token
from live.credentials import HOW, Secret, proof_of, refuse_open
from live.doors import Guard
from live.fix_venue import with_dictionaries, with_zones
from live.journal.policy import SyncPolicy
from live.keys import SecretKey, load_key
from live.opening import JournalSection
from live.ports import unresolved
from live.tls import TlsSection, server_tls, tls_faults

DOORS: Final = {
    "fix": ("fix", ""),
    "orders": ("solvers", Door.ORDERS),
    "bids": ("solvers", Door.BIDS),
    "claims": ("solvers", Door.CLAIMS),
}
"""By key of [listen], the component that listens there and what it calls the door."""
APP_MESSAGES_PER_SECOND_MAX: Final = 1_000
"""Of a member of whom the file says nothing else."""
_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s\[\]:]+)):(?P<port>[0-9]{1,5})")


class ListenSection(Section, frozen=True, kw_only=True):
    """Where the venue's doors are, and who may come in. Port 0 takes any free one."""

    fix: str = "127.0.0.1:9876"
    orders: str = "127.0.0.1:8080"
    bids: str = "127.0.0.1:8081"
    claims: str = "127.0.0.1:8082"
    allow: tuple[str, ...] = ()
    """Networks such as "10.0.0.0/8"; empty is everybody."""
    per_address_max: Count = 256
    """Connections of one address to one door."""
    handshake_timeout: Duration = Duration(10 * SECOND)
    tls: TlsSection | None = None
    """Of the FIX acceptor; without it, it speaks plain TCP."""


class DrainSection(Section, frozen=True, kw_only=True):
    """`deadline` is for running auctions, `goodbye` for logouts after that."""

    deadline: Duration = Duration(10 * SECOND)
    goodbye: Duration = Duration(SECOND)


class ObserveSection(Section, frozen=True, kw_only=True):
    """`http` serves /metrics, /healthz, /readyz and /sessions; empty serves none."""

    http: str = "127.0.0.1:9464"


class AdminSection(Section, frozen=True, kw_only=True):
    """Who may operate sessions: those who know `token`. Without one, the venue makes one for its journal's folder."""

    token: Secret | None = None


class SignerSection(Section, frozen=True, kw_only=True):
    """The key file of the venue, as `romer-live keys new` writes it, and its passphrase if it is sealed."""

    key: str
    passphrase: Secret | None = None

    def load(self, folder: Path) -> SecretKey:
        """The key. Raises InputError for one that cannot be had, and for files that others may read."""
        return load_key(folder / self.key, self.read_passphrase(folder))

    def read_passphrase(self, folder: Path) -> str:
        """The passphrase; empty where none is spoken of. Raises InputError for one that cannot be had, too."""
        if self.passphrase is None:
            return ""
        if self.passphrase.file is not None:
            refuse_open(folder / self.passphrase.file)
        return self.passphrase.read(folder)


class VenueFile(Section, frozen=True, kw_only=True):
    """The whole file, with the hashes of the tokens in place of where the tokens are."""

    venue: VenueConfig
    listen: ListenSection = ListenSection()
    journal: JournalSection = JournalSection()
    drain: DrainSection = DrainSection()
    observe: ObserveSection = ObserveSection()
    signer: SignerSection | None = None
    admin: AdminSection = AdminSection()


class _WithToken(Section, frozen=True, kw_only=True):
    token: Secret


class Address(NamedTuple):
    """A host and a port."""

    host: str
    port: int

    def next(self, count: int) -> Address:
        """The port so many further."""
        return Address(self.host, self.port + count)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read `host:port` or `[v6]:port`. Raises ValueError saying what was expected."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) >= 1 << 16:
        raise ValueError(f'expected an address such as "127.0.0.1:9876" or "[::1]:9876", got "{text}"')
    return Address(match["v6"] or match["host"], int(match["port"]))


def guard_of(file: VenueFile, door: str, folder: Path, sockets_max: int) -> Guard:
    """Who may come in by a door. Raises InputError for a certificate that cannot be used."""
    listen = file.listen
    return Guard(
        sockets_max=sockets_max,
        allow=tuple(ip_network(text) for text in listen.allow),
        per_address_max=listen.per_address_max,
        tls=server_tls(listen.tls, folder) if listen.tls is not None and door == "fix" else None,
        handshake_seconds=listen.handshake_timeout / SECOND,
        logon_bytes_max=file.venue.fix.message_bytes_max,
    )


def load(path: Path) -> VenueFile:
    """A file that can be served. Raises InputError with a line for everything that is wrong with it."""
    file, problems = read(path)
    if problems:
        raise InputError("\n".join(f"{path}: {problem}" for problem in problems))
    return file


def read(path: Path) -> tuple[VenueFile, list[str]]:
    """The file, and everything that is wrong with it; with nothing wrong it can be served. Raises InputError."""
    return judge(_read_toml(path), path.parent)


def judge(data: dict[str, Any], folder: Path) -> tuple[VenueFile, list[str]]:
    """The same of what a file in `folder` says, which is filled in on the way."""
    filled_in = [*_with_proofs(data, folder), *with_dictionaries(data, folder), *with_zones(data)]
    filled_in += _with_signer(data, folder)
    _with_throttle(data)
    reading = Reading(data, VenueFile, decode_custom)
    news = [fault for fault in _faults(reading.value, folder) if reading.is_news(fault)]
    return reading.value, [_line(fault) for fault in (*filled_in, *reading.faults, *news)]


def _line(fault: Fault) -> str:
    hint = f" ({fault.hint})" if fault.hint else ""
    return one_line(": ".join(filter(None, (dotted(fault.path), fault.problem + hint))))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not TOML: {one_line(str(error))}") from None


def _with_proofs(data: dict[str, Any], folder: Path) -> Iterator[Fault]:
    """Put the hash of each solver's token where its reference is, and find the references that lead to none."""
    venue = data.get("venue")
    solvers = venue.get("solvers") if isinstance(venue, dict) else None
    for index, solver in enumerate(solvers if isinstance(solvers, list) else ()):
        if isinstance(solver, dict) and "token" in solver:
            path: KeyPath = ("venue", "solvers", index, "token")
            token, faults = _token(solver["token"], path, folder)
            solver["token"] = proof_of(token or str(index))
            yield from faults


def _with_signer(data: dict[str, Any], folder: Path) -> Iterator[Fault]:
    """Tell the venue the public half of the key that its blocks are signed with."""
    venue = data.get("venue")
    if "signer" not in data or not isinstance(venue, dict):
        return
    venue.pop("signer", None)
    reading = Reading(data["signer"], SignerSection, decode_custom) if isinstance(data["signer"], dict) else None
    if reading is None or reading.faults:
        return  # the whole file says why
    key = "passphrase"
    try:
        reading.value.read_passphrase(folder)
        key = "key"
        venue["signer"] = reading.value.load(folder).public_key.hex()
    except InputError as error:
        yield Fault(("signer", key), error.message, error.hint)


def _with_throttle(data: dict[str, Any]) -> None:
    """Let no member send without limit whom nobody has said may: a flood of one is a delay for all."""
    here: Any = data
    for key in ("venue", "fix", "session"):
        here = here.setdefault(key, {}) if key != "venue" else here.get(key)
        if not isinstance(here, dict):
            return
    here.setdefault("app_messages_per_second_max", APP_MESSAGES_PER_SECOND_MAX)


def _token(reference: object, path: KeyPath, folder: Path) -> tuple[str, list[Fault]]:
    if not isinstance(reference, dict):
        return "", [Fault(path, "a secret may not stand in the file", HOW)]
    reading = Reading({"token": reference}, _WithToken, decode_custom)
    if reading.faults:
        return "", [Fault((*path[:-1], *fault.path), fault.problem, fault.hint) for fault in reading.faults]
    try:
        return reading.value.token.read(folder), []
    except InputError as error:
        return "", [Fault(path, error.message, error.hint)]


def _faults(file: VenueFile, folder: Path) -> Iterator[Fault]:
    """What is wrong with keys that are each of their type."""
    for path, problem, hint, others in problems(file.venue):
        yield Fault(("venue", *path), problem, hint, tuple(("venue", *other) for other in others))
    for name in ("drain", "journal", "listen"):
        for path, problem, hint, _ in number_faults(getattr(file, name)):
            yield Fault((name, *path), problem, hint)
    try:
        SyncPolicy.parse(file.journal.sync)
    except InputError as error:
        yield Fault(("journal", "sync"), error.message, error.hint)
    if file.admin.token is not None:
        try:
            admin_token(file.admin.token, folder, folder)
        except InputError as error:
            yield Fault(("admin", "token"), error.message, error.hint)
    yield from _address_faults(file)
    yield from _guard_faults(file.listen, folder)
    yield from _logon_faults(file)


def _guard_faults(listen: ListenSection, folder: Path) -> Iterator[Fault]:
    yield from above_zero(("listen", "handshake_timeout"), listen.handshake_timeout)
    for index, text in enumerate(listen.allow):
        try:
            ip_network(text)
        except ValueError as error:
            yield Fault(("listen", "allow", index), f"expected a network such as 10.0.0.0/8: {error}")
    if listen.tls is not None:
        for path, problem, hint, _ in tls_faults(listen.tls, folder):
            yield Fault(("listen", "tls", *path), problem, hint)


def _logon_faults(file: VenueFile) -> Iterator[Fault]:
    """Certificates for CompIDs that no member has."""
    comp_ids = [member.session.target_comp_id or member.id for member in file.venue.members]
    for name, wanted in (file.listen.tls.logons if file.listen.tls is not None else {}).items():
        for index, comp_id in enumerate(wanted):
            if comp_id not in comp_ids:
                yield unknown(("listen", "tls", "logons", name, index), "member with the CompID", comp_id, comp_ids)


def _address_faults(file: VenueFile) -> Iterator[Fault]:
    taken: dict[Address, KeyPath] = {}
    for path, text in addresses(file).items():
        try:
            address = parse_address(text)
        except ValueError as error:
            yield Fault(path, str(error))
            continue
        if problem := unresolved(address.host):
            yield Fault(path, problem, "name an address of this machine")
        if address.port and address in taken:
            yield Fault(path, f"{text} is {dotted(taken[address])} too", others=(taken[address],))
        taken[address] = path


def addresses(file: VenueFile) -> dict[KeyPath, str]:
    """Where it listens, by the path of the key."""
    texts: dict[KeyPath, str] = {("listen", door): getattr(file.listen, door) for door in DOORS}
    return texts | ({("observe", "http"): file.observe.http} if file.observe.http else {})
