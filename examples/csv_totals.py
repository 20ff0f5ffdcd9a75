# Task: "Turn a CSV of expenses with the columns date, category and amount into a text report: the total of each
# category, the largest first, and a grand total. Categories are the same in any case. Amounts may have thousands
# separators and must add up exactly, so no floats. Rows that cannot be read are skipped and counted."

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TextIO


@dataclass
class Report:
    totals: dict[str, Decimal] = field(default_factory=dict)
    rows: int = 0
    skipped: int = 0

    @property
    def grand_total(self) -> Decimal:
        return sum(self.totals.values(), Decimal(0))


def parse_amount(text: str) -> Decimal:
    """Parse an amount such as "1,234.50"; raise ValueError if it is not one."""
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"not an amount: {text!r}") from None
    if not amount.is_finite():
        raise ValueError(f"not an amount: {text!r}")
    return amount


def read_report(source: TextIO) -> Report:
    """Add up the amounts of each category."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    report = Report()
    for row in csv.DictReader(source):
        category = (row.get("category") or "").strip().lower()
        try:
            amount = parse_amount(row.get("amount") or "")
        except ValueError:
            report.skipped += 1
            continue
        if not category:
            report.skipped += 1
            continue
        totals[category] += amount
        report.rows += 1
    report.totals = dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))
    return report


def format_report(report: Report) -> str:
    """Lay the report out in two aligned columns."""
    lines = [(name, f"{total:,.2f}") for name, total in report.totals.items()]
    lines.append(("total", f"{report.grand_total:,.2f}"))
    name_width = max(len(name) for name, _ in lines)
    amount_width = max(len(amount) for _, amount in lines)
    text = "\n".join(f"{name:<{name_width}}  {amount:>{amount_width}}" for name, amount in lines)
    if report.skipped:
        text += f"\n({report.skipped} rows skipped)"
    return text


def report_of(text: str) -> str:
    """The whole way from CSV text to the printed report."""
    return format_report(read_report(io.StringIO(text)))
