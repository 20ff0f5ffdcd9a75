"""Discriminators (section 2.2.2 and Fig. 13 of the paper): was this answer tampered with, or not?

`stage.discriminator` trains one; `compare.compare` holds several sizes of them against the same twins.
"""
