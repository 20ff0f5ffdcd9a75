"""Inputs to run code on: the examples that stand in a question or a docstring, and calls made from them and from hints.

One file a step: `values` (reading a value out of prose, comparing two of them), `target` (what of the code an example
may speak of), `notations` and `input_output` (the ways in which examples are written), `examples` (all of them, of a
text or of docstrings), `supplied` (the imports that a snippet takes for granted), `outcomes` (running and judging
them), `places` and `trace` (which lines one of them runs). Calls: `of_task` (what is run of a task), `callees` (what
can be called), `mutation` and `strategies` (values), `programs`, `samples` and `program_inputs` (standard input),
`calls` (all of them), `shrinking` (simpler ones).
"""

from momus.inputs.example import Example
from momus.inputs.examples import examples_in, of_docstrings, of_question
from momus.inputs.outcomes import Outcome, run_examples
from momus.inputs.target import Target, target_of

__all__ = ["Example", "Outcome", "Target", "examples_in", "of_docstrings", "of_question", "run_examples", "target_of"]
