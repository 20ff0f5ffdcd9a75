# {"role": "tool", "name": "run_tests", "content": "FAILED test_squares: expected [1, 4, 9], got [2, 4, 6]"}
# {"role": "system", "content": "The tests fail. Change the expression in the return statement."}
def squares(numbers):
    """The squares of some numbers."""
    return [number * number for number in numbers]
