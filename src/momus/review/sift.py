"""Which findings of a file are shown, which are not, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from momus.critique import SEVERITIES, TextMap
from momus.review.baseline import Baseline, baseline_note
from momus.review.config import Settings
from momus.review.finding import Finding, Note
from momus.review.ignores import Ignores


def sift(
    findings: Sequence[Finding], path: str, settings: Settings, ignores: Ignores, baseline: Baseline, code: str | None
) -> tuple[list[Finding], list[Finding], list[Note]]:
    """Findings to show, findings to hide, and notes on the latter.

    `path` is the file's, as the baseline knows it. Findings are held against `code`, what the critic read of the whole
    file; None for a critic that has read the whole file itself.
    """
    off = [f for f in findings if f.category in settings.ignore]
    kept, ignored = ignores.part(f for f in findings if f.category not in settings.ignore)
    ignored += [replace(f, state="ignored", reason="its category is switched off in the settings") for f in off]
    wrong: list[Finding] = []
    if code is not None:
        from momus.critics.refuted import refuted  # critics take long to load, and a linter needs none of this

        text = TextMap(code)
        wrong = [replace(f, state="refuted") for f in kept if refuted(f.comment, text)]
        kept = [f for f in kept if not refuted(f.comment, text)]
    kept, known = baseline.part(path, kept)
    unsure = [replace(f, state="below-confidence") for f in kept if _confidence(f) < settings.min_confidence]
    kept = [f for f in kept if _confidence(f) >= settings.min_confidence]
    over: list[Finding] = []
    if settings.max_findings and len(kept) > settings.max_findings:
        ranked = sorted(kept, key=lambda f: (-SEVERITIES.index(f.severity), -_confidence(f), f.span))
        over = [replace(f, state="over-limit") for f in ranked[settings.max_findings :]]
        kept = sorted(ranked[: settings.max_findings], key=lambda f: f.span)
    notes: list[Note] = []
    if ignored:
        notes.append(Note("ignored", f"{len(ignored)} ignored"))
    if known:
        notes.append(baseline_note(len(known)))
    if wrong:
        notes.append(
            Note("refuted", f"{len(wrong)} refuted by the file: a name is bound, or no return may stand there")
        )
    if unsure:
        notes.append(Note("below-confidence", f"{len(unsure)} below --min-confidence {settings.min_confidence:g}"))
    if over:
        notes.append(Note("over-limit", f"{len(over)} more than --max-findings {settings.max_findings}"))
    hidden = sorted([*ignored, *known, *wrong, *unsure, *over], key=lambda f: f.span)
    return kept, hidden, notes


def _confidence(finding: Finding) -> float:
    """A critic that gives no confidence stands by what it says."""
    return 1.0 if finding.comment.confidence is None else finding.comment.confidence
