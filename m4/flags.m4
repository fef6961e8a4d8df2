# Asks the compiler and the linker whether they know a flag, so that one build
# description serves gcc and clang of every age.

# SORTIE_CFLAGS(VARIABLE, FLAG...): appends each flag the compiler accepts.
AC_DEFUN([SORTIE_CFLAGS], [m4_foreach_w([sortie_flag], [$2],
	[_SORTIE_CFLAG([$1], m4_defn([sortie_flag]))])])

AC_DEFUN([_SORTIE_CFLAG], [
	AS_VAR_PUSHDEF([known], [sortie_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC accepts $2], [known], [
		sortie_save_CFLAGS=$CFLAGS
		CFLAGS="-Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AS_VAR_SET([known], [yes])],
			[AS_VAR_SET([known], [no])])
		CFLAGS=$sortie_save_CFLAGS
	])
	AS_VAR_IF([known], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([known])
])

# SORTIE_LDFLAGS(VARIABLE, FLAG...): appends each flag the linker accepts.
AC_DEFUN([SORTIE_LDFLAGS], [m4_foreach_w([sortie_flag], [$2],
	[_SORTIE_LDFLAG([$1], m4_defn([sortie_flag]))])])

AC_DEFUN([_SORTIE_LDFLAG], [
	AS_VAR_PUSHDEF([known], [sortie_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker accepts $2], [known], [
		sortie_save_CFLAGS=$CFLAGS
		sortie_save_LDFLAGS=$LDFLAGS
		CFLAGS="$CFLAGS -fPIE"
		LDFLAGS="$LDFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[AS_VAR_SET([known], [yes])],
			[AS_VAR_SET([known], [no])])
		CFLAGS=$sortie_save_CFLAGS
		LDFLAGS=$sortie_save_LDFLAGS
	])
	AS_VAR_IF([known], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([known])
])
