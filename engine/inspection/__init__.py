"""The rules that check, grade and trace packs; one module per rule, found by presence. Reads the tree, changes nothing."""
