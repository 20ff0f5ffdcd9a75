"""The formulas against verl's own, in a process of its own. Opt-in: `make peers` fetches verl and runs this."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from momus.train.ppo.advantages import Experience, gae, rloo, whiten
from momus.train.ppo.kl import Adaptive, k1, k3
from momus.train.ppo.losses import PolicyTerms, ValueTerms, policy_loss, value_loss

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif("MOMUS_PEERS" not in os.environ, reason="opt-in: make peers"),
]

VERL = """
import sys, torch
from verl.trainer.ppo import core_algos as verl
x = torch.load(sys.argv[1])
mask, out = x["mask"].float(), {}
out["advantages"], out["returns"] = verl.compute_gae_advantage_return(x["rewards"], x["values"], mask, 0.97, 0.9)
group = x["group"].numpy()
out["rloo"], _ = verl.compute_rloo_outcome_advantage(x["rewards"], mask, group)
out["policy"], out["clipped"], _, _ = verl.compute_policy_loss(
    x["old"], x["new"], x["advantages"], mask, cliprange=0.2, clip_ratio_c=1e9)
out["value"], _ = verl.compute_value_loss(x["vpreds"], x["returns"], x["values"], mask, 0.2)
out["k1"] = verl.kl_penalty(x["new"], x["old"], "kl")
out["k3"] = verl.kl_penalty(x["new"], x["old"], "low_var_kl")
controller = verl.AdaptiveKLController(0.1, 6.0, 100)
controller.update(5.5, 10)
out["controller"] = float(controller.value)
torch.save(out, sys.argv[2])
"""


def test_15_to_18_the_formulas_are_verl_s(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)
    shape = (6, 9)
    mask = torch.arange(9)[None] < torch.tensor([9, 4, 1, 7, 3, 9])[:, None]
    names = ("rewards", "values", "new", "old", "advantages", "returns", "vpreds")
    x = {name: torch.randn(shape, generator=rng) for name in names}
    x["new"] = x["old"] + 0.3 * x["new"]
    x |= {"mask": mask, "group": torch.tensor([0, 0, 0, 1, 1, 1])}
    x["rewards"] = x["rewards"] * mask  # of rloo verl sums what stands in the padding too
    torch.save(x, tmp_path / "in.pt")
    command = [sys.executable, "-c", VERL, str(tmp_path / "in.pt"), str(tmp_path / "out.pt")]
    env = {**os.environ, "PYTHONPATH": os.environ["MOMUS_PEERS"]}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    told = torch.load(tmp_path / "out.pt")

    junk = {name: x[name].masked_fill(~mask, 1e6) for name in ("rewards", "values")}
    found = gae(Experience(junk["rewards"], junk["values"], mask, x["group"]), 0.97, 0.9)
    n = float(mask.sum())
    bessel = ((n - 1) / n) ** 0.5  # verl divides the variance by n - 1
    assert torch.allclose(bessel * whiten(found.advantages, mask)[mask], told["advantages"][mask], atol=1e-5)
    assert torch.allclose(found.returns[mask], told["returns"][mask], atol=1e-5)
    leave = rloo(Experience(x["rewards"], x["values"], mask, x["group"]), 1.0, 1.0)
    assert torch.allclose(leave.advantages[mask], told["rloo"][mask], atol=1e-5)
    tokens = float(mask.sum())
    policy = policy_loss(PolicyTerms(x["new"], x["old"], x["advantages"], mask), 0.2, tokens)
    assert float(policy.loss) == pytest.approx(float(told["policy"]), abs=1e-5)
    assert float(policy.clip_fraction) == pytest.approx(float(told["clipped"]), abs=1e-6)
    value = value_loss(ValueTerms(x["vpreds"], x["values"], x["returns"], mask), 0.2, tokens)
    assert float(value) == pytest.approx(float(told["value"]), abs=1e-5)
    assert torch.allclose(k1(x["new"], x["old"]), told["k1"], atol=1e-5)
    assert torch.allclose(k3(x["new"], x["old"]), told["k3"], atol=1e-5)
    assert Adaptive(0.1, 6.0, 100).after(5.5, 10).coefficient == pytest.approx(told["controller"])
