"""The checks of signatures that take milliseconds: problems that a component hands out, and what comes back.

They are pure and know nothing of the registry, so a worker solves them while the node goes on (`Compute`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from core.errors import KeyRefused
from core.identity.bls import BLS
from core.identity.scheme import Scheme
from core.kernel.record import Record


class CheckSignature(Record, frozen=True):
    """By which of `public_keys`, all of them good ones, is `signature` of `message`? All are tried, whatever is found,
    so that the time it takes tells nothing.
    """

    public_keys: tuple[bytes, ...]
    message: bytes
    signature: bytes


class SignatureChecked(Record, frozen=True):
    """Its places in `public_keys`. `malformed` says why it is no signature at all; empty if it is one."""

    signers: tuple[int, ...]
    malformed: str = ""


class CheckPossession(Record, frozen=True):
    """Does `proof` show that whoever offers the key has its secret?"""

    public_key: bytes
    proof: bytes


class PossessionChecked(Record, frozen=True):
    """Whether it does. `malformed` says what is wrong with key or proof that are none; empty if both are."""

    proven: bool
    malformed: str = ""


class CheckOrders(Record, frozen=True):
    """Are all of these signed as they say? The public keys are good ones, and proven."""

    signed: tuple[Signed, ...]


class OrdersChecked(Record, frozen=True):
    """The places of those that are not. None where all is well."""

    culprits: tuple[int, ...]


class CheckBlock(Record, frozen=True):
    """The same of what several have signed, in a bounded time: if something is wrong no more than all of it a second
    time, a pairing more for each key, and `_SINGLY_MAX` messages one by one. That is twice as long as where all is well
    for few keys with many messages each, and up to four times for keys with no more than one or two.
    """

    signed: tuple[Signed, ...]


class BlockChecked(Record, frozen=True):
    """The places of those that are not, as far as they are found without much ado; and the places of the other keys at
    fault, all that each has, among which there are such ones.
    """

    culprits: tuple[int, ...]
    suspects: tuple[int, ...] = ()


Check: TypeAlias = CheckSignature | CheckPossession | CheckOrders | CheckBlock
Checked: TypeAlias = SignatureChecked | PossessionChecked | OrdersChecked | BlockChecked
Signed: TypeAlias = tuple[bytes, bytes, bytes]
"""A public key, a message, and the signature that should be the key's, of the message."""


_FEW: Final = 8
"""Of so many each is verified, as halving on would take no less."""
_SINGLY_MAX: Final = 16
"""Messages of a block that are verified on their own, of keys that have several."""
_CULPRITS_OF_KEY: Final = 4
"""A key that has so many of them has more: halving on would take longer than to verify the rest one by one."""


def check(problem: Check) -> Checked:
    """Solve one of them. Never raises for what peers have sent."""
    return _CHECKS[type(problem)](problem)


def culprits(signed: Sequence[Signed], scheme: Scheme[Any, Any] = BLS) -> tuple[int, ...]:
    """The places of what is not signed by its key, or not signed at all.

    One aggregate check says that there is none. If it fails, one of each key says which keys are at fault, and halving
    finds their culprits, a single one at about three times that cost. Of a key that has several the rest is verified
    one by one: who signs badly throughout costs little more than to verify each of its signatures once.
    """
    found: list[int] = []
    for places in _at_fault(signed, scheme):
        found += _culprits_of_key(signed, places, scheme)
    return tuple(sorted(found))


def suspects(signed: Sequence[Signed], scheme: Scheme[Any, Any] = BLS) -> BlockChecked:
    """The same, but of keys at fault that have many messages none is named, and all are suspected: what is verified
    one by one of keys with several are `_SINGLY_MAX` at most. The message of a key that has no other was verified with
    its key.
    """
    found: list[int] = []
    suspected: list[int] = []
    singly = 0
    for places in _at_fault(signed, scheme):
        if len(places) == 1 or singly + len(places) <= _SINGLY_MAX:
            singly += len(places)
            found += _culprits_of_key(signed, places, scheme)
        else:
            suspected += places
    return BlockChecked(tuple(sorted(found)), tuple(sorted(suspected)))


def _at_fault(signed: Sequence[Signed], scheme: Scheme[Any, Any]) -> list[list[int]]:
    """Of the places of each key those that do not hold together."""
    if not signed or _all_hold(signed, range(len(signed)), scheme):
        return []
    of_key: dict[bytes, list[int]] = {}
    for place, (public_key, _, _) in enumerate(signed):
        of_key.setdefault(public_key, []).append(place)
    if len(of_key) == 1:
        return list(of_key.values())
    return [places for places in of_key.values() if not _all_hold(signed, places, scheme)]


def _culprits_of_key(signed: Sequence[Signed], places: Sequence[int], scheme: Scheme[Any, Any]) -> list[int]:
    """The culprits among the places of a key, of which there is one for certain."""
    found: list[int] = []
    parts = [(places, True)]
    while parts:
        part, has_one = parts.pop()
        if not has_one and len(found) < _CULPRITS_OF_KEY and len(part) > _FEW and _all_hold(signed, part, scheme):
            continue
        if len(part) <= _FEW or len(found) >= _CULPRITS_OF_KEY:
            is_it = has_one and len(part) == 1
            found += [place for place in part if is_it or not _all_hold(signed, [place], scheme)]
            continue
        middle = len(part) // 2
        left, right = part[:middle], part[middle:]
        left_holds = _all_hold(signed, left, scheme)
        parts.append((right, left_holds))
        if not left_holds:
            parts.append((left, True))
    return found


def _all_hold(signed: Sequence[Signed], places: Sequence[int], scheme: Scheme[Any, Any]) -> bool:
    public_keys, messages, signatures = zip(*(signed[place] for place in places), strict=True)
    try:
        return scheme.aggregate_verify(public_keys, messages, scheme.aggregate(signatures))
    except KeyRefused:
        return False


def _check_signature(problem: CheckSignature) -> SignatureChecked:
    try:
        holds = [BLS.verify(key, problem.message, problem.signature) for key in problem.public_keys]
    except KeyRefused as error:
        return SignatureChecked((), str(error))
    return SignatureChecked(tuple(place for place, held in enumerate(holds) if held))


def _check_possession(problem: CheckPossession) -> PossessionChecked:
    try:
        return PossessionChecked(BLS.verify_possession(problem.public_key, problem.proof))
    except KeyRefused as error:
        return PossessionChecked(False, str(error))


_CHECKS: Final[dict[type[Record], Callable[[Any], Checked]]] = {
    CheckSignature: _check_signature,
    CheckPossession: _check_possession,
    CheckOrders: lambda problem: OrdersChecked(culprits(problem.signed)),
    CheckBlock: lambda problem: suspects(problem.signed),
}
