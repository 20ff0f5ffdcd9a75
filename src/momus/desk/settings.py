"""How a desk is set up: by flags, or by the environment (`MOMUS_DESK_DB` and so on)."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from momus.errors import MomusError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class DeskSettings(BaseSettings):
    """`origins` are the addresses that browsers use, where they are not this machine's own; `https` says that they
    reach the desk by TLS, ended by a proxy in front. `critic` writes for teams, is the adversary of tampers and answers
    the reviewer's page; only who starts the desk names it, as a name may hold a URL. `accept_unsafe_local` says that
    what `sandbox="unsafe-local"` means is known; that alone takes no isolation away. `trusted_proxies` are addresses or
    networks whose `X-Forwarded-For` is believed. `logins_per_minute` may fail for one account from one network.
    `smtp_...` is the mail server that sends links for new passwords; its password comes by the environment.
    """

    model_config = SettingsConfigDict(env_prefix="MOMUS_DESK_", frozen=True, extra="forbid")

    db: str = "sqlite:///desk.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8321, ge=0, le=65535)
    origins: tuple[str, ...] = ()
    https: bool = False
    insecure_public: bool = False
    trusted_proxies: tuple[str, ...] = ()
    critic: str = "auto"
    sandbox: str = "auto"
    accept_unsafe_local: bool = False
    run_timeout_s: float = Field(default=5, gt=0, le=60)
    upload_bytes: int = Field(default=50_000_000, gt=0)
    body_bytes: int = Field(default=4_000_000, gt=0)
    session_days: int = Field(default=14, ge=1)
    invite_days: int = Field(default=7, ge=1)
    undo_minutes: int = Field(default=10, ge=0)
    logins_per_minute: int = Field(default=10, ge=1)
    claims_per_minute: int = Field(default=240, ge=1)
    runs_per_minute: int = Field(default=30, ge=1)
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    log: bool = True

    @property
    def proxies(self) -> tuple[str, ...]:
        """Whose word on where a request comes from is taken: a proxy on this machine where there is one for TLS."""
        return self.trusted_proxies or (("127.0.0.1", "::1") if self.https else ())

    @property
    def address(self) -> str:
        """The address by which browsers come."""
        return self.origins[0].rstrip("/") if self.origins else f"http://{self.host}:{self.port}"

    @property
    def cookie(self) -> str:
        """The session cookie's name. `__Host-` needs TLS; plain http is for loopback."""
        return "__Host-momus" if self.https else "momus"

    @property
    def session(self) -> timedelta:
        return timedelta(days=self.session_days)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which the desk may be called: anything else in `Host` is another site's trick."""
        named = tuple(origin.split("://")[-1].split("/")[0] for origin in self.origins)
        return (*LOOPBACK_NAMES, self.host, *named)

    def check_sandbox(self) -> str | None:
        """What to say at the start where programs run without isolation; None where they don't.

        Raises MomusError where nobody has said that this is known.
        """
        if self.sandbox != "unsafe-local":
            return None
        if not self.accept_unsafe_local:
            raise MomusError(
                "sandbox unsafe-local lets everybody at this desk run programs on this machine, with its files and "
                "network: leave it at auto, or accept that with --accept-unsafe-local"
            )
        return "programs run WITHOUT isolation: everybody at this desk can read and change what this user can"

    def check_bind(self) -> None:
        """Raises MomusError where the desk would be open to others without TLS, and nobody has said so."""
        if is_loopback(self.host) or self.https or self.insecure_public:
            return
        raise MomusError(
            f"{self.host} is not this machine alone: put a proxy with TLS in front and give --https and --origin, "
            "or accept that passwords can be read on the way with --insecure-public"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def database_url(db: str) -> str:
    """A database's URL for SQLAlchemy: a bare path is an SQLite file; PostgreSQL is spoken to by psycopg."""
    if "://" not in db:
        return f"sqlite:///{Path(db)}"
    scheme, rest = db.split("://", 1)
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    if scheme in ("sqlite", "postgresql+psycopg"):
        return db
    raise MomusError(f"the desk keeps its data in SQLite or PostgreSQL, not in {scheme!r}: give --db a path or a URL")
