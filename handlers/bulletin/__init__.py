"""Service tasks of 综合发布: whom a bulletin goes to, and who is still to be reminded."""
