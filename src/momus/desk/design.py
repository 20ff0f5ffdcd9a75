"""How a project works: leases, arms, canaries, time limits. Managers change it; it is kept with the project."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict, Field

from momus.desk.store.tables import Project

BLOCK = 10


class Design(BaseModel):
    """`assisted` is the share of seats of `compare` and `judge` that see the critic's comments. `canary_every`: of so
    many claims of `write` and `team` about one is of a known bug (0: none), which is withdrawn after
    `canary_exposures` people had it. `names` are taken out of the texts that raters see, beside those known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    lease_s: int = Field(default=900, ge=60, le=86_400)
    assisted: float = Field(default=0.5, ge=0, le=1)
    judge_limit_s: int = Field(default=1200, ge=30, le=86_400)
    canary_every: int = Field(default=0, ge=0, le=10_000)
    canary_exposures: int = Field(default=3, ge=1, le=1000)
    names: tuple[str, ...] = Field(default=(), max_length=100)


def design_of(project: Project) -> Design:
    return Design.model_validate(project.design)


def arm_of(project: Project, kind: str, arms: tuple[str, ...], ordinal: int) -> str:
    """The arm of a project's n-th seat of a kind: drawn in blocks of ten that each hold the share the design asks for.

    `arms` are the one without and the one with the critic; empty for a kind that has none.
    """
    if not arms:
        return ""
    share = design_of(project).assisted
    block, place = divmod(ordinal, BLOCK)
    rng = random.Random(f"{project.secret}/{kind}/{block}")
    whole = int(share * BLOCK)
    with_critic = whole + (rng.random() < share * BLOCK - whole)
    drawn = [arms[1]] * with_critic + [arms[0]] * (BLOCK - with_critic)
    rng.shuffle(drawn)
    return drawn[place]
