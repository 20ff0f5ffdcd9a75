TOKEN = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"


def minutes_of(text):
    """The minutes since midnight of a time such as "08:30"."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
