# A contact that opens and closes in the cable, faster than the alarms are looked at and slower than a peer is called late,
# while the network is fine: nothing moves, nobody is cut, and the record has one alarm that stays while it goes on and
# half a minute longer.
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
expect no-alarm alpha within 1s
expect no-alarm bravo within 1s
say the cable flaps
repeat 8
cut-cable
sleep 450ms
mend-cable
sleep 300ms
end
expect owner alpha for 10ms
expect fences 0 for 10ms
expect linked within 5s
expect alarm alpha flapping bravo cable for 20s
expect alarm bravo flapping alpha cable for 10ms
expect no-alarm alpha within 15s
expect no-alarm bravo within 1s
expect alarms alpha 3 for 10ms
expect alarms bravo 3 for 10ms
expect standby bravo within 1s
