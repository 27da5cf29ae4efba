"""One module per rule. A rule is ``check(tree) -> Iterable[Finding]`` and ``TITLE``, what the rule wants in one Chinese sentence."""
