#!/usr/bin/env bash
# Starts verl 0.9 on what stands beside this file; more settings may follow. Its environment needs Momus, as
# reward.py says.
set -eu
mapfile -t settings < "$(dirname "$0")/overrides.txt"
exec python -m verl.trainer.main_ppo "${settings[@]}" "$@"
