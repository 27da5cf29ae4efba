"""Running cases move to a newer bundle: looked at first, then one instance per transaction, and back again while nothing came after."""
