"""Dictionaries by the name that a person gives: a file in QuickFIX's format, or one that Romer ships."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.fix.codegen import Selected, read_selection
from core.fix.dictionary import Dictionary, Source, build
from core.fix.dictionary_xml import read_source
from core.fix.shipped import SHIPPED, VENUE, source, venue_source


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
    if name == VENUE:
        return venue_source()
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        hint = f"give a dictionary's file, or one of those that come with Romer: {', '.join((*SHIPPED, VENUE))}"
        raise InputError(f"{name}: cannot be read: {error.strerror}", hint) from None
    try:
        return read_source(data)
    except InputError as error:
        raise InputError(f"{name}: {error.message}", error.hint) from None


def load_selection(text: str) -> tuple[Selected, ...]:
    """The messages to write of a dictionary: as `text` has them, or the file whose name follows its `@`.

    Raises InputError.
    """
    if not text.startswith("@"):
        return read_selection(text)
    try:
        return read_selection(Path(text[1:]).read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{text[1:]}: cannot be read: {error}", "give a text file after the @") from None


def read_settings(file: Path) -> str:
    """The text of a QuickFIX settings file. Raises InputError."""
    try:
        return file.read_text()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: cannot be read: {error}") from None


def near(file: Path, name: str) -> str:
    """What the settings file calls a dictionary, for `load_dictionary`: a path is meant from the file's folder."""
    return str(file.parent / name) if (file.parent / name).is_file() else name
