"""What to say to somebody who asked a run for a name that it does not have: what was looked for, and what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from core.errors import InputError
from sim.natural import natural

_MATCHES_MAX: Final = 5
_LISTED_MAX: Final = 3


def unknown(name: str, what: str, ids: Mapping[str, Iterable[str]], also: Iterable[str] = ()) -> InputError:
    """The error for a `name` that no `what` of the run has. `ids` are those that there are, by what they are called in
    the plural; `also` are other names of theirs. The nearest of all are suggested.
    """
    known = {plural: sorted(set(some), key=natural) for plural, some in ids.items()}
    near = get_close_matches(
        name, dict.fromkeys([*(one for some in known.values() for one in some), *also]), _MATCHES_MAX
    )
    there = ", ".join(f"{plural} {_span(some)}" for plural, some in known.items() if some)
    hints = [f"did you mean {', '.join(near)}?"] if near else []
    hints.append(f"there are {there}" if there else "there is nothing in it")
    return InputError(f"no {what} `{name}` in this run", " ".join(hints))


def _span(ids: list[str]) -> str:
    return ", ".join(ids) if len(ids) <= _LISTED_MAX else f"{ids[0]} to {ids[-1]}"
