"""Where a database of records is: an address as PostgreSQL's own programs take it, and never a password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from synthmob.errors import InputError

_POSTGRES = re.compile(r"postgres(ql)?://", re.IGNORECASE)
OURS, SECRET = ("schema", "table"), ("password", "sslpassword")
PATIENCE_S = "10"


@dataclass(frozen=True)
class Address:
    """A PostgreSQL database; `schema` and `table` say where in it, None where the database's own search path does.

    `uri` is for libpq, which takes a password from PGPASSWORD or ~/.pgpass alone.

    >>> Address.of("postgresql://reader@db.example:5433/cdr?schema=june&sslmode=require").shown
    'db.example:5433/cdr'
    """

    uri: str
    shown: str
    schema: str | None = None
    table: str | None = None

    @staticmethod
    def of(text: str) -> Address:
        """The address that a text is; InputError where it holds a password or is none."""
        try:
            parts = urlsplit(text)
            words, _ = dict(parse_qsl(parts.query, keep_blank_values=True)), parts.port
        except ValueError:
            raise InputError("The address of the database cannot be read: write it as postgresql://USER@HOST:PORT/DATABASE.") from None
        if parts.password is not None or set(words) & set(SECRET):
            raise InputError("The address of the database holds a password: leave it out, and give it by PGPASSWORD or in ~/.pgpass.")
        ours = {name: words.pop(name) for name in OURS if name in words}
        words.setdefault("connect_timeout", PATIENCE_S)
        uri = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(words, quote_via=quote), ""))
        where = parts.netloc.rpartition("@")[2] or words.get("host", "")
        return Address(uri, f"{unquote(where)}{parts.path}", ours.get("schema") or None, ours.get("table") or None)

    def __str__(self) -> str:
        return self.shown


def is_address(text: str) -> bool:
    """Whether a text is meant as the address of a database.

    >>> is_address("postgresql://db/cdr"), is_address("records")
    (True, False)
    """
    return _POSTGRES.match(text) is not None
