"""Octets made readable: from a capture, a dump or one APDU to fields, with keys where there are."""
