"""From somebody's keys in a browser to a reward model: rated and taken out on the page, trained by one command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from desk_browser import Served, Visit, comparison, press
from momus.models.protocol import Prompt
from momus.records import Comparison, read_jsonl
from momus.train.reward.model import open_reward
from tiny_policy import save_tiny_qwen

COUNT = 4


def rate(page: Any) -> None:
    """Rate one comparison as it is read: what speaks of the beginning is right."""
    page.wait_for_selector(".scores")
    right = ["begin" in text for text in page.locator(".critiques .critique").all_inner_texts()]
    for good in right:
        press(page, "6" if good else "2", "1", "1" if good else "5", "4", "6" if good else "2")
    press(page, "o", "Control+Enter")
    page.wait_for_selector(".reference .comment")
    press(page, *["k"] * 6, *["ArrowLeft"] * 3)
    for good in right:
        press(page, "7" if good else "1", "k", "ArrowRight")
    seat = page.url
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != seat)
    page.wait_for_selector(".last")


def test_what_is_rated_in_the_browser_trains_a_reward_model_with_one_command(
    visit: Visit, served: Served, tmp_path: Path, tiny_corpus: Path
) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(1000 * served.projects + n) for n in range(COUNT)])
    page = visit.open("ann", f"/p/{slug}/work/rate")
    for _ in range(COUNT):
        rate(page)
    page.wait_for_selector("h1:has-text('There is nothing left')")

    manage = visit.open("manager", f"/p/{slug}/manage")
    with manage.expect_download() as download:
        manage.click("a[download]:text-is('records')")
    zipfile.ZipFile(download.value.path()).extractall(tmp_path / "rated")
    policy = save_tiny_qwen(tmp_path / "sft", tiny_corpus / "tokenizer" / "tokenizer.json")
    command = ["train", "reward", "--from", policy, "--comparisons", tmp_path / "rated", "--out", tmp_path / "rm"]
    words = [sys.executable, "-m", "momus.cli", *map(str, command)]
    run = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr

    (rater,) = json.loads((tmp_path / "rm" / "reward.json").read_text())["raters"]
    assert rater["simulated"] is False and "ann" not in rater["name"]
    rated = list(read_jsonl(tmp_path / "rated" / "comparisons.jsonl", Comparison))
    assert len(rated) == COUNT
    opened = open_reward(tmp_path / "rm")
    prompt = Prompt(rated[0].task.question, rated[0].task.answer)
    scores = opened.score([opened.tokens(prompt, sampled.critique) for sampled in rated[0].critiques])
    assert all(math.isfinite(score) for score in scores) and len(set(scores)) == len(scores)
