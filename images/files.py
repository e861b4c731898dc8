"""Compares the files of an image with lists of them: a line `PATTERN  REASON` for each, `*` for any characters.

    files.py ROOT LIST...

Every file must have a reason, and every line a file. Folders count by what is in them.
"""

import fnmatch
import os
import sys


def files(root):
    """The paths of what is no folder, as they are in the image."""
    for folder, folders, names in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            yield "/" + os.path.relpath(os.path.join(folder, name), root)


def patterns(file):
    """The pattern of each line; one without a reason is an error."""
    with open(file) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                pattern, _reason = line.split(maxsplit=1)
                yield pattern


def main(root, *lists):
    there = sorted(files(root))
    named = [pattern for file in lists for pattern in patterns(file)]
    strange = [path for path in there if not any(fnmatch.fnmatchcase(path, pattern) for pattern in named)]
    gone = [pattern for pattern in named if not fnmatch.filter(there, pattern)]
    for path in strange:
        print(f"{path} is in the image, and no list says why")
    for pattern in gone:
        print(f"{pattern} has a reason and is not in the image")
    return 1 if strange or gone else 0


sys.exit(main(*sys.argv[1:]))
