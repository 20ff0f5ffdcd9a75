"""From a name to a critic over a served model: what the server can do decides how it is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from momus.critics.local import calibration as calibrations
from momus.critics.local.calibration import DEFAULT_DIAL, gate
from momus.critics.prompted import (
    DRAFTS,
    MAJORITY,
    MAX_ANSWER,
    MAX_TOKENS,
    TEMPERATURE,
    PromptedCritic,
    request_version,
)
from momus.critics.served.ahead import digest_of
from momus.critics.served.critic import ServedCritic
from momus.critics.served.name import STRATEGIES, ServedName, Strategy
from momus.critics.served.rewriting import Rewriter
from momus.critics.served.writer import ServedWriter
from momus.critics.solutions.depth import DEFAULT_DEPTH, depth_named
from momus.critics.solutions.outvoted import Writing
from momus.errors import MomusError
from momus.models.chat import CONCURRENCY, Budget, Chat
from momus.models.chat_abilities import Abilities, abilities_of
from momus.models.chat_budget import Prices
from momus.models.chat_kept import KeptReplies


def open_served(
    name: str,
    *,
    timeout_s: float = 120,
    retries: int = 3,
    concurrency: int = CONCURRENCY,
    budget_tokens: int | None = None,
    budget_dollars: float | None = None,
    prices: str | None = None,
    keep: bool = True,
    dial: int = DEFAULT_DIAL,
    max_spurious: float | None = None,
    depth: str = DEFAULT_DEPTH,
    drafts: int = DRAFTS,
    check: bool = True,
    temperature: float = TEMPERATURE,
    max_tokens: int = MAX_TOKENS,
    max_answer: int = MAX_ANSWER,
    scans: Path | None = None,
) -> ServedCritic | PromptedCritic:
    """The critic over a server; `name` is MODEL@URL, with a strategy and `+examples` and `+solutions` behind it.

    The server is tried out with a small request first. `keep`: replies are kept in the user's cache, or in `scans`.
    `drafts`, `check` and what follows are of the strategy *critique*. Raises MomusError where that is no such name, and
    where the server can't be asked, or can't do what the strategy needs.
    """
    named = ServedName.of(name)
    chat = Chat(
        named.model,
        named.url,
        timeout_s=timeout_s,
        retries=retries,
        concurrency=concurrency,
        budget=Budget(budget_tokens, budget_dollars, Prices.of(prices) if prices else None),
        kept=KeptReplies(named.url, scans / "replies" if scans is not None else None) if keep else None,
    )
    written = Writing(ServedWriter(chat), depth_named(depth)) if named.solutions else None
    abilities = Abilities() if named.strategy == "critique" else abilities_of(chat)
    strategy = _strategy(named, abilities)
    chosen = replace(named, strategy=strategy)
    if strategy == "critique":
        known = calibrations.find(digest_of(named.model, ""), strategy, request_version())
        return PromptedCritic(
            chat,
            name=str(chosen),
            drafts=drafts,
            check=check,
            temperature=temperature,
            max_tokens=max_tokens,
            max_answer=max_answer,
            examples=named.examples,
            solutions=written,
            calibration=known,
            thresholds=gate(str(chosen), known, dial=dial, max_spurious=max_spurious, otherwise=MAJORITY),
        )
    return ServedCritic(
        chosen,
        chat,
        Rewriter(chat, continues=abilities.continues, reads=strategy == "scan"),
        abilities,
        calibration=calibrations.find(digest_of(named.model, abilities.named), strategy),
        dial=dial,
        max_spurious=max_spurious,
        solutions=written,
    )


def _strategy(named: ServedName, abilities: Abilities) -> Strategy:
    scans = abilities.logprobs and abilities.prompt
    can: dict[Strategy, bool] = {"scan": scans, "rewrite": abilities.logprobs, "critique": True}
    if named.strategy is None:
        return next(strategy for strategy in STRATEGIES if can[strategy])
    if not can[named.strategy]:
        raise MomusError(
            f"{named.url} can't be used with the strategy {named.strategy}: it {abilities}; take +critique"
        )
    return named.strategy
