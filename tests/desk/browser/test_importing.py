"""Bringing work in by the page: columns, preview, what is wrong, folders, archives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desk_browser import TWIN, Served, Visit, dump, serious, task

CODE = 'def add(a, b):\n    return a + b  # "sum"\n'


def csv_of(folder: Path, text: str) -> Path:
    path = folder / "work.csv"
    path.write_text(text, encoding="utf-8")
    return path


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def choose(page: Any, path: Path | list[Path], kind: str) -> None:
    page.select_option("select[name=kind]", kind)
    page.set_input_files("input[name=file]", path)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_file_with_strange_columns_is_mapped_mended_and_imported(
    visit: Visit, served: Served, axe: str, tmp_path: Path, width: int
) -> None:
    slug = served.project()
    page = visit.open("manager", f"/p/{slug}/manage", width=width)
    page.click("a:has-text('Import work')")
    rows = [f"{quoted(f'Add, please {n}')},{quoted(CODE)},assert add(1; {n}),n" for n in range(3)]
    file = csv_of(tmp_path, "\n".join(["aufgabe,loesung,pruefung,note", *rows, 'Fourth,"",,n']) + "\n")
    choose(page, file, "tamper")
    page.wait_for_selector(".wrong td:has-text('No column is chosen for it: Answer')")
    assert page.locator("button:has-text('Import 0 rows')").is_disabled()
    page.select_option("[data-field=answer]", "loesung")
    page.wait_for_selector(".wrong td:has-text('is empty')")
    page.select_option("[data-field=question]", "aufgabe")
    page.wait_for_selector("[data-row='2'] h3:has-text('Question')")
    wrong = page.locator(".wrong tbody tr")
    assert wrong.count() == 1
    told = wrong.inner_text()
    assert "loesung" in told and "Fill it in" in told
    assert page.locator("[data-row='2'] pre").inner_text() == CODE, "code keeps its lines and indentation"
    assert "note" in page.inner_text("[data-unused]") and "pruefung" in page.inner_text("[data-unused]")
    assert not serious(page, axe)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    visit.shot(page, f"import-{width}", whole=True)
    page.check("input[name=good_only]")
    page.fill("input[name=overlap]", "2")
    page.click("button:has-text('Import 3 rows')")
    page.wait_for_selector("[data-added]:has-text('3 added')")
    assert "1 left out" in page.inner_text("[data-added]")
    assert served.api("manager", "GET", f"/projects/{slug}/assignments")["assignments"][0]["overlap"] == 2
    again = csv_of(tmp_path, f"loesung,aufgabe\n{quoted(CODE)},Once more\n")
    choose(page, again, "write")
    page.wait_for_selector("[data-row='2']")
    assert page.locator(".wrong").count() == 0, "the columns are known from the last time"
    assert page.input_value("[data-field=answer]") == "loesung"


def test_records_a_folder_and_samples_need_no_mapping(visit: Visit, served: Served, tmp_path: Path) -> None:
    slug = served.project()
    page = visit.open("manager", f"/p/{slug}/import")
    lines = tmp_path / "tasks.jsonl"
    lines.write_text(dump(task(1)) + dump(task(2)))
    choose(page, lines, "write")
    page.wait_for_selector("text=in Momus's own format")
    assert page.locator(".mapping").count() == 0
    page.click("button:has-text('Import 2 rows')")
    page.wait_for_selector("[data-added]:has-text('2 added')")
    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text("A card.")
    for name, n in (("train", 3), ("test", 4)):
        row = {"prompt": f"Question {n}", "code": TWIN}
        (folder / "data" / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    page.set_input_files("input[name=folder]", folder)
    page.wait_for_selector("[data-row='1']")
    assert page.locator("[data-row]").count() == 2
    page.click("button:has-text('Import 2 rows')")
    page.wait_for_selector("[data-added]:has-text('2 added')")
    for kind in ("rate", "canary"):
        page.select_option("select[name=kind]", kind)
        with page.expect_download() as got:
            page.click("a.button:has-text('CSV')")
        sample = tmp_path / f"{kind}.csv"
        got.value.save_as(sample)
        choose(page, sample, kind)
        page.wait_for_selector("button:has-text('Import 2 rows'):not([disabled])")
        page.click("button:has-text('Import 2 rows')")
        page.wait_for_selector("[data-added]:has-text('2 added')")


def test_critiques_are_chosen_from_several_columns_by_keys_alone(visit: Visit, served: Served, tmp_path: Path) -> None:
    slug = served.project()
    page = visit.open("manager", f"/p/{slug}/import")
    file = csv_of(tmp_path, f"question,answer,anna,model\nAdd up,{quoted(CODE)},It is fine.,No problems found.\n")
    choose(page, file, "rate")
    page.wait_for_selector(".wrong td:has-text('Critiques to compare')")
    for name in ("anna", "model"):
        box = page.get_by_role("checkbox", name=name, exact=True)
        box.focus()
        page.keyboard.press("Space")
        page.wait_for_function(
            "name => [...document.querySelectorAll('.several label')].some((one) => one.textContent.trim() === name"
            " && one.querySelector('input').checked)",
            arg=name,
        )
        page.wait_for_function("document.querySelector('[role=status]').textContent === ''")
    page.wait_for_selector("h3:has-text('Critique by anna')")
    button = page.locator("button:has-text('Import 1 row')")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-added]:has-text('1 added')")


def test_what_can_t_be_read_says_what_to_do(visit: Visit, served: Served, tmp_path: Path) -> None:
    slug = served.project()
    page = visit.open("manager", f"/p/{slug}/import")
    contents = (
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "save it as CSV"),
        ("prompt,code\ncafé,x\n".encode("latin-1"), "Save the file as UTF-8"),
        (b" " * 50_000_001, "50,000,000 bytes"),
        (b'{"code": "<img src=x onerror=alert(1)>\\u202e"}\n', "<img src=x onerror=alert(1)>"),
    )
    for n, (content, said) in enumerate(contents):
        file = tmp_path / f"file-{n}"
        file.write_bytes(content)
        choose(page, file, "tamper")
        page.wait_for_selector(f"main:has-text('{said}')")
    visit.shot(page, "import-wrong", whole=True)


def test_an_archive_is_opened_as_a_project_of_its_own(visit: Visit, served: Served, tmp_path: Path) -> None:
    slug = served.project()
    served.load(slug, "write", [task(n) for n in range(3)])
    page = visit.open("manager", f"/p/{slug}/manage")
    with page.expect_download() as got:
        page.click("a.button:has-text('archive')")
    archive = tmp_path / "archive.jsonl"
    got.value.save_as(archive)
    page.goto(f"{served.base}/p/{slug}/import")
    choose(page, archive, "write")
    page.wait_for_selector(".wrong td:has-text('an archive of a whole project')")
    page.goto(f"{served.base}/")
    form = page.locator("form:has(input[name=file])")
    form.locator("input[name=file]").set_input_files(archive)
    form.locator("input[name=slug]").fill(slug)
    form.locator("button").click()
    page.wait_for_selector(".errors:has-text('choose another')")
    form.locator("input[name=file]").set_input_files(archive)
    form.locator("input[name=slug]").fill(f"{slug}-again")
    form.locator("button").click()
    page.wait_for_url(f"**/p/{slug}-again/manage")
    page.wait_for_selector("td:has-text('1 free') >> nth=2")
