# For scripts of the package to source; install.sh stands in a bundle by itself.

# fail WHAT WHAT-TO-DO ends a script with an error and a hint.
fail() {
	printf 'zeek-iforest: error: %s\nzeek-iforest: hint: %s\n' "$1" "$2" >&2
	exit 1
}
