"""The reward that engines ask for is the one of `momus train ppo`, from a server and in their own process."""

from __future__ import annotations

import importlib.util
import json
import math
import threading
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_handover import PPO, TASKS, save_all
from transformers import AutoModelForSequenceClassification

from momus.critique import Comment, Span, TextMap
from momus.models.markdown import MarkdownCodec
from momus.models.protocol import Prompt
from momus.train.handover.export import hand_over
from momus.train.handover.scoring import Reward, classify

ANSWER = TASKS[0].answer
PROMPT = Prompt(TASKS[0].question, ANSWER)
COMMENT = Comment(Span(21, 34), "One too few.", "off-by-one", "high")


@dataclass
class Served:
    """vLLM's `/classify` over a reward model: raw with use_activation off, else squashed; an unknown model is a 404."""

    folder: Path
    ills: list[int] = field(default_factory=list)  # what to answer first instead
    asked: int = 0

    def __post_init__(self) -> None:
        self.codec = MarkdownCodec.load(self.folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(self.folder, dtype=torch.float32).eval()
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                served.asked += 1
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if served.ills:
                    self.answer(served.ills.pop(0), {"error": "not now"})
                elif body["model"] != str(served.folder):
                    self.answer(404, {"error": "no such model"})
                else:
                    raw = served.raw(served.codec.tokenizer.encode(body["input"], add_special_tokens=False))
                    score = 1 / (1 + math.exp(-raw)) if body.get("use_activation", True) else raw
                    self.answer(200, {"data": [{"index": 0, "probs": [score]}]})

            def answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @torch.inference_mode()
    def raw(self, tokens: list[int]) -> float:
        return float(self.model(torch.tensor([tokens])).logits[0, 0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("handed")
    policy, reward, tasks = save_all(where)
    for engine in ("verl", "openrlhf"):
        hand_over(engine, policy, reward, [tasks], PPO, where / engine)  # type: ignore[arg-type]
    return where


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    running = Served(folder / "reward")
    yield running
    running.server.shutdown()


def loaded(path: Path) -> Any:
    """The reward file, loaded as both engines load it."""
    spec = importlib.util.spec_from_file_location("handed_reward", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prompts(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]


def expected(served: Served, *comments: Comment) -> float:
    """The score of a critique's own tokens, as `momus train reward` defines it."""
    tokens = [*served.codec.ask(PROMPT), *served.codec.write(comments, TextMap(ANSWER))]
    return (served.raw(tokens) - 0.25) / 2.0


def said(served: Served, *comments: Comment) -> str:
    written = served.codec.write(comments, TextMap(ANSWER))[:-1]
    return str(served.codec.tokenizer.decode(written, skip_special_tokens=True))


def test_verl_s_reward_is_that_of_the_critique_s_tokens(folder: Path, served: Served) -> None:
    (row, *_) = prompts(folder / "verl")
    compute_score = loaded(folder / "verl" / "reward.py").compute_score
    given = {"reward_router_address": served.address, "reward_model_tokenizer": served.codec.tokenizer}

    def scored(solution: str) -> dict[str, float]:
        truth = row["reward_model"]["ground_truth"]
        found: dict[str, float] = compute_score(row["data_source"], solution, truth, row["extra_info"], **given)
        return found

    whole = scored(said(served, COMMENT))
    assert whole["score"] == pytest.approx(expected(served, COMMENT), abs=1e-5)
    silent = scored(said(served))
    assert silent["score"] == pytest.approx(expected(served), abs=1e-5)
    assert (silent["unanchored"], silent["missing_end"]) == (0.0, 0.0)

    loose = scored("```\nzz\n```\nNo.\n")
    assert (loose["unanchored"], loose["missing_end"]) == (1.0, 0.0)
    assert loose["score"] == pytest.approx(loose["reward_model"] - PPO.unanchored, abs=1e-6)

    long = replace(COMMENT, text="One too few. " * 20)
    tokens = served.codec.write([long], TextMap(ANSWER))[: PPO.max_new]
    cut = scored(str(served.codec.tokenizer.decode(tokens)))
    raw = served.raw([*served.codec.ask(PROMPT), *tokens])
    assert (cut["unanchored"], cut["missing_end"]) == (0.0, 1.0)
    assert cut["score"] == pytest.approx((raw - 0.25) / 2.0 - PPO.missing_end, abs=1e-5)
    with pytest.raises(ValueError, match="not served"):
        compute_score("demo", "", ANSWER, row["extra_info"])


def test_openrlhf_s_reward_is_that_of_the_critique_s_tokens(folder: Path, served: Served) -> None:
    (row, *_) = prompts(folder / "openrlhf")
    reward_func = loaded(folder / "openrlhf" / "reward.py").reward_func
    end = served.codec.tokenizer.eos_token

    def scored(critique: str) -> dict[str, Any]:
        found: dict[str, Any] = reward_func([row["prompt"] + critique], [row["prompt"]], [row["label"]])
        return found

    whole = scored(said(served, COMMENT) + end)
    assert whole["rewards"] == whole["scores"] == pytest.approx(expected(served, COMMENT), abs=1e-5)
    cut = scored("```\nzz\n```\nNo.")
    assert (cut["extra_logs"]["unanchored"], cut["extra_logs"]["missing_end"]) == (1.0, 1.0)
    fines = PPO.unanchored + PPO.missing_end
    assert cut["rewards"] == pytest.approx(cut["extra_logs"]["reward_model"] - fines, abs=1e-6)
    both = reward_func([row["prompt"] + end] * 2, [row["prompt"]] * 2, [row["label"]] * 2)
    assert both["rewards"][0] == both["rewards"][1]
    with pytest.raises(ValueError, match="was cut"):
        reward_func([row["prompt"][9:] + end], [row["prompt"]], [row["label"]])


def test_a_server_in_trouble_is_asked_again_and_a_wrong_one_is_not(served: Served) -> None:
    model = str(served.folder)
    right = served.raw(served.codec.tokenizer.encode("x", add_special_tokens=False))
    served.ills[:] = [503, 500]
    assert classify(served.address, model, "x", pause=0.01) == pytest.approx(right, abs=1e-6)
    before = served.asked
    with pytest.raises(urllib.error.HTTPError, match="404"):
        classify(served.address, "another", "x", pause=0.01)
    assert served.asked == before + 1
    served.ills[:] = [503] * 9
    with pytest.raises(urllib.error.HTTPError, match="503"):
        classify(served.address, model, "x", tries=3, pause=0.01)
    served.ills.clear()
    with pytest.raises(OSError):
        classify("127.0.0.1:1", model, "x", tries=2, pause=0.01)


def test_a_reply_without_a_score_is_no_score(served: Served) -> None:
    served.ills[:] = [200]
    with pytest.raises(ValueError, match="no single score"):
        classify(served.address, str(served.folder), "x", pause=0.01)


def test_the_sum_is_written_out_by_hand() -> None:
    reward = Reward("m", mean=1.0, std=0.5, end="$", max_new=9, missing_end=0.75, unanchored=0.25)
    text = "```\na\n```\nOne.\n\n```\nq\n```\nTwo.\n\n```\nr\n```\nThree.\n"
    assert reward.total(2.0, text, "a = b\n", ended=False)["score"] == 2.0 - 0.75 - 2 * 0.25
    assert reward.total(2.0, "No problems found.", "a = b\n", ended=True)["score"] == 2.0
