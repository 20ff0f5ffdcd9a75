"""Momus trains critics that find the bugs in model-written code, and gives people the tools to supervise with them."""

__version__ = "0.1.0"
