"""Threshold Anomaly Detection (SEC Appendix AA): how many requests, and which values in them.

- :mod:`~emulator.anomaly.thresholds` what is too much, as a file says it
- :mod:`~emulator.anomaly.watch`      one party's counting and judging
- :mod:`~emulator.anomaly.quarantine` what the S1SP holds; the DCO detects only
"""
