"""Reads dictionaries in the XML of QuickFIX: `<fix>` with header, messages, trailer, components and fields.

A user's own edits load as they are. What cannot be understood is an InputError that names the path of the
element at fault; the caller, who knows the file, adds its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from core.errors import InputError
from core.fix.dictionary import Dictionary, FieldDefinition, Item, MessageSource, Source, build, did_you_mean
from core.fix.tags import TAG_MAX

_DEPTH_MAX: Final = 32
_WITHOUT_CHARS: Final = ("FIX.4.0", "FIX.4.1")
"""Versions in which a char may be longer than one."""


def read_dictionary(data: bytes) -> Dictionary:
    """The dictionary in the bytes of an XML file. Raises InputError."""
    return build(read_source(data))


def read_source(data: bytes) -> Source:
    """The same, as it is written down. Raises InputError."""
    if b"<!DOCTYPE" in data[:1024] or b"<!ENTITY" in data:
        raise InputError("document types and entities are not read", "leave them out: a FIX dictionary needs none")
    try:
        root = ET.fromstring(data)  # noqa: S314  # without entities XML is harmless
    except (ET.ParseError, ValueError, LookupError) as error:
        raise InputError(f"not well-formed XML: {error}") from None
    if root.tag != "fix":
        raise InputError(f"<{root.tag}>: a dictionary begins with <fix>", "is this a QuickFIX data dictionary?")
    begin_string = _begin_string(root)
    has_chars = begin_string not in _WITHOUT_CHARS
    fields = tuple(_field(child, has_chars) for child in _children(_section(root, "fields"), "field", "fields"))
    tags = {field.name: field.tag for field in fields}
    components = root.find("components")
    named = () if components is None else _children(components, "component", "components")
    return Source(
        begin_string,
        fields,
        _items(_section(root, "header"), "header", tags),
        _items(_section(root, "trailer"), "trailer", tags),
        {
            name: _items(element, f"components/{name}", tags)
            for element in named
            for name in [_attribute(element, "name", "components")]
        },
        tuple(_message(element, tags) for element in _children(_section(root, "messages"), "message", "messages")),
    )


def _begin_string(root: Element) -> str:
    kind = root.get("type", "FIX")
    service_pack = root.get("servicepack", "0")
    suffix = f"SP{service_pack}" if service_pack not in ("", "0") and kind == "FIX" else ""
    return f"{kind}.{_attribute(root, 'major', 'fix')}.{_attribute(root, 'minor', 'fix')}{suffix}"


def _section(root: Element, name: str) -> Element:
    section = root.find(name)
    if section is None:
        raise InputError(f"fix: there is no <{name}>")
    return section


def _children(parent: Element, tag: str, path: str) -> list[Element]:
    for child in parent:
        if child.tag != tag:
            raise InputError(f"{path}: <{child.tag}> where only <{tag}> may stand")
    return list(parent)


def _attribute(element: Element, name: str, path: str) -> str:
    value = element.get(name)
    if not value:
        others = "".join(f" {key}={text!r}" for key, text in element.attrib.items())
        raise InputError(f"{path}: <{element.tag}{others}> has no {name}")
    return value


def _field(element: Element, has_chars: bool) -> FieldDefinition:
    name = _attribute(element, "name", "fields")
    path = f"fields/{name}"
    number = _attribute(element, "number", path)
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= TAG_MAX):
        raise InputError(f"{path}: number {number!r} is no tag", f"a tag is a number from 1 to {TAG_MAX}")
    values = {
        _attribute(value, "enum", path): value.get("description") or "" for value in _children(element, "value", path)
    }
    kind = _attribute(element, "type", path).upper()
    return FieldDefinition(int(number), name, "STRING" if kind == "CHAR" and not has_chars else kind, values)


def _message(element: Element, tags: Mapping[str, int]) -> MessageSource:
    name = _attribute(element, "name", "messages")
    path = f"messages/{name}"
    is_admin = element.get("msgcat", "app") == "admin"
    return MessageSource(_attribute(element, "msgtype", path), name, is_admin, _items(element, path, tags))


def _items(parent: Element, path: str, tags: Mapping[str, int], depth: int = 0) -> tuple[Item, ...]:
    if depth > _DEPTH_MAX:
        raise InputError(f"{path}: groups are nested more than {_DEPTH_MAX} deep")
    return tuple(_item(element, path, tags, depth) for element in parent)


def _item(element: Element, path: str, tags: Mapping[str, int], depth: int) -> Item:
    name = _attribute(element, "name", path)
    required = element.get("required", "N")
    if required not in ("Y", "y", "N", "n"):
        raise InputError(f"{path}/{name}: required={required!r}", "write Y or N")
    is_required = required in ("Y", "y")
    if element.tag == "component":
        return Item(0, is_required, component=name)
    if element.tag not in ("field", "group"):
        raise InputError(f"{path}: <{element.tag}> where only field, group and component may stand")
    if name not in tags:
        hint = did_you_mean(name, tags) or "define it in <fields>, with its number and type"
        raise InputError(f"{path}: there is no field {name!r} in <fields>", hint)
    if element.tag == "field":
        return Item(tags[name], is_required)
    items = _items(element, f"{path}/{name}", tags, depth + 1)
    if not items:
        raise InputError(f"{path}/{name}: a group without fields")
    return Item(tags[name], is_required, items)
