def percentage(part, whole):
    """What share of the whole a part is, in percent; 0.0 if the whole is 0."""
    if whole == 0:
        return 0.0
    return part / whole * 100
