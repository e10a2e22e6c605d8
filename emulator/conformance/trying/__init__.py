"""One run of one check: what it is tried on, and what its senders have at hand."""
