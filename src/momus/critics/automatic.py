"""Which local model `auto` is, the largest whose weights are here and whose confidence was calibrated; and what the
names of critics over local models say."""

from __future__ import annotations

from dataclasses import dataclass

from momus.errors import MomusError

EXAMPLES = "+examples"  # what the name of a critic ends in that runs examples first
SOLUTIONS = "+solutions"  # and of one that asks independent solutions next
AUTO = (EXAMPLES, SOLUTIONS)  # what `auto` does beside the scan


@dataclass(frozen=True, slots=True)
class LocalName:
    """A critic over a local model, as `local:NAME+examples+solutions` names it."""

    model: str
    examples: bool = False
    solutions: bool = False

    @classmethod
    def of(cls, name: str) -> LocalName:
        """Read what stands behind `local:`."""
        ends = set()
        while name.endswith((EXAMPLES, SOLUTIONS)):
            end = EXAMPLES if name.endswith(EXAMPLES) else SOLUTIONS
            name = name.removesuffix(end)
            ends.add(end)
        return cls(name, EXAMPLES in ends, SOLUTIONS in ends)

    def __str__(self) -> str:
        return f"local:{self.model}{EXAMPLES * self.examples}{SOLUTIONS * self.solutions}"


def model_of(critic: str) -> str | None:
    """The local model that a critic's name names, "" for the best one that is here; None for critics of other kinds."""
    if critic in ("auto", "solutions"):
        return ""
    for prefix in ("local:", "solutions:"):
        if critic.startswith(prefix):
            return LocalName.of(critic.removeprefix(prefix)).model.partition("@")[0]
    return None


class NoModel(MomusError):
    """There are no weights that `auto` could open. Nothing is fetched unasked."""

    def __init__(self) -> None:
        from momus.models.catalogue import default_model, known
        from momus.models.source import in_bytes

        size = in_bytes(known(default_model()).size)
        super().__init__(f"no model here: `momus model get` ({size}), or `--critic examples`")


def best_local() -> str:
    """The name of the model that `auto` opens.

    Raises NoModel where no weights are in the cache, MomusError where none is calibrated or OpenVINO is missing.
    """
    from momus.critics.local import calibrated
    from momus.models.catalogue import cached, catalogue
    from momus.models.openvino_package import openvino

    openvino()  # without it no weights would help
    here = [model for model in catalogue().values() if cached(model.name) is not None]
    if not here:
        raise NoModel
    if not (usable := [model for model in here if calibrated(model.name)]):
        names = ", ".join(model.name for model in here)
        raise MomusError(
            f"no model here is calibrated ({names}): `momus model get`, or name one, which then gives no confidence: "
            f"`--critic local:{here[0].name}`"
        )
    return max(usable, key=lambda model: model.parameters).name
