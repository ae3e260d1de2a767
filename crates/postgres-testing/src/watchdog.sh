# Ends a cluster whose owner is gone, however it went.
#
# Its input is a pipe that only the owner holds, so the end of the input is the end of the owner, be it by SIGKILL. Each
# line is the id of the process that runs in the folder now, or empty when none does.
#
#   $1  the folder of the cluster

process=
while read -r line; do
    process=$line
done

if [ -n "$process" ]; then
    # Immediate shutdown: the server takes its children and its shared memory with it.
    # It may have been frozen by a test.
    kill -QUIT "$process"
    kill -CONT "$process"
    # The lock file is the last thing that it takes away. The process itself may stay for long as one that has ended, where
    # nobody asks after orphans.
    looks=0
    while [ "$looks" -lt 200 ] && [ -e "$1/data/postmaster.pid" ] && kill -0 "$process"; do
        sleep 0.05
        looks=$((looks + 1))
    done
    kill -KILL "$process"
fi

# A server that was killed leaves a segment of shared memory behind, and its id on the seventh line of its lock file.
memory=$(sed -n '7s/.* //p' "$1/data/postmaster.pid")
[ -n "$memory" ] && ipcrm -m "$memory"

# Again, if somebody still wrote.
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
