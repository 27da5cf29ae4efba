-- name: listed
-- Every process in force with its number of versions, running instances, and whether a changed folder waits.
SELECT d.name, d.title, d.version, d.created_at, d.source, c.pending_definition_id IS NOT NULL AS pending,
  (SELECT count(*) FROM definition v WHERE v.kind = 'process' AND v.name = d.name) AS versions, coalesce(r.running, 0) AS running
FROM definition_current c JOIN definition d ON d.id = c.definition_id
LEFT JOIN (SELECT process, count(*) AS running FROM instance WHERE ended_at IS NULL GROUP BY process) r ON r.process = d.name
WHERE c.kind = 'process' ORDER BY d.name

-- name: versions
-- Versions of one process, newest first.
SELECT d.id, d.version, d.title, d.created_at, d.source, d.note, d.hash, p.name AS created_by, c.definition_id = d.id AS in_force,
  c.pending_definition_id = d.id AS pending, (SELECT count(*) FROM instance i WHERE i.definition_id = d.id AND i.ended_at IS NULL) AS running
FROM definition d LEFT JOIN definition_current c ON c.kind = d.kind AND c.name = d.name LEFT JOIN person p ON p.id = d.created_by
WHERE d.kind = 'process' AND d.name = :name ORDER BY d.version DESC

-- name: version_id
-- The id of one version of a process.
SELECT id FROM definition WHERE kind = 'process' AND name = :name AND version = :version
