"""QuickFIX's Python binding reads and writes the messages of bench_fix, by any interpreter that has it.

    python -m tests.bench.quickfix_codec CALLS REPEATS < two messages, a line each

Prints the rates as JSON, per CPU-second, the best of REPEATS.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Final

import quickfix

TAGS_READ: Final = (1, 11, 21, 38, 40, 44, 54, 55, 59, 60)
HEADER: Final = (8, 34, 35, 49, 52, 56)
ENVELOPE: Final = (8, 9, 10)


def rate(work: Callable[[], object], calls: int, repeats: int) -> float:
    """In calls per CPU-second."""
    rates = []
    for _ in range(repeats):
        started = process_time()
        for _ in range(calls):
            work()
        rates.append(calls / (process_time() - started))
    return max(rates)


def read(raw: str, dictionary: quickfix.DataDictionary) -> list[str]:
    """A message, verified and validated by the dictionary, and ten of its fields as texts."""
    message = quickfix.Message(raw, dictionary, True)
    dictionary.validate(message)
    return [message.getField(tag) for tag in TAGS_READ]


def write(fields: list[tuple[int, str]]) -> str:
    """A message of these fields."""
    message = quickfix.Message()
    header = message.getHeader()
    for tag, value in fields:
        (header if tag in HEADER else message).setField(tag, value)
    text: str = message.toString()
    return text


def main() -> None:
    """Read a NewOrderSingle, write an ExecutionReport."""
    sizes = int(sys.argv[1]), int(sys.argv[2])
    order, report = (line.rstrip("\n") for line in sys.stdin)
    pairs = [field.partition("=") for field in report.split("\x01") if field]
    fields = [(int(tag), value) for tag, _, value in pairs if int(tag) not in ENVELOPE[1:]]
    dictionary = quickfix.DataDictionary(str(Path(sys.prefix) / "share" / "quickfix" / "FIX42.xml"))
    assert len(read(order, dictionary)) == len(TAGS_READ)
    assert len(write(fields)) == len(report)
    rates = {
        "read": rate(lambda: read(order, dictionary), *sizes),
        "decode": rate(lambda: quickfix.Message(order, dictionary, True), *sizes),
        "write": rate(lambda: write(fields), *sizes),
    }
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
