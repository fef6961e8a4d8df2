# Turns the SQL files named as arguments (sql/schema/NNNN_name.sql,
# sql/function/name.sql and sql/stmt/name.sql, each kind in order) into the C
# source of sql_data.h.
# Run it with LC_ALL=C: it works on bytes.  Texts become arrays of characters,
# because compilers need not take string literals as long as these.

function die(text)
{
	print "sql/embed.awk: " text >"/dev/stderr"
	failed = 1
	exit 1
}

# A byte as C writes it; plain characters stay readable.
function fill_shown(    i, c)
{
	for (i = 1; i < 256; i++) {
		c = sprintf("%c", i)
		shown[c] = sprintf("'\\%03o'", i)
		if (c ~ /[A-Za-z0-9 _.,:;(){}<>=$*+\/|&-]/)
			shown[c] = "'" c "'"
	}
	shown["\n"] = "'\\n'"
	shown["\t"] = "'\\t'"
}

function end_text()
{
	if (n_files > 0)
		print "\t0\n};\n"
}

function begin_stmt(name)
{
	if (name !~ /^[a-z][a-z0-9_]*$/)
		die(FILENAME ": a statement's name has small letters, " \
		    "digits and _ only")
	if (n_stmts > 0 && name <= stmt[n_stmts - 1])
		die(FILENAME ": statements must be sorted by name")
	printf "static const char stmt_text_%d[] = {\n", n_stmts
	stmt[n_stmts++] = name
}

function begin_migration(name)
{
	if (name !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+$/)
		die(FILENAME ": a migration is called NNNN_name.sql")
	if (n_migrations > 0 && substr(name, 1, 4) + 0 <= number[n_migrations - 1])
		die(FILENAME ": migrations must be sorted by number")
	printf "static const char migration_text_%d[] = {\n", n_migrations
	number[n_migrations] = substr(name, 1, 4) + 0
	migration[n_migrations++] = substr(name, 6)
}

function begin_function(name)
{
	if (name !~ /^[a-z][a-z0-9_]*$/)
		die(FILENAME ": a file of functions has small letters, " \
		    "digits and _ only")
	printf "static const char function_text_%d[] = {\n", n_functions
	func_file[n_functions++] = name
}

function begin_text(    name, folder)
{
	name = FILENAME
	folder = name
	sub(/\/[^\/]*$/, "", folder)
	sub(/^.*\//, "", folder)
	sub(/^.*\//, "", name)
	sub(/\.sql$/, "", name)
	if (folder == "stmt")
		begin_stmt(name)
	else if (folder == "function")
		begin_function(name)
	else
		begin_migration(name)
	n_files++
}

BEGIN {
	n_migrations = 0
	fill_shown()
	print "/* Made by sql/embed.awk from the files of sql/. */"
	print "#include \"sql/sql_data.h\"\n"
	# Without files awk would wait for standard input.
	if (ARGC == 1)
		exit
}

FNR == 1 {
	end_text()
	begin_text()
}

{
	line = "\t"
	len = length($0)
	for (i = 1; i <= len; i++)
		line = line shown[substr($0, i, 1)] ","
	print line "'\\n',"
}

END {
	if (failed)
		exit 1
	end_text()
	# awk never sees the first line of an empty file.
	if (n_files != ARGC - 1)
		die("one of the files is empty")

	print "const struct sql_stmt sql_stmts[] = {"
	for (i = 0; i < n_stmts; i++)
		printf "\t{ \"%s\", stmt_text_%d },\n", stmt[i], i
	print "\t{ NULL, NULL }\n};"
	printf "const size_t n_sql_stmts = %d;\n\n", n_stmts

	print "const struct sql_migration sql_migrations[] = {"
	for (i = 0; i < n_migrations; i++)
		printf "\t{ %d, \"%s\", migration_text_%d },\n", number[i],
			migration[i], i
	print "\t{ 0, NULL, NULL }\n};"
	printf "const size_t n_sql_migrations = %d;\n\n", n_migrations

	print "const struct sql_stmt sql_functions[] = {"
	for (i = 0; i < n_functions; i++)
		printf "\t{ \"%s\", function_text_%d },\n", func_file[i], i
	print "\t{ NULL, NULL }\n};"
}
