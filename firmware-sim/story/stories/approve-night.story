# Approve mode with nobody there: the question stands all night, nothing is cut, and it ends by itself when the silent
# node is heard again, whether that one hung or lost its mains.
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
say alpha hangs, nobody answers, alpha goes on
sleep 200ms
freeze alpha
expect asks bravo within 5s
expect alarm bravo question within 2s
expect not-fenced alpha for 10s
expect asks bravo within 10ms
expect alarms bravo 3 for 10ms
thaw alpha
expect linked within 5s
expect owner alpha for 300ms
expect no-alarm bravo within 5s
expect told bravo incident-closed within 5s
refused bravo approve 1
expect not-fenced alpha for 200ms
expect standby bravo within 5s
say alpha loses its mains, nobody answers, they return
sleep 200ms
power-off alpha
expect asks bravo within 5s
expect no-owner for 6s
expect not-fenced alpha for 100ms
expect asks bravo within 10ms
expect alarms bravo 3 for 10ms
power-on alpha
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
expect no-alarm bravo within 5s
expect no-alarm alpha within 5s
expect told bravo incident-closed within 5s
refused bravo approve 2
expect not-fenced alpha for 200ms
say denied, nothing happens, and the node stays down as long as it is away
sleep 200ms
power-off alpha
expect asks bravo within 5s
run bravo deny @incident
expect no-owner for 3s
expect not-fenced alpha for 100ms
expect why bravo denied within 1s
power-on alpha
expect owner alpha within 5s
expect linked within 5s
expect no-alarm bravo within 5s
