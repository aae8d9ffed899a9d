"""The privacy page: its editions, its rows, what it says of a failure, and that nothing in it is markup, a link or a request."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from audits import COSTS, NASTY, PLAN, audit, evidence, ledger

from synthmob import accounting
from synthmob.audit.evidence import FAMILIES, Evidence
from synthmob.errors import FormatError
from synthmob.plan import Plan
from synthmob.report.assembly import part
from synthmob.report.privacyevidence import anchor, compares
from synthmob.report.privacypage import privacy_page
from synthmob.report.privacywords import CONTROLLER, CRITERIA, INTRUDERS, MUST_NOT, NOT_PROTECTED, RESIDUAL, criterion

VOID = {"meta", "link", "img", "br"}


class Tree(HTMLParser):
    """The page as elements: for each its tag, attributes, and all text within."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[int] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}, []))
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for k in self.open:
            self.elements[k][2].append(data)

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """The text of all elements of a tag with those attributes, spaces made one."""
        return [
            " ".join(" ".join(text).split()) for found, has, text in self.elements
            if found == tag and all(has.get(k.rstrip("_")) == v for k, v in attributes.items())]  # fmt: skip

    def row(self, name: str) -> list[str]:
        """The texts of the cells of the row with that id."""
        start = next(k for k, (tag, has, _) in enumerate(self.elements) if tag == "tr" and has.get("id") == name)
        cells: list[str] = []
        for tag, _, text in self.elements[start + 1 :]:
            if tag == "tr":
                break
            if tag in ("th", "td"):
                cells.append(" ".join(" ".join(text).split()))
        return cells


def made(found: Any = None, *, title: str = "A release", book: Any = None, costs: Any = COSTS, plan: Plan = PLAN) -> str:
    return privacy_page(found or audit(), plan=plan, costs=costs, ledger=book, title=title)


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(made(book=ledger(0.6)))


@pytest.mark.parametrize(("kind", "said", "title"), [
    ("inside", "INSIDE, CONFIDENTIAL: attacks on the records; these results are unprotected queries: do not pass on",
     "CONFIDENTIAL: A release"),
    ("outside", "OUTSIDE: the same attacks on a made-up operator of the same plan and size", "A release")])  # fmt: skip
def test_the_first_line_says_which_edition_it_is(kind: str, said: str, title: str) -> None:
    page = Tree(made(audit(kind)))
    body = next(k for k, (tag, _, _) in enumerate(page.elements) if tag == "body")
    tag, has, text = page.elements[body + 1]
    assert (tag, has["class"], "".join(text)) == ("p", "edition", said)
    assert page.texts("title") == [title]
    assert said in page.texts("footer")[0].replace(" :", ":")


def test_every_row_stands_once_with_its_sentence(tree: Tree) -> None:
    ids = [has["id"] for _, has, _ in tree.elements if "id" in has]
    assert len(ids) == len(set(ids))
    text = tree.texts("body")[0]
    for e in evidence():
        assert ids.count(anchor(e)) == 1, e.name
        assert text.count(e.sentence) == 1, e.name
        assert e.sentence in " ".join(tree.row(anchor(e)))


def test_a_row_reads_as_it_was_found(tree: Tree) -> None:
    assert tree.row("row-membership-release-1000") == [
        "Membership in a group of 1,000: release Shown the release, the attacker is right 51 times in 100. "
        "WP29: singling out · n = 40,000 · Pyrgelis et al. 2018", "AUC .51 [.50, .52]", ".50 ≤ .562", "✓ passed"]  # fmt: skip
    assert tree.row("row-matched-2")[1:] == ["share \N{MINUS SIGN}0.3 % [\N{MINUS SIGN}3.2, 2.6]", "0.0 % ≤ 10.8 %", "✓ passed"]
    assert tree.row("row-mechanism-size")[1:] == ["p-value .42", "≥ 10⁻⁶", "✓ passed"]
    assert tree.row("row-mechanism-accounts")[1:] == ["count 0", "limit ≤ 0", "✓ passed"]
    assert tree.row("row-differencing-noisy")[1:] == ["persons 37.2", "≥ 8.9", "✓ passed"]
    assert tree.row("row-trajectories-release")[3] == "– information"
    assert tree.row("row-membership-raw-1000") == [
        "Raw counts n = 40,000", "AUC .99 [.98, 1.00]", "",
        "Shown the raw counts, the attacker is right 99 times in 100."]  # fmt: skip


def test_what_is_compared_stands_beside_what_is_ours(tree: Tree) -> None:
    tables = tree.texts("table", class_="evidence comparison")
    assert [t.split(" Published as ")[0] for t in tables] == [
        "Membership in a group of 1,000", "Hours of people recovered", "Counts of 50 and more"]
    assert tables[0].count("Ours: held against its limit above") == 2 and tables[1].count("Ours: said above") == 1
    assert "Hidden cells that subtraction shows n = 2,000 · Dobra, Fienberg 2000" in tables[2]
    facts = next(t for t in tree.texts("dl", class_="facts") if "Event-level noise" in t)
    assert facts == (
        "Raw counts .99 Counts of 50 and more .83 Event-level noise .97 Release before the cut .54 limit ≤ .562 Release .51 limit ≤ .562")
    answers = " ".join(tree.texts("dl", class_="questions"))
    assert "AUC of .99 on raw counts, .83 on counts of 50 and more, .97 on event-level noise, and .54 on ours" in answers


def test_an_audit_that_compared_nothing_says_so() -> None:
    ours = tuple(e for e in evidence() if not compares(e))
    page = Tree(made(audit(rows=ours)))
    assert "This audit compared no other way to publish." in page.texts("section", id="does")[0]
    assert "Not by leaving out names" not in page.texts("body")[0]


def test_what_is_held_against_a_limit_is_never_a_mere_comparison() -> None:
    for subject in ("raw counts", "release"):
        judged = Evidence("other", "membership", "Other", subject, "auc", 0.9, 0.8, 0.95, 9, "S.", control=0.5, limit=0.6, passed=False)
        assert not compares(judged)
        assert compares(replace(judged, limit=None, passed=None)) == (subject == "raw counts")
    page = Tree(made(audit(rows=(Evidence("x", "membership", "X", "raw counts", "auc", 0.9, 0.8, 1, 9, "S.", limit=0.6, passed=False),))))
    assert page.row("row-x")[3] == "✕ failed"


def test_all_passed(tree: Tree) -> None:
    held = sum(e.passed is not None for e in evidence())
    assert tree.texts("p", class_="verdict-line good") == [
        f"✓ Passed. None of the {held} results that are held against a limit goes beyond it with confidence."]


def test_what_failed_is_counted_named_and_linked() -> None:
    rows = tuple(
        replace(e, value=0.83, low=0.81, high=0.85, passed=False) if e.name == "membership_release_1000" else e for e in evidence())
    page = Tree(made(audit(rows=rows)))
    said = page.texts("div", class_="verdict-line far")[0]
    assert said.startswith("✕ 1 failed of 9 results") and "Do not release" in said
    assert "Membership in a group of 1,000: release" in page.texts("a", href="#row-membership-release-1000")[0]
    assert page.row("row-membership-release-1000")[3] == "✕ failed"
    assert "✕ 1 of 2 failed" in page.texts("table", class_="intruders")[0]
    assert "1 of 4 attacks went beyond what the guarantee allows" in page.texts("body")[0]
    assert not page.texts("p", class_="verdict-line good")


def test_a_bound_beyond_the_claim_fails_even_where_no_row_does() -> None:
    page = Tree(made(audit(bound=1.45)))
    said = page.texts("div", class_="verdict-line far")[0]
    assert said.startswith("✕ 1 failed") and "The lower bound on epsilon, 1.45, is above the claim of 1" in said
    assert "it is beyond the claim" in page.texts("figcaption")[0]


def test_a_bound_whose_row_failed_is_counted_once() -> None:
    rows = tuple(
        replace(e, value=1.45, low=1.45, high=1.45, passed=False) if e.name == "canaries.epsilon" else e for e in evidence())
    assert Tree(made(audit(rows=rows, bound=1.45))).texts("div", class_="verdict-line far")[0].startswith("✕ 1 failed")


def test_nothing_held_against_a_limit_is_no_pass() -> None:
    rows = tuple(e for e in evidence() if e.passed is None)
    page = Tree(made(audit(rows=rows)))
    assert page.texts("p", class_="verdict-line far")[0].startswith("Nothing was tested.")
    assert "not attacked" in page.texts("table", class_="intruders")[0] and "Passed" not in page.texts("header")[0]


@pytest.mark.parametrize("plan", [Plan.standard(2.0, 1e-6), Plan.standard(1.0, 1e-7)])
def test_the_plan_must_be_the_one_that_was_attacked(plan: Plan) -> None:
    with pytest.raises(FormatError, match="make the page with the plan that was attacked"):
        made(plan=plan)


def test_every_intruder_and_criterion_has_its_place(tree: Tree) -> None:
    assert tuple(INTRUDERS) == FAMILIES
    assert [t for t in tree.texts("h3") if t in {i.heading for i in INTRUDERS.values()}] == [INTRUDERS[f].heading for f in FAMILIES]
    rows = tree.texts("table", class_="criteria")[0]
    assert "same person? Linking home and group to days share 0.21 %, limit ≤ 4.00 %" in rows and "✓ 2 of 2 passed" in rows
    assert {criterion(e.name, e.family) for e in evidence()} == {None, *CRITERIA}
    assert criterion("singling_out_one", "disclosure") == criterion("unicity_real_2", "uniqueness") == "singling out"
    assert criterion("matched_2", "uniqueness") == "linkability" and criterion("inference_home_zone", "disclosure") == "inference"
    assert criterion("traces.outputs", "traces") is criterion("mechanism.size", "mechanism") is None


def test_guarantee_and_numbers(tree: Tree) -> None:
    said = tree.texts("section", id="guarantee")[0]
    assert "had all your records been left out, nearly the same would have come out" in said
    assert "Claimed ε 1 at most" in said and "10⁻⁶" in said and f"{PLAN.rho:.4g}" in said and "Shown by attack 0.47" in said
    assert "more than 2.7 times as likely by your being there, but for a chance of one in a million." in said
    assert "cost nothing more" in said and "one subscriber with all their records over the whole period" in said


def test_a_study_of_the_method_is_called_one() -> None:
    plan = replace(PLAN, epsilon=1000.0)
    found = replace(audit(), claimed={"epsilon": 1000.0, "delta": 1e-6})
    assert "next to nothing is promised: this is a study of the method" in Tree(made(found, plan=plan)).texts("section", id="guarantee")[0]


def test_every_table_of_the_plan_with_its_cost(tree: Tree) -> None:
    said = tree.texts("table", class_="plan")[0]
    first = COSTS[0]
    assert f"{first['table']} {first['bound_l2']:.2f}" in said and len(COSTS) > 30
    assert all(f" {cost['table']} " in said for cost in COSTS)
    assert f"{len(COSTS)} tables" in tree.texts("section", id="tables")[0] and "for groups of 50" in tree.texts("section", id="tables")[0]


def test_the_ledger_adds_up() -> None:
    page = Tree(made(book=ledger(0.6, 0.6)))
    said = page.texts("section", id="ledger")[0]
    left = accounting.epsilon_of(accounting.rho_from(1.0, 1e-6) - 2 * accounting.rho_from(0.6, 1e-6), 1e-6)
    assert "Spent ε 0.868 77 % of ρ Total ε 1 at δ 10⁻⁶" in said and f"Left ε {left:.3g} for one more release" in said
    assert "2026-10-24 09:53 measure 2 0.6 10⁻⁶ 0.00935 0.6" in said and "2026-11-24 09:53 measure 2 0.6 10⁻⁶ 0.00935 0.868" in said
    assert page.texts("tr").count("2026-10-24 09:53 measure 2 0.6 10⁻⁶ 0.00935 0.6") == 1
    assert any("77% of the total rho is spent, 23% is left" in has.get("aria-label", "") for _, has, _ in page.elements)


@pytest.mark.parametrize(("book", "said"), [
    (None, "No ledger: this page was made without one"),
    (ledger(), "Nothing has been spent yet."),
    (ledger(0.6, total=None), "none is set: nothing is refused"),
    (ledger(1.0), "Left 0 for one more release"),
    ({**ledger(0.6), "spent": {"rho": 1.0, "epsilon": None}}, "Spent beyond any number"),
    ({**ledger(0.6), "notes": ["line 3: an unfinished line was removed"]}, "line 3: an unfinished line was removed")])  # fmt: skip
def test_a_ledger_in_every_state(book: Any, said: str) -> None:
    assert said in Tree(made(book=book)).texts("section", id="ledger")[0]


def test_the_assessment_asks_answers_and_leaves_open(tree: Tree) -> None:
    said = tree.texts("section", id="assessment")[0]
    for step in ("Nature", "Scope", "Context", "Purposes", "Necessity and proportionality", "Risks to individuals", "Measures"):
        assert step in said
    assert said.count(CONTROLLER) >= 15
    assert f"counted into {len(PLAN.requests)} tables" in said and "sex, age band" in said and "age band for children" in said
    assert "All releases together may cost epsilon 1; the ledger refuses more." in said
    placed = Tree(made(audit(zones=343, period={"first_day": "2026-03-02", "days": 7}))).texts("section", id="assessment")[0]
    assert "it is protected too. Period: first day 2026-03-02, days 7. Zones: 343." in placed
    bare = replace(PLAN, domain=replace(PLAN.domain, attributes=()))
    said = Tree(made(plan=bare)).texts("section", id="assessment")[0]
    assert "Of a subscriber: none, home" in said and "age band for children" not in said and "No total limits further releases" in said


def test_what_must_not_be_done_and_what_is_not_protected(tree: Tree) -> None:
    assert len(tree.texts("li")) >= len(MUST_NOT) + len(NOT_PROTECTED)
    forbidden = tree.texts("section", id="must-not")[0]
    for word in ("re-identification", "linking", "decision about a person", "small cells", "policing, immigration enforcement"):
        assert word in forbidden
    assert "docs/PRIVACY.md" in tree.texts("section", id="not-protected")[0]
    assert all(name in tree.texts("section", id="residual")[0] for name, _, _ in RESIDUAL)


def test_about_and_the_command_that_repeats_it() -> None:
    page = Tree(made(audit(command=["synthmob", "audit", "R"], groups=[100, 1000], full=False)))
    said = page.texts("dl", class_="about")[0]
    assert "Date of the audit 2026-11-24 Versions synthmob 0.1.0, python 3.11.7 People 10,000 Groups 100, 1000 Full no" in said
    assert page.texts("pre") == ["synthmob audit R"]
    assert Tree(made(audit("inside"))).texts("pre")[0] == "synthmob audit RECORDS --zones ZONES --epsilon 1 --delta 1e-06 -o FOLDER"
    assert Tree(made(audit("outside"))).texts("pre")[0] == "synthmob audit --outside RELEASE -o FOLDER"


def test_it_refers_to_nothing_but_itself(tree: Tree) -> None:
    ids = {has["id"] for _, has, _ in tree.elements if "id" in has}
    for tag, has, _ in tree.elements:
        assert tag not in ("script", "img", "iframe", "object", "form", "base") and "src" not in has and "style" not in has
        assert not any(name.startswith("on") for name in has)
        if "href" in has:
            assert has["href"] == "data:," or has["href"][1:] in ids, has["href"]
    style = part("privacy.css")
    assert "url(" not in style and "@import" not in style
    policy = next(has["content"] for _, has, _ in tree.elements if has.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy and "script-src" not in policy


def test_hostile_text_is_only_text() -> None:
    row = Evidence(
        "nasty", "disclosure", f"title {NASTY}", f"subject {NASTY}", f"unit {NASTY}", 1.0, 0.0, 2.0, 3, f"sentence {NASTY}",
        source=f"source {NASTY}")  # fmt: skip
    ours = replace(row, name="<b>ours</b>", subject="release", limit=9.0, control=0.0, passed=False, title=f"ours {NASTY}")
    book = {**ledger(0.6), "customers": f"customers {NASTY}", "notes": [f"note {NASTY}"]}
    book["lines"][1] |= {"step": f"step {NASTY}", "time": "<i>time", "tables": "<i>tables"}
    found = audit(rows=(*evidence(), row, ours), **{f"key {NASTY}": {f"inner {NASTY}": [f"value {NASTY}"]}}, command=f"command {NASTY}")
    costs = [{**COSTS[0], "table": f"table {NASTY}"}]
    page = made(found, title=f"A title {NASTY}", book=book, costs=costs)
    shown = Tree(page)
    tame = replace(row, title="t", subject="s", unit="u", sentence="x", source="y")
    clean = Tree(made(audit(rows=(*evidence(), tame)), book=ledger(0.6)))
    assert {tag for tag, _, _ in shown.elements} <= {tag for tag, _, _ in clean.elements} | {"ul"}
    text = shown.texts("body")[0]
    plain = " ".join(NASTY.split())
    for what in ("a title", "title", "subject", "unit", "sentence", "source", "customers", "note", "step", "table", "value", "command"):
        assert f"{what} {plain}" in text.replace(what.capitalize(), what), what
    assert not re.search(r"%%(?!ICO%%)[A-Z_]+%%", page), "a place was left unfilled"


def test_tables_can_be_heard(tree: Tree) -> None:
    heads = [(tag, has) for tag, has, _ in tree.elements if tag == "th"]
    assert heads and all(has.get("scope") in ("col", "row") for _, has in heads)
    assert len(tree.texts("caption")) == len(tree.texts("table"))
    drawings = [has for tag, has, _ in tree.elements if tag == "svg"]
    assert len(drawings) > 15 and all(has["role"] == "img" and len(has["aria-label"]) > 10 for has in drawings)
    levels = [int(tag[1]) for tag, _, _ in tree.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_colours_can_be_read() -> None:
    """WCAG 2.1 contrast of every text colour on every paper it stands on, in both themes: at least 4.5."""
    found = dict(re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", part("privacy.css")))
    papers = {
        "paper": ("ink", "ink-2", "link", "good", "far", "info"), "panel": ("ink", "ink-2"), "far-paper": ("ink", "link", "far"),
        "good-paper": ("ink", "ink-2", "link", "good"), "open-paper": ("ink", "open")}  # fmt: skip
    for theme in (0, 1):
        for paper, inks in papers.items():
            for ink in inks:
                pair = [found[name].split(", ")[theme] for name in (paper, ink)]
                assert contrast(*pair) >= 4.5, (theme, paper, ink)
        assert all(contrast("#ffffff", found[name].split(", ")[theme]) >= 4.5 for name in ("alarm", "calm"))
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
