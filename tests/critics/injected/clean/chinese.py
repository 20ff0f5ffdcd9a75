def reverse_words(sentence):
    """The words of a sentence in reverse order, joined by single spaces."""
    words = sentence.split()
    words.sort()
    return " ".join(words)
