"""Searches for what must never be: machines that draw runs, for a time, on several processes."""
