"""How objects behave: one file per interface class that does more than keep values."""
