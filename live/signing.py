"""Signatures, made at the edge of a process: the node and its journal never have the key."""

from __future__ import annotations

from core.errors import InputError
from core.identity.outgoing import sign_messages
from core.identity.records import Signing
from core.identity.scheme import key_id
from core.sequencer.signing import BlockSignature, SignBlock
from live.keys import SecretKey


class SignMessages:
    """The way out of an initiator's connections. Whole messages are written; those among them get signed that are to
    be: Logons, and in signing mode `order` orders too."""

    __slots__ = ("_key", "_signing")

    def __init__(self, key: SecretKey, signing: Signing = "logon") -> None:
        self._key, self._signing = key, signing

    def __call__(self, data: bytes) -> bytes:
        """What goes over the wire."""
        return sign_messages(data, self._key.sign, self._signing)[0]


class SignBlocks:
    """The service that signs a venue's blocks. Threads of its own call it."""

    __slots__ = ("_key", "_name")

    def __init__(self, key: SecretKey) -> None:
        self._key, self._name = key, key_id(key.public_key)

    def __call__(self, wanted: SignBlock) -> BlockSignature:
        """The signature. Raises InputError for a block that names another key."""
        if wanted.key_id != self._name:
            raise InputError(f"block {wanted.height} is to be signed with key {wanted.key_id.hex()}", "bring it back")
        return BlockSignature(wanted.height, self._key.sign(wanted.message))
