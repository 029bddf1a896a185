# The cable is pulled, and later the owner dies: the network alone decides, with no second fence.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
cut-cable
expect alarm alpha cable within 3s
expect alarm bravo cable within 3s
sleep 5s
expect owner alpha for 100ms
sleep 200ms
power-off alpha
expect owner bravo within 5s
expect proof alpha fail-safe within 1s
expect fences 1 for 500ms
power-on alpha
expect standby alpha within 5s
expect link-ok alpha lan within 5s
expect alarm alpha cable within 5s
mend-cable
expect linked within 5s
expect no-alarm bravo within 5s
say the owner dies by a hang with the cable cut
cut-cable
sleep 1s
freeze bravo
expect owner alpha within 5s
mend-cable
expect standby bravo within 5s
expect linked within 5s
expect no-alarm alpha within 5s
