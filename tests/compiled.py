"""The same query over tables of the same names is compiled once: ibis takes longer to write its SQL than DuckDB to run it."""

from __future__ import annotations

from typing import Any


class Compiled:
    """A backend that runs what `to_pyarrow` is given on another one, and keeps the SQL of every expression it has seen."""

    def __init__(self, backend: Any) -> None:
        self.backend, self._sql = backend, dict[Any, str]()

    def to_pyarrow(self, expression: Any) -> Any:
        """The rows of an expression over tables of the backend itself."""
        operation = expression.op()
        if operation not in self._sql:
            self._sql[operation] = self.backend.compile(expression)
        return self.backend.con.sql(self._sql[operation]).to_arrow_table()
