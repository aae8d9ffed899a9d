"""The owner's side: the only folder that sees a record."""
