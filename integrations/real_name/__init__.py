"""实名核验: whether a name, a number and a telephone belong to one person, and a person to an enterprise."""
