"""Hooks of mkdocs.yml: pages that are made from other files, and links to them.

The first page is README.md. The changelog, the licence and the configurations also have pages, so that no link leaves
the site. Pages of classes, one for each folder, are made from the code: a new class needs no line here.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

from public_classes import ROOT, public_classes

_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)#\s]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^(?:```.*?^```|~~~.*?^~~~)", re.DOTALL | re.MULTILINE)


def on_config(config: Any) -> Any:
    """Add the pages that are not listed by hand to the navigation."""
    listed = set(_pages_of(config.nav))
    guides = next(part["Guides"] for part in config.nav if "Guides" in part)
    guides += sorted({path.name for path in (ROOT / "docs").glob("*.md")} - listed)
    notes = sorted(path.name for path in (ROOT / "docs/notes").glob("*.md"))
    configs = [f"configs/{path.stem}.md" for path in sorted((ROOT / "configs").glob("*.yaml"))]
    config.nav += [
        {"Configurations": configs},
        {"Notes": [f"notes/{name}" for name in notes]},
        {"Classes": sorted(_class_pages())},
        {"Changelog": "changelog.md"},
        {"Licence": "licence.md"},
    ]
    return config


def _pages_of(nav: Any) -> Iterator[str]:
    """Yield the pages that a part of the navigation names."""
    if isinstance(nav, str):
        yield nav
    for part in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from _pages_of(part)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made here."""
    for uri, content in {**_copied(), **_class_pages()}.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links at pages of the site: a page of the repository may link to files outside docs/."""
    uri = page.file.src_uri
    origin = _ORIGINS.get(uri, f"docs/{uri}")
    code: list[str] = []

    def put_aside(block: re.Match[str]) -> str:
        code.append(block[0])
        return f"\0{len(code) - 1}\0"

    def pointed(link: re.Match[str]) -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        if ":" in target:
            return link[0]
        found = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        if found not in _PAGES and found[:5] != "docs/" and (ROOT / found).exists():
            return words[1:-1]  # a file of the code has no page
        there = _PAGES.get(found, found.removeprefix("docs/"))
        return f"{words}({posixpath.relpath(there, posixpath.dirname(uri) or '.')}{anchor})"

    changed = _LINK.sub(pointed, _FENCE.sub(put_aside, markdown))
    return re.sub("\0(\\d+)\0", lambda place: code[int(place[1])], changed)


# file of the repository -> its page
_PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "LICENSE": "licence.md"}
_PAGES |= {
    f"configs/{path.name}": f"configs/{path.stem}.md" for path in (ROOT / "configs").glob("*.yaml")
}
_ORIGINS = {page: origin for origin, page in _PAGES.items()}


@cache
def _copied() -> dict[str, str]:
    """Return the pages of files outside docs/."""
    pages = {}
    for origin, page in _PAGES.items():
        text = (ROOT / origin).read_text(encoding="utf-8")
        if not origin.endswith(".md"):
            kind, title = ("yaml", origin) if origin.endswith(".yaml") else ("text", "Licence")
            text = f"# {title}\n\n```{kind}\n{text}```\n"
        pages[page] = text
    return pages


@cache
def _class_pages() -> dict[str, str]:
    """Return a page for each folder of lit_rec that has public classes."""
    rooms: dict[str, list[str]] = {}
    for module, names in public_classes().items():
        room = module.split(".")[1:-1] or ["lit_rec"]
        rooms.setdefault("/".join(room), []).extend(f"{module}.{name}" for name in names)
    return {
        f"classes/{room.replace('/', '_')}.md": f"# {room}\n\n"
        + "".join(f"::: {n}\n\n" for n in names)
        for room, names in rooms.items()
    }
