# A relay that takes two seconds: longer than the fence waits. Nothing starts before a proof, and the late cut harms nobody.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
slow RELAY_ALPHA 2s
freeze alpha
expect told bravo fence-failed-now within 10s
expect owner bravo within 20s
slow RELAY_ALPHA 8ms
expect powered alpha within 10s
expect standby alpha within 10s
expect linked within 5s
expect no-alarm bravo within 10s
