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

from momus.desk.problems import Problem, invalid, not_found, wrong
from momus.desk.roles import PERMISSIONS, ROLES
from momus.desk.store.tables import ApiToken, Invite, Login, Membership, User

TOKEN_MARK = "momus_"  # scanners for leaked secrets look for such marks
SHORTEST = 12
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


def log_in(session: Session, email: str, password: str, now: datetime, lasts: timedelta) -> tuple[str, User]:
    """A new session's key, and whose it is. Raises Problem 401, the same for a wrong address and a wrong password."""
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    known = user.password if user is not None and user.active else None
    right = _hasher().verify(password, known or _nobody())  # as slow for nobody as for somebody
    if user is None or known is None or not right:
        raise Problem(401, "login", "Not logged in", "The address or the password is wrong.")
    return start_session(session, user, now, lasts), user


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


def accept(session: Session, key: str, email: str, name: str, password: str, now: datetime) -> User:
    """Come in by an invite: as a new person, or, with one's own password, into one more project.

    Raises Problem 404 on an invite that is not there, was used, has run out or is for somebody else.
    """
    email = normal_email(email)
    found = session.scalar(select(Invite).where(Invite.hash == key_hash(key)).with_for_update())
    if found is None or found.used is not None or found.expires <= now or (found.email or email) != email:
        raise not_found("open invite for this address")
    user = session.scalar(select(User).where(User.email == email))
    if user is None:
        user = add_user(session, email, name, hash_password(password), now, admin=found.admin)
    elif not user.active or user.password is None or not _hasher().verify(password, user.password):
        raise Problem(401, "login", "Not logged in", "This address is known here: give the password that goes with it.")
    user.admin = user.admin or found.admin
    found.used = now
    if found.project_id is not None and found.role is not None:
        session.merge(Membership(project_id=found.project_id, user_id=user.id, role=found.role))
    return user


def add_user(
    session: Session, email: str, name: str, password: str | None, now: datetime, *, admin: bool = False
) -> User:
    user = User(
        email=email, name=name.strip() or email, pseudonym=new_pseudonym(), password=password, admin=admin, created=now
    )
    session.add(user)
    session.flush()
    return user


def change_password(session: Session, caller: Caller, old: str, new: str) -> None:
    """Every other session of the person ends. Raises Problem 401 where the old password is wrong."""
    user = session.get_one(User, caller.user_id)
    if user.password is None or not _hasher().verify(old, user.password):
        raise Problem(401, "login", "Not changed", "The present password is wrong.")
    user.password = hash_password(new)
    end_sessions(session, user.id, but=caller.session)
