"""The frame of a page that is one file: it loads nothing from anywhere.

Its Content-Security-Policy lets our own script and style be, by their hashes, and nothing else:
even markup that got in could do nothing.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from emulator.conformance.reports.markup import Markup, tag


def framed(title: str, *body: str, script: str = "") -> Markup:
    """The whole file. ``script`` is one of ours, or none."""
    style = package_file("page.css")
    allowed = f"'{_hash(script)}'" if script else "'none'"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {allowed};"
        " base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    scripts = [tag("script", Markup(script))] if script else []
    whole = tag("html", head, tag("body", *body, *scripts), lang="en")
    return Markup(f"<!doctype html>\n{whole}\n")


def package_file(name: str) -> str:
    """The text of a file that is beside these modules."""
    return (resources.files("emulator.conformance.reports") / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"sha256-{digest}"
