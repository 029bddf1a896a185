# Maintenance, disarmed and standby mode each hold their hand when the owner dies, and ending them only asks.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say maintenance of the standby
run bravo maintenance on
sleep 300ms
power-off alpha
expect silent alpha within 5s
expect not-fenced alpha for 500ms
expect no-owner for 100ms
run bravo maintenance off
expect asks bravo within 5s
expect not-fenced alpha for 300ms
run bravo approve @incident
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
say disarmed
run alpha disarm
sleep 200ms
power-off bravo
expect silent bravo within 5s
expect not-fenced bravo for 500ms
expect no-owner for 100ms
refused alpha fence off bravo --yes
run alpha arm
expect asks alpha within 5s
run alpha approve @incident
expect owner alpha within 5s
power-on bravo
expect standby bravo within 5s
expect linked within 5s
say standby mode of the standby
run bravo standby on
sleep 200ms
power-off alpha
expect silent alpha within 5s
expect not-fenced alpha for 500ms
expect no-owner for 100ms
run bravo standby off
sleep 500ms
expect owner bravo within 5s
power-on alpha
expect standby alpha within 5s
expect linked within 5s
say maintenance of the owner, then it dies
run bravo maintenance on
sleep 300ms
power-off bravo
expect asks alpha within 5s
expect not-fenced bravo for 300ms
run alpha approve @incident
expect owner alpha within 5s
power-on bravo
expect linked within 10s
run bravo maintenance off
expect standby bravo within 5s
expect no-alarm alpha within 5s
say standby of the owner hands over, also over a restart of its daemon
run alpha standby on
expect owner bravo within 5s
run alpha restart
sleep 700ms
expect reachable alpha within 5s
expect linked within 5s
refused bravo standby on
refused bravo switchover web
run alpha standby off
expect standby alpha within 5s
sleep 200ms
run bravo switchover web
expect owner alpha within 5s
