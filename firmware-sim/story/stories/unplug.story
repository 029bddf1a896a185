# Serial ports are pulled out and put back, on one side and both, also while the network is cut.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say one port
unplug bravo
expect link-down bravo cable within 3s
expect alarm bravo cable within 3s
expect alarm alpha cable within 3s
expect owner alpha for 300ms
replug bravo
expect linked within 5s
expect no-alarm bravo within 3s
say both ports
unplug alpha
unplug bravo
expect link-down alpha cable within 3s
expect owner alpha for 500ms
replug alpha
replug bravo
expect linked within 5s
expect no-alarm alpha within 3s
say quickly, ten times
unplug bravo
sleep 1ms
replug bravo
sleep 1ms
unplug bravo
sleep 3ms
replug bravo
sleep 3ms
unplug bravo
sleep 5ms
replug bravo
sleep 5ms
unplug bravo
sleep 10ms
replug bravo
sleep 10ms
unplug bravo
sleep 20ms
replug bravo
sleep 20ms
unplug bravo
sleep 30ms
replug bravo
sleep 30ms
unplug bravo
sleep 50ms
replug bravo
sleep 50ms
unplug bravo
sleep 80ms
replug bravo
sleep 80ms
unplug bravo
sleep 120ms
replug bravo
sleep 120ms
unplug bravo
sleep 300ms
replug bravo
sleep 300ms
expect linked within 5s
expect owner alpha for 100ms
say the network is cut and the port of the owner is pulled
cut-net
sleep 300ms
expect owner alpha for 200ms
unplug alpha
expect owner bravo within 5s
expect fences 1 for 300ms
replug alpha
mend-net
expect standby alpha within 5s
expect linked within 5s
expect no-alarm alpha within 3s
