"""Files of secret keys: readable by their owner only, sealed with a passphrase if there is one, never overwritten.

A file is one JSON object. `format` says which this is, `public_key` and `secret_key` are hexadecimal, and `check` is
the beginning of a SHA-256 over the other values, so that a damaged file is not taken for a wrong passphrase. With a
passphrase there is no `secret_key` but `salt`, `nonce` and `sealed`: the secret key under AES-256-GCM, with the public
key as associated data and a key that scrypt (N = 2^15, r = 8, p = 1) makes of passphrase and salt. Another format gets
another name.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import InputError, KeyRefused
from core.identity.bls import BLS
from core.identity.scheme import key_gen, key_id

FORMAT: Final = "romer-key-1"
_FILE_BYTES_MAX: Final = 4_096
_OTHERS: Final = 0o077
_MATERIAL_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_CHECK_DIGITS: Final = 16


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is in the file, all of it as text."""

    format: str
    public_key: str
    secret_key: str = ""
    salt: str = ""
    nonce: str = ""
    sealed: str = ""
    check: str = ""

    @property
    def is_sealed(self) -> bool:
        """Whether it takes a passphrase to use it."""
        return bool(self.sealed)

    def checked(self) -> KeyFile:
        """The same with its `check`."""
        return msgspec.structs.replace(self, check=self._sum())

    def is_whole(self) -> bool:
        """Whether its values are those that were written."""
        return self.check == self._sum()

    def _sum(self) -> str:
        values = (self.format, self.public_key, self.secret_key, self.salt, self.nonce, self.sealed)
        return sha256("\n".join(values).encode()).hexdigest()[:_CHECK_DIGITS]


class PublicKey(msgspec.Struct, frozen=True):
    """What everybody may know of a key, in hexadecimal."""

    public_key: str
    key_id: str
    proof: str = ""
    """Of possession: what a registration needs. Empty where the secret key was not to be had."""

    def __str__(self) -> str:
        proof = f"\nproof of possession  {self.proof}" if self.proof else ""
        return f"public key           {self.public_key}\nkey id               {self.key_id}{proof}"


class SecretKey:
    """A key that can sign. It does not show what it is when it is printed, logged or compared."""

    __slots__ = ("_secret", "public_key")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.public_key = BLS.public_key(secret)

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`."""
        return BLS.sign(self._secret, message)

    @property
    def public(self) -> PublicKey:
        """The public key, and the proof that its secret is here."""
        return PublicKey(self.public_key.hex(), key_id(self.public_key).hex(), BLS.prove_possession(self._secret).hex())

    def file(self, passphrase: str) -> KeyFile:
        """What is written of it: sealed, unless the passphrase is empty."""
        public_key = self.public_key.hex()
        if not passphrase:
            return KeyFile(format=FORMAT, public_key=public_key, secret_key=self._secret.hex()).checked()
        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        sealed = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, self._secret, self.public_key)
        return KeyFile(
            format=FORMAT, public_key=public_key, salt=salt.hex(), nonce=nonce.hex(), sealed=sealed.hex()
        ).checked()


def new_key(path: Path, passphrase: str = "") -> SecretKey:
    """A new key, drawn from the system's randomness and written to `path`.

    Raises InputError when there is such a file already: a key that somebody relies on is not to be overwritten.
    """
    key = SecretKey(key_gen(os.urandom(_MATERIAL_BYTES)))
    data = msgspec.json.format(msgspec.json.encode(key.file(passphrase)), indent=2) + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{path} exists", "a key file is never overwritten: name another, or move this one") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return key


def read_key_file(path: Path) -> KeyFile:
    """What is in a key file, which is whole. Raises InputError that says what is wrong with it otherwise."""
    try:
        with path.open("rb") as file:
            mode, data = os.fstat(file.fileno()).st_mode, file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"cannot read the key in {path}: {error.strerror}") from None
    if mode & _OTHERS:
        raise InputError(f"{path} is open to others (mode {mode & 0o777:04o})", f"chmod 600 {path}")
    try:
        found = msgspec.json.decode(data, type=KeyFile)
    except msgspec.DecodeError:
        raise InputError(f"{path} is not a key file, or damaged", "bring it back from a copy") from None
    if found.format != FORMAT:
        raise InputError(f"{path} is of the format {found.format!r}", f"this version reads {FORMAT}")
    if not found.is_whole():
        raise InputError(f"{path} is damaged: its content is not what was written", "bring it back from a copy")
    return found


def load_key(path: Path, passphrase: str = "") -> SecretKey:
    """The key in a file. Raises InputError, which never has the key or the passphrase in it."""
    found = read_key_file(path)
    if found.is_sealed and not passphrase:
        raise InputError(f"{path} is sealed with a passphrase", "say where it is")
    if passphrase and not found.is_sealed:
        raise InputError(f"{path} is not sealed, and a passphrase is given for it", "leave it out, or seal a new key")
    try:
        key = SecretKey(_unsealed(found, passphrase) if found.is_sealed else bytes.fromhex(found.secret_key))
    except InvalidTag:
        raise InputError(f"wrong passphrase for {path}") from None
    except (KeyRefused, ValueError):
        raise InputError(f"{path} holds no usable key", "bring it back from a copy") from None
    if key.public_key.hex() != found.public_key:
        raise InputError(f"{path} holds another key than it says", "bring it back from a copy")
    return key


def _unsealed(found: KeyFile, passphrase: str) -> bytes:
    salt, nonce, sealed = (bytes.fromhex(text) for text in (found.salt, found.nonce, found.sealed))
    return AESGCM(_stretched(passphrase, salt)).decrypt(nonce, sealed, bytes.fromhex(found.public_key))


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
