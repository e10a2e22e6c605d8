"""Readings as a function of (seed, time): nothing that can be computed is stored.

The model is described in docs/metering.md, so that somebody else can compute it. Only integers
are used: every machine and every run gives the same, and readings taken at any moment, in any
order, agree with each other.
"""

from devices.metrology.readings import INSTALLED, Quantity, cumulative, power, voltage

__all__ = ["INSTALLED", "Quantity", "cumulative", "power", "voltage"]
