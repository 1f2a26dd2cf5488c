"""Writes typed messages for a dictionary: a Python module of enumerations, fields, groups and messages.

The same dictionary and selection give the same text, formatted. `core/fix/messages.py` is such a module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from keyword import iskeyword
from typing import Final

import msgspec

from core.errors import InputError
from core.fix.dictionary import Block, Dictionary, FieldDefinition, Member, MessageDefinition
from core.fix.field_types import CHAR, COUNT, DATA, DATE, DAY_OF_MONTH, MONTH_YEAR, TIME, VALUE_LIST, type_of
from core.fix.values import BOOLEAN, FLOAT, INT, STRING, UTC_TIMESTAMP, ValueType

_PYTHON: Final = {FLOAT: "Decimal", INT: "int", COUNT: "int", DAY_OF_MONTH: "int", BOOLEAN: "bool"} | {
    UTC_TIMESTAMP: "Nanos",
    DATA: "bytes",
}
_NAMES: Final = {
    BOOLEAN: "BOOLEAN",
    FLOAT: "FLOAT",
    INT: "INT",
    STRING: "STRING",
    UTC_TIMESTAMP: "UTC_TIMESTAMP",
    CHAR: "CHAR",
    COUNT: "COUNT",
    DATA: "DATA",
    DATE: "DATE",
    DAY_OF_MONTH: "DAY_OF_MONTH",
    MONTH_YEAR: "MONTH_YEAR",
    TIME: "TIME",
    VALUE_LIST: "VALUE_LIST",
}
_IN_VALUES: Final = frozenset([BOOLEAN, FLOAT, INT, STRING, UTC_TIMESTAMP])
_COLUMNS: Final = 120
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SECRETIVE: Final = re.compile(r"(^|_)(PAS+WO?R?D|PASS(PHRASE)?|PWD|TOKEN|SECRETE?)($|_)")
"""Names that linters take for those of passwords."""
_SELECTION: Final = re.compile(r"\s*([^\s,()]+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")


class Selected(msgspec.Struct, frozen=True):
    """A message to write, and which of its fields in which order; none is all, as the dictionary has them."""

    message: str
    fields: tuple[str, ...] = ()


def read_selection(text: str) -> tuple[Selected, ...]:
    """`D, ExecutionReport(OrderID 54)`: messages by type or name, perhaps with their fields. Raises InputError."""
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _SELECTION.match(text, at)
        if match is None:
            raise InputError(f"cannot read the selection at {text[at : at + 20]!r}", "write D,F or D(ClOrdID Symbol),F")
        found.append(Selected(match[1], tuple((match[2] or "").replace(",", " ").split())))
        at = match.end()
    return tuple(found)


def generate(
    dictionary: Dictionary, selection: Sequence[Selected] = (), *, title: str = "", enumerations: bool = True
) -> str:
    """The module. Without a selection it has every message. Raises InputError for names that are not there."""
    chosen = selection or [Selected(name) for name in dictionary.messages]
    return _Generator(dictionary, chosen, enumerations=enumerations).module(title)


def snake_case(name: str) -> str:
    """`ClOrdID` as an attribute is `cl_ord_id`."""
    words = _WORD.sub("_", name.replace("IDs", "Ids").replace("IOI", "Ioi")).lower()
    return f"{words}_" if iskeyword(words) else words


class _Generator:
    """What one module has: its classes in order, and the fields that they use."""

    def __init__(self, dictionary: Dictionary, selection: Iterable[Selected], *, enumerations: bool) -> None:
        self.dictionary, self.enumerations = dictionary, enumerations
        self.used: set[int] = set()
        self.classes: list[str] = []
        self.messages: list[MessageDefinition] = []
        self.groups: dict[int, list[tuple[Block, str]]] = {}
        for selected in selection:
            self._message(selected)
        self._header()

    def module(self, title: str) -> str:
        """The whole text."""
        aliases = "\n".join(self._aliases())
        parts = [*self._enumerations(), aliases, *self.classes, self._lists()]
        blank = "\n\n" if parts[0] is aliases else "\n\n\n"
        return self._top(title) + blank + "\n\n\n".join(part for part in parts if part) + "\n"

    def _message(self, selected: Selected) -> None:
        message = self.dictionary.message(selected.message)
        members = self._members(message, selected.fields)
        lines = self._attributes(members, message.name)
        self.messages.append(message)
        article = "the session's own" if message.is_admin else "an application's"
        head = [
            f"class {message.name}(FixMessage, frozen=True):",
            f'    """{message.name}, MsgType {message.msg_type}: {article} message."""',
            "",
        ]
        if message.name.startswith("Test"):
            head.append("    __test__ = False  # not a pytest class")
        head.append(f'    MSG_TYPE: ClassVar[str] = "{message.msg_type}"')
        self.classes.append("\n".join([*head, *([""] if lines else []), *lines]))

    def _members(self, message: MessageDefinition, names: Sequence[str]) -> list[Member]:
        if not names:
            return list(message.body.members.values())
        members = []
        for name in names:
            tag = self.dictionary.tag(int(name) if name.isdigit() else name)
            if tag not in message.body.members:
                raise InputError(f"{message.name} has no field {name!r}", "see its <message> in the dictionary")
            members.append(message.body.members[tag])
        return members

    def _header(self) -> None:
        """What the session reads of every header."""
        tags = [(49, True), (56, True), (34, True), (52, True), (43, False), (97, False), (122, False)]
        members = [Member(tag, required) for tag, required in tags if tag in self.dictionary.fields]
        lines = self._attributes(members, "Header")
        doc = '    """What the session reads of every message\'s header."""'
        self.classes.append("\n".join(["class Header(Record, frozen=True):", doc, *([""] if lines else []), *lines]))

    def _attributes(self, members: Sequence[Member], owner: str, *, in_order: bool = False) -> list[str]:
        """One line an attribute, with its tag and meaning; unless `in_order`, those without a default come first."""
        lengths = {length for member in members if (length := self._length_tag(member.tag))}
        kept = [member for member in members if member.tag not in lengths]
        lines = []
        if not in_order:
            kept.sort(key=lambda member: not member.required)
        for member in kept:
            field = self._field(member.tag)
            if member.group is not None:
                lines += self._group(member, member.group, owner)
            else:
                self.used.add(member.tag)
                kind = field.name if member.required else f"{field.name} | None = None"
                lines.append(f"    {snake_case(field.name)}: {kind}")
            lines.append(f'    """{self._meaning(field)}"""')
        return lines

    def _group(self, member: Member, group: Block, owner: str) -> list[str]:
        """The attribute of a group."""
        field = self._field(member.tag)
        entry = self._entry(field, group, owner)
        start, kind = f"{snake_case(field.name)}: Annotated[", f"tuple[{entry}, ...]"
        extra, end = f"Field({field.tag}, {_NAMES[type_of(field)]}, {entry})", "]" if member.required else "] = ()"
        if len(f"    {start}{kind}, {extra}{end}") <= _COLUMNS:
            return [f"    {start}{kind}, {extra}{end}"]
        inner = [f"        {kind}, {extra}"]
        if len(inner[0]) > _COLUMNS:
            inner = [f"        {kind},", f"        {extra},"]
        return [f"    {start}", *inner, f"    {end}"]

    def _entry(self, field: FieldDefinition, group: Block, owner: str) -> str:
        """The name of the record of a group's entries, which is written once for all messages that have the same."""
        known = self.groups.setdefault(field.tag, [])
        for block, name in known:
            if block == group:
                return name
        base = field.name.removeprefix("No")
        base = base.removesuffix("s") if base.endswith("s") else base
        name = f"{owner.removesuffix('Entry') if known else ''}{base}Entry"
        known.append((group, name))
        members = [*group.members.values()]
        members[0] = Member(members[0].tag, True, members[0].group)
        lines = self._attributes(members, name, in_order=True)
        doc = f'    """An entry of {field.name}({field.tag}); it begins with {self._field(group.first).name}."""'
        self.classes.append("\n".join([f"class {name}(Record, frozen=True, kw_only=True):", doc, "", *lines]))
        return name

    def _field(self, tag: int) -> FieldDefinition:
        if tag not in self.dictionary.fields:
            raise InputError(f"field {tag} is in no <fields>")
        return self.dictionary.fields[tag]

    def _length_tag(self, tag: int) -> int:
        """The length of a data field; 0 for others."""
        return self.dictionary.data_tags.get(tag, 0)

    def _meaning(self, field: FieldDefinition) -> str:
        """Tag, name and type, and the values of an enumeration."""
        values = f", one of {field.name}Values" if self._is_enumerated(field) else ""
        return f"{field.name}({field.tag}), {field.type}{values}."

    def _is_enumerated(self, field: FieldDefinition) -> bool:
        return self.enumerations and bool(field.values) and type_of(field) is not BOOLEAN

    def _enumerations(self) -> Iterator[str]:
        for tag in sorted(self.used):
            field = self._field(tag)
            if not self._is_enumerated(field):
                continue
            is_int = type_of(field) is INT and all(value.lstrip("-").isdigit() for value in field.values)
            base = "IntEnum" if is_int else "StrEnum"
            lines = [f"class {field.name}Values({base}):", f'    """{field.name}({tag})."""', ""]
            for name, value in _member_names(field):
                remark = "" if is_int or not _SECRETIVE.search(name) else "  # noqa: S105  # a value's meaning"
                lines.append(f"    {name} = {value if is_int else _quoted(value)}{remark}")
            yield "\n".join(lines)

    def _aliases(self) -> Iterator[str]:
        for tag in sorted(self.used, key=lambda tag: self._field(tag).name):
            field = self._field(tag)
            kind = type_of(field)
            length = f", length_tag={self._length_tag(tag)}" if self._length_tag(tag) else ""
            python = _PYTHON.get(kind, "str")
            yield f"{field.name}: TypeAlias = Annotated[{python}, Field({tag}, {_NAMES[kind]}{length})]"

    def _lists(self) -> str:
        """The messages of the module, for those who want all of them."""
        return "\n".join(
            [
                *_tuple("ADMIN_MESSAGES", [message.name for message in self.messages if message.is_admin]),
                *_tuple("MESSAGES", [message.name for message in self.messages if not message.is_admin]),
            ]
        )

    def _top(self, title: str) -> str:
        text = "\n".join([*self._enumerations(), *self._aliases(), *self.classes])
        kinds = sorted({name for kind, name in _NAMES.items() if re.search(rf"Field\(\d+, {name}\b", text)})
        by_module = [
            ("core.fix.field_types", [name for name in kinds if _kind(name) not in _IN_VALUES]),
            ("core.fix.values", [name for name in kinds if _kind(name) in _IN_VALUES]),
        ]
        enums = [base for base in ("IntEnum", "StrEnum") if f"({base}):" in text]
        imports = ["from __future__ import annotations", ""]
        imports += ["from decimal import Decimal"] if "[Decimal," in text else []
        imports += [f"from enum import {', '.join(enums)}"] if enums else []
        imports += ["from typing import Annotated, ClassVar, Final, TypeAlias", ""]
        imports += [f"from {by_module[0][0]} import {', '.join(by_module[0][1])}"] if by_module[0][1] else []
        imports += ["from core.fix.fields import Field", "from core.fix.message import FixMessage"]
        imports += [f"from {by_module[1][0]} import {', '.join(by_module[1][1])}"] if by_module[1][1] else []
        imports += ["from core.kernel.record import Record"]
        imports += ["from core.units import Nanos"] if "[Nanos," in text else []
        title = title or f"Typed messages of {self.dictionary.begin_string}."
        doc = f'"""{title}\n\nWritten by `romer-live fix codegen`; edit the dictionary or the selection instead.\n"""'
        return "\n".join([doc, "", *imports])


def _kind(name: str) -> ValueType:
    return next(kind for kind, known in _NAMES.items() if known == name)


def _tuple(name: str, items: Sequence[str]) -> list[str]:
    line = f"{name}: Final[tuple[type[FixMessage], ...]] = ({', '.join(items)}{',' if len(items) == 1 else ''})"
    if len(line) <= _COLUMNS:
        return [line]
    return [f"{name}: Final[tuple[type[FixMessage], ...]] = (", *(f"    {item}," for item in items), ")"]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _member_names(field: FieldDefinition) -> Iterator[tuple[str, str]]:
    """Names for an enumeration's values, from their meanings; equal or missing ones are told apart by the value."""
    seen: set[str] = set()
    for value, meaning in field.values.items():
        name = re.sub(r"\W+", "_", meaning, flags=re.ASCII).strip("_").upper() or "VALUE"
        if name[0].isdigit():
            name = f"VALUE_{name}"
        if name in seen or meaning == "":
            name = f"{name}_{re.sub(r'[^0-9A-Za-z]', '_', value)}"
        while name in seen:
            name += "_"
        seen.add(name)
        yield name, value
