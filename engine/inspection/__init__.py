"""The rules that check, grade and trace packs; one module per rule. Reads packs and runtime, changes nothing."""
