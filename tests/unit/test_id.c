/* Identifiers and secrets, against published test values. */
#include "lib/id.h"

#include <string.h>
#include "tests/unit/unit.h"

static void check_hash(const uint8_t hash[32], const char *want)
{
	char text[65];

	id_hex(hash, 32, text);
	CHECK_STR_EQ(text, want);
}

#define SHA_EMPTY \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA_ABC \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
/* a million times "a" (FIPS 180-2) */
#define SHA_MILLION \
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void sha256_gives_the_standard_values(void)
{
	struct id_sha256_ctx *c;
	char piece[1000];
	uint8_t hash[32];

	id_sha256("", 0, hash);
	check_hash(hash, SHA_EMPTY);
	id_sha256(NULL, 0, hash);
	check_hash(hash, SHA_EMPTY);
	id_sha256("abc", 3, hash);
	check_hash(hash, SHA_ABC);

	memset(piece, 'a', sizeof(piece));
	c = id_sha256_new();
	for (int i = 0; i < 1000; i++)
		id_sha256_add(c, piece, sizeof(piece));
	id_sha256_end(c, hash);
	check_hash(hash, SHA_MILLION);
	id_sha256_end(id_sha256_new(), hash);
	check_hash(hash, SHA_EMPTY);
}

static void hmac_gives_the_standard_values(void)
{
	char long_key[131];
	uint8_t mac[32];

	/* RFC 4231, cases 2 and 6 */
	id_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
	check_hash(mac, "5bdcc146bf60754e6a042426089575c7"
			"5a003f089d2739839dec58b964ec3843");
	memset(long_key, 0xaa, sizeof(long_key));
	id_hmac_sha256(long_key, sizeof(long_key),
		       "Test Using Larger Than Block-Size Key - Hash Key First",
		       54, mac);
	check_hash(mac, "60e431591ee0b67f0d8a26aacbf5b77f"
			"8e0bc6213728c5140546040f0ee37f54");
	id_hmac_sha256(NULL, 0, NULL, 0, mac);
	check_hash(mac, "b613679a0814d9ec772f95d778c35fc5"
			"ff1697c493715653c6c712144292c5ad");
}

static void equal_looks_at_every_byte(void)
{
	CHECK_TRUE(id_equal("abcd", "abcd", 4));
	CHECK_FALSE(id_equal("abcd", "abce", 4));
	CHECK_FALSE(id_equal("xbcd", "abcd", 4));
	CHECK_TRUE(id_equal("abcx", "abcy", 3));
	CHECK_TRUE(id_equal("", "", 0));
}

static void random_values_differ(void)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	id_random(a, sizeof(a));
	id_random(b, sizeof(b));
	CHECK_FALSE(id_equal(a, b, sizeof(a)));
	CHECK_TRUE(id_random_u64() != id_random_u64());
	id_random(NULL, 0);
}

static void hexadecimal_is_read_strictly(void)
{
	static const char *const wrong[] = { "",        "0",       "00ff0",
					     "00ff0g",  "00ff000", "00ff00 ",
					     " 00ff00", "0x00ff",  "00-f00" };
	uint8_t bytes[3] = { 7, 7, 7 };
	char text[7];

	for (size_t i = 0; i < UNIT_N(wrong); i++) {
		CHECK_FALSE(id_unhex(wrong[i], bytes, 3));
		CHECK_MEM_EQ(bytes, "\7\7\7", 3);
	}
	CHECK_TRUE(id_unhex("00fFA9", bytes, 3));
	CHECK_MEM_EQ(bytes, "\x00\xff\xa9", 3);
	id_hex(bytes, 3, text);
	CHECK_STR_EQ(text, "00ffa9");
	CHECK_TRUE(id_unhex("", bytes, 0));
	CHECK_FALSE(id_unhex("0", bytes, 0));
}

static void base64_gives_the_standard_values(void)
{
	/* RFC 4648 section 10 */
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < UNIT_N(rows); i++) {
		buf_reset(&b);
		id_base64(&b, rows[i][0], strlen(rows[i][0]));
		CHECK_STR_EQ(buf_str(&b), rows[i][1]);
		buf_reset(&b);
		CHECK_TRUE(id_unbase64(&b, rows[i][1], strlen(rows[i][1])));
		CHECK_STR_EQ(buf_str(&b), rows[i][0]);
	}
	buf_fini(&b);
}

static void base64_comes_back_for_every_length(void)
{
	struct buf text = BUF_INIT, back = BUF_INIT;
	uint8_t bytes[200];

	id_random(bytes, sizeof(bytes));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		buf_reset(&text);
		buf_reset(&back);
		id_base64(&text, bytes, len);
		CHECK_TRUE(id_unbase64(&back, buf_str(&text), text.len));
		CHECK_UINT_EQ(back.len, len);
		CHECK_MEM_EQ(buf_str(&back), bytes, len);
	}
	buf_fini(&text);
	buf_fini(&back);
}

static void base64_is_read_strictly(void)
{
	static const char *const wrong[] = {
		"Z",    "Zg",   "Zg=",      "Zg===",    "Zh==",   "Zm9=",
		"====", "=m9v", "Z===",     "Zg==Zg==", "Zm9v\n", "Zm 9",
		"Zm9-", "Zm9_", "Zm9v====", "Zm=v"
	};
	struct buf b = BUF_INIT;

	buf_adds(&b, "kept");
	for (size_t i = 0; i < UNIT_N(wrong); i++) {
		if (!CHECK_FALSE(id_unbase64(&b, wrong[i], strlen(wrong[i]))))
			CHECK_STR_EQ(wrong[i], "");
		CHECK_STR_EQ(buf_str(&b), "kept");
	}
	/* whole groups before the wrong one leave no trace either */
	CHECK_FALSE(id_unbase64(&b, "Zm9vZm9v!m9v", 12));
	CHECK_STR_EQ(buf_str(&b), "kept");
	CHECK_FALSE(id_unbase64(&b, "AA\0A", 4));
	buf_fini(&b);
}

static void a_uuid_carries_its_number(void)
{
	static const int64_t numbers[] = { 0, 1, 12345678, ID_NUMBER_MAX };
	static const uint32_t salts[] = { 0, 0x3fffffff, 0x15555555,
					  0xffffffff };
	char text[ID_UUID_LEN + 1];

	for (size_t i = 0; i < UNIT_N(numbers); i++) {
		for (size_t j = 0; j < UNIT_N(salts); j++) {
			int64_t number = -1;

			id_uuid_make(1795332098123, numbers[i], salts[j], text);
			CHECK_UINT_EQ(strlen(text), ID_UUID_LEN);
			CHECK_TRUE(id_uuid_valid(text));
			CHECK_INT_EQ(text[14], '7');
			CHECK_NOT_NULL(strchr("89ab", text[19]));
			CHECK_TRUE(id_uuid_number(text, &number));
			CHECK_INT_EQ(number, numbers[i]);
		}
	}
}

static void a_uuid_has_its_documented_layout(void)
{
	char text[ID_UUID_LEN + 1];

	id_uuid_make(0x0123456789ab, 0, 0, text);
	CHECK_STR_EQ(text, "01234567-89ab-7000-8000-000000000000");
	/* 44 bits of number above 18 of salt */
	id_uuid_make(0, 1, 0, text);
	CHECK_STR_EQ(text, "00000000-0000-7000-8000-000000040000");
	id_uuid_make(0, ID_NUMBER_MAX, 0, text);
	CHECK_STR_EQ(text, "00000000-0000-7000-bfff-fffffffc0000");
	id_uuid_make((INT64_C(1) << 48) - 1, 0, 0x3fffffff, text);
	CHECK_STR_EQ(text, "ffffffff-ffff-7fff-8000-00000003ffff");
}

static void make_too_late(void *out)
{
	id_uuid_make(INT64_C(1) << 48, 1, 0, out);
}

static void make_before_1970(void *out)
{
	id_uuid_make(-1, 1, 0, out);
}

static void make_too_large(void *out)
{
	id_uuid_make(0, ID_NUMBER_MAX + 1, 0, out);
}

static void make_negative(void *out)
{
	id_uuid_make(0, -1, 0, out);
}

static void what_does_not_fit_a_uuid_is_a_bug(void)
{
	char text[ID_UUID_LEN + 1];

	CHECK_DIES(make_too_late, text, 6, "does not fit a UUID");
	CHECK_DIES(make_before_1970, text, 6, "does not fit a UUID");
	CHECK_DIES(make_too_large, text, 6, "does not fit a UUID");
	CHECK_DIES(make_negative, text, 6, "does not fit a UUID");
}

static void other_texts_are_no_uuids(void)
{
	static const char *const wrong[] = {
		"",
		"x",
		"01234567-89ab-7000-8000-00000000000",
		"01234567-89ab-7000-8000-0000000000000",
		"0123456789ab70008000000000000000",
		"01234567-89ab-7000-8000-00000000000g",
		"01234567089ab-7000-8000-000000000000",
		"{01234567-89ab-7000-8000-000000000000}",
		"01234567-89ab-7000-8000_000000000000",
		"0123456-789ab-7000-8000-000000000000",
	};
	int64_t number = 77;

	for (size_t i = 0; i < UNIT_N(wrong); i++) {
		CHECK_FALSE(id_uuid_valid(wrong[i]));
		CHECK_FALSE(id_uuid_number(wrong[i], &number));
	}
	CHECK_INT_EQ(number, 77);
}

static void uuids_of_others_carry_no_number(void)
{
	char text[ID_UUID_LEN + 1], other[ID_UUID_LEN + 1];
	int64_t number = 77;

	id_uuid_random(text);
	id_uuid_random(other);
	CHECK_TRUE(strcmp(text, other) != 0);
	CHECK_TRUE(id_uuid_valid(text));
	CHECK_INT_EQ(text[14], '4');
	CHECK_FALSE(id_uuid_number(text, &number));
	/* version 7 with another variant */
	CHECK_FALSE(id_uuid_number("01234567-89ab-7000-c000-000000000000",
				   &number));
	CHECK_INT_EQ(number, 77);
	CHECK_TRUE(id_uuid_number("01234567-89AB-7000-8000-0000000C0000",
				  &number));
	CHECK_INT_EQ(number, 3);
}

static const struct unit_test tests[] = {
	{ "SHA-256 gives the standard values",
	  sha256_gives_the_standard_values },
	{ "HMAC gives the standard values", hmac_gives_the_standard_values },
	{ "equal looks at every byte", equal_looks_at_every_byte },
	{ "random values differ", random_values_differ },
	{ "hexadecimal is read strictly", hexadecimal_is_read_strictly },
	{ "base 64 gives the standard values",
	  base64_gives_the_standard_values },
	{ "base 64 comes back for every length",
	  base64_comes_back_for_every_length },
	{ "base 64 is read strictly", base64_is_read_strictly },
	{ "a UUID carries its number", a_uuid_carries_its_number },
	{ "a UUID has its documented layout",
	  a_uuid_has_its_documented_layout },
	{ "what does not fit a UUID is a bug",
	  what_does_not_fit_a_uuid_is_a_bug },
	{ "other texts are no UUIDs", other_texts_are_no_uuids },
	{ "UUIDs of others carry no number", uuids_of_others_carry_no_number },
};

int main(void)
{
	return unit_main("id", tests, UNIT_N(tests));
}
