"""Find texts in bytes, as programs write them: in UTF-8, in JSON, URLs and HTML, in base64, compressed."""

import base64
import html
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from mmap import mmap
from urllib.parse import quote, quote_plus

SHORT = 8  # bytes: a shorter text counts only as a whole word, or it would be found by chance
CHUNK = 1 << 20
LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_")
GZIP, PACK = b"\x1f\x8b", b"PACK"  # how such files begin
EITHER = 47  # zlib's number for: gzip or zlib, as the header says
# Of a pack of git: its header, a hash, and two kinds of objects.
HEADER_SIZE, DIGEST_SIZE, OFFSET_DELTA, REFERENCE_DELTA = 12, 20, 6, 7
Bytes = bytes | mmap


def make_forms(text: str) -> tuple[set[bytes], set[bytes]]:
    """Return what to look for in lower case: forms of a text as they are, and forms in base64, where case counts."""
    plain = text.encode()
    written = {json.dumps(text)[1:-1], quote(text, safe=""), quote_plus(text), *_in_html(text)}
    forms = {plain.lower(), *(form.lower().encode() for form in written)}
    long = plain if len(plain) >= SHORT else b"uid=" + plain + b","  # so long as to be no chance
    return forms, {_shifted(form, shift) for form in (plain, long) for shift in range(3) if len(form) >= SHORT}


def _in_html(text: str) -> set[str]:
    """Return a text as pages have it: with entities, and with an @ that is hidden from collectors of addresses."""
    escaped = html.escape(text)
    numbered = escaped.encode("ascii", "xmlcharrefreplace").decode()
    return {escaped, numbered, text.replace("@", "&#64;"), text.replace("@", "&#x40;")}


def _shifted(plain: bytes, shift: int) -> bytes:
    """Return the part of the base64 that does not depend on what is before and after it; `shift` bytes are before."""
    encoded = base64.b64encode(bytes(shift) + plain)
    return encoded[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]


class Search:
    """Looks for texts; a text that is in two chunks is found too."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.forms = {text: make_forms(text) for text in texts}
        sizes = [len(form) for both in self.forms.values() for form in (*both[0], *both[1])]
        self.overlap = max(sizes, default=0) + 1

    def find(self, chunks: Iterable[bytes]) -> set[str]:
        """Return the texts that are in a stream of bytes."""
        found: set[str] = set()
        end = b" "
        for chunk in chain(chunks, [b" "]):
            data = end + chunk
            found |= {text for text in self.forms.keys() - found if self._has(data, text)}
            if len(found) == len(self.forms):
                break
            end = data[-self.overlap :]
        return found

    def _has(self, data: bytes, text: str) -> bool:
        plain, encoded = self.forms[text]
        lower = data.lower()
        folded = data.replace(b"\n ", b"") if b"\ndn:" in data else data  # LDIF wraps its lines
        return any(_contains(lower, form) for form in plain) or any(form in folded for form in encoded)


def _contains(data: bytes, form: bytes) -> bool:
    at = data.find(form)
    while at >= 0:
        # What is at the end is found again with the next chunk, which shows whether the word ends there.
        around = data[at - 1 : at] + data[at + len(form) : at + len(form) + 1]
        if len(form) >= SHORT or (len(around) > 1 and not LETTERS & set(around)):
            return True
        at = data.find(form, at + 1)
    return False


def is_compressed(head: bytes) -> bool:
    """Return whether a file begins like one of gzip, or like an object of git."""
    return head[:2] == GZIP or (head[:1] == b"\x78" and int.from_bytes(head[:2], "big") % 31 == 0)


def inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is compressed, as far as it can be read; a gzip file can have several parts."""
    inflater = zlib.decompressobj(EITHER)
    for chunk in chunks:
        rest = chunk
        while rest:
            try:
                yield inflater.decompress(rest, CHUNK)
            except zlib.error:
                return
            rest = inflater.unconsumed_tail
            if inflater.eof:
                rest = inflater.unused_data
                inflater = zlib.decompressobj(EITHER)


def objects_of(pack: Bytes) -> Iterator[bytes]:
    """Yield the objects in a pack of git, large ones in pieces.

    A delta is as it is, because what it copies is in another object of the pack.
    """
    at = HEADER_SIZE
    while at < len(pack) - DIGEST_SIZE:
        kind = pack[at] >> 4 & 7
        at = _after_number(pack, at)
        if kind == OFFSET_DELTA:
            at = _after_number(pack, at)
        elif kind == REFERENCE_DELTA:
            at += DIGEST_SIZE
        inflater = zlib.decompressobj()
        while not inflater.eof and at < len(pack):
            part = pack[at : at + CHUNK]
            try:
                yield inflater.decompress(part, CHUNK)  # an object can be a thousand times as large as in the pack
            except zlib.error:
                return
            at += len(part) - len(inflater.unused_data if inflater.eof else inflater.unconsumed_tail)
        yield b"\n"  # so that nothing is found in two objects together


def _after_number(pack: Bytes, at: int) -> int:
    """Return what follows a number of variable length, each of whose bytes but the last has the highest bit."""
    while at < len(pack) and pack[at] & 0x80:
        at += 1
    return at + 1
