"""A synthetic population as a dataset that can be shipped: described for people and for machines, sealed, and checked by who gets it."""
