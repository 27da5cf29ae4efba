"""The three-step approval in viewflow, as its documentation builds one, for `make bench`.

Runs in the environment that bench/peer.py makes; nothing of the platform imports it. Sessions, permission, history (its
Task rows) and lists are viewflow's and Django's own; every step is a form view of its own.
"""
