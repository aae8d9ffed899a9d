"""What the privacy page says whatever an audit found: editions, intruders, criteria, what must not be done, what is not protected."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthmob.report.words import WEAK_EPSILON, power, whole

EDITIONS = {
    "inside": "INSIDE, CONFIDENTIAL: attacks on the records; these results are unprotected queries: do not pass on",
    "outside": "OUTSIDE: the same attacks on a made-up operator of the same plan and size",
}
"""The first line of the page, by kind of audit."""
GUARANTEE = (
    "Whoever sees a release, or anything made from it, and whatever else they know, cannot tell with any confidence whether you were "
    "among the customers who were counted, nor what you did: had all your records been left out, nearly the same would have come out, "
    "nearly as often."
)
"""The first of two sentences, in the words of docs/PRIVACY.md; `how_nearly` is the second."""
CARRIED = (
    "Models, synthetic people, reports and outside checks are made from a release and from public files alone, so they carry the same "
    "guarantee and cost nothing more."
)
CONTROLLER = "To be answered by the controller"


def how_nearly(epsilon: float, delta: float) -> str:
    """What an epsilon and a delta promise, in one sentence.

    >>> how_nearly(1.0, 1e-6).split(", ")[-1]
    'but for a chance of one in a million.'
    """
    chosen = f"How nearly is chosen beforehand: at epsilon {epsilon:g} and delta {power(delta)}, "
    if epsilon > WEAK_EPSILON:
        return f"{chosen}next to nothing is promised: this is a study of the method, not a protected release."
    return (
        f"{chosen}no conclusion about you becomes more than {math.exp(epsilon):.1f} times as likely by your being there, but for a "
        f"chance of {_chance(delta)}."
    )


def _chance(delta: float) -> str:
    """A small chance as people say it."""
    return f"one in {_round(1 / delta)}" if delta < 0.1 else f"{delta:g}"


def _round(number: float) -> str:
    """A large number in words where it is a round one.

    >>> _round(1e6), _round(2.5e5)
    ('a million', '250,000')
    """
    known = {1_000: "a thousand", 1_000_000: "a million", 1_000_000_000: "a billion"}
    return known.get(round(number), whole(number))


@dataclass(frozen=True)
class Intruder:
    """Whom the attacks of one family stand for. `ico` compares them with the Information Commissioner's motivated intruder."""

    heading: str
    who: str
    knows: str
    means: str
    ico: str


INTRUDERS = {
    "mechanism": Intruder(
        "The code, examined",
        "Nobody from outside: an examiner who may run the code on anything",
        "The source code, and the exact counts that go into it",
        "Statistical tests that would see weaker noise, a contribution that is not bounded, or a total left exact",
        "No intruder: shows that what is attacked below is what was promised",
    ),
    "canaries": Intruder(
        "The insider who plants subscribers",
        "A dishonest employee, or somebody who can sign up thousands of customers",
        "Every record of the planted subscribers, and noisy counts before small ones are withheld, which nobody else ever sees",
        "The statistics of privacy auditing, and as many planted subscribers as wanted",
        "Far stronger: nobody in the world has both",
    ),
    "membership": Intruder(
        "The acquaintance who knows all of a person's days",
        "A former partner, an employer, a stalker or a data broker who asks: is this person among the subscribers?",
        "Every stay of the person; in the strongest attacks also how everybody else moves, and the law of the noise",
        "Graduate statistics and a computer",
        "Stronger: the test supposes no such prior knowledge",
    ),
    "trajectories": Intruder(
        "The analyst who has the tables alone",
        "A competitor, a curious researcher or an advertiser who tries to turn hourly counts back into people's days",
        "Nothing of anybody: only what is published",
        "A published algorithm and a computer",
        "Stronger in skill, equal in knowledge",
    ),
    "uniqueness": Intruder(
        "The neighbour with a few sightings",
        "A neighbour, a colleague or a journalist who saw a person in a few places and looks for them among synthetic people",
        "Two to four places and hours of one person, or the whole trace",
        "Searching in a table",
        "Equal in skill, at times stronger in knowledge",
    ),
    "disclosure": Intruder(
        "The investigator with a register",
        "A journalist, a private investigator or a data broker who wants to find, link or complete a person",
        "What a register says of people (sex, age, home), or all about a person but the one thing that is wanted",
        "Matching of records by similarity, as taught and sold",
        "As the test describes, with good statistics",
    ),
    "differencing": Intruder(
        "The statistician who adds and subtracts",
        "Anybody who combines published tables so that a small group remains",
        "Only what is published",
        "Arithmetic and linear programming",
        "As the test describes, with good arithmetic",
    ),
    "traces": Intruder(
        "The finder of a log or a backup",
        "Whoever comes by an output, a log, an error message or a file left behind on the machine",
        "The id of one subscriber, to be looked for",
        "Searching bytes, also packed ones",
        "As the test describes",
    ),
}
"""By family of evidence, in the order of the page."""
ICO = (
    "The Information Commissioner's motivated intruder is somebody reasonably competent who wants to identify a person, starts without "
    "prior knowledge, can use the internet, libraries and public records, and would ask around, but has no special skills and breaks "
    "into nothing. Most of the intruders here are given more than that, so that what fails to work for them works for nobody weaker."
)
WP29 = (
    "The Article 29 Working Party's opinion 05/2014 asks three questions of anonymised data. Each attack below is held under the one that "
    "it comes nearest to."
)
CRITERIA = {
    "singling out": "Can a person be isolated in the data, or told to be in it?",
    "linkability": "Can records be recognised as being about the same person?",
    "inference": "Can something about a person be deduced from the data that holds for them more than for others like them?",
}
_BY_WORD = (
    ("singl", "singling out"), ("unicity", "singling out"), ("link", "linkability"), ("match", "linkability"),
    ("infer", "inference"))  # fmt: skip
_BY_FAMILY = {
    "canaries": "singling out", "membership": "singling out", "trajectories": "inference", "uniqueness": "singling out",
    "disclosure": "inference", "differencing": "singling out"}  # fmt: skip


def criterion(name: str, family: str) -> str | None:
    """The question of the opinion that a piece of evidence answers; None for what is no attack on data.

    >>> criterion("linkability_10", "disclosure"), criterion("membership_release_100", "membership"), criterion("sigma", "mechanism")
    ('linkability', 'singling out', None)
    """
    if family not in _BY_FAMILY:
        return None
    return next((found for word, found in _BY_WORD if word in name.lower()), _BY_FAMILY[family])


MUST_NOT = (
    (
        "No re-identification",
        "Do not try to find out who is behind a count or a synthetic person, and report it if you think that you have.",
    ),
    (
        "No linking",
        (
            "Do not join the data to customer files, cameras, social media, registers or any other data about individuals in order "
            "to learn about a person."
        ),
    ),
    ("No decisions about individuals", "No credit, insurance, price, job, benefit or any other decision about a person may rest on it."),
    (
        "No enforcement",
        (
            "No policing, immigration enforcement, surveillance or search for people, and no choice of small places or of protected "
            "groups to be watched."
        ),
    ),
    (
        "No trust in small cells",
        "A count near the cut, a single synthetic person, day or trip is not an observation; use what holds over many.",
    ),
    ("No targets among sensitive places", "Do not look for visitors of clinics, shelters, places of worship or the like."),
    (
        "No comparison with exact counts",
        "Never publish an exact count of the same subscribers beside the release: the difference would have no protection.",
    ),
    (
        "No release beside the ledger",
        "Whoever measures the same subscribers again spends from the same total, in any month and under any plan.",
    ),
    ("No loss of these terms", "Pass the data on with its budget, this page's outside edition and these terms, or not at all."),
)
NOT_PROTECTED = (
    ("Groups", "A household of k subscribers has roughly k times the ε (k squared times the ρ)."),
    (
        "What is true of many",
        (
            "That a suburb works in the centre is what the tables are for, and tells something of everybody who lives there, in the "
            "data or not."
        ),
    ),
    (
        "Choices made in public",
        "Which zones there are, what the plan asks and over which days is not protected, and must not depend on records.",
    ),
    ("Releases that no ledger saw", "Rho adds up over all releases about the same customers; nothing can count what was made elsewhere."),
    (
        "Group sizes",
        (
            "The cut is policy, not a guarantee: it makes cells of few people rare among published ones, not impossible. The noise "
            "protects."
        ),
    ),
    (
        "The owner's machine",
        (
            "Exact records, checks against the truth and the inside edition of this page lie there, and running times can be watched "
            "there."
        ),
    ),
)
RESIDUAL = (
    (
        "A small shift in the odds remains",
        "A guess about one subscriber may improve by the factor that ε allows. It is small, not zero, and adds up over releases.",
        "Keep the total in the ledger low; decide what total is acceptable.",
    ),
    (
        "Guesses that are right without the data",
        "Statistics let anybody guess well about typical people. That is no leak of a record, but can harm groups.",
        "Consider harm to neighbourhoods and groups before a use is allowed.",
    ),
    (
        "Attacks not yet known",
        "Attacks here are the strongest we know how to run; the guarantee does not depend on them, but on its assumptions.",
        "Repeat the audit with new versions; review when assumptions change.",
    ),
    (
        "A fault in code or set-up",
        "A weaker noise or a wrong bound would void the guarantee. The examination of the code looks for it.",
        "Use an unchanged version; keep the audit's result with the release.",
    ),
    (
        "Synthetic people taken for real",
        "Readers may believe that a plausible day happened.",
        "Say with every use that no row is a real person.",
    ),
    ("Misuse after passing on", "Terms bind only those who accept them.", "Contract, access control, and a contact for reports."),
)
