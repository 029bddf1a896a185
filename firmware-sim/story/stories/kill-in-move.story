# A daemon is killed in the middle of a switchover: the owner's while the service stops, the target's while it starts.
# Each is restarted within the detection time. Nobody is cut, and one node owns afterwards.
config interval 100ms
config multiplier 15
config start-time 1s
config stop-time 1s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the owner's daemon, while the service stops
sleep 500ms
run bravo switchover web --no-wait
sleep 500ms
kill-daemon alpha
expect standby alpha within 20s
expect owner bravo within 20s
expect linked within 5s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 10ms
say the target's daemon, while the service starts
sleep 500ms
run alpha switchover web --no-wait
expect told alpha owns-now within 10s
sleep 300ms
kill-daemon alpha
expect owner alpha within 20s
expect standby bravo within 10s
expect linked within 5s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 10ms
say the target's daemon, while the owner's service stops
sleep 500ms
run bravo switchover web --no-wait
sleep 500ms
kill-daemon bravo
expect linked within 10s
expect not-fenced alpha for 3s
expect not-fenced bravo for 10ms
expect owned within 10s
