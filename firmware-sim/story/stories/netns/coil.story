# The question whether anybody has the addresses begins with the coil: a fence that takes longer than the silence that it
# asks for costs the takeover nothing.
config probe-wait 2s
config prove 3s
config multiplier 15
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect address alpha within 1s
expect standby bravo within 20s
expect linked within 20s
power-off alpha
expect told bravo proven-off within 20s
expect owner bravo within 1s
expect address bravo within 1s
expect believed bravo for 300ms
never two-owners
