-- name: head
-- What this case is, and how much hangs on it.
SELECT k.id, k.kind, k.number, k.title, k.subject, k.address, k.state, k.state_title, k.tags, k.created_at, k.closed_at, k.voided_at, k.unit_id,
  u.name AS unit_name, u.short_name AS unit_short, h.name AS handler, c.name AS created_by, k.handler_id, k.created_by AS created_by_id,
  (SELECT count(*) FROM document d WHERE d.case_id = k.id) AS documents,
  (SELECT count(*) FROM attachment a WHERE a.case_id = k.id AND a.removed_at IS NULL) AS attachments,
  (SELECT count(*) FROM submission s WHERE s.case_id = k.id) AS submissions,
  (SELECT count(*) FROM (SELECT id FROM case_link WHERE from_id = k.id UNION SELECT id FROM case_link WHERE to_id = k.id) l) AS links,
  (SELECT count(*) FROM incident x WHERE x.case_id = k.id AND x.status = 'open') AS incidents
FROM case_file k JOIN unit u ON u.id = k.unit_id
LEFT JOIN person h ON h.id = k.handler_id LEFT JOIN person c ON c.id = k.created_by
WHERE k.id = :case_id

-- name: open_tasks
-- Every open step of the case: who holds it or who may claim it, and whether that is the reader.
SELECT t.id, t.instance_id, t.engine_id, t.node, t.process, t.scope, t.title, t.role_title, t.form, t.assignee_id, p.name AS assignee, o.title AS assignee_post,
  t.from_id, t.from_name, t.from_words, t.returned, t.straight_to, t.due_on, t.opened_at, t.claimed_at, t.viewed_at, i.title AS instance_title, i.status AS instance_status,
  i.bundle_id, i.process AS instance_process, i.state,
  t.assignee_id = :person OR t.assignee_id IS NOT NULL AND stands.principal IS NOT NULL AS mine, CASE WHEN NOT own.pool THEN stands.principal END AS principal, sender.title AS from_post, t.urged, t.held IS NOT NULL AS held,
  (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'person_id', s.person_id, 'name', s.person_name, 'kind', s.kind, 'status', s.status, 'stance', s.stance,
      'opinion', s.opinion, 'words', s.words, 'asked_name', s.asked_name, 'answered_at', s.answered_at) ORDER BY s.asked_at, s.id)
    FROM task_signer s WHERE s.task_id = t.id AND s.status IN ('planned', 'open', 'done')) AS signers,
  EXISTS (SELECT 1 FROM task_candidate c WHERE c.task_id = t.id) AS has_pool,
  own.pool OR t.assignee_id IS NULL AND stands.principal IS NOT NULL AS claimable,
  CASE WHEN t.assignee_id IS NULL THEN (
    SELECT string_agg(DISTINCT u.short_name, '、') FROM task_candidate c JOIN unit u ON u.id = c.unit_id WHERE c.task_id = t.id) END AS pool_units
FROM task t JOIN instance i ON i.id = t.instance_id LEFT JOIN person p ON p.id = t.assignee_id
LEFT JOIN LATERAL (SELECT o.title FROM post o WHERE o.person_id = t.assignee_id ORDER BY o.main DESC LIMIT 1) o ON true
LEFT JOIN LATERAL (SELECT o.title FROM post o WHERE o.person_id = t.from_id ORDER BY o.main DESC LIMIT 1) sender ON true
CROSS JOIN LATERAL (
  SELECT t.assignee_id IS NULL AND EXISTS (
    SELECT 1 FROM unnest(CAST(:units AS uuid[]), CAST(:posts AS text[])) AS m(unit_id, post)
    JOIN task_candidate c ON c.task_id = t.id AND c.unit_id = m.unit_id AND c.post = m.post AND c.open) AS pool) own
LEFT JOIN LATERAL (
  SELECT p.name AS principal FROM deputy d JOIN person p ON p.id = d.person_id
  WHERE t.deputies AND d.deputy_id = :person AND d.from_on <= CAST(:on AS date) AND d.until_on >= CAST(:on AS date) AND d.ended_at IS NULL
    AND (d.processes = '[]' OR d.processes ? i.process)
    AND (d.person_id = t.assignee_id OR t.assignee_id IS NULL AND EXISTS (
      SELECT 1 FROM task_candidate c JOIN post o ON o.unit_id = c.unit_id AND o.code = c.post AND o.person_id = d.person_id
        AND o.valid_from <= CAST(:on AS date) AND (o.valid_until IS NULL OR o.valid_until >= CAST(:on AS date))
      WHERE c.task_id = t.id AND c.open)) ORDER BY d.created_at LIMIT 1) stands ON true
WHERE t.case_id = :case_id AND t.status = 'open' ORDER BY t.opened_at, t.id

-- name: awaited
-- Whose opinion a step waits for now.
SELECT person_name FROM task_signer WHERE task_id = :task_id AND status = 'open' ORDER BY asked_at, id

-- name: standing
-- The open steps of an instance with who has each.
SELECT t.title, array_agg(DISTINCT coalesce(p.name, nullif(t.role_title, ''), '有关人员')) AS names
FROM task t LEFT JOIN person p ON p.id = t.assignee_id WHERE t.instance_id = :instance_id AND t.status = 'open' GROUP BY t.title ORDER BY min(t.opened_at), t.title

-- name: instances
-- The processes that ran or run on the case, first one first.
SELECT i.id, i.process, i.title, i.status, i.started_at, i.ended_at, i.bundle_id, i.definition_id, d.version, p.name AS started_by,
  i.parent_instance_id IS NOT NULL OR EXISTS (SELECT FROM fanout f WHERE f.instance_id = i.id) AS fanned
FROM instance i JOIN definition d ON d.id = i.definition_id LEFT JOIN person p ON p.id = i.started_by
WHERE i.case_id = :case_id ORDER BY i.started_at, i.id

-- name: acts
-- Everything that was done, newest first, so many before (before_at, before_id). ``scope`` names the call activities above the step.
SELECT a.id, a.kind, a.instance_id, a.node, a.process, a.title, a.actor_id, a.actor_name, a.actor_post, a.on_behalf_of, a.at, a.outcome, a.outcome_title, a.opinion,
  a.undone_by IS NOT NULL AS undone, a.automatic, a.task_opened_at, a.flows, a.nodes, a.rev_before,
  CASE WHEN a.kind = 'start' THEN a.task_id IS NOT NULL AND NOT coalesce(a.result->'undo' @> '[{"op": "clock"}]', false)
    ELSE a.snapshot IS NOT NULL AND a.kind IN ('complete', 'return') END AS movable,
  coalesce(CAST(a.result->>'irreversible' AS boolean), false) AS irreversible, coalesce(t.scope, '') AS scope
FROM act a LEFT JOIN task t ON t.id = a.task_id WHERE a.case_id = :case_id AND (a.at, a.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)) ORDER BY a.at DESC, a.id DESC LIMIT :most

-- name: waited_for
-- The clocks of the case whose end a timer waits for, the nearest first.
SELECT DISTINCT c.title, c.due_on FROM timer t JOIN case_clock c ON c.case_id = t.case_id AND c.clock = t.clock AND c.state = 'running'
WHERE t.case_id = :case_id AND c.due_on IS NOT NULL ORDER BY c.due_on, c.title LIMIT 3

-- name: task_place
-- Where a task belongs, whether it is open, who ended it, and its form as its case is pinned.
SELECT t.case_id, t.status, t.title, t.form, i.bundle_id, p.name AS ended_by, t.ended_at
FROM task t JOIN instance i ON i.id = t.instance_id LEFT JOIN person p ON p.id = t.ended_by WHERE t.id = :task_id

-- name: documents
-- Documents of the case, newest first.
SELECT d.id, d.title, d.state, d.reason, d.number, d.check_code, d.created_at, d.issued_at, d.withdrawn_at, d.pdf_sm3 IS NOT NULL AS rendered,
  d.sealed_sm3 IS NOT NULL AS sealed, p.name AS created_by
FROM document d LEFT JOIN person p ON p.id = d.created_by WHERE d.case_id = :case_id ORDER BY d.created_at DESC, d.id DESC

-- name: attachments
-- Files of the case, newest first.
SELECT a.id, a.file_name, a.content_type, a.size, a.caption, a.uploaded_at, a.thumbnail_sm3 IS NOT NULL AS thumbnail, p.name AS uploaded_by
FROM attachment a LEFT JOIN person p ON p.id = a.uploaded_by WHERE a.case_id = :case_id AND a.removed_at IS NULL ORDER BY a.uploaded_at DESC, a.id DESC

-- name: submissions
-- Answers that were submitted, newest first, without their data.
SELECT s.id, s.node, s.form, s.form_hash, s.by_name, s.at, s.superseded, a.title, a.outcome_title
FROM submission s LEFT JOIN act a ON a.id = s.act_id WHERE s.case_id = :case_id ORDER BY s.at DESC, s.id DESC

-- name: submission
-- One set of answers with the bundle its instance is pinned to.
SELECT s.id, s.case_id, s.instance_id, s.node, s.form, s.form_hash, s.data, s.by_name, s.at, s.superseded, i.bundle_id, a.title
FROM submission s JOIN instance i ON i.id = s.instance_id LEFT JOIN act a ON a.id = s.act_id WHERE s.id = :submission_id

-- name: links
-- Cases linked to this one, in either direction.
SELECT l.kind, l.reason, l.at, true AS outgoing, k.id, k.number, k.title, k.subject, k.state_title FROM case_link l JOIN case_file k ON k.id = l.to_id WHERE l.from_id = :case_id
UNION ALL
SELECT l.kind, l.reason, l.at, false, k.id, k.number, k.title, k.subject, k.state_title FROM case_link l JOIN case_file k ON k.id = l.from_id WHERE l.to_id = :case_id
ORDER BY 3 DESC

-- name: log
-- The audit records of the case, newest first, so many before (before_at, before_seq).
SELECT a.seq, a.at, a.actor_name, a.action, a.object, a.detail FROM audit a WHERE a.case_id = :case_id AND (a.at, a.seq) < (CAST(:before_at AS timestamptz), CAST(:before_seq AS bigint)) ORDER BY a.at DESC, a.seq DESC LIMIT :most

-- name: posts_of_unit
-- The posts there are in a unit.
SELECT DISTINCT unit_id, code FROM post WHERE unit_id = :unit_id

-- name: drafts
-- Drafts of a task: the reader's own with its data, and the names of others who saved lately.
SELECT d.person_id = :person AS own, p.name, d.rev, d.updated_at, CASE WHEN d.person_id = :person THEN d.data END AS data
FROM draft d JOIN person p ON p.id = d.person_id WHERE d.task_id = :task_id AND (d.person_id = :person OR d.updated_at >= :since) ORDER BY p.name

-- name: people
-- Names of people by id.
SELECT id, name FROM person WHERE id = ANY(CAST(:ids AS uuid[]))
