"""People, units, posts, roles, data scope, sessions, audit."""
