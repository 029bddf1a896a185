# A stranger takes the service's addresses while alpha has them: alpha raises an alarm that names the stranger's card, and
# tells everybody again where the addresses are. Nothing moves.
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect standby bravo within 20s
expect linked within 20s
expect no-alarm alpha within 5s
sleep 8s
say A stranger claims them aloud, after the last announcement for a minute, and the client believes it for a moment
squat
expect alarm alpha second-owner within 10s
expect alarm alpha 192.0.2.10 is claimed by 02:00:00:00:00:c8 on eth0 too within 1s
expect believed alpha within 10s
expect owner alpha within 10s
expect believed alpha for 1s
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms
unsquat
expect owner alpha for 500ms
stop
say A stranger takes them in silence: alpha finds out by asking
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect standby bravo within 20s
expect linked within 20s
squat quiet
expect alarm alpha second-owner within 10s
expect believed alpha for 1s
expect owner alpha for 100ms
unsquat
expect owner alpha for 500ms
never two-owners
