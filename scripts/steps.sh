# Sourced by the other scripts: names each step, times it, and stops at the
# first that fails.

GO=${GO:-go}
total_from=$SECONDS

# step NAME COMMAND... runs the command under its name.
step() {
	local name=$1 from=$SECONDS
	shift
	printf '\n== %s\n' "$name"
	if "$@"; then
		printf -- '-- %s: %d s\n' "$name" $((SECONDS - from))
	else
		printf -- '-- %s: FAILED after %d s\n' "$name" $((SECONDS - from)) >&2
		exit 1
	fi
}

# total prints the time of all steps together.
total() {
	printf '\nall steps: %d s\n' $((SECONDS - total_from))
}
