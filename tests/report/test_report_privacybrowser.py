"""The privacy page in a real browser: silent, offline, within its width, readable on a phone, and on paper."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from audits import COSTS, NASTY, PLAN, audit, ledger
from browser import CHROMIUM, DRIVER, Page, open_driver

from synthmob.audit.evidence import Audit
from synthmob.report.assembly import part
from synthmob.report.privacypage import privacy_page

pytestmark = pytest.mark.skipif(not (CHROMIUM.exists() and DRIVER.exists()), reason="no chromium and chromedriver in /usr/bin")


def written(found: Audit, title: str) -> str:
    return privacy_page(found, plan=PLAN, costs=COSTS, ledger=ledger(0.6), title=title)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Any:
    found = open_driver(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("kind", ["inside", "outside"])
def test_nothing_is_requested_and_nothing_overflows(driver: Any, tmp_path: Path, width: int, kind: str) -> None:
    path = tmp_path / "privacy.html"
    path.write_text(written(audit(kind), f"A title {NASTY} {'long' * 40}"), encoding="utf-8")
    page = Page(driver, path, width=width)
    assert page.run("return document.documentElement.scrollWidth") <= width
    outside = page.run(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip, svg, .say, thead') &&"
        "(e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < -0.5)).map(e => e.outerHTML.slice(0, 90))")
    assert outside == []
    cut = page.run(
        "return [...document.querySelectorAll('td, th, dd')].filter(e => !e.closest('thead') && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 90))")
    assert cut == []
    colour = page.run("return getComputedStyle(document.querySelector('.edition')).backgroundColor")
    assert colour == {"inside": "rgb(156, 28, 18)", "outside": "rgb(36, 71, 107)"}[kind], "the style is not that of the policy"
    messages, addresses = page.drain()
    assert messages == [] and [a for a in addresses if not a.startswith(("file:", "data:"))] == []


def test_a_phone_keeps_the_tables_and_their_names(driver: Any, tmp_path: Path) -> None:
    path = tmp_path / "privacy.html"
    path.write_text(written(audit(), "A release"), encoding="utf-8")
    page = Page(driver, path, width=390)
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        role: [n.get("name", {}).get("value", "") for n in nodes if n.get("role", {}).get("value") == role and not n.get("ignored")]
        for role in ("table", "image", "region", "link", "rowheader")}  # fmt: skip
    assert len(named["table"]) >= 14 and len(named["rowheader"]) >= 60
    assert not [role for role in ("image", "region", "link") if not named[role] or not all(n.strip() for n in named[role])]


def test_it_prints_on_a4_in_the_light_with_its_edition_on_every_page(driver: Any, tmp_path: Path) -> None:
    path = tmp_path / "privacy.html"
    path.write_text(written(audit("inside"), "A release"), encoding="utf-8")
    page = Page(driver, path, dark=True)
    printed = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    pdf = base64.b64decode(printed["data"])
    boxes = {tuple(float(x) for x in found.split()) for found in re.findall(rb"/MediaBox \[([\d. ]+)\]", pdf)}
    assert len(boxes) == 1
    assert next(iter(boxes))[2:] == pytest.approx((595, 842), abs=1)
    assert 5 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 25
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    assert '@page inside { @top-left { content: "INSIDE, CONFIDENTIAL' in part("privacy.css")
