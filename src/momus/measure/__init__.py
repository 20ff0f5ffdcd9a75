"""How good is a critic? Tasks with known bugs, clean twins, and the measures over them."""

from momus.measure.datasets import data_folder, load_bugs, load_clean, load_tasks, small_bugs, twin_of
from momus.measure.figure import Figure
from momus.measure.intervals import Bootstrap
from momus.measure.proof import sandbox_prover
from momus.measure.results import Results, Row, measure
from momus.measure.table import markdown

__all__ = [
    "Bootstrap",
    "Figure",
    "Results",
    "Row",
    "data_folder",
    "load_bugs",
    "load_clean",
    "load_tasks",
    "markdown",
    "measure",
    "sandbox_prover",
    "small_bugs",
    "twin_of",
]
