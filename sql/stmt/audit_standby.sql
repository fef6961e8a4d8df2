-- Whether commits wait for a standby (the server warns when several hosts are
-- named and they do not).
-- Result: one row: "t" when some standby is synchronous. Locks: none.
SELECT current_setting('synchronous_standby_names') <> ''
