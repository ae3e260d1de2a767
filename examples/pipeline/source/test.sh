# Tests the program that is named: sh test.sh build/tally
#
# To try how the pipeline takes it: PAUSE=60 makes this slow, CRASH=1 kills what runs it, as a machine out of memory would.
set -eu

sleep "${PAUSE:-0}"
[ -z "${CRASH:-}" ] || kill -9 "$(ps -o ppid= -p "$(ps -o pgid= -p $$ | tr -d ' ')" | tr -d ' ')"

expect() {
    got=$(printf "$1" | "$tally")
    [ "$got" = "$2" ] || { echo "'$1' has $2 words, not $got" >&2; exit 1; }
}

tally=$1
expect '' 0
expect 'one' 1
expect '  two words\n' 2
expect 'a b\tc\n\nd' 4
