-- name: posts
-- Posts that a person holds on a day, the main one first.
SELECT o.id, o.title, u.name AS unit, o.main FROM post o JOIN unit u ON u.id = o.unit_id
WHERE o.person_id = :person AND o.valid_from <= :on AND coalesce(o.valid_until, 'infinity') >= :on AND u.active
ORDER BY o.main DESC, u.path, o.title

-- name: profile
-- The account's login and the person's enforcement certificate.
SELECT a.login, p.name, p.certificate_number, p.certificate_until FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = :account
