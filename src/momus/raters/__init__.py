"""Who scores critiques: the paper's form (Table 2), comparisons, and raters. One string opens each: `open_rater`."""

from momus.raters.compare import Mix, build
from momus.raters.form import Form, Rated, as_records, from_records, order_of
from momus.raters.protocol import Rater
from momus.raters.registry import open_rater

__all__ = ["Form", "Mix", "Rated", "Rater", "as_records", "build", "from_records", "open_rater", "order_of"]
