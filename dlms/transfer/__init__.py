"""Long values in pieces: between the APDUs and the associations."""
