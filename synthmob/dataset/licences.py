"""Licences that a dataset can have: those made for data, by their SPDX id, or one of its owner's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthmob.errors import InputError

DEFAULT = "CC-BY-4.0"
"""Use for any purpose, with the source named: what most research funders ask for."""
KNOWN = {
    "CC-BY-4.0": ("Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-4.0": ("Creative Commons Attribution Share Alike 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "CC-BY-NC-4.0": ("Creative Commons Attribution Non Commercial 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
    "CC0-1.0": ("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "ODbL-1.0": ("Open Data Commons Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    "ODC-By-1.0": ("Open Data Commons Attribution License 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "OGL-UK-3.0": ("Open Government Licence 3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
}
OWN = "LicenseRef-"
"""How SPDX begins the id of a licence that it does not list."""
_OWN = re.compile(rf"{OWN}[A-Za-z0-9.-]{{1,80}}")


@dataclass(frozen=True)
class Licence:
    """A licence: its SPDX id, its name, and where it can be read ('' for an owner's own)."""

    spdx: str
    name: str
    url: str


def licence(spdx: str) -> Licence:
    """The licence of that id; InputError for one that is not known.

    >>> licence("CC0-1.0").name, licence("LicenseRef-our-terms").url
    ('Creative Commons Zero 1.0', '')
    """
    if spdx in KNOWN:
        return Licence(spdx, *KNOWN[spdx])
    if _OWN.fullmatch(spdx):
        return Licence(spdx, spdx.removeprefix(OWN), "")
    raise InputError(f"The licence {spdx!r} is none that is known: give one of {', '.join(KNOWN)}, or {OWN}NAME for terms of your own.")
