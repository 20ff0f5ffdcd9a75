"""The reward model (sections 2.2.3 and 2.2.4 of the paper): rated comparisons in, a sequence classifier out.

`stage.reward` runs the whole; `model.open_reward` opens what it wrote.
"""
