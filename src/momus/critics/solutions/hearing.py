"""Solutions on an answer's calls: which of them may vote, what they agree on, what of it contradicts the answer.

No model is asked here: solutions are texts, whoever wrote them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from momus.critics.solutions.asking import Subject
from momus.critics.solutions.writing import Solution, programs
from momus.evidence.running import Limits, run_calls
from momus.evidence.votes import Gate, Vote, alike, votes
from momus.inputs import Example, run_examples
from momus.inputs.calls import Call, calls_for
from momus.inputs.input_output import ANY_ANSWER, ANY_ORDER
from momus.inputs.of_task import examples_of, program_of
from momus.inputs.shrinking import simpler
from momus.records import Task
from momus.sandbox.run import ahead

JOBS = 2  # programs that run at a time
SHRUNK = 16  # simpler calls that are tried at once
ROUNDS = 2
LATE = 2  # calls that do not end, of one answer
PATIENT = Limits(call_s=4.0, idle_s=20.0)
SHORT = 40  # characters of a call that need not be shorter


@dataclass(frozen=True, slots=True)
class Heard:
    """What the solutions to a question say of one answer.

    `written` texts, of which `voters` are programs that keep the question's examples; `examples` says whether it has
    some. `speaks` as `Gate` has it, and `why` not, in words. `votes` are in the order of the calls.
    """

    written: int = 0
    voters: tuple[Solution, ...] = ()
    examples: bool = False
    votes: tuple[Vote, ...] = ()
    speaks: bool = False
    why: str = ""
    gate: Gate = field(default_factory=Gate)
    any_order: bool = False

    @property
    def programs(self) -> int:
        """How many programs vote, those that mean the same each for itself."""
        return sum(one.copies for one in self.voters)

    @property
    def agreed(self) -> list[Vote]:
        """The votes that are decided."""
        return [vote for vote in self.votes if self.gate.agreed(vote, examples=self.examples)]

    @property
    def contradictions(self) -> list[Vote]:
        """The decided votes that the answer goes against, most agreed on first, then the shortest call; none where the
        solutions may not speak."""
        against = [vote for vote in self.agreed if vote.contradicts] if self.speaks else []
        return sorted(against, key=lambda vote: (-vote.share, len(vote.call.text), vote.call.text))


def hear(
    task: Task,
    subject: Subject,
    texts: Sequence[str],
    *,
    gate: Gate,
    calls: int = 50,
    seed: int = 0,
    sandbox: str = "auto",
) -> Heard:
    """Let solutions vote on an answer. Raises MomusError where there is no sandbox."""
    if ANY_ANSWER.search(task.question):
        return Heard(len(texts), why="the question leaves open which of several answers is given", gate=gate)
    task = task if subject.entry is None else task.model_copy(update={"entry_point": subject.entry})
    found = programs(texts, subject)
    examples = [one for group in examples_of(task) for one in group if one.source == "question"]
    voters = tuple(keeping(task, found, examples, sandbox)) if examples else tuple(found)
    heard = Heard(len(texts), voters, bool(examples), gate=gate, any_order=bool(ANY_ORDER.search(task.question)))
    if not gate.enough(heard.programs, examples=heard.examples):
        return _silent(
            heard, f"{heard.programs} of {len(texts)} solutions {'keep its examples' if examples else 'can be run'}"
        )
    wanted = calls_for(task, budget=calls, seed=seed)
    if not wanted:
        return _silent(heard, "nothing is known of its inputs")
    found_votes = tuple(_patient(task, vote_on(task, heard, wanted, sandbox), sandbox))
    speaks = gate.speaks(found_votes, heard.programs, examples=heard.examples)
    heard = replace(heard, votes=found_votes, speaks=speaks)
    return heard if speaks else _silent(heard, f"solutions agree on {len(heard.agreed)} of {len(wanted)} inputs")


def keeping(
    task: Task, found: Sequence[Solution], examples: Sequence[Example], sandbox: str = "auto"
) -> list[Solution]:
    """The solutions that contradict none of the examples, and keep one at least."""

    def keeps(solution: Solution) -> bool:
        program = program_of(_bare(task), solution.code)
        if program is None:
            return False
        outcomes = run_examples(program.code, program.prelude, examples, entry_point=task.entry_point, sandbox=sandbox)
        verdicts = {outcome.verdict for outcome in outcomes}
        return "kept" in verdicts and "contradicted" not in verdicts

    return [solution for solution, kept in zip(found, ahead(found, keeps, JOBS), strict=True) if kept]


def vote_on(task: Task, heard: Heard, calls: Sequence[Call], sandbox: str = "auto") -> list[Vote]:
    """The votes of those who may on some calls."""
    bare = _bare(task)
    runs = [(task, task.answer), *((bare, solution.code) for solution in heard.voters)]
    answer, *others = ahead(
        runs, lambda one: run_calls(one[0], one[1], calls, limits=Limits(mode=sandbox), lines=one[0] is task), JOBS
    )
    ballots = [(results, solution.copies) for results, solution in zip(others, heard.voters, strict=True)]
    return votes(calls, answer, ballots, any_order=heard.any_order)


def _patient(task: Task, found: Sequence[Vote], sandbox: str) -> list[Vote]:
    """The votes, of which those against an answer that did not end are few, and each looked at again with more time: on
    a busy machine a call may only seem not to end."""
    late = [vote for vote in found if vote.contradicts and vote.got.kind == "timeout"]
    again = [vote.call for vote in late[:LATE]]
    second = run_calls(task, task.answer, again, limits=replace(PATIENT, mode=sandbox)) if again else []
    sure = {call for call, result in zip(again, second, strict=True) if result.kind == "timeout"}
    return [replace(vote, contradicts=vote.call in sure) if vote in late else vote for vote in found]


def matching(task: Task, code: str, heard: Heard, sandbox: str = "auto") -> list[bool]:
    """Whether another answer comes to what the solutions agree on, for each call on which they do."""
    agreed = heard.agreed
    results = run_calls(task, code, [vote.call for vote in agreed], limits=Limits(mode=sandbox))
    return [
        vote.result is not None and alike(result, vote.result, any_order=heard.any_order)
        for vote, result in zip(agreed, results, strict=True)
    ]


def shrunk(task: Task, heard: Heard, vote: Vote, sandbox: str = "auto") -> Vote:
    """A vote on a simpler call that contradicts the answer too, where it is long and one is found."""
    for _ in range(ROUNDS):
        if len(vote.call.text) <= SHORT:
            return vote
        tried = simpler(vote.call)[:SHRUNK]
        least = vote.share
        better = (
            [one for one in vote_on(task, heard, tried, sandbox) if one.contradicts and one.share >= least]
            if tried
            else []
        )
        if not better:
            return vote
        vote = min(better, key=lambda one: (len(one.call.text), one.call.text))
    return vote


def _bare(task: Task) -> Task:
    """The task without the file that its answer is cut from: a solution stands by itself."""
    return task.model_copy(update={"surroundings": None})


def _silent(heard: Heard, why: str) -> Heard:
    return replace(heard, why=why)
