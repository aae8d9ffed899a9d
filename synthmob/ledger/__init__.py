"""The ledger of a customer base: every release about it spends from one total, whatever the records or the period.

    ledger = Ledger.open("ledger.jsonl", customers="Example Mobile")
    head = ledger.spend(Spend("measure", 0.6, 1e-6, rho, {"home@zone": rho}), total_epsilon=1.0)   # BudgetError: not allowed
    ledger.verify([head])

`chain` is its lines and what seals them, `files` how they reach the disk, `state` what they say, `budget` what is allowed,
`book` the ledger itself. docs/LEDGER.md says what it finds and what it does not.
"""

from synthmob.ledger.book import Ledger
from synthmob.ledger.budget import Outlook, Spend
from synthmob.ledger.chain import Head
from synthmob.ledger.state import Spent, State, Total, epsilon_at, running

__all__ = ["Head", "Ledger", "Outlook", "Spend", "Spent", "State", "Total", "epsilon_at", "running"]
