-- What stress.sql does to workflows: any action on any of them, and what duties
-- do to them, in small steps.

CREATE FUNCTION t.some_flow() RETURNS bigint LANGUAGE sql AS $$
	SELECT workflow FROM (SELECT workflow FROM sortie.workflow
		ORDER BY workflow DESC LIMIT 20) AS g
	ORDER BY random() LIMIT 1
$$;

-- Layers of jobs, each after some of the layer before, under any condition;
-- some of them write a path that others write, too.
CREATE FUNCTION t.random_make(p_path text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_nodes text; v_edges text;
BEGIN
	SELECT string_agg(format('n%s_%s%s', l, i, CASE t.pick(8) WHEN 0
			THEN ':any' WHEN 1 THEN ':noop' WHEN 2 THEN ':allow'
			WHEN 3 THEN ':held' ELSE '' END), ' ')
	INTO v_nodes FROM generate_series(1, 4) AS l, generate_series(1, 4) AS i;
	SELECT string_agg(DISTINCT format('n%s_%s>n%s_%s%s', l, 1 + t.pick(4),
			l + 1, i, (ARRAY['', '', ':a', ':f'])[1 + t.pick(4)]),
			' ')
	INTO v_edges FROM generate_series(1, 3) AS l, generate_series(1, 4) AS i,
		generate_series(1, 2);
	PERFORM f.make(json_build_object('state', (ARRAY['held', 'running',
			'running'])[1 + t.pick(3)], 'on_failure',
			(ARRAY['continue', 'continue', 'cancel'])
			[1 + t.pick(3)], 'max_running', CASE t.pick(2) WHEN 0
			THEN 1 + t.pick(4) END), v_nodes, v_edges, NULL, NULL,
		NULL, CASE t.pick(2) WHEN 0 THEN 'n2_1>' || p_path ELSE '' END);
END $$;

-- As workflow_retry_2, but it leaves more to the duty.
CREATE FUNCTION t.retry_slowly(p_flow bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow;
	v_bad bigint[];
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	v_bad := ARRAY(SELECT sortie.workflow_bad_1(p_flow, 3));
	PERFORM sortie.classes_wake_1(array_agg(j.class_id))
	FROM sortie.job j WHERE j.number = ANY (v_bad);
	g := sortie.workflow_lock_1(NULL, '{}', p_flow);
	v_bad := ARRAY(SELECT b FROM unnest(v_bad) AS b
		JOIN sortie.ended e ON e.number = b
		WHERE NOT EXISTS (SELECT 1
			FROM sortie.outputs_taken_1(v_bad) AS x
			WHERE x.job = b));
	IF v_bad <> '{}' AND g.workflow IS NOT NULL
	AND (g.cancelling IS NULL OR g.ended_at IS NOT NULL) THEN
		PERFORM sortie.workflow_again_1(v_bad);
		PERFORM sortie.graph_settle_1(0, NULL, NULL, NULL, NULL, NULL,
			NULL, sortie.graph_again_2(0, v_bad, 1 + t.pick(3),
				1 + t.pick(3)), 100, 100);
	END IF;
END $$;

CREATE FUNCTION t.random_flow(b int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_flow bigint := t.some_flow();
BEGIN
	CASE t.pick(15)
	WHEN 0, 1 THEN
		PERFORM t.random_make('/x' || t.pick(3));
		RETURN 'make';
	WHEN 2 THEN
		PERFORM pg_advisory_xact_lock(7008);
		UPDATE sortie.workflow SET state = 'running', look_after = 0,
			started_at = now()
		WHERE workflow = v_flow AND t.pick(2) = 0 AND state = 'held'
			AND cancelling IS NULL AND n_ended < n_jobs;
		PERFORM sortie.workflow_start_2(0, NULL, '{}', v_flow);
		RETURN 'start';
	WHEN 3 THEN
		PERFORM sortie.workflow_retry_2(0, NULL, '{}', v_flow);
		RETURN 'retry flow';
	WHEN 4 THEN
		PERFORM t.retry_slowly(v_flow);
		RETURN 'retry slowly';
	WHEN 5 THEN
		PERFORM sortie.workflow_adjust_2(0, NULL, '{}', v_flow,
			json_build_object('priority', t.pick(9)));
		UPDATE sortie.workflow SET priority_below = (SELECT
			max(number) FROM sortie.node), priority = 1
		WHERE workflow = v_flow AND t.pick(2) = 0;
		RETURN 'adjust flow';
	WHEN 6 THEN
		PERFORM sortie.workflow_adjust_2(0, NULL, '{}', v_flow,
			json_build_object('max_running', CASE t.pick(2)
			WHEN 0 THEN 1 + t.pick(4) END));
		RETURN 'bound flow';
	WHEN 7 THEN
		IF t.pick(3) = 0 THEN
			PERFORM sortie.workflow_cancel_2(0, NULL, '{}', v_flow);
		END IF;
		RETURN 'cancel flow';
	WHEN 8 THEN
		IF t.pick(3) = 0 THEN
			PERFORM sortie.workflow_delete_1(0, NULL, '{}', v_flow,
				t.pick(2) = 0);
		END IF;
		RETURN 'delete flow';
	WHEN 9 THEN
		PERFORM sortie.graph_firing_1(b + 8, 3);
		RETURN 'fire';
	WHEN 10 THEN
		PERFORM sortie.workflow_cancel_step_1(b + 9, 5);
		RETURN 'cancel step';
	WHEN 11 THEN
		PERFORM sortie.workflow_retry_step_1(b + 10, 2);
		RETURN 'retry step';
	WHEN 12 THEN
		PERFORM sortie.workflow_priority_step_1(b + 11, 5);
		RETURN 'priority step';
	WHEN 13 THEN
		PERFORM sortie.workflow_look_step_1(b + 13, 2);
		RETURN 'look step';
	ELSE
		PERFORM sortie.workflow_forget_1(b + 12, 5, 0);
		RETURN 'forget';
	END CASE;
END $$;
