-- Makes the embedded cluster's one database. Run by postgres --single while
-- the cluster is being made; no parameters, no result.
CREATE DATABASE sortie;
