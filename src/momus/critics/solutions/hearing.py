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
LATE = 2  # calls that seem not to end, which are looked at again
QUICK = Limits(call_s=0.5, idle_s=12.0)  # a vote counts only where most have ended soon
PATIENT = Limits(call_s=4.0, idle_s=20.0)
FIRST = 6  # contradicted calls that a fix has to mend before it is run on the others
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
        if len(against) < self.gate.against:
            return []
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
    if why := why_not(task, subject, gate):
        return Heard(len(texts), why=why, gate=gate)
    task, examples = _with_entry(task, subject), _examples(task, subject)
    found = programs(texts, subject)
    voters = tuple(keeping(task, found, examples, sandbox)) if examples else tuple(found)
    heard = Heard(len(texts), voters, bool(examples), gate=gate, any_order=bool(ANY_ORDER.search(task.question)))
    if not gate.enough(heard.programs, heard.written, examples=heard.examples):
        return _silent(
            heard, f"{heard.programs} of {len(texts)} solutions {'keep its examples' if examples else 'can be run'}"
        )
    wanted = calls_for(task, budget=calls, seed=seed)
    if not wanted:
        return _silent(heard, "nothing is known of its inputs")
    found_votes = tuple(_patient(task, vote_on(task, heard, wanted, sandbox), sandbox))
    speaks = gate.speaks(found_votes, heard.programs, heard.written, examples=heard.examples)
    heard = replace(heard, votes=found_votes, speaks=speaks)
    return heard if speaks else _silent(heard, f"solutions agree on {len(heard.agreed)} of {len(wanted)} inputs")


def why_not(task: Task, subject: Subject, gate: Gate) -> str:
    """Why no solutions to a question could speak, whatever they are, in words; "" where they may."""
    if ANY_ANSWER.search(task.question):
        return "the question leaves open which of several answers is given"
    if gate.bare_least is None and not _examples(task, subject):
        return "the question has no example that shows who has understood it"
    return ""


def _examples(task: Task, subject: Subject) -> list[Example]:
    every = [one for group in examples_of(_with_entry(task, subject)) for one in group]
    return [one for one in every if one.source == "question"]


def _with_entry(task: Task, subject: Subject) -> Task:
    return task if subject.entry is None else task.model_copy(update={"entry_point": subject.entry})


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
    """The votes of those who may on some calls, but for calls on which the commonest solution does not end soon."""
    limits, bare = replace(QUICK, mode=sandbox), _bare(task)
    first, *rest = heard.voters
    own = run_calls(bare, first.code, calls, limits=limits)
    ended = [at for at, result in enumerate(own) if result.kind != "timeout"]
    calls = [calls[at] for at in ended]
    runs = [(task, task.answer), *((bare, solution.code) for solution in rest)]
    answer, *others = ahead(runs, lambda one: run_calls(*one, calls, limits=limits, lines=one[0] is task), JOBS)
    ballots = [([own[at] for at in ended], first.copies)]
    ballots += [(results, solution.copies) for results, solution in zip(others, rest, strict=True)]
    return votes(calls, answer, ballots, any_order=heard.any_order)


def _patient(task: Task, found: Sequence[Vote], sandbox: str) -> list[Vote]:
    """The votes, where those against an answer that did not end stand only if a few of these calls do not end with more
    time either: on a busy machine a call may only seem not to."""
    late = [vote for vote in found if vote.contradicts and vote.got.kind == "timeout"]
    again = [vote.call for vote in late[:LATE]]
    second = run_calls(task, task.answer, again, limits=replace(PATIENT, mode=sandbox)) if again else []
    if all(result.kind == "timeout" for result in second):
        return list(found)
    return [replace(vote, contradicts=False) if vote in late else vote for vote in found]


def matching(task: Task, code: str, heard: Heard, sandbox: str = "auto") -> list[bool]:
    """Whether another answer comes to what the solutions agree on, for each call on which they do."""
    return _matching(task, code, heard.agreed, heard, sandbox)


def mends(task: Task, code: str, heard: Heard, sandbox: str = "auto") -> bool:
    """Whether another answer comes to what the solutions agree on, on every call on which they do."""
    first = heard.contradictions[:FIRST]
    rest = [vote for vote in heard.agreed if vote not in first]
    return all(_matching(task, code, first, heard, sandbox)) and all(_matching(task, code, rest, heard, sandbox))


def breaks(task: Task, code: str, heard: Heard, sandbox: str = "auto") -> bool:
    """Whether another answer goes against what the solutions agree on where the reviewed one gives it."""
    kept = [vote for vote in heard.agreed if vote.got.certain and not vote.contradicts] if heard.speaks else []
    return bool(kept) and not all(_matching(task, code, kept, heard, sandbox))


def _matching(task: Task, code: str, among: Sequence[Vote], heard: Heard, sandbox: str) -> list[bool]:
    results = run_calls(task, code, [vote.call for vote in among], limits=replace(QUICK, call_s=1.0, mode=sandbox))
    return [
        vote.result is not None and alike(result, vote.result, any_order=heard.any_order)
        for vote, result in zip(among, results, strict=True)
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
