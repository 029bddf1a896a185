# Quiet restarts, one after the other and of both at once: nothing moves.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
run alpha restart
sleep 700ms
expect reachable alpha within 5s
expect linked within 5s
expect owner alpha for 300ms
run bravo restart
sleep 700ms
expect reachable bravo within 5s
expect linked within 5s
run alpha restart --no-wait
run bravo restart --no-wait
sleep 700ms
expect reachable bravo within 5s
expect linked within 5s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect standby bravo within 5s
restart-daemon alpha
expect linked within 5s
expect owner alpha for 300ms
restart-daemon alpha bravo
expect linked within 5s
expect owner alpha for 300ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
say quiet restart that never ends: hold
kill-daemon alpha hold
expect owner bravo within 5s
