"""The libraries behind the signature scheme, as far as they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

import pytest

from core.identity.arkworks import Arkworks
from core.identity.scheme import Scheme


def installed() -> list[Scheme[Any, Any]]:
    """Arkworks, and blspy where there is a wheel of it."""
    if find_spec("blspy") is None:
        return [Arkworks()]
    from core.identity.blst import Blst  # noqa: PLC0415

    return [Arkworks(), Blst()]


SCHEMES: Final = installed()
each_library = pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.LIBRARY)
needs_both = pytest.mark.skipif(len(SCHEMES) < 2, reason="there is no blspy for this Python")
