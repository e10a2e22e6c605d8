"""What a head end was caught at, as findings: files that are played again and made smaller."""
