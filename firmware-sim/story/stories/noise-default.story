# Noise on the cable at the default timing, with the network up and with the cable alone: nothing moves, nobody is cut,
# and both nodes say that the cable is noisy.
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
say noise of 50 bytes a second, with the network up
noise 50
expect noisy alpha cable within 3s
expect noisy bravo cable within 3s
expect owner alpha for 3s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
say noise of 50 bytes a second, with the cable alone
cut-net
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect owner alpha for 4s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
expect noisy bravo cable within 1s
expect heard alpha within 10ms
mend-net
expect link-ok alpha lan within 3s
expect link-ok bravo lan within 3s
say noise of 200 bytes a second, with the network up
noise 200
expect noisy alpha cable within 3s
expect noisy bravo cable within 3s
expect owner alpha for 3s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
say noise of 200 bytes a second, with the cable alone
cut-net
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect owner alpha for 4s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
expect noisy bravo cable within 1s
expect heard alpha within 10ms
mend-net
expect link-ok alpha lan within 3s
expect link-ok bravo lan within 3s
noise 0
expect linked within 5s
expect no-alarm alpha within 35s
expect no-alarm bravo within 35s
expect standby bravo within 1s
