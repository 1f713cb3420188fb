"""The report of a run: one static page, without a server or anything from outside, that fits in an e-mail."""

import html
import re
from pathlib import Path
from typing import Any, NamedTuple

from jaxneuro.launch.directory import read_json
from jaxneuro.launch.saving import make_folder, write_atomically

CSS = """
body { font: 15px/1.5 system-ui, sans-serif; color: #333; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; } figure { margin: 1rem 0; }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; } .faint { color: #777; }
"""


class Section(NamedTuple):
    """A part of the page.

    Attributes:
        title: its heading.
        text: a paragraph.
        columns: heads of a table.
        rows: its cells.
        figure: an `<svg>` element, as `figures.svg` makes it.
    """

    title: str
    text: str = ""
    columns: list[str] | None = None
    rows: list[list[str]] | None = None
    figure: str = ""


def write_report(path: Path, sections: list[Section]) -> None:
    """Write report.html into a run's directory.

    Args:
        path: the directory of a finished run.
        sections: what the experiment has to show; after them the page tells where the numbers come from.

    Raises:
        RunError: the run's results cannot be read, or the page cannot be written.
    """
    results = read_json(path / "results.json")
    config = (path / "config.yaml").read_text(encoding="utf-8")
    write_atomically(path / "report.html", page(path.absolute().name, sections, results, config).encode())


def write_figures(folder: Path, sections: list[Section]) -> list[Path]:
    """Write every figure as a file of its own, called after its section.

    Args:
        folder: where to; made if need be.
        sections: what the experiment has to show.

    Returns:
        The files.
    """
    make_folder(folder)
    written = []
    for section in sections:
        if section.figure:
            written.append(folder / f"{re.sub('[^a-z0-9]+', '-', section.title.lower()).strip('-')}.svg")
            write_atomically(written[-1], section.figure.encode())
    return written


def page(name: str, sections: list[Section], results: dict[str, Any], config: str) -> str:
    """The whole page.

    Args:
        name: of the run.
        sections: what the experiment has to show.
        results: what results.json holds.
        config: the text of the resolved config.

    Returns:
        HTML.
    """
    title = html.escape(name)
    parts = [f"<h1>{title}</h1>", *map(_section, sections), _section(_provenance(results))]
    parts.append(f"<details><summary>The config, complete</summary><pre>{html.escape(config)}</pre></details>")
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{CSS}</style></head>\n<body>\n{body}\n</body></html>\n'


def _section(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{html.escape(section.text)}</p>")
    if section.rows is not None:
        parts.append(_table(section.columns or [], section.rows))
    if section.figure:
        label = html.escape(section.title, quote=True)
        parts.append(f'<figure role="img" aria-label="{label}">{section.figure}</figure>')
    return "\n".join(parts)


def _table(columns: list[str], rows: list[list[str]]) -> str:
    numeric = [all(_is_number(row[index]) for row in rows) for index in range(len(rows[0]) if rows else 0)]

    def line(cells: list[str], tag: str) -> str:
        kinds = [' class="number"' if number else "" for number in numeric] or [""] * len(cells)
        return "".join(f"<{tag}{kind}>{html.escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True))

    head = f"<tr>{line(columns, 'th')}</tr>" if columns else ""
    return "<table>" + head + "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows) + "</table>"


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-").replace(",", "").replace(".", "").replace("%", "").strip().isdigit()


def _provenance(results: dict[str, Any]) -> Section:
    """Where the numbers come from: all that is needed to make them again."""
    git, device, versions = (results.get(name) or {} for name in ("git", "device", "versions"))
    changed = " with changes that are not in it" if git.get("dirty") else ""
    facts = {
        "seed": results.get("seed"),
        "config": str(results.get("config_hash", ""))[:12],
        "commit": f"{git['commit'][:12]}{changed}" if git.get("commit") else "not in a repository",
        "device": f"{device.get('count', '?')} x {device.get('kind', '?')} ({device.get('platform', '?')})",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "seconds of work": f"{results.get('seconds', 0):,.0f}",
    }
    rows = [[name, "" if fact is None else str(fact)] for name, fact in facts.items()]
    return Section("Where these numbers come from", rows=rows)
