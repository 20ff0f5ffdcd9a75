"""People who claim and hand in as fast as they can, as a process of their own: run by tests that kill it.

Prints one line for each submission, after it was committed: `USER ASSIGNMENT KEY`.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from momus.desk import claims, submissions
from momus.desk.store import Store, open_store
from momus.desk.store.tables import Project


def work(store: Store, user: int, process: str) -> None:
    rng = random.Random(f"{process}/{user}")
    idle = 0
    while idle < 3:
        try:
            with store.write() as session:
                project = session.scalars(select(Project)).one()
                hold = claims.claim(session, project, user, "write", datetime.now(UTC))
            if hold is None:
                idle += 1
                continue
            key = f"{process}-{user}-{rng.getrandbits(64):x}"
            form = {"comments": [], "no_problems": True, "notes": key}
            with store.write() as session:
                project = session.scalars(select(Project)).one()
                locked = session.get_one(type(hold), hold.id, with_for_update=True)
                submissions.submit(session, project, locked, key, form, datetime.now(UTC))
            os.write(1, f"{user} {hold.assignment_id} {key}\n".encode())  # whole lines, whatever other threads write
        except (OperationalError, IntegrityError) as error:
            print("retry", type(error).__name__, file=sys.stderr)


def main() -> None:
    db, process, *users = sys.argv[1:]
    store = open_store(db)
    threads = [threading.Thread(target=work, args=(store, int(user), process)) for user in users]
    print("ready", flush=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
