"""How near a synthetic population is to the truth (inside, confidential) or to a release of it (outside)."""
