"""The log that all journal rows stand in, as mathematics: a Merkle tree of their hashes, and signed checkpoints.

Pure: it knows neither rows nor files. A leaf is a journal row's hash as the journal has it, SHA-256(0x00 || body), as
RFC 6962 wants it. What is asked about the tree is answered from the hashes of perfect subtrees, so that nobody reads
the whole log to prove one row. Checkpoints are C2SP tlog-checkpoints: signed notes that other tools read too.
Sources: RFC 6962 and RFC 9162 (section 2.1); C2SP signed-note and tlog-checkpoint; RFC 8032 (Ed25519).
"""
from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

EMPTY = sha256(b"").digest()            # the root of no leaves
ED25519 = b"\x01"                       # how a signed note names its kind of key
NAME = re.compile(r"[^\s+]+")           # of a key: no space, no plus

# A perfect subtree: of `2 ** level` leaves, the `index`-th of that level from the left.
Coordinate = tuple[int, int]
Node = Callable[[int, int], bytes]      # the hash of the perfect subtree (level, index)


class LedgerError(ValueError):
    """A key, a note or a proof that is none; the message says what is wrong with it."""


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


# The tree, growing

@dataclass(frozen=True)
class Frontier:
    """All of a tree that is needed to go on: its size, and the roots of its perfect subtrees, the largest first."""
    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> tuple[Frontier, list[bytes]]:
        """The frontier after `leaves`, and for each leaf the subtrees that it completed.

        What a leaf completed is one run of bytes: the hashes of levels 1, 2, ... of the perfect subtrees that end with
        it, 32 bytes each, nothing for every other leaf. Kept beside the leaf, they are all that proofs need.
        """
        size, stack, completed = self.size, list(self.hashes), []
        for leaf in leaves:
            size, hash, run = size + 1, leaf, b""
            for _ in range((size & -size).bit_length() - 1):
                hash = node(stack.pop(), hash)
                run += hash
            stack.append(hash)
            completed.append(run)
        return Frontier(size, tuple(stack)), completed

    @property
    def root(self) -> bytes:
        return joined(self.hashes)


def joined(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees that stand side by side, the largest first."""
    if not hashes:
        return EMPTY
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node(left, root)
    return root


def perfect(begin: int, end: int) -> list[Coordinate]:
    """The perfect subtrees that cover the leaves from `begin` to before `end`, left to right.

    `begin` is where a subtree of this size may begin, as in every part of a tree.
    """
    found = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def place(level: int, index: int) -> tuple[int, int]:
    """Where `extended` gave the hash of a perfect subtree: (the leaf that completed it, the offset in its run).

    Of level 0 it is the leaf itself, with the offset -32.
    """
    return ((index + 1) << level) - 1, (level - 1) * 32


# Proofs

def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Which ranges of leaves an inclusion proof is made of, in its order: the audit path, from the leaf up."""
    if not 0 <= index < size:
        raise LedgerError(f"There is no leaf {index} in a tree of {size}.")
    ranges, begin, end = [], 0, size
    while end - begin > 1:
        middle = begin + half(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Which ranges of leaves a consistency proof between two sizes is made of, in its order."""
    if not 0 < old <= new:
        raise LedgerError(f"A tree of {new} has no proof that it grew from one of {old}.")
    ranges, begin, end, whole = [], 0, new, True
    while end != old:
        middle = begin + half(end - begin)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin, whole = middle, False
    return ([] if whole else [(begin, end)]) + ranges[::-1]


def half(size: int) -> int:
    """The largest power of two below `size`: where a tree of that size is divided."""
    return 1 << ((size - 1).bit_length() - 1)


def proved(ranges: Iterable[tuple[int, int]], node: Node) -> list[bytes]:
    """The hashes of these ranges."""
    return [joined([node(*one) for one in perfect(*range)]) for range in ranges]


def needed(ranges: Iterable[tuple[int, int]]) -> set[Coordinate]:
    """The perfect subtrees that `proved` will ask for: to be read at once."""
    return {one for range in ranges for one in perfect(*range)}


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Raises LedgerError where it has not the shape."""
    if not 0 <= index < size:
        raise LedgerError(f"There is no leaf {index} in a tree of {size}.")
    at, last, root = index, size - 1, leaf
    for hash in proof:
        if last == 0:
            raise LedgerError("The inclusion proof is too long.")
        if at & 1 or at == last:
            root = node(hash, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node(root, hash)
        at, last = at >> 1, last >> 1
    if last:
        raise LedgerError("The inclusion proof is too short.")
    return root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `new` leaves begins with that of `old` (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for hash in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(hash, first), node(hash, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, hash)
        at, last = at >> 1, last >> 1
    return first == old_root and second == new_root and last == 0


# Keys, and signed notes

@dataclass(frozen=True)
class VerifierKey:
    """Who is believed: a name and a public key. As text `NAME+ID+BASE64`, as other tools of signed notes write it."""
    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        found = cls(*_key(text.strip(), ""))
        if found.text != text.strip():
            raise LedgerError("The key's id does not belong to the key.")
        return found

    def holds(self, signature: bytes, text: str) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """Who signs. As text `PRIVATE+KEY+NAME+ID+BASE64` of the 32 bytes' seed: a secret, that no message shows."""
    name: str
    seed: bytes

    @classmethod
    def of(cls, name: str, seed: bytes) -> SigningKey:
        if not NAME.fullmatch(name) or len(seed) != 32:
            raise LedgerError(f"{name!r} with {len(seed)} bytes makes no key: a name has no spaces and no plus.")
        return cls(name, seed)

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        kept = base64.b64encode(ED25519 + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.id.hex()}+{kept}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        found = cls.of(*_key(text.strip(), "PRIVATE+KEY+"))
        if found.text != text.strip():
            raise LedgerError("The key's id does not belong to the key.")
        return found

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    def signed(self, text: str) -> str:
        """The signed note of a text that ends with a newline. The same text, the same note: no lots are drawn."""
        if not text.endswith("\n"):
            raise LedgerError("A note's text ends with a newline.")
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n\u2014 {self.name} {base64.b64encode(self.verifier.id + signature).decode()}\n"


def _key(text: str, before: str) -> tuple[str, bytes]:
    if not text.startswith(before):
        raise LedgerError(f"A key begins with {before}.")
    try:
        name, _id, encoded = text.removeprefix(before).split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise LedgerError("The key has not the form NAME+ID+BASE64.") from error
    if not NAME.fullmatch(name) or data[:1] != ED25519 or len(data) != 33:
        raise LedgerError("The key is no Ed25519 key.")
    return name, data[1:]


@dataclass(frozen=True)
class Signature:
    name: str
    id: bytes
    bytes: bytes


def opened(note: str) -> tuple[str, tuple[Signature, ...]]:
    """The text and the signatures of a signed note, unjudged. Raises LedgerError for what is no note."""
    text, found, lines = note.rpartition("\n\n")[0] + "\n", [], note.rpartition("\n\n")[2]
    if "\n\n" not in note or not note.endswith("\n"):
        raise LedgerError("This is no signed note: a text, an empty line, and signatures.")
    for line in lines.splitlines():
        try:
            dash, name, encoded = line.split(" ")
            data = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise LedgerError("A line under the note is no signature.") from error
        if dash != "\u2014" or len(data) < 5:
            raise LedgerError("A line under the note is no signature.")
        found.append(Signature(name, data[:4], data[4:]))
    if not found:
        raise LedgerError("The note has no signature.")
    return text, tuple(found)


def signer(note: str, keys: Iterable[VerifierKey]) -> VerifierKey | None:
    """Which of these keys signed the note; None where none did. A wrong signature by one of them is an error."""
    text, signatures = opened(note)
    for key in keys:
        for one in signatures:
            if (one.name, one.id) == (key.name, key.id):
                if not key.holds(one.bytes, text):
                    raise LedgerError("The signature does not belong to this text.")
                return key
    return None


# Checkpoints

@dataclass(frozen=True)
class Checkpoint:
    """How many rows the log of `origin` has, and the root over them all."""
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, note: str) -> Checkpoint:
        """What a signed checkpoint says, whoever signed it."""
        lines = opened(note)[0].splitlines()
        try:
            size, root = lines[1], base64.b64decode(lines[2], validate=True)
        except (IndexError, ValueError, binascii.Error) as error:
            raise LedgerError("This note is no checkpoint: origin, size and root stand in its first lines.") from error
        if not lines[0] or not re.fullmatch("0|[1-9][0-9]{0,18}", size) or len(root) != 32:
            raise LedgerError("This note is no checkpoint: origin, size and root stand in its first lines.")
        return cls(lines[0], int(size), root)
