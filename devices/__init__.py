"""What a meter is: object models, prepayment, metrology, manufacturer profiles. Sans-IO."""
