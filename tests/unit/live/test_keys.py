"""A key file keeps its key: from others, from being overwritten, and from being taken for a good one when it is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import InputError
from core.identity.bls import BLS
from live.keys import load_key, new_key, read_key_file

PASSPHRASE = "correct horse"


def refusal(path: Path, passphrase: str = "") -> str:
    with pytest.raises(InputError) as caught:
        load_key(path, passphrase)
    return str(caught.value)


def rewrite(path: Path, **changes: str) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
def test_a_key_comes_back_from_its_file_and_signs(tmp_path: Path, passphrase: str) -> None:
    made = new_key(tmp_path / "key", passphrase)
    key = load_key(tmp_path / "key", passphrase)
    assert key.public == made.public
    assert BLS.verify(made.public_key, b"message", key.sign(b"message"))
    assert BLS.verify_possession(made.public_key, bytes.fromhex(key.public.proof))
    assert read_key_file(tmp_path / "key").is_sealed == bool(passphrase)


def test_every_key_is_another(tmp_path: Path) -> None:
    assert len({new_key(tmp_path / name).public_key for name in "abc"}) == 3


def test_a_key_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        new_key(tmp_path / "key")
    finally:
        os.umask(before)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(InputError, match="key exists"):
        new_key(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="link exists"):
        new_key(tmp_path / "link")
    assert (tmp_path / "key").read_bytes() == before


def test_a_sealed_file_has_the_secret_nowhere_and_an_open_one_says_it(tmp_path: Path) -> None:
    new_key(tmp_path / "open")
    new_key(tmp_path / "sealed", PASSPHRASE)
    assert set(json.loads((tmp_path / "open").read_text())) == {"format", "public_key", "secret_key", "check"}
    sealed = {"format", "public_key", "salt", "nonce", "sealed", "check"}
    assert set(json.loads((tmp_path / "sealed").read_text())) == sealed


def test_a_wrong_passphrase_and_a_missing_one_are_told_from_damage(tmp_path: Path) -> None:
    path = tmp_path / "key"
    new_key(path, PASSPHRASE)
    assert refusal(path, "wrong") == f"wrong passphrase for {path}"
    assert "sealed with a passphrase" in refusal(path)
    new_key(tmp_path / "open")
    assert refusal(tmp_path / "open", "any").startswith(f"{tmp_path / 'open'} is not sealed, and a passphrase is given")
    rewrite(path, sealed="00" * 48)
    assert "is damaged" in refusal(path, PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    new_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    assert f"is open to others (mode {mode:04o})" in refusal(tmp_path / "key")


@pytest.mark.parametrize(
    "text", ["", "key", "[]", "{}", '{"format":"romer-key-1","public_key":"","more":1}', "x" * 9_999]
)
def test_what_is_no_key_file_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    (tmp_path / "key").chmod(0o600)
    assert "is not a key file, or damaged" in refusal(tmp_path / "key")


def test_a_file_that_is_not_there_or_of_another_version_is_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none")
    new_key(tmp_path / "key")
    rewrite(tmp_path / "key", format="romer-key-9")
    assert "of the format 'romer-key-9'" in refusal(tmp_path / "key")


def test_any_changed_value_is_damage(tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    found = read_key_file(tmp_path / "key")
    for name in ("public_key", "secret_key", "check"):
        value = getattr(found, name)
        rewrite(tmp_path / "key", **{name: ("1" if value[0] != "1" else "2") + value[1:]})
        assert "is damaged" in refusal(tmp_path / "key"), name
        rewrite(tmp_path / "key", **{name: value})
    load_key(tmp_path / "key")


def test_a_file_that_was_made_with_another_public_key_is_not_used(tmp_path: Path) -> None:
    made, other = (new_key(tmp_path / name) for name in ("key", "other"))
    content = made.file("")
    forged = type(content)(
        format=content.format, public_key=other.public_key.hex(), secret_key=content.secret_key
    ).checked()
    rewrite(tmp_path / "key", public_key=forged.public_key, check=forged.check)
    assert "holds another key than it says" in refusal(tmp_path / "key")


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    key = new_key(tmp_path / "key")
    secret = json.loads((tmp_path / "key").read_text())["secret_key"]
    assert secret not in repr(key) + str(key) + repr(key.public)
    assert secret.encode() not in repr(refusal(tmp_path / "key" / "none")).encode()
