"""Which model is where, and the key that its server takes: MODEL@URL, the environment, the keyring."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from momus.errors import MomusError

KEY = "MOMUS_API_KEY"
SERVICE = "momus"  # under which a keyring has the key of each server, by its address

_NAME = re.compile(r"(?P<model>.+)@(?P<url>https?://.+)", re.IGNORECASE)


def model_and_url(name: str, what: str) -> tuple[str, str]:
    """The two parts of MODEL@URL; `what` is what is so named, for the message. Raises MomusError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise MomusError(f"{what}:{name} does not say which model is where: write {what}:MODEL@http://HOST:PORT/v1")
    parts = urlsplit(match["url"])
    try:
        known = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment:
        raise MomusError(f"{what}:{match['model']} names no server: write it as {what}:MODEL@http://HOST:PORT/v1")
    if parts.username is not None or parts.password is not None:
        raise MomusError(f"the URL of {what}:{match['model']} holds a password: set {KEY} to the server's key instead")
    url = match["url"].rstrip("/")
    return match["model"], url if parts.path.strip("/") else url + "/v1"


def key_of(url: str) -> str | None:
    """The key of a server: what the environment holds, else what the user's keyring has for its address, if anything.

    The address is scheme, host and port, as in `keyring set momus https://api.example.com`.
    """
    if (given := os.environ.get(KEY)) is not None:
        return given or None
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:  # which nobody has to have
        return None
    parts = urlsplit(url)
    try:
        return keyring.get_password(SERVICE, f"{parts.scheme}://{parts.netloc}") or None
    except (KeyringError, OSError, RuntimeError):  # it is locked, or the machine has none
        return None
