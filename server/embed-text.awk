# Turns one text file into a C array named by -v name=NAME, declared in the
# header named by -v header=PATH. Run it with LC_ALL=C: it works on bytes.
function fill_shown(    i, c)
{
	for (i = 1; i < 256; i++) {
		c = sprintf("%c", i)
		shown[c] = sprintf("'\\%03o'", i)
		if (c ~ /[A-Za-z0-9 _.,:;(){}<>=$*+\/|&-]/)
			shown[c] = "'" c "'"
	}
	shown["\t"] = "'\\t'"
}

BEGIN {
	fill_shown()
	print "/* Made by server/embed-text.awk. */"
	print "#include \"" header "\"\n"
	print "const char " name "[] = {"
}

{
	line = "\t"
	len = length($0)
	for (i = 1; i <= len; i++)
		line = line shown[substr($0, i, 1)] ","
	print line "'\\n',"
}

END {
	print "\t0\n};"
}
