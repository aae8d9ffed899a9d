"""Synthetic people in the files of other systems: one format a file, each with what it is, what it holds, and how it is written."""
