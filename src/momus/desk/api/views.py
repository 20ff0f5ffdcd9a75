"""Any kind's view, for OpenAPI."""

from __future__ import annotations

from momus.desk.kinds.choose import PairView
from momus.desk.kinds.critique import TeamView, WriteView
from momus.desk.kinds.grade import GradeView
from momus.desk.kinds.rate import RateView
from momus.desk.kinds.recheck import RecheckView
from momus.desk.kinds.tamper import TamperView

View = RateView | TeamView | PairView | GradeView | RecheckView | TamperView | WriteView
