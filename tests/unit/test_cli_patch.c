/* What the options of `job submit` and `job run` change in jobs. */
#include <string.h>
#include "clients/patch.h"
#include "tests/unit/unit.h"

static struct arena *a;
static struct err e;

static struct json_object *parsed(const char *text)
{
	struct json_object *o;

	REQUIRE(json_parse(a, text, strlen(text), &o, &e));
	return o;
}

static const char *changed(const struct patch *p, const char *job,
			   const char *input)
{
	struct buf b = BUF_INIT;
	char *text;

	e = (struct err)ERR_INIT;
	if (!patch_write(p, parsed(job), input, "job 1", &b, &e))
		buf_reset(&b);
	text = arena_strdup(a, buf_str(&b));
	buf_fini(&b);
	return text;
}

static void without_changes_a_job_stays(void)
{
	struct patch *p = patch_new(a);

	CHECK_TRUE(patch_is_empty(p));
	CHECK_STR_EQ(changed(p, "{\"a\": 1, \"env\": {\"X\": \"1\"}}", NULL),
		     "{\"a\":1,\"env\":{\"X\":\"1\"}}");
}

static void a_key_is_replaced_or_added(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_set_word(p, "priority=5", &e), e);
	CHECK_OK(patch_set_word(p, "config={\"x\":[1]}", &e), e);
	CHECK_FALSE(patch_is_empty(p));
	CHECK_STR_EQ(changed(p, "{\"priority\":1,\"name\":\"n\"}", NULL),
		     "{\"name\":\"n\",\"config\":{\"x\":[1]},\"priority\":5}");
}

static void the_last_of_two_settings_wins(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_set_word(p, "cores=1", &e), e);
	CHECK_OK(patch_set_word(p, "cores=2", &e), e);
	CHECK_STR_EQ(changed(p, "{}", NULL), "{\"cores\":2}");
}

static void what_is_no_json_is_text(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_set_word(p, "timeout=5 m", &e), e);
	CHECK_STR_EQ(changed(p, "{}", NULL), "{\"timeout\":\"5 m\"}");
}

static void texts_are_texts_even_when_they_look_like_numbers(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_set_word(p, "name=17", &e), e);
	CHECK_OK(patch_set_word(p, "comment=a=b", &e), e);
	CHECK_STR_EQ(changed(p, "{}", NULL),
		     "{\"comment\":\"a=b\",\"name\":\"17\"}");
}

static void a_word_without_a_value_is_refused(void)
{
	struct patch *p = patch_new(a);

	CHECK_FAILS(patch_set_word(p, "name", &e), e, ERR_BAD_REQUEST,
		    "write NAME=VALUE");
	CHECK_FAILS(patch_set_word(p, "=x", &e), e, ERR_BAD_REQUEST,
		    "write NAME=VALUE");
	CHECK_FAILS(patch_join(p, "env", "X", &e), e, ERR_BAD_REQUEST,
		    "write NAME=VALUE");
}

static void variables_join_the_environment(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_join(p, "env", "A=1", &e), e);
	CHECK_OK(patch_join(p, "env", "B=", &e), e);
	CHECK_OK(patch_join(p, "env", "A=2", &e), e);
	CHECK_STR_EQ(changed(p, "{\"env\":{\"A\":\"0\",\"C\":\"3\"}}", NULL),
		     "{\"env\":{\"C\":\"3\",\"A\":\"2\",\"B\":\"\"}}");
	CHECK_STR_EQ(changed(p, "{\"n\":1}", NULL),
		     "{\"n\":1,\"env\":{\"A\":\"2\",\"B\":\"\"}}");
}

static void an_input_becomes_a_variable(void)
{
	struct patch *p = patch_new(a);

	CHECK_STR_EQ(changed(p,
			     "{\"env\":{\"P3S_INPUT_FILE\":\"x\",\"A\":\"1\"}"
			     "}",
			     "f.root"),
		     "{\"env\":{\"A\":\"1\",\"P3S_INPUT_FILE\":\"f.root\"}}");
}

static void tags_join_a_list_of_tags(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_join(p, "tags", "b=2", &e), e);
	CHECK_STR_EQ(changed(p, "{\"tags\":[\"a\",\"b\"]}", NULL),
		     "{\"tags\":{\"a\":\"true\",\"b\":\"2\"}}");
}

static void files_join_those_of_the_job(void)
{
	struct patch *p = patch_new(a);

	patch_send(p, "{\"name\":\"x\"}");
	patch_send(p, "{\"name\":\"y\"}");
	CHECK_STR_EQ(changed(p, "{\"send\":[{\"name\":\"w\"}]}", NULL),
		     "{\"send\":[{\"name\":\"w\"},{\"name\":\"x\"},"
		     "{\"name\":\"y\"}]}");
}

static void an_environment_set_whole_is_joined(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_set_word(p, "env={\"Z\":\"1\"}", &e), e);
	CHECK_OK(patch_join(p, "env", "A=1", &e), e);
	CHECK_STR_EQ(changed(p, "{\"env\":{\"B\":\"1\"}}", NULL),
		     "{\"env\":{\"Z\":\"1\",\"A\":\"1\"}}");
}

static void what_cannot_be_joined_is_refused(void)
{
	struct patch *p = patch_new(a);

	CHECK_OK(patch_join(p, "env", "A=1", &e), e);
	changed(p, "{\"env\":[1]}", NULL);
	CHECK_ERR(e, ERR_BAD_REQUEST,
		  "job 1: \"env\" is a list: an object of texts is needed");
}

static const struct unit_test tests[] = {
	{ "without changes a job stays", without_changes_a_job_stays },
	{ "a key is replaced or added", a_key_is_replaced_or_added },
	{ "the last of two settings wins", the_last_of_two_settings_wins },
	{ "what is no JSON is text", what_is_no_json_is_text },
	{ "texts are texts even when they look like numbers",
	  texts_are_texts_even_when_they_look_like_numbers },
	{ "a word without a value is refused",
	  a_word_without_a_value_is_refused },
	{ "variables join the environment", variables_join_the_environment },
	{ "an input becomes a variable", an_input_becomes_a_variable },
	{ "tags join a list of tags", tags_join_a_list_of_tags },
	{ "files join those of the job", files_join_those_of_the_job },
	{ "an environment set whole is joined",
	  an_environment_set_whole_is_joined },
	{ "what cannot be joined is refused",
	  what_cannot_be_joined_is_refused },
};

int main(void)
{
	int status;

	a = arena_new();
	status = unit_main("cli_patch", tests, UNIT_N(tests));
	arena_free(a);
	return status;
}
