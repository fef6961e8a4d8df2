-- Functions may name others that come later in the same transaction.
-- No parameters.
SET LOCAL check_function_bodies = off;
