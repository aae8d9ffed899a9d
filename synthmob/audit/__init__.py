"""Attacks on a release and on what is made from it, and checks of the mechanism: pure functions that receive what they need."""
