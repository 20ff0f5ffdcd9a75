"""Greedy decoding that takes a draft as its guess: what agrees is checked many tokens at once, the rest is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from momus.models.openvino_engine import Engine

_TRIED = 4  # draft tokens tried straight behind a token that is not the draft's
_AGREE = 2  # tokens of one's own that stand in the draft, before it is followed again
_CHECKED = 8  # draft tokens checked at first when it is followed again, twice as many each time that all were right

Choice = tuple[int, float]  # the likeliest token and its log-probability


def follow(
    engine: Engine,
    prompt: Sequence[int],
    draft: Sequence[int],
    *,
    max_tokens: int,
    ends: frozenset[int],
    read: Iterable[Choice] | None = None,
) -> list[Choice]:
    """What greedy decoding writes behind a prompt, until one of `ends`, which is its last, or `max_tokens`.

    `read`: the likeliest tokens along the draft, where a pass has been made over it before.
    """
    written: list[Choice] = []
    guesses = _Guesses(list(draft))

    def write(choices: Iterable[Choice], guess: Sequence[int]) -> bool:
        """Write what was chosen as long as it was guessed, and one more; whether that is all."""
        right = 0
        for choice in choices:
            written.append(choice)
            if choice[0] in ends or len(written) >= max_tokens:
                return True
            if right == len(guess) or guess[right] != choice[0]:
                break
            right += 1
        guesses.judge(right, len(guess), [token for token, _ in written[-_AGREE:]])
        return False

    if max_tokens < 1 or (read is not None and draft and write(read, draft)):
        return written
    unread = [*prompt, *(token for token, _ in written)]
    rows = engine.rows()
    try:
        while True:
            guess = guesses.next(max_tokens - len(written) - 1)
            states = rows.extend([[*unread, *guess]])[0][len(unread) - 1 :]
            best = engine.scores(states, [0] * len(states), 1)
            if write(zip(best.top_ids[:, 0].tolist(), best.top_logprobs[:, 0].tolist(), strict=True), guess):
                return written
            unread = [written[-1][0]]
            rows.crop(0, len(prompt) + len(written) - 1)
    finally:
        rows.close()


class _Guesses:
    """What of a draft is guessed next: all of it; where that was wrong, what follows one replaced token; then nothing,
    until what was written stands in it again."""

    def __init__(self, draft: list[int]) -> None:
        self._draft = draft
        self._at = 0  # where in the draft the next guess begins
        self._length = len(draft)  # how long it may be
        self._left = 0  # where it was left
        self._tried = False  # whether it has been tried again there

    def next(self, room: int) -> list[int]:
        return self._draft[self._at : self._at + min(self._length, room)]

    def judge(self, right: int, guessed: int, tail: Sequence[int]) -> None:
        """So many of the guessed tokens were right; `tail` is what was written last, one more than they."""
        self._at += right
        if right == guessed > 0 and self._draft[self._at : self._at + 1] == [tail[-1]]:
            self._at, self._length, self._tried = self._at + 1, 2 * self._length, False
        elif guessed and not self._tried:
            self._left, self._at, self._length, self._tried = self._at, self._at + 1, _TRIED, True
        else:
            found = self._place(list(tail))
            self._at, self._length = (len(self._draft), 0) if found is None else (found, _CHECKED)

    def _place(self, tail: list[int]) -> int | None:
        """The end of the first place in the draft, from where it was left on, that reads like the tail."""
        n = len(tail)
        places = range(self._left, len(self._draft) - n + 1)
        return next((i + n for i in places if self._draft[i : i + n] == tail), None)
