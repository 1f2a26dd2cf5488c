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
    """The places of those that are not. None for a block in which all is well."""

    culprits: tuple[int, ...]


Check: TypeAlias = CheckSignature | CheckPossession | CheckOrders
Checked: TypeAlias = SignatureChecked | PossessionChecked | OrdersChecked
Signed: TypeAlias = tuple[bytes, bytes, bytes]
"""A public key, a message, and the signature that should be the key's, of the message."""


_FEW: Final = 8
"""Of so many each is verified, as halving on would take no less."""


def check(problem: Check) -> Checked:
    """Solve one of them. Never raises for what peers have sent."""
    return _CHECKS[type(problem)](problem)


def culprits(signed: Sequence[Signed], scheme: Scheme[Any, Any] = BLS) -> tuple[int, ...]:
    """The places of what is not signed by its key, or not signed at all.

    One aggregate check says that there is none. If it fails, halving finds them, a single one at about three times
    that cost. The halves are by keys, so that who signs badly throughout is soon told from the others.
    """
    by_key = sorted(range(len(signed)), key=lambda place: signed[place][0])
    return tuple(sorted(_bisect(signed, by_key, scheme)))


def _bisect(
    signed: Sequence[Signed], places: Sequence[int], scheme: Scheme[Any, Any], *, has_one: bool = False
) -> list[int]:
    """The culprits among `places`, of which there is one for certain if a half was found good and the whole was not."""
    if not places or (not has_one and _all_hold(signed, places, scheme)):
        return []
    if len(places) == 1:
        return [places[0]]
    if len(places) <= _FEW:
        return [place for place in places if not _all_hold(signed, [place], scheme)]
    middle = len(places) // 2
    left = _bisect(signed, places[:middle], scheme)
    return left + _bisect(signed, places[middle:], scheme, has_one=not left)


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
}
