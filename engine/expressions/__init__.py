"""FEEL, the expression language of DMN 1.5: lexer, grammar, compiler, built-in functions."""
