"""Planted faults: for each check one that turns it FAILED, so that it is seen to be able to.

The rows lie in TOML files beside this one, a file for each group of checks.

[first-sap-forgotten]
checks = ["COSEM_MANDATORY_2"]     # FAILED with it
also = ["COSEM_X_Y"]               # may be FAILED as well
profile = "laboratory"
way = "tcp"
kind = "rewrite"                   # and the rest as in emulator/faults/catalogue.toml
help = "the list of SAPs lacks the first"
parameters = { ... }
"""

from emulator.conformance.planting.planted import Planted, built_in

__all__ = ["Planted", "built_in"]
