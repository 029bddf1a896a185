# The owner stops for ten seconds: it is cut, and its service never answers again from the frozen run.
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
say freeze the owner for ten seconds
freeze alpha
sleep 10s
thaw alpha
sleep 4s
expect owner bravo within 1s
never two-owners
