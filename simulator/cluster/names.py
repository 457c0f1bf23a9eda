"""Names as Kubernetes makes them: uids, the five letters of a pod, the hash of a template."""

from __future__ import annotations

from simulator.cluster.engine import Dice

# The letters of generated names: no vowels and no digits that look like them, so that no word is made.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def new_uid(dice: Dice) -> str:
    """A random (version 4) UUID."""
    value = dice.bits(128)
    value = (value & ~(0xF << 76) & ~(0x3 << 62)) | (4 << 76) | (2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_suffix(dice: Dice) -> str:
    """The five letters that end a generated name."""
    return "".join([ALPHABET[dice.below(27)] for _ in range(5)])


def template_hash(content: str) -> str:
    """pod-template-hash: FNV-1a of 32 bits, its decimal digits spelled in the letters above."""
    value = 0x811C9DC5
    for byte in content.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join([ALPHABET[ord(digit) % 27] for digit in str(value)])
