# The cable is put into the wrong port, one that echoes what it is sent (a console, a loop-back plug). The node hears
# itself there: that is told, and is never life. With the network up nothing moves.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say the standby hears itself
sleep 200ms
loop-back bravo
expect link-down bravo cable within 3s
expect link-down alpha cable within 3s
expect alarm bravo loop-back within 3s
expect alarm alpha cable within 3s
expect owner alpha for 5s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
expect alarm bravo loop-back within 10ms
expect alarms bravo 3 for 10ms
expect alarms alpha 3 for 10ms
mend-cable
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 40s
say the owner hears itself
loop-back alpha
expect link-down alpha cable within 3s
expect link-down bravo cable within 3s
expect alarm alpha loop-back within 3s
expect alarm bravo cable within 3s
expect owner alpha for 3s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
say the owner dies meanwhile
power-off alpha
expect owner bravo within 5s
expect fences 1 for 300ms
power-on alpha
expect standby alpha within 5s
mend-cable
expect linked within 5s
say the network goes too: the standby hears nobody but itself, which is silence
sleep 200ms
loop-back alpha
expect alarm alpha loop-back within 3s
cut-net
expect owner alpha within 5s
expect fences 1 for 300ms
mend-cable
mend-net
expect standby bravo within 10s
expect linked within 5s
expect no-alarm alpha within 40s
expect owner alpha for 300ms
