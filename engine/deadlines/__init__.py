"""Legal clocks: working-day calendar, due dates, suspension, extension, explanation."""
