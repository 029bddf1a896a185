# The daemon is killed while the service starts, and its node gives the service away before that start has ended.
config multiplier 15
config start-time 2s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect told alpha owns-now within 10s
sleep 300ms
restart-daemon alpha
expect reachable alpha within 5s
stop alpha
expect owner bravo within 10s
expect owner bravo for 3s
