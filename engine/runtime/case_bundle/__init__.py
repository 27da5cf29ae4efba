"""A case as one file that an outsider verifies and replays without this platform.

``collect`` reads the case, ``write`` packs and signs it, ``make`` does so when somebody asks; ``archive`` opens a file
from anywhere without trusting it, ``check`` verifies it, ``replay`` does its acts again. The reading side needs no database.
"""
