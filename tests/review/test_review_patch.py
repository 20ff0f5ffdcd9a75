"""The reader of unified diffs, held against git, `diff -u` and the library that others use."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

import pytest
import unidiff
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.review.patch import BrokenPatch, apply, fits, parse_patch

MODIFIED = """diff --git a/a.py b/a.py
index 1..2 100644
--- a/a.py
+++ b/a.py
@@ -1,3 +1,4 @@ def f():
 one
-two
+zwei
+drei
 three
"""


def test_lines_that_are_new_are_counted_in_the_new_file():
    (patch,) = parse_patch(MODIFIED)
    assert (patch.old_path, patch.new_path) == ("a.py", "a.py")
    assert patch.changed() == {2, 3}


def test_a_pure_deletion_touches_the_lines_beside_it():
    (patch,) = parse_patch("--- a/a.py\n+++ b/a.py\n@@ -3,2 +2,0 @@\n-gone\n-gone\n")
    assert patch.changed() == {2, 3}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("diff --git a/x.py b/y.py\nsimilarity index 100%\nrename from x.py\nrename to y.py\n", "x.py", "y.py"),
        ("diff --git a/x.py b/x.py\nold mode 100644\nnew mode 100755\n", "x.py", "x.py"),
        ("diff --git a/x.py b/x.py\nnew file mode 100644\nindex 0..1\n", None, "x.py"),
        (
            "diff --git a/x.py b/x.py\ndeleted file mode 100644\n--- a/x.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
            "x.py",
            None,
        ),
        (
            'diff --git "a/n\\303\\251.py" "b/n\\303\\251.py"\n--- "a/n\\303\\251.py"\n+++ "b/n\\303\\251.py"\n',
            "né.py",
            "né.py",
        ),
        ("--- a name.py\t2026-01-01\n+++ a name.py\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n", "a name.py", "a name.py"),
        ("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x\n", None, "new.py"),
    ],
)
def test_names_are_read_whatever_wrote_them(text: str, old: str | None, new: str | None):
    (patch,) = parse_patch(text)
    assert (patch.old_path, patch.new_path) == (old, new)


def test_binary_entries_are_marked_and_what_follows_is_read():
    text = "diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n" + MODIFIED
    text += (
        "diff --git a/y.bin b/y.bin\nGIT binary patch\nliteral 3\nKcmZQzU|?imU|`\n\nliteral 0\nHcmV?d00001\n\n"
        + MODIFIED
    )
    assert [(patch.new_path, patch.binary, len(patch.hunks)) for patch in parse_patch(text)] == [
        ("x.png", True, 0),
        ("a.py", False, 1),
        ("y.bin", True, 0),
        ("a.py", False, 1),
    ]


def test_text_around_a_patch_is_no_part_of_it():
    mail = f"From: me\nSubject: x\n---\n a.py | 2 +-\n\n{MODIFIED}-- \n2.39\n"
    assert [patch.new_path for patch in parse_patch(mail)] == ["a.py"]


def test_an_empty_patch_has_no_files():
    assert parse_patch("") == []
    assert parse_patch("\n") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n", "no unified diff"),
        (MODIFIED[:-7], "breaks off"),
        (MODIFIED.replace(" three", "three"), "line 10"),
        (MODIFIED.replace("@@ -1,3 +1,4 @@", "@@ what @@"), "line 5"),
        ("@@ -1 +1 @@\n-a\n+b\n", "without the '---'"),
        ("diff --cc a.py\n@@@ -1,1 -1,1 +1,1 @@@\n", "combined diff"),
        ("--- /dev/null\n+++ /dev/null\n", "neither side"),
    ],
)
def test_a_broken_patch_is_one_sentence(text: str, said: str):
    with pytest.raises(BrokenPatch, match=said) as error:
        parse_patch(text)
    assert "\n" not in str(error.value)


def test_a_patch_whose_line_ends_were_converted_still_fits_and_keeps_the_files_own():
    (patch,) = parse_patch(MODIFIED.replace("\n", "\r\n"))
    assert fits("one\ntwo\nthree\n", patch, "old")
    assert apply("one\ntwo\nthree\n", patch) == "one\nzwei\ndrei\nthree\n"
    (patch,) = parse_patch(MODIFIED)
    assert apply("one\r\ntwo\r\nthree\r\n", patch) == "one\r\nzwei\r\ndrei\r\nthree\r\n"


line = st.sampled_from(["a", "b", "", "  c", "-- x", "++ y", "@@ z", "é😀", "\\ d", "tab\t"])
texts = st.tuples(st.lists(line, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
    lambda drawn: drawn[1].join(drawn[0]) + (drawn[1] if drawn[2] and drawn[0] else "")
)


@given(texts, texts, st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_a_diff_of_any_two_texts_leads_from_one_to_the_other(old: str, new: str, context: int):
    a, b = (["".join(part) for part in _lines(text)] for text in (old, new))
    out = []
    for row in difflib.unified_diff(a, b, "a/x.py", "b/x.py", n=context):
        out.append(row if row.endswith("\n") else row + "\n\\ No newline at end of file\n")
    text = "".join(out)
    patches = parse_patch(text)
    assert bool(patches) == (old != new)
    for patch in patches:
        assert fits(old, patch, "old")
        assert fits(new, patch, "new")
        assert apply(old, patch) == new
        assert {b[line - 1] for line in patch.changed() if line <= len(b)} >= {
            hunk.new[at] for hunk in patch.hunks for at in hunk.added
        }
        if "\r" not in text and context:  # the other reader takes a lone CR for a line end
            peer = {row.target_line_no for hunk in unidiff.PatchSet(text)[0] for row in hunk if row.is_added}
            first = {hunk.new_start + at for hunk in patch.hunks for at in hunk.added}
            assert peer == first


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


@given(st.text(alphabet=st.sampled_from("-+@ ,0123\n\\ab/"), max_size=120))
def test_any_text_is_read_or_refused(text: str):
    try:
        parse_patch(text)
    except BrokenPatch as error:
        assert "\n" not in str(error)


def test_what_git_itself_writes_for_odd_names_is_read(tmp_path: Path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    names = ["plain.py", "with space.py", "né.py", 'quo"te.py', "tab\t.py"]
    for name in names:
        (tmp_path / name).write_text("x = 1\n")
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "add", "-A"], check=True)
    diff = subprocess.run([*git, "diff", "--cached"], check=True, capture_output=True).stdout.decode()
    assert sorted(str(patch.new_path) for patch in parse_patch(diff)) == sorted(names)
