"""Runs that are drawn by lot: a state machine of Hypothesis, whose steps are actions."""
