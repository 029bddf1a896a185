# Half a kilobyte of noise a second leaves one pulse in six on the cable at the default timing. With the network up that
# moves nothing and cuts nobody, it is told, and a death is still noticed.
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
say noise of 500 bytes a second, with the network up
noise 500
expect noisy alpha cable within 3s
expect noisy bravo cable within 3s
expect owner alpha for 10s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
expect standby bravo within 1s
expect alarms alpha 5 for 10ms
expect alarms bravo 5 for 10ms
say the owner loses its mains in the noise
power-off alpha
expect owner bravo within 5s
expect fences 1 for 300ms
noise 0
power-on alpha
expect standby alpha within 10s
expect linked within 10s
expect no-alarm alpha within 35s
expect no-alarm bravo within 35s
