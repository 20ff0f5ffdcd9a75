"""Who is asking: passwords, sessions kept on the server, invites and API tokens. Keys are stored as hashes only."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from momus.desk.problems import Problem, conflict, invalid, not_found, wrong
from momus.desk.roles import GRANTS, PERMISSIONS, ROLES
from momus.desk.store.engine import Store
from momus.desk.store.tables import ApiToken, Invite, Login, Membership, Reset, User

TOKEN_MARK = "momus_"  # scanners for leaked secrets look for such marks
SHORTEST = 12
RESET_LASTS = timedelta(hours=24)
_EMAIL = re.compile(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,250}")
_COMMON = ("password", "123456", "qwerty", "letmein", "momusmomus")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever makes a request. `scopes` are an API token's; None for a browser's session."""

    user_id: int
    name: str
    email: str
    admin: bool
    scopes: frozenset[str] | None = None
    session: str | None = None  # the hash of the session's key


def key_hash(key: str) -> str:
    """Of a random key of 256 bits: there is nothing to guess, so that one plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    return secrets.token_urlsafe(32)


def new_pseudonym() -> str:
    return f"rater-{secrets.token_hex(5)}"


def normal_email(email: str) -> str:
    """Raises Problem 422 on what is no address."""
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise invalid(wrong("/email", "email", "That is no e-mail address."))
    return email


def hash_password(password: str) -> str:
    """By argon2id. Raises Problem 422 on a password that is too short or stands on every list."""
    if len(password) < SHORTEST:
        raise invalid(wrong("/password", "too-short", f"A password has {SHORTEST} characters or more."))
    if len(set(password)) < 5 or any(password.lower().startswith(common) for common in _COMMON):
        raise invalid(wrong("/password", "too-common", "Others would guess that password: choose another."))
    return _hasher().hash(password)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash(new_key())


def is_right(password: str, hashed: str | None) -> bool:
    """Whether a password is the one of a hash; as slow where there is none. Takes long: never within a transaction."""
    right = _hasher().verify(password, hashed or _nobody())
    return hashed is not None and right


def log_in(store: Store, email: str, password: str, now: datetime, lasts: timedelta) -> tuple[str, User]:
    """A new session's key, and whose it is. Raises Problem 401, the same for a wrong address and a wrong password."""
    with store.read() as session:
        user = session.scalar(select(User).where(User.email == email.strip().lower()))
    known = user.password if user is not None and user.active else None
    if not is_right(password, known) or user is None:
        raise _wrong()
    with store.write() as session:
        found = session.get_one(User, user.id)
        if not found.active or found.password != known:  # changed meanwhile
            raise _wrong()
        return start_session(session, found, now, lasts), found


def _wrong() -> Problem:
    return Problem(401, "login", "Not logged in", "The address or the password is wrong.")


def start_session(session: Session, user: User, now: datetime, lasts: timedelta) -> str:
    key = new_key()
    session.add(Login(hash=key_hash(key), user_id=user.id, created=now, expires=now + lasts, revoked=False))
    return key


def end_sessions(session: Session, user_id: int, *, but: str | None = None) -> None:
    """Revoke all sessions of a person, but for one."""
    session.execute(update(Login).where(Login.user_id == user_id, Login.hash != (but or "")).values(revoked=True))


def end_session(session: Session, hash: str) -> None:
    session.execute(update(Login).where(Login.hash == hash).values(revoked=True))


def by_cookie(session: Session, key: str, now: datetime) -> Caller | None:
    found = session.execute(
        select(Login, User)
        .join(User, User.id == Login.user_id)
        .where(Login.hash == key_hash(key), Login.revoked.is_(False), Login.expires > now, User.active.is_(True))
    ).first()
    if found is None:
        return None
    login, user = found
    return Caller(user.id, user.name, user.email, user.admin, None, login.hash)


def by_token(session: Session, key: str, now: datetime) -> Caller | None:
    found = session.execute(
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.hash == key_hash(key), ApiToken.revoked.is_(False), User.active.is_(True))
    ).first()
    if found is None:
        return None
    token, user = found
    if token.expires is not None and token.expires <= now:
        return None
    return Caller(user.id, user.name, user.email, user.admin, frozenset(token.scopes))


def make_token(
    session: Session, user_id: int, name: str, scopes: Iterable[str], now: datetime, days: int | None
) -> tuple[str, ApiToken]:
    """A new API token's key, which is shown once. Raises Problem 422 on a scope that there is not."""
    scopes = sorted(set(scopes))
    unknown = [scope for scope in scopes if scope not in PERMISSIONS]
    if unknown or not scopes:
        raise invalid(wrong("/scopes", "scope", f"Scopes are of {', '.join(PERMISSIONS)}, at least one."))
    key = TOKEN_MARK + new_key()
    expires = now + timedelta(days=days) if days is not None else None
    token = ApiToken(
        hash=key_hash(key), user_id=user_id, name=name, scopes=scopes, created=now, expires=expires, revoked=False
    )
    session.add(token)
    session.flush()
    return key, token


def invite(
    session: Session,
    now: datetime,
    lasts: timedelta,
    *,
    email: str | None = None,
    project_id: int | None = None,
    role: str | None = None,
    admin: bool = False,
) -> tuple[str, Invite]:
    """A key with which one person may come in, once. Raises Problem 422 on an unknown role or a malformed address."""
    if role is not None and role not in ROLES:
        raise invalid(wrong("/role", "role", f"Roles are {', '.join(ROLES)}."))
    key = new_key()
    found = Invite(
        hash=key_hash(key),
        email=normal_email(email) if email is not None else None,
        project_id=project_id,
        role=role,
        admin=admin,
        created=now,
        expires=now + lasts,
    )
    session.add(found)
    session.flush()
    return key, found


def accept(
    store: Store, key: str, email: str, name: str, password: str, now: datetime, lasts: timedelta
) -> tuple[str, User]:
    """Come in by an invite: as a new person, or, with one's own password, into one more project. Gives a new session's
    key. Nobody's role is lowered by it.

    Raises Problem 404 on an invite that is not there, was used, has run out or is for somebody else.
    """
    email = normal_email(email)
    with store.read() as session:
        _open_invite(session, key, email, now)
        user = session.scalar(select(User).where(User.email == email))
    known = user.password if user is not None else None
    hashed = hash_password(password) if user is None else None
    if user is not None and not (is_right(password, known) and user.active):
        raise Problem(401, "login", "Not logged in", "This address is known here: give the password that goes with it.")
    with store.write() as session:
        found = _open_invite(session, key, email, now)
        user = session.scalar(select(User).where(User.email == email))
        if (user.password if user is not None else None) != known:
            raise conflict("collision", "Somebody did the same at the same moment: try again.")
        if user is None:
            user = add_user(session, email, name, hashed, now, admin=found.admin)
        user.admin = user.admin or found.admin
        found.used = now
        if found.project_id is not None and found.role is not None:
            _join(session, found.project_id, user.id, found.role)
        return start_session(session, user, now, lasts), user


def _open_invite(session: Session, key: str, email: str, now: datetime) -> Invite:
    found = session.scalar(select(Invite).where(Invite.hash == key_hash(key)).with_for_update())
    if found is None or found.used is not None or found.expires <= now or (found.email or email) != email:
        raise not_found("open invite for this address")
    return found


def _join(session: Session, project_id: int, user_id: int, role: str) -> None:
    member = session.get(Membership, (project_id, user_id))
    if member is None:
        session.add(Membership(project_id=project_id, user_id=user_id, role=role))
    elif not GRANTS[role] <= GRANTS[member.role]:  # type: ignore[index]  # the database holds no other
        member.role = role


def add_user(
    session: Session, email: str, name: str, password: str | None, now: datetime, *, admin: bool = False
) -> User:
    user = User(
        email=email, name=name.strip() or email, pseudonym=new_pseudonym(), password=password, admin=admin, created=now
    )
    session.add(user)
    session.flush()
    return user


def change_password(store: Store, caller: Caller, old: str, new: str) -> None:
    """Every other session of the person ends, and every API token. Raises Problem 401 where the old one is wrong."""
    with store.read() as session:
        known = session.get_one(User, caller.user_id).password
    if not is_right(old, known):
        raise Problem(401, "login", "Not changed", "The present password is wrong.")
    hashed = hash_password(new)
    with store.write() as session:
        user = session.get_one(User, caller.user_id)
        if user.password != known:
            raise conflict("collision", "The password was changed at the same moment: try again.")
        _set_password(session, user, hashed, but=caller.session)


def _set_password(session: Session, user: User, hashed: str, *, but: str | None = None) -> None:
    user.password = hashed
    end_sessions(session, user.id, but=but)
    session.execute(update(ApiToken).where(ApiToken.user_id == user.id).values(revoked=True))
    session.execute(update(Reset).where(Reset.user_id == user.id, Reset.used.is_(False)).values(used=True))


def make_reset(session: Session, user: User, now: datetime) -> str:
    """A key with which a person who forgot their password sets a new one, once; earlier ones hold no more."""
    session.execute(update(Reset).where(Reset.user_id == user.id).values(used=True))
    key = new_key()
    session.add(Reset(hash=key_hash(key), user_id=user.id, created=now, expires=now + RESET_LASTS, used=False))
    session.flush()
    return key


def reset_password(store: Store, key: str, new: str, now: datetime, lasts: timedelta) -> tuple[str, User]:
    """A new password by a key of `make_reset`; all sessions and API tokens of the person end. Gives a session's key.

    Raises Problem 404 on a key that is not there, was used or has run out.
    """
    with store.read() as session:
        _open_reset(session, key, now)
    hashed = hash_password(new)
    with store.write() as session:
        user = _open_reset(session, key, now)
        _set_password(session, user, hashed)
        return start_session(session, user, now, lasts), user


def _open_reset(session: Session, key: str, now: datetime) -> User:
    found = session.scalar(select(Reset).where(Reset.hash == key_hash(key)).with_for_update())
    user = session.get(User, found.user_id) if found is not None else None
    if found is None or found.used or found.expires <= now or user is None or not user.active:
        raise not_found("link for a new password that still holds")
    return user
