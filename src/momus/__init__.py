"""Momus trains critics that find the bugs in model-written code, and gives people the tools to supervise with them."""

import os

__version__ = "0.1.0"

# Libraries that report to their makers read this as they are imported, whoever imports them: so it is said here, which
# every way into Momus passes first, and children inherit it. ONNX Runtime would look up its maker's host at each review
# and keep a number of this device in the home folder; huggingface_hub would count what is opened.
os.environ.update(ORT_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_TELEMETRY="1")
