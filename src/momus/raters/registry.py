"""One string names a rater, everywhere: `oracle`, `oracle:noise=0.5,bias=length`, `solutions`, `judge:MODEL@URL`."""

from __future__ import annotations

from momus.errors import MomusError
from momus.raters.oracle import Oracle
from momus.raters.protocol import Rater

KNOWN = "oracle, oracle:noise=0.5,bias=length+lenient, solutions, solutions:NAME, judge:MODEL@URL"


def open_rater(name: str, *, seed: int = 0, timeout_s: float = 120, retries: int = 2) -> Rater:
    """Open a rater by name. The last two settings are for a judge on a server. Raises MomusError on an unknown name."""
    kind, _, rest = name.partition(":")
    if kind == "oracle":
        return _oracle(rest, name, seed)
    if kind == "solutions":
        from momus.raters.solutions import open_solutions_rater

        return open_solutions_rater(rest or None, seed=seed)
    if kind == "judge":
        from momus.raters.judge import open_judge

        return open_judge(rest, seed=seed, timeout_s=timeout_s, retries=retries)
    raise MomusError(f"there is no rater {name!r}: known are {KNOWN}")


def _oracle(rest: str, name: str, seed: int) -> Rater:
    noise = 0.0
    bias: tuple[str, ...] = ()
    for setting in filter(None, rest.split(",")):
        key, _, value = setting.partition("=")
        if key == "noise":
            try:
                noise = float(value)
            except ValueError:
                raise MomusError(f"in the rater {name!r}, noise is a number, not {value!r}") from None
        elif key == "bias":
            bias = tuple(filter(None, value.split("+")))
        else:
            raise MomusError(f"in the rater {name!r} there is no setting {key!r}: known are noise and bias")
    return Oracle(noise=noise, bias=bias, seed=seed)
