"""What a simulated chain can be told to decline."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from core.index.chain import BurnIndex, ChainRequest, MintIndex, RecordInvoice, ReturnIndex, SetSolverWeights

Declinable: TypeAlias = Literal["mint", "burn", "return", "weights", "invoice"]

REQUESTS: Final[dict[Declinable, type[ChainRequest]]] = {
    "mint": MintIndex,
    "burn": BurnIndex,
    "return": ReturnIndex,
    "weights": SetSolverWeights,
    "invoice": RecordInvoice,
}
