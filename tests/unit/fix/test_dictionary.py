"""Dictionaries: from QuickFIX's XML, as text, and as Romer ships them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.fix.codec import Garbled, WireMessage, decode, encode
from core.fix.dictionary import Dictionary, build
from core.fix.dictionary_files import modules_of
from core.fix.dictionary_text import field_words, message_words, read_text
from core.fix.dictionary_xml import read_dictionary, read_source
from core.fix.shipped import SHIPPED, dictionary, source, venue_dictionary
from core.fix.tags import DATA_LENGTHS

SHARED = Path(__file__).parents[4] / "shared" / "data" / "fix"
ROOT = Path(__file__).parents[3]

XML = """
<fix type="FIX" major="4" minor="2">
  <!-- a user's own -->
  <header><field name="BeginString" required="Y"/><field name="MsgType" required="Y"/></header>
  <messages>
    <message name="Order" msgtype="D" msgcat="app">
      <field name="Id" required="Y"/>
      <component name="Instrument" required="Y"/>
      <component name="Parties" required="N"/>
    </message>
    <message name="Ping" msgtype="0" msgcat="admin"/>
  </messages>
  <trailer><field name="CheckSum" required="Y"/></trailer>
  <components>
    <component name="Instrument"><field name="Symbol" required="Y"/><field name="Text" required="N"/></component>
    <component name="Parties">
      <group name="NoParties" required="Y">
        <field name="Party" required="Y"/>
        <group name="NoSubs" required="N"><field name="Sub" required="Y"/></group>
      </group>
    </component>
  </components>
  <fields>
    <field number="8" name="BeginString" type="STRING"/><field number="35" name="MsgType" type="STRING"/>
    <field number="10" name="CheckSum" type="STRING"/><field number="55" name="Symbol" type="STRING"/>
    <field number="11" name="Id" type="string"><value enum="A B" description="A: B = 50%"/><value enum="C"/></field>
    <field number="58" name="Text" type="STRING"/><field number="6000" name="Party" type="OWN-TYPE"/>
    <field number="453" name="NoParties" type="NUMINGROUP"/><field number="802" name="NoSubs" type="NUMINGROUP"/>
    <field number="523" name="Sub" type="INT"/>
    <field number="7001" name="Blob" type="DATA"/><field number="7000" name="BlobLen" type="LENGTH"/>
  </fields>
</fix>
"""


def changed(old: str, new: str) -> bytes:
    assert old in XML
    return XML.replace(old, new, 1).encode()


def test_a_file_is_read_with_components_taken_apart_and_groups_nested() -> None:
    found = read_dictionary(XML.encode())
    body = found.message("Order").body
    assert found.begin_string == "FIX.4.2"
    assert list(body.members) == [11, 55, 58, 453]
    assert body.required == (11, 55)
    parties = body.groups[453]
    assert (parties.first, parties.required, list(parties.members)) == (6000, (6000,), [6000, 802])
    assert parties.groups[802].required == (523,)
    assert found.fields[11].values == {"A B": "A: B = 50%", "C": ""}
    assert found.messages["0"].is_admin
    assert found.data_lengths[7000] == 7001
    assert found.tag("Party") == found.tag(6000) == 6000


def test_data_fields_of_a_users_own_may_hold_anything() -> None:
    raw = encode(b"35=D\x0111=C\x0155=x\x017000=3\x017001=a\x01b\x01")
    own = read_dictionary(XML.encode()).data_lengths
    message = decode(raw, 100, own)
    assert isinstance(message, WireMessage)
    assert message.fields()[-3:-1] == [(7000, b"3"), (7001, b"a\x01b")]
    assert isinstance(decode(raw, 100), Garbled)
    assert dictionary("FIX.4.2").data_lengths is DATA_LENGTHS


def test_a_component_that_is_not_required_requires_none_of_its_fields() -> None:
    found = read_dictionary(changed('"Instrument" required="Y"', '"Instrument" required="N"'))
    assert found.message("D").body.required == (11,)


def test_chars_of_old_versions_may_be_long() -> None:
    old = changed('minor="2"', 'minor="1"').replace(b'"OWN-TYPE"', b'"CHAR"')
    assert read_dictionary(old).fields[6000].type == "STRING"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<fix ", "<fox ", "not well-formed XML: mismatched tag: line 32, column 2"),
        ("</fix>", "", "not well-formed XML: no element found"),
        ('type="FIX" major="4"', 'type="FIX"', "fix: <fix type='FIX' minor='2'> has no major"),
        ("trailer", "tailer", "not well-formed XML"),
        (
            '<field name="Id" required="Y"/>',
            '<field name="ID" required="Y"/>',
            "messages/Order: there is no field 'ID'",
        ),
        ('<field name="Sub" required="Y"/>', "", "components/Parties/NoParties/NoSubs: a group without fields"),
        ('"Sub" required="Y"', '"Sub" required="yes"', "components/Parties/NoParties/NoSubs/Sub: required='yes'"),
        ('"Parties" required', '"Partys" required', "messages/Order: there is no component 'Partys'"),
        ('msgtype="D" ', "", "messages/Order: <message name='Order' msgcat='app'> has no msgtype"),
        ('msgtype="0"', 'msgtype="D"', "messages/Ping: MsgType 'D' is defined twice"),
        ('number="58"', 'number="x8"', "fields/Text: number 'x8' is no tag"),
        ('number="58"', 'number="55"', "fields/Text(55): defined twice"),
        ('name="Text" type="STRING"', 'name="Text"', "fields/Text: <field number='58' name='Text'> has no type"),
        ("<value enum", "<choice enum", "fields/Id: <choice> where only <value> may stand"),
        (
            '<component name="Instrument"><field name="Symbol" required="Y"/>',
            '<component name="Instrument"><component name="Instrument" required="Y"/>',
            "messages/Order/Instrument: component 'Instrument' contains itself",
        ),
        ("\n<fix", '<!DOCTYPE fix [<!ENTITY a "b">]>\n<fix', "document types and entities are not read"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_path(old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_dictionary(changed(old, new))
    assert message in str(raised.value)


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'Order'"):
        read_dictionary(XML.encode()).message("Oder")
    with pytest.raises(InputError, match="did you mean 'Symbol'"):
        read_dictionary(XML.encode()).tag("Symbl")
    with pytest.raises(InputError, match=r"did you mean 'FIX\.4\.4'"):
        dictionary("FIX.4.3")


def test_a_dictionary_restated_as_text_is_the_same() -> None:
    written = read_source(XML.encode())
    fields, messages = " ".join(field_words(written)), " ".join(message_words(written))
    assert read_text("FIX.4.2", fields, messages) == written


def test_the_venue_speaks_fix_4_2_with_some_fields_of_its_own() -> None:
    plain, venue = dictionary("FIX.4.2"), venue_dictionary()
    assert venue.fields.keys() - plain.fields.keys() == {789, *range(20001, 20007)}
    assert 20001 in venue.messages["8"].body.members
    assert 789 in venue.messages["A"].body.members
    assert all({20005, 20006} <= venue.messages[kind].body.members.keys() for kind in "DFG")
    assert venue.data_lengths[20005] == 20006


def test_the_shipped_dictionaries_are_complete() -> None:
    counts = {name: (len(found.fields), len(found.messages)) for name, found in everything().items()}
    assert counts == {"FIX.4.2": (405, 46), "FIX.4.4": (912, 93)}


def everything() -> dict[str, Dictionary]:
    return {name: dictionary(name) for name in SHIPPED}


@pytest.mark.parametrize("version", SHIPPED)
def test_the_shipped_modules_are_what_the_command_writes(version: str) -> None:
    written = source(version)
    build(written)
    for name, text in modules_of(written).items():
        assert (ROOT / "core" / "fix" / "shipped" / f"{name}.py").read_text() == text


@pytest.mark.parametrize("version", SHIPPED)
def test_quickfix_files_say_the_same_as_the_shipped_dictionaries(version: str) -> None:
    path = SHARED / f"{version.replace('.', '')}.xml"
    if not path.exists():
        pytest.skip(f"NO DICTIONARY at {path}: the shipped one is only compared with itself")
    assert read_source(path.read_bytes()) == source(version)
