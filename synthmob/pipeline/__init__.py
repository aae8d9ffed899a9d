"""The run folder: each step reads, calls one function, writes, and leaves a manifest.

Only here is `synthmob.private` opened: by its curator, inside the steps that need records, when they run. Every other step works
with that folder deleted.
"""
