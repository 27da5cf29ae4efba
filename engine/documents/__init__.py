"""Legal documents (文书): templates to PDF, numbers, seals, signatures, verification.

A document goes ``draft → issued → served``; a draft or an unsealed one can become ``void``, a sealed one ``withdrawn``.
Writes run in the caller's transaction; rendering and sealing follow as jobs that may run any number of times.
"""
