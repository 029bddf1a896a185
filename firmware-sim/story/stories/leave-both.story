# Both nodes are told to leave at one instant: nothing is cut, nothing runs. Whoever is started first cuts nobody and
# starts nothing while the other one has power; with the other one back, one of them owns.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say both at once, then the former owner first
sleep 200ms
stop alpha bravo
expect no-owner within 5s
expect not-fenced alpha for 300ms
expect not-fenced bravo for 10ms
start alpha
expect why alpha never-seen within 5s
expect not-fenced bravo for 2s
expect no-owner for 100ms
start bravo
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced bravo for 200ms
expect not-fenced alpha for 10ms
say both at once, then the former standby first
sleep 200ms
stop alpha bravo
expect no-owner within 5s
start bravo
expect why bravo never-seen within 5s
expect not-fenced alpha for 2s
expect no-owner for 100ms
start alpha
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
say both at once, then both at once, four times
repeat 4
stop alpha bravo
expect no-owner within 5s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
start alpha bravo
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
end
say both at once, and the host that stays off is proven off by its fail-safe sense
sleep 200ms
stop alpha bravo
expect no-owner within 5s
power-off alpha
expect dark alpha within 5s
start bravo
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
expect owner bravo for 300ms
