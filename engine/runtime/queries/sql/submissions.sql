-- name: latest
-- The newest answers of each node of a case; superseded ones only where nothing newer counts.
SELECT DISTINCT ON (node) id, node, instance_id, form, data, by_name, at, superseded FROM submission WHERE case_id = :case_id
ORDER BY node, superseded, at DESC, id DESC
