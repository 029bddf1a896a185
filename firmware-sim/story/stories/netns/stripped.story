# Somebody takes the addresses off the owner's card: it is an alarm that says what to do, nothing moves, and doing so
# brings them back. The daemon that comes after goes on telling and listening.
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
card alpha strip
expect alarm alpha removed within 10s
expect alarm alpha 192.0.2.10 is not on eth0 any more, though it was not stopped: find out who took it off, and put it back with `ip address add` within 1s
expect no-address for 500ms
expect standby bravo for 100ms
run alpha restart
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha within 5s
expect no-alarm alpha removed within 10s
expect fences 0 for 10ms
say The daemon is killed, and the next one finds the addresses here
restart-daemon alpha
expect reachable alpha within 20s
expect announced alpha within 10s
expect linked within 20s
expect owner alpha within 20s
squat
expect alarm alpha second-owner within 10s
expect believed alpha within 10s
unsquat
never two-owners
