-- Who the cluster is: its UUID and the key of pilot and job tokens. One row.
SELECT id::text, hmac_key FROM sortie.cluster;
