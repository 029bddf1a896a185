# An approval that could not be used is refused, and says what to do first: what a person said in the evening, in a mode
# that holds its hand, must cut nobody in the morning. The question stands meanwhile, and the mode's end answers nothing.
config takeover approve
config approval-time 1s
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say a person approves while the node is disarmed
sleep 200ms
power-off alpha
expect asks bravo within 5s
run bravo disarm
expect not-fenced alpha for 200ms
refused bravo approve @incident
expect not-fenced alpha for 1500ms
expect no-owner for 100ms
run bravo arm
expect asks bravo within 5s
expect not-fenced alpha for 1500ms
expect no-owner for 100ms
run bravo approve @incident
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
expect no-alarm bravo within 3s
say a person approves while the node is in maintenance
sleep 200ms
power-off bravo
expect asks alpha within 5s
run alpha maintenance on
refused alpha approve @incident
expect not-fenced bravo for 1500ms
run alpha maintenance off
expect asks alpha within 5s
expect not-fenced bravo for 1500ms
expect no-owner for 100ms
run alpha approve @incident
expect owner alpha within 5s
power-on bravo
expect standby bravo within 5s
expect linked within 5s
say approved in time and used: that approval is spent, and the next incident asks anew
sleep 1500ms
power-off alpha
expect asks bravo within 5s
expect not-fenced alpha for 1500ms
run bravo approve @incident
expect owner bravo within 5s
