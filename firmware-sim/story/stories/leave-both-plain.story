# Both nodes are told to leave at one instant, and the senses are plain: whoever is started alone cuts nobody and starts
# nothing, whether the other host has power or not, until a person says that it is off.
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
say the other host has power
sleep 200ms
stop alpha bravo
expect no-owner within 5s
start bravo
expect why bravo never-seen within 5s
expect not-fenced alpha for 2s
expect no-owner for 100ms
refused bravo confirm-off alpha --yes
expect not-fenced alpha for 300ms
start alpha
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
say the other host has none
sleep 200ms
stop alpha bravo
expect no-owner within 5s
power-off alpha
expect dark alpha within 5s
start bravo
expect why bravo never-seen within 5s
expect no-owner for 2s
expect not-fenced alpha for 10ms
run bravo confirm-off alpha --yes
expect owner bravo within 5s
power-on alpha
expect standby alpha within 10s
expect linked within 5s
expect owner bravo for 300ms
