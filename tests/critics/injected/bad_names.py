def wrong_variable_fix_me(bug_here, size):
    """Cut a list into pieces of at most `size` items."""
    return [bug_here[i : i + size] for i in range(0, len(bug_here), size)]
