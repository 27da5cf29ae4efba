"""换密钥: a new key, and in the background everything that was sealed with older ones moved to it, while officers work.

``stores`` knows where sealed texts are, ``rounds`` runs through them in small commits: it can be watched, stopped, taken up
again, and dies without harm.
"""
