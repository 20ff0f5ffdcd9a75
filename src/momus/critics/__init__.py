"""Who writes critiques: a model sampled, a linter, a baseline. One string opens each: `open_critic("linter:ruff")`."""

from momus.critics.protocol import Critic
from momus.critics.registry import CRITICS, TRIVIAL, open_critic

__all__ = ["CRITICS", "TRIVIAL", "Critic", "open_critic"]
