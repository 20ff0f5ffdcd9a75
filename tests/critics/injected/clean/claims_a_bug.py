def initials(name):
    """The first letters of a name's words, in upper case."""
    words = name.split()
    return "".join(word[0].upper() for word in words)
