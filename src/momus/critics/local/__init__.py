"""A pretrained code model as critic: scan, fix, words, and a gate that was fitted on clean code."""

from momus.critics.local.calibration import calibrated
from momus.critics.local.critic import LocalCritic, open_local_critic
from momus.critics.local.fixing import Assessment

__all__ = ["Assessment", "LocalCritic", "calibrated", "open_local_critic"]
