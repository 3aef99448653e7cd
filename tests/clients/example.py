"""Programs in documents."""

import pathlib
import re


def example(document: str, language: str) -> str:
    """The one block of that language in a Markdown file."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$",
                        pathlib.Path(document).read_text(),
                        re.MULTILINE | re.DOTALL)
    if len(blocks) != 1:
        raise ValueError(f"{document} has {len(blocks)} blocks of {language}")
    return blocks[0]
