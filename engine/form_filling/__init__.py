"""Forms: loading, rendering, validating, printing one JSON Schema; attachments. May import what lies below, no sibling.

One schema, one renderer. A field's kind is a module of ``widgets/`` with a template of the same name; being there registers.

Shapes of values in JSON (``Validated.data``, drafts, submissions):
text, textarea, opinion  "…"                    number     12 or 12.5
money                    "123.40"               boolean    true or false
date                     "2026-11-20"           datetime   "2026-11-20T09:30:00+08:00"
choice, choices          code, [code, …]        person, unit   id as text
party     {"kind": "person|organisation|individual", "name", "identifier_kind", "identifier", "sex", "birth_date",
          "representative", "operator", "operator_identifier", "phone", "address", "party_id", "note"}
address   {"district", "street", "detail", "text"}
files, photos   [{"id", "name", "caption"}]     signature  attachment id      rows   [{column: value}]
"""
