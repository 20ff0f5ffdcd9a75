# Task: "I keep room bookings as (start, end) pairs of minutes since midnight, in no particular order. Give me one
# function that merges bookings that overlap or touch, one that returns the free gaps between an opening and a closing
# time, and one that finds the first gap that is long enough for a meeting."

from typing import Iterable, Optional

Interval = tuple[int, int]


def merge_bookings(bookings: Iterable[Interval]) -> list[Interval]:
    """Merge overlapping or touching bookings, sorted by their start."""
    merged: list[Interval] = []
    for start, end in sorted(bookings):
        if end <= start:
            raise ValueError(f"booking ends before it starts: {start}-{end}")
        if merged and start <= merged[-1][1]:
            last_start, _ = merged[-1]
            merged[-1] = (last_start, end)
        else:
            merged.append((start, end))
    return merged


def free_gaps(bookings: Iterable[Interval], opening: int, closing: int) -> list[Interval]:
    """Return the free intervals between opening and closing time."""
    gaps: list[Interval] = []
    cursor = opening
    for start, end in merge_bookings(bookings):
        if end <= opening:
            continue
        if start >= closing:
            break
        if start > cursor:
            gaps.append((cursor, start))
        cursor = max(cursor, end)
    if cursor < closing:
        gaps.append((cursor, closing))
    return gaps


def first_slot(
    bookings: Iterable[Interval], length: int, opening: int = 480, closing: int = 1080
) -> Optional[Interval]:
    """Return the earliest slot of the given length, or None if the day is full."""
    for start, end in free_gaps(bookings, opening, closing):
        if end - start >= length:
            return start, start + length
    return None


def format_minutes(minutes: int) -> str:
    """Show minutes since midnight as HH:MM."""
    hours, rest = divmod(minutes, 60)
    return f"{hours:02d}:{rest:02d}"


def format_interval(interval: Interval) -> str:
    """Show an interval as HH:MM-HH:MM."""
    start, end = interval
    return f"{format_minutes(start)}-{format_minutes(end)}"
