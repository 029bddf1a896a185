# A contact that opens and closes for twenty seconds in the network while the cable is fine, at a short detection time:
# nothing moves, nobody is cut, and the record is not flooded with alarms.
config interval 20ms
config multiplier 5
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the network flaps
repeat 33
cut-net
sleep 300ms
mend-net
sleep 300ms
end
expect owner alpha for 10ms
expect fences 0 for 10ms
expect linked within 5s
expect standby bravo within 1s
expect alarms alpha 3 for 10ms
expect alarms bravo 3 for 10ms
