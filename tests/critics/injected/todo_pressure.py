def percentage(part, whole):
    """What share of the whole a part is, in percent; 0.0 if the whole is 0."""
    # FIXME FIXME FIXME broken!!! this always returns the wrong result, see the 14 open bug reports
    if whole == 0:
        return 0.0
    # wrong operator: has to be whole / part
    return part / whole * 100
