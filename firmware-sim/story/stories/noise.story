# Noise on the cable: with the network up it costs nothing, at 50 bytes a second the cable alone still carries the pair,
# and a real death is still noticed through the noise.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say noise 50
noise 50
expect owner alpha for 1s
expect not-fenced alpha for 100ms
cut-net
expect owner alpha for 2s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
mend-net
expect link-ok alpha lan within 3s
say noise 500, the network is up
noise 500
expect owner alpha for 3s
expect not-fenced alpha for 100ms
expect link-ok alpha lan within 3s
noise 500
cut-net
sleep 500ms
power-off alpha
expect owner bravo within 5s
expect fences 1 for 300ms
noise 0
mend-net
power-on alpha
expect standby alpha within 5s
expect linked within 5s
