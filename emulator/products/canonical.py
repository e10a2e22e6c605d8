"""Documents as octets, the same for the same content."""

from __future__ import annotations

import json


def canonical(document: object) -> bytes:
    """JSON with sorted keys and no space; what hashes are made of."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()
