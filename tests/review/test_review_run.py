"""The review as a whole: where findings land, what is hidden, what fails, what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from critic_doubles import Says, on_word, only, review_in

from momus.critique import Comment, Critique, Span
from momus.records import Sampled, Task
from momus.review import review
from momus.review.cache import Cache
from momus.review.config import Config
from momus.review.finding import Report
from momus.review.plan import Asked, plan
from momus.review.run import Reviewer, conduct
from momus.review.suggest import suggestions_patch


@pytest.mark.parametrize("cut", ["bare", "context", "file"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le-is-not-ours"])
def test_findings_land_on_the_exact_characters(tmp_path: Path, cut: str, end: str, encoding: str):
    text = end.join(["class É:", "\tdef f(self):", "\t\t'😀 é'; x = bad", "\t\treturn bad", ""])
    coded = encoding if encoding.startswith("utf-8") else "latin-1"
    if coded == "latin-1":
        text = f"# coding: latin-1{end}" + text.replace("😀", "ü")
    (tmp_path / "a.py").write_bytes(text.encode(coded))
    file = only(review_in(tmp_path, Says(on_word("bad"), cut=cut), "a.py"))
    assert file.text == text
    assert [finding.quote for finding in file.findings] == ["bad", "bad"]
    lines = text.split(end)
    for finding in file.findings:
        assert finding.span == finding.comment.highlight
        assert finding.span.of(text) == finding.quote == "bad"
        assert lines[finding.start_line - 1][finding.start_column - 1 : finding.end_column - 1] == "bad"
        assert (finding.unit, finding.end_line) == ("É.f", finding.start_line)


def test_windows_that_overlap_say_a_thing_once(tmp_path: Path):
    body = "".join(f"    x{n} = bad\n" for n in range(200))
    (tmp_path / "a.py").write_text("def f():\n" + body)
    file = only(review_in(tmp_path, Says(on_word("bad")), "a.py", options={"max_findings": 0}))
    assert [finding.start_line for finding in file.findings] == list(range(2, 202))


def test_the_gravest_stay_when_there_are_too_many_and_the_cut_is_said(tmp_path: Path):
    (tmp_path / "a.py").write_text("low = mid = high = low2 = 1\n")

    def comments(task: Task) -> Iterator[Comment]:
        for word, severity in (("low", "low"), ("mid", "medium"), ("high", "high"), ("low2", "low")):
            at = task.answer.index(word)
            yield Comment(Span(at, at + len(word)), "x", severity=severity)  # type: ignore[arg-type]

    file = only(review_in(tmp_path, Says(comments), "a.py", options={"max_findings": 2}))
    assert [finding.quote for finding in file.findings] == ["mid", "high"]
    assert {finding.state for finding in file.hidden} == {"over-limit"}
    assert [(note.kind, "2 more" in note.text) for note in file.notes] == [("over-limit", True)]


def test_confidence_hides_what_is_below_and_no_confidence_is_never_hidden(tmp_path: Path):
    (tmp_path / "a.py").write_text("bad = 1\n")
    options: dict[str, object] = {"min_confidence": 0.6}
    unsure = only(review_in(tmp_path, Says(on_word("bad", confidence=0.5)), "a.py", options=options))
    assert ([f.state for f in unsure.hidden], unsure.findings) == (["below-confidence"], ())
    assert only(review_in(tmp_path, Says(on_word("bad", confidence=0.6)), "a.py", options=options)).findings
    assert only(review_in(tmp_path, Says(on_word("bad")), "a.py", options=options)).findings


@pytest.mark.parametrize(("cut", "hidden"), [("bare", ["refuted"]), ("context", ["refuted"]), ("file", [])])
def test_a_name_that_the_file_binds_is_not_said_to_be_undefined(tmp_path: Path, cut: str, hidden: list[str]):
    (tmp_path / "a.py").write_text(
        "def f(x):\n    return helper(x) + helpr(x)\n\n\ndef helper(x):\n    return helper\n"
    )

    def comments(task: Task) -> Iterator[Comment]:
        if "+" in task.answer:
            at = task.answer.index("helpr")
            yield Comment(Span(at, at + 5), "`helpr` is not defined.", "undefined-name")
        if "return helper\n" in task.answer:
            at = task.answer.index("return helper\n")
            yield Comment(Span(at, at + 13), "`helper` is not defined.", "undefined-name")

    file = only(review_in(tmp_path, Says(comments, cut=cut), "a.py"))
    assert [f.state for f in file.hidden] == hidden, "who reads whole files has looked"
    assert [f.start_line for f in file.findings] == ([2] if hidden else [2, 6])
    assert [note.kind for note in file.notes] == hidden


def test_a_category_that_is_switched_off_is_hidden(tmp_path: Path):
    (tmp_path / "a.py").write_text("bad = 1\n")
    file = only(review_in(tmp_path, Says(on_word("bad")), "a.py", options={"ignore": ["other"]}))
    assert [finding.state for finding in file.hidden] == ["ignored"]


def test_what_does_not_parse_is_reviewed_as_text_and_said(tmp_path: Path):
    (tmp_path / "a.py").write_text("def f(:\n    return bad\n")
    file = only(review_in(tmp_path, Says(on_word("bad")), "a.py"))
    assert [finding.unit for finding in file.findings] == ["f"]
    assert [(note.kind, note.line) for note in file.notes] == [("syntax-error", 1)]
    assert file.error is None


@pytest.mark.parametrize("data", [b"", b"\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_nothing_to_review_and_no_failure(tmp_path: Path, data: bytes):
    (tmp_path / "a.py").write_bytes(data)
    critic = Says(on_word("bad"))
    file = only(review_in(tmp_path, critic, "a.py"))
    assert (critic.tasks, file.error) == ([], None)
    assert "empty" in [note.kind for note in file.notes]


def test_files_that_cannot_be_read_fail_and_the_others_are_reviewed(tmp_path: Path):
    (tmp_path / "a.py").write_text("bad = 1\n")
    (tmp_path / "b.py").write_bytes(b"x = '\xff'\n")
    (tmp_path / "c.py").write_bytes(b"\0\1")
    report = review_in(tmp_path, Says(on_word("bad")), "a.py", "b.py", "c.py", "gone.py")
    assert [file.path for file in report.files] == ["a.py", "b.py", "c.py", "gone.py"]
    assert [file.path for file in report.failed] == ["b.py", "c.py", "gone.py"]
    assert len(report.findings) == 1
    assert not report.complete


class Unsteady:
    """Fails on some units, cuts others short, and can break off or be interrupted."""

    name = "unsteady"
    cut = "bare"

    def __init__(self, stop: BaseException | None = None) -> None:
        self.stop = stop

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            if "STOP" in task.answer and self.stop is not None:
                raise self.stop
            if "FAIL" in task.answer:
                yield Sampled(task_id=task.id, critic=self.name, finish="error", error="out of memory")
            elif "MUTE" not in task.answer:
                critique = Critique(tuple(on_word("bad")(task)))
                left_out = "its last 3 lines" if "LONG" in task.answer else None
                yield Sampled(task_id=task.id, critic=self.name, critique=critique, left_out=left_out)


def test_a_unit_that_fails_fails_its_file_and_the_rest_of_it_is_shown(tmp_path: Path):
    (tmp_path / "a.py").write_text("def f():\n    return FAIL\n\n\ndef g():\n    return bad\n")
    (tmp_path / "b.py").write_text("bad = 1\n")
    report = review_in(tmp_path, Unsteady(), "a.py", "b.py")
    assert len(report.findings) == 2
    assert [file.error for file in report.failed] == ["f (lines 1-2) was not reviewed: out of memory"]


def test_a_unit_without_an_answer_is_a_failure_not_silence(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = MUTE\n")
    report = review_in(tmp_path, Unsteady(), "a.py")
    assert "no answer" in (only(report).error or "")


def test_what_a_critic_leaves_out_is_said(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = LONG\n")
    report = review_in(tmp_path, Unsteady(), "a.py")
    assert [note.text for _, note in report.parts_left_out] == ["line 1: the critic did not take in its last 3 lines"]
    assert not report.complete


def test_a_critic_that_breaks_off_keeps_what_was_done_and_fails_the_rest(tmp_path: Path):
    for name, text in (("a.py", "bad = 1"), ("b.py", "bad = STOP"), ("c.py", "bad = 2"), ("d.py", "")):
        (tmp_path / name).write_text(text)
    report = review_in(tmp_path, Unsteady(RuntimeError("the model went away")), "a.py", "b.py", "c.py", "d.py")
    assert len(report.files) == 4
    assert [file.path for file in report.failed] == ["b.py", "c.py", "d.py"]
    assert all("the model went away" in (file.error or "") for file in report.failed)
    assert [finding.path for finding in report] == ["a.py"]


def test_an_interrupt_keeps_the_files_that_are_done(tmp_path: Path):
    for name, text in (("a.py", "bad = 1"), ("b.py", "bad = STOP"), ("c.py", "bad = 2")):
        (tmp_path / name).write_text(text)
    report = review_in(tmp_path, Unsteady(KeyboardInterrupt()), "a.py", "b.py", "c.py")
    assert (report.interrupted, report.planned, len(report.files), report.complete) == (True, 3, 1, False)


def test_an_interrupt_keeps_what_is_done_of_a_file_and_the_cache_keeps_it_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    words = {"f": "bad", "g": "STOP", "h": "bad"}
    functions = [f"def {name}():\n    return {word}\n\n\n" for name, word in words.items()]
    (tmp_path / "a.py").write_text("".join(functions))
    config = Config(isolated=True)
    jobs = plan(Asked((Path("a.py"),)), config, tmp_path)

    def review(stop: BaseException | None) -> Report:
        critic = Unsteady(stop)
        critic.version = "1"  # type: ignore[attr-defined]
        return conduct(jobs, config.near(tmp_path), tmp_path, critic=critic)

    stopped = review(KeyboardInterrupt())
    assert stopped.interrupted and not stopped.complete
    assert [finding.unit for finding in stopped] == ["f"]
    assert only(stopped).error == "g (lines 5-6) was not reviewed: interrupted (and 1 more part)"
    went_on = review(None)
    assert (only(went_on).cached, len(went_on.findings), went_on.complete) == (1, 2, True)


class Count:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.planned: tuple[int, int] | None = None
        self.answers: list[int] = []

    def begin(self, units: int, characters: int, expected_s: float) -> None:
        self.planned = (units, characters)

    def answered(self, characters: int) -> None:
        self.answers.append(characters)


def test_a_meter_is_told_the_work_before_it_begins_without_what_the_cache_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "a.py").write_text("def f():\n    return bad\n\n\ndef g():\n    return 1\n")
    (tmp_path / "b.py").write_bytes(b"\xff")
    config = Config(isolated=True)
    jobs = plan(Asked((Path("a.py"), Path("b.py"))), config, tmp_path)
    counts = [Count(), Count()]
    for count in counts:
        critic = Says(on_word("bad"), version="1", cut="bare")
        conduct(jobs, config.near(tmp_path), tmp_path, critic=critic, meter=count)
    assert counts[0].planned == (2, sum(counts[0].answers)) and len(counts[0].answers) == 2
    assert (counts[1].planned, counts[1].answers) == ((0, 0), [])


def cached(folder: Path, critic: object, seed: int = 0) -> tuple[int, int]:
    config = Config(options={"seed": seed}, isolated=True)
    jobs = plan(Asked((Path("a.py"),)), config, folder)
    file = only(conduct(jobs, config.near(folder), folder, critic=critic))  # type: ignore[arg-type]
    return file.units, file.cached


def test_units_that_did_not_change_are_not_asked_about_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    text = "def f():\n    return bad\n\n\ndef g():\n    return 1\n"
    (tmp_path / "a.py").write_text(text)
    critic = Says(on_word("bad"), version="1", cut="bare")
    assert cached(tmp_path, critic) == (2, 0)
    (tmp_path / "a.py").write_text("x = 2\n" + text.replace("return 1", "return 2"))
    assert cached(tmp_path, critic) == (3, 1)
    assert len(critic.tasks) == 4
    assert cached(tmp_path, critic, seed=1) == (3, 0)
    assert cached(tmp_path, Says(on_word("bad"), version="2")) == (3, 0)
    assert cached(tmp_path, Says(on_word("bad"))) == (3, 0)  # says not what it is exactly
    assert cached(tmp_path, Says(on_word("bad"))) == (3, 0)
    assert only(review_in(tmp_path, critic, "a.py")).cached == 0  # switched off


def test_a_corrupt_cache_or_one_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "a.py").write_text("bad = 1\n")
    critic = Says(on_word("bad"), version="1")
    cached(tmp_path, critic)
    (entry,) = (path for path in (tmp_path / "cache").rglob("*.json"))
    entry.write_text("{")
    assert cached(tmp_path, critic) == (1, 0)
    assert cached(tmp_path, critic) == (1, 1)
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "a.py" / "below-a-file"))
    assert cached(tmp_path, critic) == (1, 0)


def test_a_failure_is_not_kept(tmp_path: Path):
    cache = Cache("x", 0, tmp_path)
    task = Task(id="t", question="", answer="x")
    cache.put(task, Sampled(task_id="t", critic="x", finish="error", error="no"))
    assert cache.get(task) is None
    cache.put(task, Sampled(task_id="t", critic="x"))
    assert cache.get(task.model_copy(update={"id": "u"})) == Sampled(task_id="u", critic="x")


def test_the_whole_of_every_file_goes_to_the_critic_in_one_stream(tmp_path: Path):
    for n in range(3):
        (tmp_path / f"a{n}.py").write_text("x = 1\n\n\ndef f():\n    return bad\n")
    calls = []

    class Counted(Says):
        def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
            calls.append(seed)
            yield from super().critique(tasks, n=n, seed=seed)

    critic = Counted(on_word("bad"))
    report = review_in(tmp_path, critic, options={"seed": 7})
    assert calls == [7]
    assert len(critic.tasks) == 6
    assert len({task.id for task in critic.tasks}) == 6
    assert [file.units for file in report.files] == [2, 2, 2]


def test_reports_come_as_files_are_done_not_at_the_end(tmp_path: Path):
    for n in range(3):
        (tmp_path / f"a{n}.py").write_text("bad = 1\n")
    config = Config(isolated=True)
    critic = Says(on_word("bad"))
    files = Reviewer(critic, plan(Asked(), config, tmp_path)).files()
    assert next(iter(files)).path == "a0.py"
    assert len(critic.tasks) == 1


def test_the_function_reviews_with_a_critic_by_name(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = 1\n")
    report = review(
        ["a.py"], critic="everything", root=tmp_path, config=Config(isolated=True, options={"cache": False})
    )
    assert [finding.quote for finding in report] == ["x = 1"]
    assert report.critic == "everything"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("final", ["", "end"])
@pytest.mark.parametrize("coding", ["utf-8", "latin-1", "utf-8-sig"])
def test_suggestions_make_a_patch_that_git_applies(tmp_path: Path, end: str, final: str, coding: str):
    import subprocess

    head = ["# coding: latin-1"] if coding == "latin-1" else []
    lines = [*head, "é = 'é'", *["x = 0"] * 9, "def f():", "    y = bad", "    return bad", "z = bad"]
    text = end.join(lines) + (end if final else "")
    (tmp_path / "a.py").write_bytes(text.encode(coding))
    report = review_in(tmp_path, Says(on_word("bad", suggestion="good")), "a.py")
    patch, left = suggestions_patch(report.files)
    assert left == []
    (tmp_path / "p.patch").write_bytes(patch)
    apply = ["git", "apply", "--whitespace=nowarn", "p.patch"]
    done = subprocess.run(apply, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.py").read_bytes() == text.replace("bad", "good").encode(coding)


def test_suggestions_that_clash_or_do_not_parse_are_left_out_and_said(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = bad\ny = worse\n")

    def comments(task: Task) -> Iterator[Comment]:
        at = task.answer.find("bad")
        if at >= 0:
            yield Comment(Span(at, at + 3), "a", severity="high", suggestion="good")
            yield Comment(Span(0, at + 3), "b", suggestion="x = fine")
            yield Comment(Span(at + 8, at + 13), "c", suggestion="(")

    file = only(review_in(tmp_path, Says(comments, cut="file"), "a.py"))
    patch, left = suggestions_patch([file])
    assert b"+x = good\n" in patch
    assert b"fine" not in patch
    assert len(left) == 2
