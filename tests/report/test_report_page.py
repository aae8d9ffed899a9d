"""The page in a real browser: offline, silent, by mouse and keyboard, in both themes, down to a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER, Page, open_driver
from fake_out import hexagons, write
from fake_release import fidelity, release

from synthmob.report.card import write_report

pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="no chromium and chromedriver in /usr/bin"
)
NASTY = "</script><!--"


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    world = write(folder / "out", hexagons(2, rename={0: NASTY, 1: "%%APP%%", 2: "%%DATA%%"}), persons=500)
    return write_report(
        world.out, release(world), fidelity(), world.zoning, folder / "a report.html", title=f"A title {NASTY} %%APP%%"
    )


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    found = open_driver(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.fixture
def page(driver, path):
    shown = Page(driver, path)
    yield shown
    messages, addresses = shown.drain()
    assert messages == []
    assert [a for a in addresses if not a.startswith(("file:", "data:", "blob:", "about:"))] == []


def test_the_slider_moves_the_flows(page):
    before, hour = page.ribbons(), page.text("#now")
    page.press("#hour", "ARROW_RIGHT")
    assert page.text("#now") == "09:00–10:00" != hour
    assert page.run("return document.getElementById('hour').getAttribute('aria-valuetext')") == "09:00–10:00"
    assert page.ribbons() != before
    page.choose("hour", 3)
    assert page.ribbons() == [] and "No trips" in page.text("#none")
    assert page.run("return document.getElementById('none').hidden") is False


def test_what_is_drawn_is_said(page):
    page.choose("level", "zone")
    page.choose("flows-drawn", 25)
    assert len(page.ribbons()) == 25
    assert page.text("#drawn").startswith("25 flows drawn: ") and "Not drawn:" in page.text("#drawn")
    assert page.run("return document.getElementById('largest').tBodies[0].rows.length") == 25
    page.choose("focus", 0)
    assert NASTY in page.text("#drawn")
    assert all(
        NASTY in row
        for row in page.run("return [...document.getElementById('largest').tBodies[0].rows].map(r => r.textContent)")
    )
    page.choose("day", 1)
    assert "One day." in page.text("#drawn")


def test_colours_follow_their_control(page):
    classes = (
        "return [...new Set([...document.querySelectorAll('#map [data-zone]')]"
        ".map(z => z.getAttribute('class').slice(0, 3)))]"
    )
    assert page.run(classes) == ["pre"]
    page.choose("colour", "net")
    assert page.run(classes) == ["net"]
    assert "Arrivals less departures" in page.text("#colours")


def test_play_runs_and_stops(page):
    page.run("document.getElementById('play').click()")
    assert page.run("return document.getElementById('play').getAttribute('aria-pressed')") == "true"
    moved = (
        "const done = arguments[0], at = document.getElementById('now').textContent;"
        "const t = setInterval(() => { if (document.getElementById('now').textContent === at) return;"
        "clearInterval(t); done(true); }, 50)"
    )
    page.driver.set_script_timeout(5)
    assert page.driver.execute_async_script(moved)
    page.run("document.getElementById('play').click()")
    assert page.text("#play").endswith("Play")


def test_zoom_by_button_and_key(page):
    ground = "return document.querySelector('#map g').getAttribute('transform')"
    whole = page.run(ground)
    page.run("document.getElementById('zoom-in').click()")
    page.settle()
    near = page.run(ground)
    assert near != whole
    page.press("#map", "ARROW_LEFT")
    assert page.run(ground) != near
    page.run("document.getElementById('zoom-reset').click()")
    page.settle()
    assert page.run(ground) == whole


def test_a_click_on_a_zone_picks_its_area(page):
    page.run("document.querySelector('#map [data-zone=\"5\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    page.settle()
    assert page.run("return document.getElementById('focus').value") != "-1"
    assert page.run("return document.querySelector('#map .focus').getAttribute('d')")


def test_arrow_keys_walk_through_a_week(page):
    first = page.text("#stay-said")
    assert page.run("return document.querySelectorAll('#week [role=option][tabindex=\"0\"]').length") == 1
    page.press("#week [tabindex='0']", "ARROW_DOWN")
    assert page.text("#stay-said").startswith("Tue 3 Mar") and first.startswith("Mon 2 Mar")
    assert page.run("return document.activeElement.getAttribute('aria-label')") == page.text("#stay-said")
    page.press("#week [tabindex='0']", "END")
    assert page.text("#stay-said").startswith("Sun 8 Mar")
    assert page.run("return document.querySelector('#map .mark').getAttribute('d')")
    page.choose("person", 3)
    assert page.text("#stay-said").startswith("Mon 2 Mar")
    assert len(page.run("return [...document.getElementById('person').options].map(o => o.text)")) == 8


def test_themes(page, driver, path):
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    page.choose("theme", "dark")
    dark = page.run(ground)
    assert dark != light
    page.choose("theme", "light")
    assert page.run(ground) == light
    system = Page(driver, path, dark=True)
    assert system.run(ground) == dark
    system.choose("theme", "light")
    assert system.run(ground) == light


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_nothing_overflows(driver, path, width):
    page = Page(driver, path, width=width)
    assert page.run("return document.documentElement.scrollWidth") <= width
    # What scrolls inside its own region may be wider; everything else stays within the page.
    outside = page.run(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip, svg, .say, select') &&"
        "e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 90))"
    )
    assert outside == []
    if width < 820:
        small = page.run(
            "return [...document.querySelectorAll('button, select, input')]"
            ".filter(e => e.getBoundingClientRect().height < 44).map(e => e.id)"
        )
        assert small == []
    assert page.drain()[0] == []


def test_everything_that_acts_has_a_name(page):
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    acting = ("button", "combobox", "slider", "option", "listbox", "image", "region", "link", "table", "columnheader")
    named = {
        role: [
            n.get("name", {}).get("value", "")
            for n in nodes
            if n.get("role", {}).get("value") == role and not n.get("ignored")
        ]
        for role in acting
    }
    unnamed = {
        role: len([n for n in names if not n.strip()])
        for role, names in named.items()
        if role not in ("table", "columnheader")
    }
    assert not any(unnamed.values()), unnamed
    assert len(named["slider"]) == 1 and len(named["image"]) >= 7 and len(named["region"]) >= 8


def test_hostile_names_are_only_text(page):
    assert page.text("h1") == f"A title {NASTY} %%APP%%"
    page.choose("level", "zone")
    names = page.run("return [...document.getElementById('focus').options].map(o => o.text)")
    assert {NASTY, "%%APP%%", "%%DATA%%"} <= set(names)
    assert page.run("return document.scripts.length") == 2


def test_the_policy_forbids_everything_else(page):
    assert page.run("return document.head.children[1].httpEquiv") == "Content-Security-Policy"
    page.run("const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s)")
    assert page.run("return window.broken") is None
    messages, _ = page.drain()
    assert messages and all("Content Security Policy" in m for m in messages)
