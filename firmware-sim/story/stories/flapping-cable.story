# A contact that opens and closes for twenty seconds in the cable while the network is fine: nothing moves, nobody is
# cut, and the record is not flooded with alarms.
config interval 100ms
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the cable flaps
repeat 33
cut-cable
sleep 300ms
mend-cable
sleep 300ms
end
expect owner alpha for 10ms
expect fences 0 for 10ms
expect alarms alpha 4 for 10ms
expect alarms bravo 4 for 10ms
expect linked within 5s
expect standby bravo within 1s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
