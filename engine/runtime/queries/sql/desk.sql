-- name: open_tasks
-- Open tasks that are mine, that I may claim with one of my posts, on which I am asked for an opinion, whose holder's deputy I am
-- today, or that whoever I stand in for may claim and I may not: disjoint sets, each by its partial index.
-- A step without a day of its own is due when the nearest legal clock of its case is.
{with_day} FROM (
    SELECT t.id, t.instance_id, t.case_id, t.title, t.from_name, t.from_words, t.due_on AS step_due, t.opened_at, t.returned, false AS pool, '' AS principal, '' AS asked
    FROM task t WHERE t.assignee_id = :person AND t.status = 'open'
    UNION ALL
    SELECT t.id, t.instance_id, t.case_id, t.title, t.from_name, t.from_words, t.due_on, t.opened_at, t.returned, true, '', ''
    FROM task t WHERE t.assignee_id IS NULL AND t.status = 'open' AND t.id IN (
      SELECT c.task_id FROM unnest(CAST(:units AS uuid[]), CAST(:posts AS text[])) AS mine(unit_id, post)
      JOIN task_candidate c ON c.unit_id = mine.unit_id AND c.post = mine.post AND c.open)
    UNION ALL
{elsewhere}) s
{nearest_clock}

-- name: with_day
  SELECT s.*, coalesce(s.step_due, clock.due_on) AS due_on, CASE WHEN s.step_due IS NULL THEN clock.title END AS clock_title,
    CASE WHEN s.step_due IS NULL THEN clock.clock END AS clock, clock.day_kind, clock.soon

-- name: nearest_clock
  LEFT JOIN LATERAL (
    SELECT k.due_on, k.title, k.clock, k.day_kind, k.rule->>'soon' AS soon FROM case_clock k WHERE k.case_id = s.case_id AND k.state = 'running' AND k.due_on IS NOT NULL
    ORDER BY k.due_on, k.id LIMIT 1) clock ON true

-- name: elsewhere
    SELECT t.id, t.instance_id, t.case_id, t.title, g.asked_name AS from_name, g.words AS from_words, t.due_on AS step_due, g.asked_at AS opened_at, false AS returned, false AS pool,
      '' AS principal, g.kind AS asked
    FROM task_signer g JOIN task t ON t.id = g.task_id WHERE g.person_id = :person AND g.status = 'open' AND t.assignee_id IS DISTINCT FROM CAST(:person AS uuid)
    UNION ALL
    SELECT t.id, t.instance_id, t.case_id, t.title, t.from_name, t.from_words, t.due_on, t.opened_at, t.returned, false, h.name, ''
    FROM deputy d JOIN task t ON t.assignee_id = d.person_id AND t.status = 'open' AND t.deputies JOIN instance v ON v.id = t.instance_id JOIN person h ON h.id = d.person_id
    WHERE d.deputy_id = :person AND d.from_on <= CAST(:on AS date) AND d.until_on >= CAST(:on AS date) AND d.ended_at IS NULL
      AND (d.processes = '[]' OR d.processes ? v.process)
      AND NOT EXISTS (SELECT 1 FROM task_signer g WHERE g.task_id = t.id AND g.person_id = :person AND g.status = 'open')
    UNION ALL
    SELECT t.id, t.instance_id, t.case_id, t.title, t.from_name, t.from_words, t.due_on, t.opened_at, t.returned, true, min(h.name), ''
    FROM deputy d JOIN post o ON o.person_id = d.person_id AND o.valid_from <= CAST(:on AS date) AND (o.valid_until IS NULL OR o.valid_until >= CAST(:on AS date))
      JOIN task_candidate c ON c.unit_id = o.unit_id AND c.post = o.code AND c.open JOIN task t ON t.id = c.task_id AND t.assignee_id IS NULL AND t.status = 'open' AND t.deputies
      JOIN instance v ON v.id = t.instance_id JOIN person h ON h.id = d.person_id
    WHERE d.deputy_id = :person AND d.from_on <= CAST(:on AS date) AND d.until_on >= CAST(:on AS date) AND d.ended_at IS NULL
      AND (d.processes = '[]' OR d.processes ? v.process)
      AND NOT EXISTS (SELECT 1 FROM task_signer g WHERE g.task_id = t.id AND g.person_id = :person AND g.status = 'open')
      AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:units AS uuid[]), CAST(:posts AS text[])) AS mine(unit_id, post)
        JOIN task_candidate x ON x.task_id = t.id AND x.unit_id = mine.unit_id AND x.post = mine.post AND x.open)
    GROUP BY t.id

-- name: bucket
  CASE WHEN o.due_on < :today THEN 'late' WHEN o.due_on = :today THEN 'today' WHEN o.due_on <= :soon THEN '3d' ELSE 'later' END

-- name: narrowed
  (CAST(:process AS text) IS NULL OR i.process = :process) AND (CAST(:node AS text) IS NULL OR o.title = :node)
  AND (CAST(:sender AS text) IS NULL OR o.from_name = :sender)

-- name: inbox_counts
-- How many are due when under the filters, and the choices of each filter over everything that waits.
WITH few AS MATERIALIZED (SELECT {few} AS few),
o AS MATERIALIZED (SELECT * FROM ({open_tasks}) o WHERE (SELECT few FROM few)),
all_of AS MATERIALIZED (
  SELECT o.title, o.from_name, i.process, i.title AS process_title, {bucket} AS bucket, ({narrowed}) AS wanted
  FROM o JOIN instance i ON i.id = o.instance_id)
SELECT 'due' AS what, bucket AS value, '' AS title, count(*) AS count FROM all_of WHERE wanted GROUP BY bucket
UNION ALL SELECT 'few', '', '', 0 FROM few WHERE NOT few
UNION ALL SELECT 'process', process, max(process_title), count(*) FROM all_of GROUP BY process
UNION ALL SELECT 'node', title, title, count(*) FROM all_of GROUP BY title
UNION ALL SELECT 'sender', from_name, from_name, count(*) FROM all_of WHERE from_name <> '' GROUP BY from_name
ORDER BY 1, 4 DESC, 3

-- name: page
page AS MATERIALIZED (
  SELECT o.*, i.title AS process_title, i.status, i.bundle_id, i.process AS instance_process FROM o JOIN instance i ON i.id = o.instance_id
  WHERE {narrowed} AND (CAST(:bucket AS text) IS NULL OR {bucket} = :bucket)
    AND (CAST(:after_id AS uuid) IS NULL OR (coalesce(o.due_on, 'infinity'), o.id) > (CAST(:after_day AS date), CAST(:after_id AS uuid)))
  ORDER BY coalesce(o.due_on, 'infinity'), o.id LIMIT :size)
SELECT o.id AS task_id, o.case_id, k.number, k.title, k.subject, k.tags, o.process_title, o.status, o.title AS step,
  o.from_name, o.from_words, o.opened_at, o.returned, o.pool, o.due_on, o.clock_title, o.clock, o.day_kind, o.soon, o.principal, o.asked, t.urged, t.node, t.process, t.form, o.bundle_id,
  o.instance_process, t.held IS NOT NULL OR EXISTS (SELECT 1 FROM task_signer g WHERE g.task_id = o.id AND g.status = 'open') AS waiting
FROM page o JOIN case_file k ON k.id = o.case_id JOIN task t ON t.id = o.id
ORDER BY coalesce(o.due_on, 'infinity'), o.id

-- name: inbox_rows
-- One page of what waits, nearest due day first, after the key (day, task).
WITH o AS MATERIALIZED ({open_tasks}),
{page}

-- name: few
-- Whether the reader's own tasks and pools are few enough to be looked at one by one: two short walks of an index.
  (SELECT count(*) FROM (
    (SELECT 1 FROM task t WHERE t.assignee_id = :person AND t.status = 'open' LIMIT :many)
    UNION ALL
    (SELECT 1 FROM unnest(CAST(:units AS uuid[]), CAST(:posts AS text[])) AS mine(unit_id, post)
      JOIN task_candidate c ON c.unit_id = mine.unit_id AND c.post = mine.post AND c.open LIMIT :many)) looked) < :many

-- name: asked_for
  (CAST(:process AS text) IS NULL OR EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id AND i.process = :process))
  AND (CAST(:node AS text) IS NULL OR t.title = :node) AND (CAST(:sender AS text) IS NULL OR t.from_name = :sender)

-- name: unasked
  CAST(:process AS text) IS NULL AND CAST(:node AS text) IS NULL AND CAST(:sender AS text) IS NULL

-- name: my_pool
  EXISTS (SELECT 1 FROM unnest(CAST(:units AS uuid[]), CAST(:posts AS text[])) AS mine(unit_id, post)
    JOIN task_candidate c ON c.task_id = t.id AND c.unit_id = mine.unit_id AND c.post = mine.post AND c.open)

-- name: crowd_columns
  t.id, t.instance_id, t.case_id, t.title, t.from_name, t.from_words, t.due_on AS step_due, t.opened_at, t.returned

-- name: crowd_days
-- By their own day, from the key on, walking the index.
  t.status = 'open' AND t.due_on BETWEEN CAST(:first AS date) AND CAST(:last AS date)
  AND (t.due_on, t.id) > (CAST(:after_day AS date), CAST(:after_id AS uuid)) AND {asked_for} ORDER BY t.due_on, t.id LIMIT :size

-- name: crowd_dayless
-- Without a day and without a clock: last, by their id.
  t.status = 'open' AND t.due_on IS NULL AND CAST(:last AS date) = 'infinity'
  AND t.id > CASE WHEN CAST(:after_day AS date) = 'infinity' THEN CAST(:after_id AS uuid) ELSE '00000000-0000-0000-0000-000000000000' END
  AND NOT EXISTS (SELECT 1 FROM case_clock k WHERE k.case_id = t.case_id AND k.state = 'running' AND k.due_on IS NOT NULL) AND {asked_for} ORDER BY t.due_on, t.id LIMIT :size

-- name: crowd_clocks
-- Running clocks by day, from the key on; those of one day all together, so that the step's id can order them.
  (SELECT k.case_id, k.due_on, k.id FROM case_clock k
   WHERE k.state = 'running' AND k.due_on BETWEEN greatest(CAST(:first AS date), CAST(:after_day AS date)) AND CAST(:last AS date)
     AND NOT EXISTS (SELECT 1 FROM case_clock n WHERE n.case_id = k.case_id AND n.state = 'running' AND (n.due_on, n.id) < (k.due_on, k.id))
   ORDER BY k.due_on) k

-- name: crowd_clocked
  t.case_id = k.case_id AND t.status = 'open' AND t.due_on IS NULL AND (k.due_on, t.id) > (CAST(:after_day AS date), CAST(:after_id AS uuid)) AND {asked_for} OFFSET 0

-- name: crowd_rows
-- One page of a desk on which very many tasks lie: as inbox_rows, from six walks of an index that end when the page is full.
WITH o AS MATERIALIZED (
{with_day} FROM (
    (SELECT {crowd_columns}, false AS pool, '' AS principal, '' AS asked FROM task t WHERE t.assignee_id = :person AND {crowd_days})
    UNION ALL
    (SELECT {crowd_columns}, true, '', '' FROM task t WHERE t.assignee_id IS NULL AND {my_pool} AND {crowd_days})
    UNION ALL
    (SELECT {crowd_columns}, false, '', '' FROM task t WHERE t.assignee_id = :person AND {crowd_dayless})
    UNION ALL
    (SELECT {crowd_columns}, true, '', '' FROM task t WHERE t.assignee_id IS NULL AND {my_pool} AND {crowd_dayless})
    UNION ALL
    (SELECT t.*, false, '', '' FROM {crowd_clocks} CROSS JOIN LATERAL (SELECT {crowd_columns} FROM task t WHERE t.assignee_id = :person AND {crowd_clocked}) t
      ORDER BY k.due_on FETCH FIRST :size ROWS WITH TIES)
    UNION ALL
    (SELECT t.*, true, '', '' FROM {crowd_clocks} CROSS JOIN LATERAL (SELECT {crowd_columns} FROM task t WHERE t.assignee_id IS NULL AND {my_pool} AND {crowd_clocked}) t
      ORDER BY k.due_on FETCH FIRST :size ROWS WITH TIES)
    UNION ALL
{elsewhere}) s
{nearest_clock}),
{page}

-- name: crowd_counts
-- How many are due when on such a desk, exactly up to the limit, each by walking the index; the filters offer what stands on the first of them.
WITH span(value, first, last) AS (VALUES
  ('late', CAST('-infinity' AS date), CAST(:today AS date) - 1), ('today', :today, :today), ('3d', CAST(:today AS date) + 1, CAST(:soon AS date))),
clocked AS MATERIALIZED (
  SELECT least(count(*), :exact) AS n, span.value FROM span
  JOIN case_clock k ON k.state = 'running' AND k.due_on BETWEEN span.first AND span.last
    AND NOT EXISTS (SELECT 1 FROM case_clock n WHERE n.case_id = k.case_id AND n.state = 'running' AND (n.due_on, n.id) < (k.due_on, k.id))
  JOIN task t ON t.case_id = k.case_id AND t.status = 'open' AND t.due_on IS NULL AND (t.assignee_id = :person OR t.assignee_id IS NULL AND {my_pool}) AND {asked_for}
  GROUP BY span.value),
beside AS MATERIALIZED (
  SELECT {bucket} AS value, count(*) AS n FROM ({with_day} FROM (
{elsewhere}) s
{nearest_clock}) o JOIN instance i ON i.id = o.instance_id WHERE {narrowed} GROUP BY 1),
first_of AS MATERIALIZED (
  SELECT t.title, t.from_name, i.process, i.title AS process_title FROM (
    (SELECT t.* FROM task t WHERE t.assignee_id = :person AND t.status = 'open' ORDER BY t.due_on, t.id LIMIT 100)
    UNION ALL (SELECT t.* FROM task t WHERE t.assignee_id IS NULL AND t.status = 'open' AND {my_pool} ORDER BY t.due_on, t.id LIMIT 100)) t
  JOIN instance i ON i.id = t.instance_id)
SELECT 'due' AS what, span.value, '' AS title,
  CASE WHEN {unasked} THEN (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.assignee_id = :person AND t.status = 'open' AND t.due_on BETWEEN span.first AND span.last LIMIT :exact) own)
    ELSE (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.assignee_id = :person AND t.status = 'open' AND t.due_on BETWEEN span.first AND span.last AND {asked_for} LIMIT :exact) own) END
  + (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.assignee_id IS NULL AND t.status = 'open' AND t.due_on BETWEEN span.first AND span.last AND {my_pool} AND {asked_for} LIMIT :exact) pool)
  + coalesce((SELECT n FROM clocked WHERE clocked.value = span.value), 0) + coalesce((SELECT n FROM beside WHERE beside.value = span.value), 0) AS count FROM span
UNION ALL SELECT 'due', 'all', '',
  CASE WHEN {unasked} THEN (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.assignee_id = :person AND t.status = 'open' LIMIT :exact) own)
    ELSE (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.assignee_id = :person AND t.status = 'open' AND {asked_for} LIMIT :exact) own) END
  + (SELECT count(*) FROM (SELECT 1 FROM unnest(CAST(:units AS uuid[]), CAST(:posts AS text[])) AS mine(unit_id, post)
       JOIN task_candidate c ON c.unit_id = mine.unit_id AND c.post = mine.post AND c.open JOIN task t ON t.id = c.task_id AND t.assignee_id IS NULL AND t.status = 'open'
       WHERE {asked_for} LIMIT :exact) pool)
  + coalesce((SELECT sum(n) FROM beside), 0)
UNION ALL SELECT 'process', process, max(process_title), NULL FROM first_of GROUP BY process
UNION ALL SELECT 'node', title, title, NULL FROM first_of GROUP BY title
UNION ALL SELECT 'sender', from_name, from_name, NULL FROM first_of WHERE from_name <> '' GROUP BY from_name
ORDER BY 1, 3

-- name: past_rows
-- One page of my acts of some kinds, newest first, with the step that is open now in the instance.
SELECT a.id AS act_id, a.case_id, k.number, k.title, k.subject, concat_ws('　', nullif(a.title, ''), coalesce(a.outcome_title, '')) AS act, a.at,
  a.opinion, a.undone_by IS NOT NULL AS undone, k.state_title AS state, k.closed_at IS NOT NULL AS closed,
  coalesce(now.title, '') AS step, coalesce(now.holder, '') AS holder
FROM (SELECT * FROM act a WHERE a.actor_id = :person AND a.kind = ANY(:kinds)
        AND (CAST(:after_id AS uuid) IS NULL OR (a.at, a.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
      ORDER BY a.at DESC, a.id DESC LIMIT :size) a
JOIN case_file k ON k.id = a.case_id
LEFT JOIN LATERAL (
  SELECT t.title, coalesce(p.name, nullif(t.role_title, ''), '待认领') AS holder
  FROM task t LEFT JOIN person p ON p.id = t.assignee_id WHERE t.instance_id = a.instance_id AND t.status = 'open' ORDER BY t.opened_at LIMIT 1) now ON true
ORDER BY a.at DESC, a.id DESC

-- name: past_count
-- How many acts of these kinds are mine, exactly up to the limit.
SELECT count(*) FROM (SELECT 1 FROM act WHERE actor_id = :person AND kind = ANY(:kinds) LIMIT :limit) counted

-- name: recent_acts
-- My last acts, what came after that can't be undone or was done by a person, and who holds the case now. As withdraw_act judges.
SELECT a.id AS act_id, a.case_id, k.title, k.subject, coalesce(a.outcome_title, nullif(a.title, ''), '办理') AS what, a.at,
  a.undone_by IS NOT NULL AS undone, CASE WHEN NOT later.automatic THEN later.actor_name END AS acted_by, now.holder,
  (own.final OR later.automatic IS TRUE) AS irreversible,
  (a.undone_by IS NULL AND later.automatic IS NULL AND NOT own.final AND own.movable) AS can_withdraw
FROM (SELECT * FROM act WHERE actor_id = :person AND at >= :since AND kind IN ('start', 'complete', 'return', 'transfer')
      ORDER BY at DESC LIMIT :limit) a
JOIN case_file k ON k.id = a.case_id
CROSS JOIN LATERAL (SELECT coalesce(CAST(a.result->>'irreversible' AS boolean), false) AS final,
  CASE WHEN a.kind = 'start' THEN a.task_id IS NOT NULL AND NOT coalesce(a.result->'undo' @> '[{"op": "clock"}]', false)
    ELSE a.snapshot IS NOT NULL AND a.kind IN ('complete', 'return') END AS movable) own
LEFT JOIN LATERAL (
  SELECT l.actor_name, l.automatic FROM act l
  WHERE l.instance_id = a.instance_id AND l.rev_before > a.rev_before AND l.kind <> 'withdraw' AND l.undone_by IS NULL
    AND (NOT l.automatic OR CAST(l.result->>'irreversible' AS boolean))
  ORDER BY l.rev_before LIMIT 1) later ON true
LEFT JOIN LATERAL (
  SELECT coalesce(p.name, nullif(t.role_title, '')) AS holder
  FROM task t LEFT JOIN person p ON p.id = t.assignee_id WHERE t.instance_id = a.instance_id AND t.status = 'open' ORDER BY t.opened_at DESC LIMIT 1) now ON true
ORDER BY a.at DESC

-- name: copied_rows
-- One page of the cases copied to me, newest first, with the step that is open now.
SELECT c.case_id, k.number, k.title, k.subject, c.by_name, c.words, c.at, k.state_title AS state, k.closed_at IS NOT NULL AS closed,
  coalesce(now.title, '') AS step, coalesce(now.holder, '') AS holder
FROM (SELECT * FROM case_copy c WHERE c.person_id = :person
        AND (CAST(:after_id AS uuid) IS NULL OR (c.at, c.case_id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
      ORDER BY c.at DESC, c.case_id DESC LIMIT :size) c
JOIN case_file k ON k.id = c.case_id
LEFT JOIN LATERAL (
  SELECT t.title, coalesce(p.name, nullif(t.role_title, ''), '待认领') AS holder
  FROM task t LEFT JOIN person p ON p.id = t.assignee_id WHERE t.case_id = c.case_id AND t.status = 'open' ORDER BY t.opened_at LIMIT 1) now ON true
ORDER BY c.at DESC, c.case_id DESC

-- name: copied_count
-- How many cases were copied to me, exactly up to the limit.
SELECT count(*) FROM (SELECT 1 FROM case_copy WHERE person_id = :person LIMIT :limit) counted
