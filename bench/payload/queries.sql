-- A database in memory: inserts, an index, joins, aggregates, updates, a sort, text search.
PRAGMA journal_mode = OFF;
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, city INTEGER, born INTEGER);
CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER, day INTEGER, cost REAL, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
INSERT INTO person SELECT i, 'name ' || (i * 7919 % 20011), i * 31 % 97, 1930 + i * 17 % 90 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO visit SELECT i, 1 + i * 6151 % 12000, i * 13 % 3650, (i * 37 % 10007) / 100.0,
  CASE i % 3 WHEN 0 THEN 'routine' WHEN 1 THEN 'urgent case ' || i ELSE 'follow-up of ' || (i - 1) END FROM n;
CREATE INDEX visit_person ON visit (person, day);
CREATE INDEX person_city ON person (city);
SELECT count(*), round(sum(cost), 2), max(length(note)) FROM visit;
SELECT city, count(*), round(avg(cost), 3) FROM person JOIN visit ON visit.person = person.id GROUP BY city ORDER BY 3 DESC, 1 LIMIT 12;
SELECT born / 10, count(DISTINCT visit.person), round(total(cost), 1) FROM visit JOIN person ON person.id = person
  WHERE note LIKE 'urgent%' GROUP BY 1 ORDER BY 1;
UPDATE visit SET cost = cost * 1.07 WHERE day BETWEEN 1000 AND 1999;
DELETE FROM visit WHERE id % 11 = 0;
SELECT count(*), round(sum(cost), 2) FROM visit WHERE note LIKE '%case 7%' OR note LIKE '%of 9%';
SELECT name, (SELECT count(*) FROM visit WHERE person = person.id AND day > 1800) AS visits FROM person ORDER BY visits DESC, name LIMIT 12;
SELECT a.city, count(*) FROM person a JOIN person b ON a.city = b.city AND a.born = b.born AND a.id < b.id GROUP BY a.city ORDER BY 2 DESC, 1 LIMIT 7;
SELECT substr(note, 1, 6), count(*), round(sum(cost), 2) FROM visit GROUP BY 1 ORDER BY 1;
WITH ranked AS (SELECT person, cost, row_number() OVER (PARTITION BY person ORDER BY cost DESC, id) AS place FROM visit)
SELECT round(sum(cost), 2) FROM ranked WHERE place <= 2;
