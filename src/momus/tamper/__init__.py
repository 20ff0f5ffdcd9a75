"""Insert bugs, describe them, prove that they bite."""

from momus.tamper.insert import choose, tamper, tampers
from momus.tamper.operators import OPERATORS, Operator
from momus.tamper.prove import Proved, linter_weight, prove

__all__ = ["OPERATORS", "Operator", "Proved", "choose", "linter_weight", "prove", "tamper", "tampers"]
