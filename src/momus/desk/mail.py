"""Letters that the desk writes: links for new passwords, where a mail server is set up."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import quote

from momus.desk.observe import log
from momus.desk.settings import DeskSettings

_TIMEOUT_S = 20


def reset_link(settings: DeskSettings, key: str) -> str:
    """Where a new password is set. The key stands behind the `#`, which browsers keep to themselves."""
    return f"{settings.address}/reset#{quote(key)}"


def join_link(settings: DeskSettings, key: str) -> str:
    """Where somebody comes in by an invite."""
    return f"{settings.address}/join#{quote(key)}"


def send_reset(settings: DeskSettings, email: str, key: str) -> None:
    """Send a link for a new password. A server that can't be reached is told in the log: nobody waits for it."""
    letter = EmailMessage()
    letter["Subject"] = "A new password for the Momus desk"
    letter["From"] = settings.smtp_from or f"momus@{settings.smtp_host}"
    letter["To"] = email
    letter.set_content(
        "Somebody, perhaps you, asked for a new password. Set it here, once, within a day:\n\n"
        f"{reset_link(settings, key)}\n\nIf that was not you, leave it: your password is as it was.\n"
    )
    try:
        with _server(settings) as server:
            if settings.smtp_user is not None and settings.smtp_password is not None:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(letter)
    except (OSError, smtplib.SMTPException) as error:
        log("mail", state="not sent", error=type(error).__name__)


def _server(settings: DeskSettings) -> smtplib.SMTP:
    host, port = settings.smtp_host or "", settings.smtp_port
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
    if settings.smtp_security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server
