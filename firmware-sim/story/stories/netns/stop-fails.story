# The service does not stop. Its addresses come off all the same, and the node asks to be cut off.
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
sleep 1s
say A switchover whose stop fails, towards a node that may not cut
run bravo disarm
service alpha stop-fails
try alpha switchover web
expect no-address within 10s
expect no-address for 1s
expect fences 0 for 10ms
say It may again, and a person says so
run bravo arm
expect asks bravo within 10s
run bravo approve @incident
expect fenced alpha within 20s
expect owner bravo within 20s
expect address bravo within 1s
expect believed bravo for 300ms
service alpha ok
expect standby alpha within 20s
expect linked within 20s
never two-owners
