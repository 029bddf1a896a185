# The standby's daemon is killed, and restarted, while a person is asked, and killed after a person said no: the question
# stands again, the answer is not forgotten, and nobody is cut before somebody approves.
config takeover approve
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
sleep 200ms
freeze alpha
expect asks bravo within 5s
kill-daemon bravo
expect asks bravo within 10s
expect not-fenced alpha for 1s
run bravo restart
sleep 500ms
expect asks bravo within 10s
expect not-fenced alpha for 1s
run bravo deny @incident
kill-daemon bravo
sleep 1500ms
expect not-fenced alpha for 1s
expect why bravo denied within 5s
run bravo approve @incident
expect owner bravo within 5s
