def join_path(folder, name):
    """Join a folder and a file's name with exactly one slash."""
    return folder.rstrip("/") + "/" + name.lstrip("/")
