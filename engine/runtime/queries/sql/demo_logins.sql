-- name: listed
-- Active accounts with their main post in force; for the login page of the demo city. The district with most cases comes first,
-- in it stations before sections, so that whoever tries the platform finds a whole chain of people together.
SELECT a.login, p.name, CASE WHEN d.id <> u.id THEN d.short_name || ' ' ELSE '' END || u.short_name AS unit, o.title AS post
FROM account a JOIN person p ON p.id = a.person_id JOIN post o ON o.person_id = p.id AND o.main JOIN unit u ON u.id = o.unit_id
LEFT JOIN unit d ON d.id = u.district_id
LEFT JOIN (SELECT district_id, count(*) AS cases FROM case_file GROUP BY district_id) busy ON busy.district_id = u.district_id
WHERE a.active AND p.active AND o.valid_from <= :on AND coalesce(o.valid_until, 'infinity') >= :on
ORDER BY coalesce(busy.cases, 0) DESC, u.district_id, u.kind IN ('station', 'squad') DESC, u.kind LIKE '%section' DESC, u.path, o.code, p.name LIMIT 400
