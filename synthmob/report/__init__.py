"""One self-contained HTML page about a synthetic data set: `card.write_report`."""
