"""技术文件: the documents that an acceptance asks for, made from the product itself, so that none is kept by hand beside it.

``PAPERS`` in :mod:`contents` names them; :mod:`blocks` is what a document consists of, :mod:`markdown` reads our own pages into it, :mod:`word` writes it.
"""
