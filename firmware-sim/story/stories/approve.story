# In approve mode nothing is cut before a person says so, and the question ends when the peer is back.
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
say approved
sleep 200ms
power-off alpha
expect asks bravo within 5s
expect not-fenced alpha for 500ms
expect no-owner for 100ms
refused bravo approve 99
refused bravo deny 99
run bravo approve @incident
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
say the peer returns before the answer
cut-cable
cut-net
expect asks alpha within 5s
expect not-fenced bravo for 500ms
mend-cable
mend-net
expect linked within 5s
refused alpha approve 1
refused alpha approve 2
expect owner bravo for 200ms
expect not-fenced bravo for 200ms
say denied, then approved
sleep 200ms
freeze bravo
expect asks alpha within 5s
run alpha deny @incident
expect not-fenced bravo for 500ms
expect no-alarm alpha question within 2s
run alpha approve @incident
expect owner alpha within 5s
expect standby bravo within 10s
expect linked within 5s
say denied, then the peer returns
sleep 200ms
freeze alpha
expect asks bravo within 5s
run bravo deny @incident
thaw alpha
expect linked within 5s
expect owner alpha for 200ms
expect standby bravo within 5s
say the denial does not outlive its incident
sleep 200ms
power-off alpha
expect asks bravo within 5s
run bravo approve @incident
expect owner bravo within 5s
