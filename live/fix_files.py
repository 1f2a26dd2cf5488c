"""Dictionaries by the name that a person gives: a file in QuickFIX's format, or a version that Romer ships."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.fix.dictionary import Dictionary, Source, build
from core.fix.dictionary_xml import read_source
from core.fix.shipped import SHIPPED, source


def load_dictionary(name: str) -> Dictionary:
    """The dictionary `name`. Raises InputError that names the file, and the place in it."""
    written = load_source(name)
    try:
        return build(written)
    except InputError as error:
        raise InputError(f"{name}: {error.message}", error.hint) from None


def load_source(name: str) -> Source:
    """The same, as it is written down."""
    if name in SHIPPED:
        return source(name)
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        hint = f"give a dictionary's file, or one of those that come with Romer: {', '.join(SHIPPED)}"
        raise InputError(f"{name}: cannot be read: {error.strerror}", hint) from None
    try:
        return read_source(data)
    except InputError as error:
        raise InputError(f"{name}: {error.message}", error.hint) from None
