#!/usr/bin/env bash
# Starts openrlhf 0.11 on what stands beside this file; more settings may follow. Its environment needs Momus, as
# reward.py says.
set -eu
mapfile -t settings < "$(dirname "$0")/arguments.txt"
exec python -m openrlhf.cli.train_ppo_ray "${settings[@]}" "$@"
