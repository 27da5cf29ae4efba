"""Legal documents (文书): templates to PDF, numbers, seals, signatures, verification."""
