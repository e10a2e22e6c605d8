"""A publication as CSV, JSON and HTML: nothing goes in but the publication."""

from __future__ import annotations

import csv
import io
import json
from html import escape

from emulator.products.device_model import FIELDS
from emulator.products.lists import ListKind
from emulator.products.publication import Publication

COLUMNS = ("combination", "csp", *FIELDS)
DATES = ("date_first_added", "tested_through")
"""What the Eligible list has besides."""
ABOUT = ("list", "version", "publication date", "content hash")
"""The lines before the table of a CSV file, each as ``# name: value``."""

_TITLES = {
    "combination": "Combination", "csp": "Communications service provider",
    "device_type": "Device type", "manufacturer": "Manufacturer", "model": "Model",
    "hardware_version": "Hardware version", "firmware_version": "Firmware version",
    "date_first_added": "Date first added", "tested_through": "Tested through",
}  # fmt: skip
_STYLE = (
    "body{font-family:sans-serif;margin:2rem}table{border-collapse:collapse}"
    "caption{text-align:left;font-weight:bold;padding:.5rem 0}"
    "th,td{border:1px solid #555;padding:.3rem .6rem;text-align:left;vertical-align:top}"
)


def files_of(publication: Publication) -> dict[str, bytes]:
    """The files that are published, by name."""
    stem = publication.kind.file_stem
    return {
        f"{stem}.csv": as_csv(publication).encode(),
        f"{stem}.json": as_json(publication).encode(),
        f"{stem}.html": as_html(publication).encode(),
    }


def columns(kind: ListKind) -> tuple[str, ...]:
    return (*COLUMNS, *DATES) if kind is ListKind.ELIGIBLE else COLUMNS


def as_csv(publication: Publication) -> str:
    """A line for each Device Model; those of a combination stand together."""
    out = io.StringIO()
    for name, value in zip(ABOUT, _about(publication), strict=True):
        out.write(f"# {name}: {value}\r\n")
    writer = csv.writer(out)
    writer.writerow(columns(publication.kind))
    for lines in _table(publication):
        writer.writerows(lines)
    return out.getvalue()


def as_json(publication: Publication) -> str:
    document = {**publication.content, "content_hash": publication.content_hash}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_html(publication: Publication) -> str:
    """One static file, without scripts and without anything from elsewhere."""
    name, version, day, digest = map(escape, _about(publication))
    head = "".join(
        f'<th scope="col">{escape(_TITLES[column])}</th>' for column in columns(publication.kind)
    )
    bodies = "\n".join(_group(lines) for lines in _table(publication))
    count = len(publication.rows)
    return f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>Version {version}, published on <time datetime="{day}">{day}</time>.</p>
<table>
<caption>{name}: {count} {"combination" if count == 1 else "combinations"}</caption>
<thead>
<tr>{head}</tr>
</thead>
{bodies}
</table>
<p>Content hash: <code>{digest}</code></p>
</main>
</body>
</html>
"""


def _about(publication: Publication) -> tuple[str, str, str, str]:
    return (
        publication.kind.value,
        str(publication.version),
        str(publication.day),
        publication.content_hash,
    )


def _table(publication: Publication) -> list[list[tuple[str, ...]]]:
    """For each combination the lines of its Device Models."""
    found = []
    for row in publication.rows:
        content = row.content(publication.kind)
        ends = [content[name] or "" for name in DATES if name in content]
        first = (content["combination"], content["csp"])
        found.append([(*first, *model.texts, *ends) for model in row.combination.models])
    return found


def _group(lines: list[tuple[str, ...]]) -> str:
    """One body of the table; what concerns the whole combination stands once."""
    span = f' rowspan="{len(lines)}"' if len(lines) > 1 else ""
    out = ["<tbody>"]
    for number, line in enumerate(lines):
        cells = [f"<td>{escape(cell)}</td>" for cell in line[2 : 2 + len(FIELDS)]]
        if number == 0:
            rows = ' scope="rowgroup"' if span else ' scope="row"'
            cells.insert(0, f"<td{span}>{escape(line[1])}</td>")
            cells.insert(0, f"<th{rows}{span}>{escape(line[0])}</th>")
            cells += [f"<td{span}>{escape(cell)}</td>" for cell in line[2 + len(FIELDS) :]]
        out.append(f"<tr>{''.join(cells)}</tr>")
    out.append("</tbody>")
    return "\n".join(out)
