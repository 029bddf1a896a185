# SIGTERM in maintenance leaves the service where it is, and a start again goes on with it.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
run alpha maintenance on
run bravo maintenance on
sleep 200ms
stop alpha
expect owner alpha for 1s
expect not-fenced alpha for 300ms
start alpha
expect linked within 5s
expect owner alpha for 300ms
run alpha maintenance off
run bravo maintenance off
expect standby bravo within 5s
expect no-alarm bravo within 5s
expect no-alarm alpha within 5s
