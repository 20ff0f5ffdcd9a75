"""Every figure and table of the paper that data can redraw, and those that are ours, in the order of a report."""

from __future__ import annotations

from momus.measure.report import beyond, from_files, from_ratings
from momus.measure.report.made import Recipe

_RATED = "comparisons.jsonl and ratings.jsonl"

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "1a", "Elo by critic on inserted bugs", f"{_RATED} of two critics or more on inserted bugs", from_ratings.elo
    ),
    Recipe("Table 3", "Preference on natural bugs", f"{_RATED} on natural bugs", from_ratings.preferred),
    Recipe(
        "1b",
        "Bugs caught",
        f"{_RATED} with CBI scores on inserted bugs, or results of momus measure -o",
        lambda source: from_ratings.caught(source) or from_files.caught_by_code(source),
    ),
    Recipe(
        "4",
        "What people did to pre-filled comments",
        "comparisons.jsonl with critiques of a critic and of human+CRITIC on the same tasks",
        from_files.edited,
    ),
    Recipe(
        "5a",
        "Preference over pre-training compute",
        "scaling.json with the measure `preferred`",
        from_files.preferred_by_compute,
    ),
    Recipe(
        "5b",
        "Bugs caught over pre-training compute",
        "scaling.json with its measure for two families of sizes",
        from_files.caught_by_compute,
    ),
    Recipe("6", "Comprehensiveness", f"{_RATED} with comprehensiveness", from_ratings.comprehensive),
    Recipe("7", "Nitpicks and fake problems", f"{_RATED} with nitpick and fake_problem", from_ratings.spurious),
    Recipe(
        "8",
        "Comprehensiveness against spurious claims",
        f"{_RATED} with comprehensiveness, nitpick and fake_problem",
        from_ratings.frontier,
    ),
    Recipe("9", "The dial of each policy", "the results.json of a study with a dial", from_files.dials),
    Recipe("10", "Inserted and natural bugs", f"{_RATED} of inserted and of natural bugs", from_ratings.bug_sets),
    Recipe("11", "Agreement of raters", "ratings.jsonl of the same comparisons by two raters", from_ratings.agreement),
    Recipe(
        "12",
        "CBI on inserted against comprehensiveness on natural bugs",
        f"{_RATED} of inserted and of natural bugs",
        from_ratings.both_sets,
    ),
    Recipe("13", "Discriminators of tampered answers by size", "discriminators.json", from_files.discriminators),
    Recipe("14", "Choosing the solution that passes", "choices.jsonl", from_files.chosen),
    Recipe(
        "Section 3.5",
        "Without tampered data",
        "the results.json of a study with the variant no-tampered",
        from_files.variants,
    ),
    Recipe("Section 3.6", "Audit of answers rated good", "audit.json", from_files.audited),
    Recipe("Twin test", "Found, and not said of the clean twin", "results of momus measure -o", beyond.twins),
    Recipe("Blind spots", "Recall by class of bug", "blindspots.json", beyond.blind_spots),
    Recipe(
        "Scattered bugs",
        "Share found of several bugs far apart",
        "comparisons.jsonl of answers with two bugs or more, with their twins",
        beyond.scattered,
    ),
    Recipe(
        "Calibration",
        "Confidence against how often it is right",
        "comparisons.jsonl of tampered answers whose comments have a confidence",
        beyond.confidence,
    ),
)
