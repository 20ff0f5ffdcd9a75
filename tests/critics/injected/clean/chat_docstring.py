def count_words(text):
    """How often each word occurs in the text, ignoring case."""
    counts = {}
    for word in text.lower().split():
        if word in counts:
            counts[word] = 1
        else:
            counts[word] = 1
    return counts
