"""Independent solutions: the model answers the question itself, several times, and results are compared on inputs.

One file a step: `asking` (what is asked), `writing` (drawing solutions, and reading them), `outvoted` (running, voting,
and what is made of it), `finding` (a contradiction as a comment), `critic`.
"""
