"""What running shows: calls on some code in the sandbox, their results, and whether two of them are the same."""
