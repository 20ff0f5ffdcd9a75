"""Which local model `auto` is: the largest whose weights are here and whose confidence was calibrated."""

from __future__ import annotations

from momus.errors import MomusError


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
