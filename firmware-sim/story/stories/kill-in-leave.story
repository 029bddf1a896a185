# The owner's daemon is killed in the middle of an orderly leave and stays dead: it is cut like any silent owner, whatever
# its service was doing, and the other one owns.
config multiplier 15
config start-time 500ms
config stop-time 1s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say killed while the service stops
sleep 500ms
run alpha leave
sleep 300ms
kill-daemon alpha hold
expect owner bravo within 10s
expect fences 1 for 300ms
expect not-fenced bravo for 10ms
expect standby alpha within 10s
expect linked within 5s
say killed after it has said goodbye: that one is not cut
sleep 500ms
run bravo leave
expect owner alpha within 10s
expect not-fenced bravo for 500ms
start bravo
expect standby bravo within 10s
expect linked within 5s
expect owner alpha for 300ms
