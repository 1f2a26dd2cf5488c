"""The scheme that this process signs and verifies with: by blspy where it is installed, and by arkworks otherwise.

Both give the same bytes and the same refusals, so neither digests nor peers can tell which one it is.
"""

from __future__ import annotations

from typing import Any, Final

from core.identity.scheme import Scheme


def _installed() -> Scheme[Any, Any]:
    try:
        from core.identity.blst import Blst  # noqa: PLC0415  # there is none for every Python
    except ImportError:
        from core.identity.arkworks import Arkworks  # noqa: PLC0415  # not needed beside the other

        return Arkworks()
    return Blst()


BLS: Final = _installed()
