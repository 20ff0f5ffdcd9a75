"""JUnit XML: a suite for each file, a failed case for each finding, an error for what was not reviewed."""

from __future__ import annotations

from xml.etree import ElementTree

from momus.critique import TextMap
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.interchange import markup, repository_path
from momus.review.output.summary import hidden_line, percent, summary_line
from momus.review.output.text import code_rows, heading, paint, shown_by
from momus.review.output.visible import one_line, visible


def render(report: Report, options: Options) -> str:
    """One document. A file in which nothing was found is one passed case, so that a clean review is no empty report."""
    suites = ElementTree.Element("testsuites", name="momus", time=f"{report.seconds:.3f}")
    totals = {"tests": 0, "failures": 0, "errors": 0}
    for file in report.files:
        counts = _suite(suites, file, repository_path(file.path, report, options))
        for key, count in counts.items():
            totals[key] += count
    if report.interrupted:
        suite = ElementTree.SubElement(suites, "testsuite", name="momus", tests="1", failures="0", errors="1")
        case = ElementTree.SubElement(suite, "testcase", name="interrupted", classname="momus")
        ElementTree.SubElement(case, "error", message=summary_line(report), type="interrupted")
        totals["tests"] += 1
        totals["errors"] += 1
    for key, count in totals.items():
        suites.set(key, str(count))
    said = "\n".join(line for line in (summary_line(report), hidden_line(report)) if line)
    if len(suites):
        ElementTree.SubElement(suites[-1], "system-out").text = said
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + markup(ElementTree.tostring(suites, encoding="unicode")) + "\n"


def _suite(parent: ElementTree.Element, file: FileReport, path: str) -> dict[str, int]:
    name = one_line(path)
    suite = ElementTree.SubElement(parent, "testsuite", name=name)
    text = TextMap(file.text)
    for finding in file.findings:
        case = ElementTree.SubElement(suite, "testcase", name=_case_name(file, finding), classname=name)
        case.set("file", name)
        if not file.is_notebook:  # on disk it is JSON; the name of the case has cell and line
            case.set("line", str(finding.start_line))
        failure = ElementTree.SubElement(case, "failure", type=finding.severity)
        failure.set("message", one_line(finding.comment.text))
        code = "\n".join(paint(row, Options()) for row in code_rows(file, text, finding, Options()))
        shows = shown_by(finding)
        failure.text = f"{code}\n\n{visible(finding.comment.text)}" + (f"\n\n{visible(shows)}" if shows else "")
    if file.error is not None:
        case = ElementTree.SubElement(suite, "testcase", name="not reviewed", classname=name)
        ElementTree.SubElement(case, "error", message=one_line(file.error), type="not-reviewed")
    elif not file.findings:
        ElementTree.SubElement(suite, "testcase", name="no findings", classname=name)
    counts = {"tests": len(suite), "failures": len(file.findings), "errors": 0 if file.error is None else 1}
    for key, count in counts.items():
        suite.set(key, str(count))
    return counts


def _case_name(file: FileReport, finding: Finding) -> str:
    where, _ = heading(file, finding)
    return f"{finding.category} {percent(finding.comment.confidence)}".rstrip() + f" at {where}"
