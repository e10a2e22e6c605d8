"""Conformance checks of DLMS/COSEM meters and head ends: the catalogue of them, as data.

No check here certifies anything: only the official tool of the DLMS UA does.
"""

from emulator.conformance.catalogue.applicability import Applicability
from emulator.conformance.catalogue.check import Answer, Check, Evidence, Origin, Severity, Step
from emulator.conformance.catalogue.holdings import Catalogue, UnknownCheck, built_in
from emulator.conformance.catalogue.words import Feature, Words

DISCLAIMER = (
    "No certification: only the official conformance test tool of the DLMS UA certifies. Checks"
    " marked 'derived' follow from rules; they are none of its tests."
)
"""Whatever shows results or checks says this."""

__all__ = [
    "DISCLAIMER", "Answer", "Applicability", "Catalogue", "Check", "Evidence", "Feature", "Origin",
    "Severity", "Step", "UnknownCheck", "Words", "built_in",
]  # fmt: skip
