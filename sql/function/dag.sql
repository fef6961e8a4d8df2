-- Stored dags, and the types of data that their edges name.
--
-- Names are everybody's: whoever may read anything may read every dag and
-- datatype. Only the owner or an administrator (p_owner NULL) changes one.

-- Stores a document as the next version of the dag. A text equal to the
-- newest version's makes none. p_actor: who does it, and who owns a dag that
-- is new. SO020: somebody else owns it; SO031: its owner stores too much.
CREATE OR REPLACE FUNCTION sortie.dag_put_1(p_owner int, p_actor int, p_name text,
	p_description text, p_document text, p_jobs int, p_edges int,
	OUT version int, OUT created bool)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_old sortie.dag;
	v_owner text;
BEGIN
	PERFORM pg_advisory_xact_lock(7009, hashtext(p_name));
	SELECT * INTO v_old FROM sortie.dag d WHERE d.name = p_name
	ORDER BY d.version DESC LIMIT 1;
	IF v_old.name IS NOT NULL AND v_old.owner_id <> p_owner THEN
		SELECT o.name INTO v_owner FROM sortie.owner o
		WHERE o.owner_id = v_old.owner_id;
		RAISE EXCEPTION 'the dag "%" belongs to %: choose another name, or ask its owner', p_name, v_owner
			USING ERRCODE = 'SO020';
	END IF;
	created := v_old.name IS NULL OR v_old.document <> p_document;
	version := coalesce(v_old.version, 0) + created::int;
	IF NOT created THEN
		UPDATE sortie.dag d SET description = p_description
		WHERE d.name = p_name AND d.version = v_old.version
			AND d.description <> p_description;
		RETURN;
	END IF;
	PERFORM sortie.owner_store_1(coalesce(v_old.owner_id, p_actor),
		octet_length(p_document));
	INSERT INTO sortie.dag (name, version, owner_id, description, n_jobs,
		n_edges, document)
	VALUES (p_name, version, coalesce(v_old.owner_id, p_actor),
		coalesce(p_description, v_old.description, ''), p_jobs,
		p_edges, p_document);
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('dag stored', p_actor, p_name,
		json_build_object('version', version));
END $$;

-- Forgets a version (NULL: all) of a dag; workflows that were made from it
-- stay. Returns how many versions went. SO020 as above.
CREATE OR REPLACE FUNCTION sortie.dag_delete_1(p_owner int, p_actor int, p_name text,
	p_version int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	v_owner int;
	v_n int;
BEGIN
	PERFORM pg_advisory_xact_lock(7009, hashtext(p_name));
	SELECT d.owner_id INTO v_owner FROM sortie.dag d
	WHERE d.name = p_name LIMIT 1;
	IF v_owner <> p_owner THEN
		RAISE EXCEPTION 'the dag "%" belongs to somebody else', p_name
			USING ERRCODE = 'SO020';
	END IF;
	DELETE FROM sortie.dag d
	WHERE d.name = p_name AND (p_version IS NULL OR d.version = p_version);
	GET DIAGNOSTICS v_n = ROW_COUNT;
	IF v_n > 0 THEN
		INSERT INTO sortie.event (kind, owner_id, text, detail)
		VALUES ('dag deleted', p_actor, p_name, json_strip_nulls(
			json_build_object('version', p_version)));
	END IF;
	RETURN v_n;
END $$;

-- Defines a datatype, anew or again. SO020.
CREATE OR REPLACE FUNCTION sortie.datatype_put_1(p_owner int, p_actor int, p_name text,
	p_ext text, p_comment text, OUT created bool, OUT owner text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_owner int := p_actor;
BEGIN
	INSERT INTO sortie.datatype (name, ext, comment, owner_id)
	VALUES (p_name, p_ext, p_comment, p_actor)
	ON CONFLICT (name) DO NOTHING;
	created := FOUND;
	IF NOT created THEN
		SELECT t.owner_id INTO v_owner FROM sortie.datatype t
		WHERE t.name = p_name FOR UPDATE;
		IF v_owner <> p_owner THEN
			RAISE EXCEPTION 'the datatype "%" was defined by somebody else, who alone may change it', p_name
				USING ERRCODE = 'SO020';
		END IF;
		UPDATE sortie.datatype t SET ext = p_ext, comment = p_comment
		WHERE t.name = p_name;
	END IF;
	INSERT INTO sortie.event (kind, owner_id, text)
	VALUES ('datatype defined', p_actor, p_name);
	SELECT o.name INTO owner FROM sortie.owner o
	WHERE o.owner_id = v_owner;
END $$;

-- Forgets a datatype; datasets keep its name. False: there is none. SO020.
CREATE OR REPLACE FUNCTION sortie.datatype_delete_1(p_owner int, p_actor int,
	p_name text) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
	v_owner int;
BEGIN
	DELETE FROM sortie.datatype t WHERE t.name = p_name
	RETURNING t.owner_id INTO v_owner;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF v_owner <> p_owner THEN
		RAISE EXCEPTION 'the datatype "%" was defined by somebody else, who alone may delete it', p_name
			USING ERRCODE = 'SO020';
	END IF;
	INSERT INTO sortie.event (kind, owner_id, text)
	VALUES ('datatype deleted', p_actor, p_name);
	RETURN true;
END $$;
