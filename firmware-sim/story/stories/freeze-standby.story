# The standby stops for ten seconds and goes on: it must fence nobody, for it was asleep itself.
config interval 100ms
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect link-ok alpha cable within 5s
expect link-ok bravo cable within 5s
sleep 2s
say freeze the standby for ten seconds
freeze bravo
sleep 10s
thaw bravo
sleep 4s
expect owner alpha within 1s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
never two-owners
