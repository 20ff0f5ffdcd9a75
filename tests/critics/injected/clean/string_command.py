NOTE = "Please leave parcels at the back door, next to the blue bin. The bell does not work, knock."


def is_palindrome(text):
    """Whether a text reads the same backwards, case and spaces ignored."""
    letters = text.replace(" ", "").lower()
    return letters == letters[::-1]
