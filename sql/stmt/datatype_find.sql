-- Which of these datatypes there are.
-- $1 names.
-- Result: a row for each that there is: name, extension. Locks: none.
SELECT t.name, t.ext FROM sortie.datatype t WHERE t.name = ANY ($1::text[])
