"""Words for words: names as Kubernetes allows them, which nobody can lead back without the key, and alike where the
originals were.

A name is taken apart from its end: what controllers append (the hash of a template, five random characters, an ordinal,
the minute of a CronJob) keeps its shape, so that a pod still is named after its owner; the rest is one word. The same
text is the same word wherever it stands: in a name, an owner, a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Final

Digest = Callable[[bytes], bytes]
"""A keyed hash, of 16 bytes or more: what is told of a text and nothing of what the text was."""

KEPT: Final = frozenset({"", "default", "kube-system", "kube-public", "kube-node-lease", "true", "false"})
"""What every cluster has: it tells nothing of this one."""

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"  # those of Kubernetes' own suffixes: no vowels, so no words
_FIRST: Final = 20  # of these, which are letters
_WORD: Final = 12  # characters: 3e17 of them, so that no two texts of a cluster become one
_LONGEST: Final = 63  # of a label, and of most names
_NAME: Final = 253  # characters of the longest name that there can be
_KNOWN: Final = 1 << 18  # words of each sort that are remembered: those of the largest cluster that there is
_ROUNDS: Final = 4

_HASH: Final = re.compile(f"[{_LETTERS}]{{5,10}}")
_ORDINAL: Final = re.compile(
    r"0|[1-9]\d{0,3}|2\d{7}", re.ASCII
)  # eight digits: minutes, as CronJobs count them
_ADDRESS: Final = re.compile(r"(?:^|-)\d{1,3}(?:-\d{1,3}){3}(?:$|[-.])", re.ASCII)
_UID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Pseudonyms:
    """The words of one key."""

    def __init__(self, digest: Digest, *, nodes: Collection[str] = ()) -> None:
        """`nodes`: the names of all nodes, after which pods may be named."""
        self._digest = digest
        self._nodes = frozenset(nodes)
        self.word: Callable[[str], str] = lru_cache(_KNOWN)(self._word)
        self.name: Callable[[str], str] = lru_cache(_KNOWN)(self._name)
        self.uid: Callable[[str], str] = lru_cache(_KNOWN)(self._uid)
        self.image: Callable[[str], str] = lru_cache(_KNOWN)(self._image)
        self._shuffled: Callable[[str], str] = lru_cache(_KNOWN)(self._shuffle)

    def _word(self, text: str) -> str:
        """Of any text, as a whole: twelve characters that begin with a letter."""
        if text in KEPT:
            return text
        number = self._number("word", text)
        number, first = divmod(number, _FIRST)
        made = _LETTERS[first]
        for _ in range(_WORD - 1):
            number, letter = divmod(number, len(_LETTERS))
            made += _LETTERS[letter]
        return made

    def _name(self, text: str) -> str:
        """Of a name, or of a label's value that may be one."""
        if text in KEPT:
            return text
        if _UID.fullmatch(text):
            return self.uid(text)
        if len(text) > _NAME:  # no name, and long to take apart
            return self.word(text)
        made = self._taken_apart(text)
        return made if len(made) <= _LONGEST else self.word(text)

    def _taken_apart(self, text: str) -> str:
        # A static pod is named after its node.
        at = text.find("-", 1)
        while at > 0:
            if (node := text[at + 1 :]) in self._nodes:
                return f"{self._ended(text[:at])}-{self._ended(node)}"
            at = text.find("-", at + 1)
        return self._ended(text)

    def _ended(self, text: str) -> str:
        stem, ends = text, ""
        while stem not in KEPT and not _ADDRESS.search(text):
            rest, _, end = stem.rpartition("-")
            if not rest or (part := self.end(end)) is None:
                break
            stem, ends = rest, f"-{part}{ends}"
        return self.word(stem) + ends

    def end(self, text: str) -> str | None:
        """Of what a controller appends to a name; None for anything else."""
        if _ORDINAL.fullmatch(text):
            return text
        return self._shuffled(text) if _HASH.fullmatch(text) else None

    def _shuffle(self, text: str) -> str:
        """One of as many characters, another for each text: of five there are too few to hope that no two meet."""
        size = len(_LETTERS)
        half = len(text) // 2
        left, right = (_digits(part) for part in (text[:half], text[half:]))
        sizes = size**half, size ** (len(text) - half)
        for turn in range(_ROUNDS):  # a Feistel network: each round can be undone, so no two texts become one
            left = (left + self._number(f"left {turn} {len(text)}", str(right))) % sizes[0]
            right = (right + self._number(f"right {turn} {len(text)}", str(left))) % sizes[1]
        return _letters(left, half) + _letters(right, len(text) - half)

    def _uid(self, text: str) -> str:
        """As Kubernetes makes them: a UUID."""
        made = f"{self._number('uid', text):032x}"
        return "-".join((made[:8], made[8:12], made[12:16], made[16:20], made[20:]))

    def _image(self, text: str) -> str:
        """Registry, folders and name a word each; a tag another, but `latest`; a digest is one again."""
        if not text:
            return text
        path, at, digest = text.partition("@")
        head, colon, tag = path.rpartition(":")
        if not colon or "/" in tag:  # the port of a registry
            head, tag = path, ""
        made = "/".join(map(self.word, head.split("/")))
        if tag:
            made += f":{tag if tag == 'latest' else self.word(tag)}"
        if at:
            made += f"@sha256:{self._number('digest', digest):032x}{self._number('tail', digest):032x}"
        return made

    def title(self, text: str) -> str:
        """Of a kind, or of a reason: one word that begins with a capital letter."""
        return self.word(text).capitalize()

    def _number(self, what: str, text: str) -> int:
        """`what` keeps a word from being a part of a suffix, or of a uid, of the same text."""
        return int.from_bytes(self._digest(f"{what}\0{text}".encode("utf-8", "surrogatepass"))[:16])


def _digits(text: str) -> int:
    number = 0
    for letter in text:
        number = number * len(_LETTERS) + _LETTERS.index(letter)
    return number


def _letters(number: int, count: int) -> str:
    made = ""
    for _ in range(count):
        number, letter = divmod(number, len(_LETTERS))
        made = _LETTERS[letter] + made
    return made
