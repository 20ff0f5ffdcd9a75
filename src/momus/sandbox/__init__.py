"""Run model-written code without harm: layer upon layer, and not at all where there is no isolation.

One file a layer: `advice` (what a program reaches for, never trusted), `identity` (an unprivileged uid where we are
root), `bubblewrap` (its own namespaces, a read-only system), `seccomp` (system calls that no program under test
needs), `limits` (memory, processes, files, CPU), `supervise` (wall clock, output cap, the whole group killed), `usage`
(the memory of all of it); `execute` puts them together. `selftest` tries them for real, once per process; `mode="auto"`
refuses to run anything where they do not hold. Landlock is left out: the mount namespace already shows nothing that it
could hide.

Whether tests pass is said by `verdict`: `pair` runs them in one sandbox and the answer in another, `ends` is what
runs there, `peer` the calls between them, `wire` the values that cross and `forms` which of them can. `snippets`
looks at single snippets in the same way, each on an answer that is loaded anew: what runs there is `each`, within the
bounds of `bounded`.
"""

from momus.sandbox.advice import advise
from momus.sandbox.run import MODES, Mode, Outcome, Status, run, run_many
from momus.sandbox.selftest import why_not
from momus.sandbox.snippets import Seen, Snippet, Value, observe_each
from momus.sandbox.verdict import Call, Observed, Verdict, VerdictStatus, certify, certify_many, observe

__all__ = [
    "MODES",
    "Call",
    "Mode",
    "Observed",
    "Outcome",
    "Seen",
    "Snippet",
    "Status",
    "Value",
    "Verdict",
    "VerdictStatus",
    "advise",
    "certify",
    "certify_many",
    "observe",
    "observe_each",
    "run",
    "run_many",
    "why_not",
]
