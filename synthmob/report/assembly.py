"""One HTML text out of the template, its style, its script and its data.

The template is filled in one pass: filled one place after the other, a zone called like a place would swallow what
comes there. What a user wrote reaches the page by `escaped` (text) or `island` (JSON), never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

SCRIPTS = ("codec.js", "scales.js", "map.js", "week.js", "page.js")
_PLACE = re.compile(r"%%([A-Z_]+)%%")
_OPENS_MARKUP = re.compile(r"<(?=/script|!--|script)", re.IGNORECASE)


def part(name: str) -> str:
    """The text of a file of the folder `page`."""
    return resources.files("synthmob.report").joinpath("page", name).read_text(encoding="utf-8")


def escaped(text: object) -> str:
    """Text as HTML that shows it, in an element or a quoted attribute.

    >>> escaped('a<b> & "c"')
    'a&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(str(text), quote=True)


def island(data: Any) -> str:
    r"""JSON that cannot end the script element it stands in.

    >>> island({"zone": "</script><!--"})
    '{"zone":"\\u003c/script>\\u003c!--"}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def script() -> str:
    """The page's own script: its files in order, in one scope, safe inside a script element."""
    text = '\n(() => {\n"use strict";\n' + "\n".join(part(name) for name in SCRIPTS) + "})();\n"
    return _OPENS_MARKUP.sub(r"\\x3c", text)


def filled(parts: Mapping[str, str], data: Any) -> str:
    """The page: `parts` are ready HTML by place name, `data` is what the script reads."""
    code = script()
    ready = {
        "STYLE": part("page.css"),
        "SCRIPT": code,
        "SCRIPT_HASH": source_hash(code),
        "DATA": island(data),
        **parts,
    }
    return placed("page.html", ready)


def placed(template: str, parts: Mapping[str, str]) -> str:
    """A template of the folder `page` with ready HTML in its places, in one pass."""
    return _PLACE.sub(lambda found: parts[found.group(1)], part(template))


def source_hash(text: str) -> str:
    """What a content security policy calls a script or a style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
