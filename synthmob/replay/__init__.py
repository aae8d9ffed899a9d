"""Events of synthetic people sent in time order: one kind of stream a file, each with what it is, how it is opened, and how it sends."""
