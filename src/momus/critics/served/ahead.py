"""What the strategies over a served model share: several requests on their way before the first reply is wanted, what
all of them came to, and what stands for a model whose weights nobody sees."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from momus.models.chat import Chat
    from momus.records import Task

T = TypeVar("T")


def ahead(
    tasks: Iterable[Task], ask: Callable[[Task], Callable[[], T]], chat: Chat
) -> Iterator[tuple[Task, Callable[[], T]]]:
    """The tasks in order, each with what waits for its replies; as many are asked about at once as the server takes.

    `ask` says what is to be done for a task, in this thread; it is done in another. Where whoever takes the tasks goes
    away, or is interrupted, requests that are under way end.
    """
    waiting: deque[tuple[Task, Future[T]]] = deque()
    pool = ThreadPoolExecutor(chat.concurrency)
    done = False
    try:
        for task in tasks:
            waiting.append((task, pool.submit(ask(task))))
            if len(waiting) >= chat.concurrency:
                first, future = waiting.popleft()
                yield first, future.result
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result
        done = True
    finally:
        if not done:
            chat.stop()
        pool.shutdown(cancel_futures=True)


def account_of(chat: Chat, strategy: str) -> str:
    """What was asked of a server with a strategy, and used, in words."""
    called = f"; the server calls the model {chat.served_as}" if chat.served_as not in ("", chat.model) else ""
    return f"{strategy}: {chat.spent}{called}"


def digest_of(model: str, named: str) -> str:
    """What stands for the weights of a served model: its name, and what its server calls it, without folders."""
    return hashlib.sha256(f"server:{model}\n{named.replace(chr(92), '/').rsplit('/', 1)[-1]}".encode()).hexdigest()
