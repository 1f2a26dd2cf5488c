"""Writes a dictionary as the Python modules that Romer ships: facts as text, a word a field or value."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import Final

from core.errors import InputError
from core.fix.dictionary import Source, build
from core.fix.dictionary_text import field_words, message_words, read_text

_COLUMNS: Final = 118
_LINES_MAX: Final = 400
_MODULE: Final = '''\
"""The {what} of {begin_string}, as `core.fix.dictionary_text` reads them. Written by `romer-live fix pack`."""

from __future__ import annotations

from typing import Final

TEXT: Final = """\\
{text}
"""
'''


def modules_of(source: Source) -> dict[str, str]:
    """The texts of the modules by name, such as `fix42_fields`. Raises InputError if `source` makes no sense."""
    build(source)
    fields, messages = list(field_words(source)), list(message_words(source))
    if read_text(source.begin_string, " ".join(fields), " ".join(messages)) != source:
        raise InputError(f"{source.begin_string}: this dictionary cannot be restated as text")
    stem = source.begin_string.replace(".", "").lower()
    return _modules(f"{stem}_fields", source, fields) | _modules(f"{stem}_messages", source, messages)


def _modules(name: str, source: Source, words: Iterable[str]) -> dict[str, str]:
    lines = wrap(" ".join(words), _COLUMNS, break_long_words=False, break_on_hyphens=False)
    parts = [lines[at : at + _LINES_MAX] for at in range(0, len(lines), _LINES_MAX)]
    what = name.rpartition("_")[2]
    return {
        name if not part else f"{name}_{part + 1}": _module(source.begin_string, what, text)
        for part, text in enumerate(parts)
    }


def _module(begin_string: str, what: str, lines: list[str]) -> str:
    text = "\n".join(lines).replace("\\", "\\\\")
    return _MODULE.format(what=what, begin_string=begin_string, text=text)
