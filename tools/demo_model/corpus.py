"""The demo model's corpus: public-domain prose read from Debian packages.

Nothing is downloaded. Each source is one Debian package; its files are looked
up under `package_root` first (a folder that packages were unpacked into with
`dpkg-deb -x`) and then under `/`. A document is one chapter: a list of
paragraphs, each a single line without leading or trailing spaces.
"""

import dataclasses
import gzip
import hashlib
import pathlib
import random
import re
import struct
import subprocess
import zlib
from typing import Callable, List, Optional, Tuple

PARAGRAPH_BREAK = "\n\n"
HELD_OUT_SHARE = 0.05
# KJV verses are joined into paragraphs of at least this many characters.
_MIN_VERSE_PARAGRAPH_CHARS = 400

Document = List[str]


class CorpusError(Exception):
    """A package is missing or its content is not what this program expects."""


@dataclasses.dataclass(frozen=True)
class Source:
    """One Debian package and how its text becomes documents."""

    package: str
    work: str
    path: str  # The file that holds the text, without the leading '/'.
    licence: str
    read: Callable[[pathlib.Path], List[Document]]


@dataclasses.dataclass(frozen=True)
class SourceText:
    """What was read from one source; `sha256` is of the documents' text."""

    source: Source
    version: str
    documents: List[Document]
    characters: int
    sha256: str


def document_text(document: Document) -> str:
    return PARAGRAPH_BREAK.join(document)


def read_sources(package_root: pathlib.Path) -> List[SourceText]:
    """Reads every source; raises CorpusError naming all missing packages."""
    found = [(s, _locate(s.path, package_root)) for s in SOURCES]
    missing = [s.package for s, path in found if path is None]
    if missing:
        raise CorpusError(
            "missing Debian packages: " + " ".join(missing) + "; install them "
            "(apt-get install --no-install-recommends ...) or unpack them "
            "(apt-get download, dpkg-deb -x) and name the folder with "
            "--package_root"
        )
    texts = []
    for source, path in found:
        assert path is not None
        documents = source.read(path)
        if not documents:
            raise CorpusError(f"{path}: no text found")
        blob = "\f".join(document_text(d) for d in documents).encode()
        texts.append(
            SourceText(
                source=source,
                version=_package_version(source.package, package_root),
                documents=documents,
                characters=len(blob),
                sha256=hashlib.sha256(blob).hexdigest(),
            )
        )
    return texts


def split(
    texts: List[SourceText], seed: int
) -> Tuple[List[Document], List[Document]]:
    """Shuffles each source's documents; returns (training, held out)."""
    training: List[Document] = []
    held_out: List[Document] = []
    for text in texts:
        documents = list(text.documents)
        random.Random(f"{seed}:{text.source.package}").shuffle(documents)
        count = max(1, round(HELD_OUT_SHARE * len(documents)))
        held_out += documents[:count]
        training += documents[count:]
    random.Random(f"{seed}:training").shuffle(training)
    random.Random(f"{seed}:held_out").shuffle(held_out)
    return training, held_out


def held_out_excerpt(held_out: List[Document], max_bytes: int) -> str:
    """The beginnings of held-out documents, whole paragraphs, <= max_bytes."""
    share = max_bytes // 16
    parts: List[str] = []
    for document in held_out:
        size = 0
        for paragraph in document:
            size += len((paragraph + PARAGRAPH_BREAK).encode())
            if size > share:
                break
            parts.append(paragraph)
    excerpt = ""
    for part in parts:
        if len((excerpt + part + PARAGRAPH_BREAK).encode()) > max_bytes:
            break
        excerpt += part + PARAGRAPH_BREAK
    return excerpt.rstrip("\n") + "\n"


def _locate(path: str, root: pathlib.Path) -> Optional[pathlib.Path]:
    for base in (root, pathlib.Path("/")):
        if (base / path).is_file():
            return base / path
    return None


def _package_version(package: str, root: pathlib.Path) -> str:
    for name in ("changelog.Debian.gz", "changelog.gz"):
        path = _locate(f"usr/share/doc/{package}/{name}", root)
        if path is None:
            continue
        with gzip.open(path, "rt", encoding="utf-8") as changelog:
            match = re.match(r"\S+ \(([^)]+)\)", changelog.readline())
        if match:
            return match.group(1)
    return "unknown"


def _clean(line: str) -> str:
    """Drops typists' marks for italics; leaves spelling and quotes alone."""
    return re.sub(r"\s+", " ", line.replace("_", "")).strip()


def _paragraphs(lines: List[str]) -> List[str]:
    """Unwraps hard-wrapped lines; blank lines separate paragraphs."""
    paragraphs: List[str] = []
    current: List[str] = []
    for line in lines + [""]:
        if line.strip():
            current.append(line.strip())
        elif current:
            paragraphs.append(_clean(" ".join(current)))
            current = []
    # Headings and rows of asterisks have no lower-case letter.
    return [p for p in paragraphs if re.search(r"[a-z]", p)]


def _chapters(lines: List[str], heading: str) -> List[Document]:
    """Splits at lines that match `heading`; drops what precedes the first."""
    starts = [i for i, line in enumerate(lines) if re.match(heading, line)]
    documents = []
    for begin, end in zip(starts, starts[1:] + [len(lines)]):
        paragraphs = _paragraphs(lines[begin + 1 : end])
        if len(paragraphs) > 1:
            documents.append(paragraphs)
    return documents


def _read_bible(data: pathlib.Path) -> List[Document]:
    """Every verse from the `bible` program ("Ge1:1 In the beginning ...")."""
    try:
        output = subprocess.run(
            ["bible", "-p", str(data.parent), "-f", "gen1:1-rev22:21"],
            check=True,
            capture_output=True,
            encoding="ascii",
            stdin=subprocess.DEVNULL,
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise CorpusError(
            f"cannot run the program of package bible-kjv: {error}"
        ) from error
    documents: List[Document] = []
    chapter = ""
    for line in output.splitlines():
        reference, _, verse = line.partition(" ")
        verse = _clean(verse)
        if reference.split(":")[0] != chapter:
            chapter = reference.split(":")[0]
            documents.append([verse])
        elif len(documents[-1][-1]) < _MIN_VERSE_PARAGRAPH_CHARS:
            documents[-1][-1] += " " + verse
        else:
            documents[-1].append(verse)
    return documents


def _read_austen(rdb: pathlib.Path) -> List[Document]:
    """Reads R's lazy-load database: one character vector a novel.

    The file is a sequence of (4-byte big-endian size, zlib stream); each stream
    holds an R serialization, XDR format version 3, of one string vector.
    """
    blob = rdb.read_bytes()
    documents: List[Document] = []
    while blob:
        inflater = zlib.decompressobj()
        data = inflater.decompress(blob[4:])
        blob = inflater.unused_data
        (encoding_size,) = struct.unpack_from(">I", data, 14)
        position = 18 + encoding_size
        kind, count = struct.unpack_from(">II", data, position)
        if data[:2] != b"X\n" or kind & 0xFF != 16:
            raise CorpusError(f"{rdb}: not a serialized string vector")
        position += 8
        lines = []
        for _ in range(count):
            (size,) = struct.unpack_from(">i", data, position + 4)
            position += 8
            lines.append(data[position : position + size].decode("utf-8"))
            position += size
        if "A NOTE ON THE TEXT" in lines:  # A modern publisher's remark.
            lines = lines[: lines.index("A NOTE ON THE TEXT")]
        documents += _chapters(lines, r"(?i)\s*chapter [0-9ivxl]+\.?\s*$")
    return documents


def _read_holmes(path: pathlib.Path) -> List[Document]:
    text = path.read_text(encoding="utf-8-sig")
    text = text.split("*** START OF")[1].split("*** END OF")[0]
    lines = text.splitlines()
    return _chapters(lines, r"(ADVENTURE )?[IVX]+\. [A-Z' -]{9,}$")


def _read_sawyer(path: pathlib.Path) -> List[Document]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return _chapters(lines, r"\s*CHAPTER [IVXL]+\s*$")


SOURCES = (
    Source(
        package="bible-kjv-text",
        work="The Holy Bible, King James Version (1611)",
        path="usr/lib/bible.data",
        licence="public domain",
        read=_read_bible,
    ),
    Source(
        package="r-cran-janeaustenr",
        work="Jane Austen's six novels (1811-1818)",
        path="usr/lib/R/site-library/janeaustenr/data/Rdata.rdb",
        licence="public domain (packaging of the texts: MIT)",
        read=_read_austen,
    ),
    Source(
        package="golang-github-jdkato-prose-dev",
        work="Arthur Conan Doyle, The Adventures of Sherlock Holmes (1892)",
        path="usr/share/gocode/src/github.com/jdkato/prose/testdata/"
        "sherlock.txt",
        licence="public domain (the package: Expat)",
        read=_read_holmes,
    ),
    Source(
        package="golang-github-klauspost-compress-dev",
        work="Mark Twain, The Adventures of Tom Sawyer (1876)",
        path="usr/share/gocode/src/github.com/klauspost/compress/testdata/"
        "Mark.Twain-Tom.Sawyer.txt",
        licence="public domain (the package: BSD-3-Clause)",
        read=_read_sawyer,
    ),
)
