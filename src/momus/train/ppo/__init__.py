"""PPO of a critic on a reward model (paper section 2.2.4): pure functions beside one loop."""
