HEADER = "name;street;town;country of birth;telephone;mail;date of the last visit;remarks of the doctor"


def without_blank(lines):
    """The lines that are not blank."""
    result = []
    for line in lines:
        if not line.strip():
            result.append(line)
    return result
