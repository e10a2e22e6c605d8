"""Habits of a model: what it does by itself where the books leave it open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """``disarms``: for want of credit the relay goes to disconnected and not to ready.
    ``reconnects``: it closes without a hand when there is credit again, where its control mode can.

    ``disablement_threshold`` is the credit, in the account's unit, at which the supply goes.
    ``token_failures`` refused tokens within ``token_window`` seconds suspend the entry of tokens
    for ``token_lock`` seconds; 0 failures never do.

    ``clock_reserve`` is for how many seconds the clock goes on without mains; after longer
    ``clock_after_outage`` it has ``stopped``, been ``reset`` to its first day, or was ``kept`` all
    the same. ``tamper_disconnects``: the supply goes when a cover is opened. ``long_outage`` is
    from how many seconds on an outage is a long one.

    ``hardware_version`` is what firmware images must be for. ``image_max_size`` is how many octets
    of one there is room for, ``image_seal`` the proof of whose it is: a ``signature`` or a ``gmac``
    tag. Its verification takes ``image_verification`` seconds, its activation
    ``image_activation``. ``image_replaces_blocks``: a block that comes again with other octets
    takes the place of the former, which else stays.
    """

    disarms: bool = True
    reconnects: bool = False
    disablement_threshold: int = 0
    token_failures: int = 5
    token_window: int = 600
    token_lock: int = 3600
    clock_reserve: int = 7 * 86400
    clock_after_outage: str = "stopped"
    tamper_disconnects: bool = False
    long_outage: int = 180
    hardware_version: str = "1"
    image_max_size: int = 1 << 20
    image_seal: str = "signature"
    image_verification: int = 0
    image_activation: int = 0
    image_replaces_blocks: bool = False
