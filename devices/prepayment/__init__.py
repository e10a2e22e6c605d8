"""The prepayment account: credits, charges that are taken from them, and when the supply goes."""
