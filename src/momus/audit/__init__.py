"""The audit (section 3.6 of the paper): answers that were rated good, criticised, and the most suspect looked at again.

`select.select` chooses what is looked at, `desk` takes it there and back, `report.report` says what came of it.
"""
