-- name: journey
-- Every step that the case has been at, oldest first: in which unit, with whom, from when to when, what came of it; open ones too.
-- The unit is that of the post in which the person took the step: one of its pool where there was one, else the person's own.
SELECT t.id, t.title, d.title AS process_title, t.status, t.role_title, t.opened_at, t.ended_at, t.due_on, t.from_name, t.returned AS sent_back,
  p.name AS person, coalesce(o.unit_name, w.pool) AS unit, o.post_title, h.name AS for_whom,
  a.kind AS act_kind, coalesce(nullif(a.outcome_title, ''), t.outcome) AS outcome, a.opinion, a.undone_by IS NOT NULL AS undone,
  gone.kind AS gone_kind, gone.actor_name AS gone_by
FROM task t JOIN instance i ON i.id = t.instance_id LEFT JOIN act a ON a.id = t.act_id
LEFT JOIN definition_current dc ON dc.kind = 'process' AND dc.name = t.process LEFT JOIN definition d ON d.id = dc.definition_id
LEFT JOIN person p ON p.id = coalesce(t.ended_by, t.assignee_id) LEFT JOIN person h ON h.id = t.ended_for
LEFT JOIN LATERAL (
  SELECT u.name AS unit_name, o.title AS post_title FROM post o JOIN unit u ON u.id = o.unit_id
  WHERE o.person_id = p.id AND o.valid_from <= coalesce(t.ended_at, :at) AND (o.valid_until IS NULL OR o.valid_until >= CAST(coalesce(t.ended_at, :at) AS date))
  ORDER BY EXISTS (SELECT 1 FROM task_candidate c WHERE c.task_id = t.id AND c.unit_id = o.unit_id AND c.post = o.code) DESC, o.main DESC, o.id LIMIT 1) o ON true
LEFT JOIN LATERAL (
  SELECT string_agg(DISTINCT u.name, '、') AS pool FROM task_candidate c JOIN unit u ON u.id = c.unit_id WHERE c.task_id = t.id AND p.id IS NULL) w ON true
LEFT JOIN LATERAL (
  SELECT x.kind, x.actor_name FROM act x WHERE t.status = 'cancelled' AND x.instance_id = t.instance_id AND x.at = t.ended_at
    AND x.kind IN ('withdraw', 'return', 'terminate', 'restore') ORDER BY x.rev_before DESC LIMIT 1) gone ON true
WHERE t.case_id = :case_id
ORDER BY t.opened_at, t.id LIMIT :most
