# Orderly leaves: of the owner, of the standby, of one after the other; whoever starts alone again cuts nobody.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say owner leaves
sleep 200ms
stop alpha
expect owner bravo within 5s
expect not-fenced alpha for 500ms
start alpha
expect standby alpha within 5s
expect linked within 5s
say standby leaves
sleep 200ms
stop alpha
expect owner bravo for 500ms
expect not-fenced alpha for 300ms
start alpha
expect standby alpha within 5s
say both leave
sleep 200ms
stop bravo
expect owner alpha within 5s
sleep 200ms
stop alpha
expect no-owner within 5s
say one alone is started again: it must not cut
start alpha
expect reachable alpha within 5s
expect why alpha never-seen within 5s
expect not-fenced bravo for 1s
expect no-owner for 100ms
start bravo
expect linked within 5s
expect owner alpha within 5s
