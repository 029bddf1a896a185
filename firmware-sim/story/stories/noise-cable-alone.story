# Half a kilobyte of noise a second spoils six pulses in seven. Of a hundred in a row, which a peer may lose here beside a
# babbling line, some always come through, so nobody who lives is cut with the cable alone; and a death in the noise is
# still found when the stretched detection time of 2 s is over.
config interval 20ms
config multiplier 25
config noise-stretch 4
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
expect owner alpha for 3s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
say noise of 500 bytes a second, with the cable alone
cut-net
expect link-down bravo lan within 3s
expect alarm bravo lan within 3s
expect owner alpha for 15s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
expect noisy bravo cable within 1s
expect heard alpha within 10ms
say the owner dies in the noise
power-off alpha
expect not-fenced alpha for 1s
expect owner bravo within 2s
expect fences 1 for 100ms
noise 0
mend-net
power-on alpha
expect standby alpha within 10s
expect linked within 10s
