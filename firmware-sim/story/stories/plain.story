# Plain senses: a fall after the coil proves, an owner that lost its mains proves nothing, a person confirms.
config sense plain
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
expect owner bravo within 5s
expect standby alpha within 10s
expect linked within 5s
sleep 200ms
power-off bravo
expect blocked alpha within 20s
expect no-owner for 100ms
expect dark bravo within 5s
run alpha confirm-off bravo --yes
expect owner alpha within 5s
power-on bravo
expect standby bravo within 10s
expect linked within 5s
say both off, one returns: a person withdraws the other
sleep 200ms
power-off alpha bravo
expect dark alpha within 5s
expect dark bravo within 5s
power-on bravo
expect reachable bravo within 5s
expect why bravo never-seen within 5s
run bravo withdraw alpha --yes
expect owner bravo within 5s
power-on alpha
expect standby alpha within 10s
expect linked within 5s
expect owner bravo for 300ms
