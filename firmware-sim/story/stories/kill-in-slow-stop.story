# The owner's daemon is killed in the middle of an orderly leave, while its service stops. Its unit starts it again within
# the detection time: nobody is cut, and one node owns afterwards. If it stays dead, it is cut like any silent owner.
config interval 100ms
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
say it is restarted
sleep 500ms
run alpha leave
sleep 500ms
kill-daemon alpha
expect not-fenced alpha for 4s
expect not-fenced bravo for 10ms
expect owned within 10s
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
stop
start
expect reachable alpha within 10s
expect reachable bravo within 10s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say it stays dead
sleep 500ms
run alpha leave
sleep 500ms
kill-daemon alpha hold
expect owner bravo within 10s
expect fences 1 for 300ms
expect not-fenced bravo for 10ms
expect standby alpha within 10s
expect linked within 5s
