-- name: listed
-- Active accounts with their main post in force, by bureau, unit and post; for the login page of the demo city.
SELECT a.login, p.name, u.short_name AS unit, o.title AS post
FROM account a JOIN person p ON p.id = a.person_id JOIN post o ON o.person_id = p.id AND o.main JOIN unit u ON u.id = o.unit_id
WHERE a.active AND p.active AND o.valid_from <= :on AND coalesce(o.valid_until, 'infinity') >= :on
ORDER BY u.bureau DESC, u.path, o.code, p.name LIMIT 400
