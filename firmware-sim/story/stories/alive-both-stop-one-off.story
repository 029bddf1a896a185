# Both left; one is started alone while the other has really no power: its fail-safe sense lets it start by itself.
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
stop bravo
sleep 200ms
stop alpha
expect no-owner within 5s
sleep 200ms
power-off bravo
expect dark bravo within 5s
start alpha
expect owner alpha within 5s
power-on bravo
expect standby bravo within 5s
expect linked within 5s
